from orders.models.batch import BatchRun
from orders.models.customer import Customer
from orders.models.employee import Employee, Position
from orders.models.order import CancelledItem, Order, OrderEvent, OrderItem
from orders.models.sales_import import SalesImport, SalesImportPart

__all__ = [
    "BatchRun",
    "CancelledItem",
    "Customer",
    "Employee",
    "Order",
    "OrderEvent",
    "OrderItem",
    "Position",
    "SalesImport",
    "SalesImportPart",
]
