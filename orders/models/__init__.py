from orders.models.archive import ArchivedCancelledItem, ArchivedEvent, ArchivedItem, ArchivedOrder
from orders.models.batch import BatchRun
from orders.models.counter_pin import CounterPin, WrongPins
from orders.models.customer import Customer, ErasedPerson
from orders.models.customer_message import CustomerMessage
from orders.models.employee import Employee, Position
from orders.models.every import EveryCancelledItem, EveryEvent, EveryItem, EveryOrder
from orders.models.loyalty import LoyaltyEntry, LoyaltyProgram, LoyaltyTier
from orders.models.order import CancelledItem, Order, OrderEvent, OrderItem
from orders.models.payment import Payment, Refund, RefundItem, RefundPart
from orders.models.payroll import Payroll, PayrollLine
from orders.models.promotion import PromoCode, PromoRedemption, Promotion
from orders.models.salary import Salary
from orders.models.sales_import import SalesImport, SalesImportPart
from orders.models.shift import CashMovement, Shift, ShiftCorrection

__all__ = [
    "ArchivedCancelledItem",
    "ArchivedEvent",
    "ArchivedItem",
    "ArchivedOrder",
    "BatchRun",
    "CancelledItem",
    "CashMovement",
    "CounterPin",
    "Customer",
    "CustomerMessage",
    "Employee",
    "ErasedPerson",
    "EveryCancelledItem",
    "EveryEvent",
    "EveryItem",
    "EveryOrder",
    "LoyaltyEntry",
    "LoyaltyProgram",
    "LoyaltyTier",
    "Order",
    "OrderEvent",
    "OrderItem",
    "Payment",
    "Payroll",
    "PayrollLine",
    "Position",
    "PromoCode",
    "PromoRedemption",
    "Promotion",
    "Refund",
    "RefundItem",
    "RefundPart",
    "Salary",
    "SalesImport",
    "SalesImportPart",
    "Shift",
    "ShiftCorrection",
    "WrongPins",
]
