"""Everything that a shop's services may write, to see that a refusal changed nothing."""

from typing import Any

from inventory.models import StockDocument, StockLevel, StockMovement
from monitoring.models import Alert
from orders.models import (
    BatchRun,
    CancelledItem,
    CashMovement,
    Customer,
    LoyaltyEntry,
    Order,
    OrderEvent,
    OrderItem,
    Payment,
    PromoCode,
    PromoRedemption,
    Refund,
    RefundItem,
    RefundPart,
    SalesImport,
    SalesImportPart,
    Shift,
    ShiftCorrection,
)

TABLES = (
    Order,
    OrderItem,
    CancelledItem,
    OrderEvent,
    BatchRun,
    Payment,
    Refund,
    RefundItem,
    RefundPart,
    Shift,
    CashMovement,
    ShiftCorrection,
    Customer,
    LoyaltyEntry,
    PromoCode,
    PromoRedemption,
    SalesImport,
    SalesImportPart,
    StockLevel,
    StockMovement,
    StockDocument,
    Alert,
)


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table that the services write."""
    return {model.__name__: list(model.objects.order_by("pk").values_list()) for model in TABLES}
