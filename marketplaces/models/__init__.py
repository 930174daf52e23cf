from marketplaces.models.account import CredentialEvent, DeviceConnection, MarketplaceSwitch, SellerAccount
from marketplaces.models.listing import Listing
from marketplaces.models.mirror import ErasedBuyer, MarketplaceOrder, MarketplaceOrderLine, MarketplaceOrderRevision
from marketplaces.models.operation import OperationLog, StockOperation, StockOperationLine
from marketplaces.models.stock import MarketplaceStock, MarketplaceStockSnapshot
from marketplaces.models.sync import ApiGate, SyncCursor, SyncRun, SyncState

__all__ = [
    "ApiGate",
    "CredentialEvent",
    "DeviceConnection",
    "ErasedBuyer",
    "Listing",
    "MarketplaceOrder",
    "MarketplaceOrderLine",
    "MarketplaceOrderRevision",
    "MarketplaceStock",
    "MarketplaceStockSnapshot",
    "MarketplaceSwitch",
    "OperationLog",
    "SellerAccount",
    "StockOperation",
    "StockOperationLine",
    "SyncCursor",
    "SyncRun",
    "SyncState",
]
