from orders.models.archive import ArchivedCancelledItem, ArchivedEvent, ArchivedItem, ArchivedOrder
from orders.models.batch import BatchRun
from orders.models.customer import Customer
from orders.models.employee import Employee, Position
from orders.models.every import EveryCancelledItem, EveryEvent, EveryItem, EveryOrder
from orders.models.order import CancelledItem, Order, OrderEvent, OrderItem
from orders.models.sales_import import SalesImport, SalesImportPart

__all__ = [
    "ArchivedCancelledItem",
    "ArchivedEvent",
    "ArchivedItem",
    "ArchivedOrder",
    "BatchRun",
    "CancelledItem",
    "Customer",
    "Employee",
    "EveryCancelledItem",
    "EveryEvent",
    "EveryItem",
    "EveryOrder",
    "Order",
    "OrderEvent",
    "OrderItem",
    "Position",
    "SalesImport",
    "SalesImportPart",
]
