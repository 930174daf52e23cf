"""The doors of money: who sells takes payments and runs a till, managers pay back and correct."""

from decimal import Decimal
from typing import Any

from inventory.models import Product
from orders.models import CustomerMessage, Order
from orders.services.shifts import close_shift
from tests.orders.money import open_till, pay, refund
from tests.project.admin_doors import MANAGERS, NOBODY, STAFF, Keys, deed, page, records, verb
from tests.shop import NOBODY as NO_ACTOR
from tests.shop import Shop


def tills(bar: Shop, latte: Product, ready: Order) -> dict[str, Any]:
    """Shifts, payments and refunds; the order that is ready is paid, so that everybody may complete it."""
    shift, closed = open_till(bar), open_till(bar, "2")
    close_shift(shift_id=closed.pk, counted=Decimal(100), actor=NO_ACTOR)
    pay(ready, ready.total)
    paid = bar.sell(latte)
    return {
        "shift": shift,
        "closed_shift": closed,
        "paid": paid,
        "payment": pay(paid, paid.total, "cash"),
        "refund": refund(paid, amount="10"),
        "customer_message": CustomerMessage.objects.create(order_id=ready.pk, kind="order_ready"),
    }


def payment(it: Keys) -> dict[str, Any]:
    return {"pay-method": "cash", "pay-amount": "100", "pay-tendered": "150"}


def back(it: Keys) -> dict[str, Any]:
    return {"refund-what": "amount", "refund-amount": "5", "refund-restock": "waste", "refund-reason": "cold"}


def opened(it: Keys) -> dict[str, Any]:
    return {"location": it["main_street"], "till": "3", "opening_float": "100"}


OPEN = "orders/shift/open/"
SHIFT, CLOSED = "orders/shift/{shift}/", "orders/shift/{closed_shift}/"

MONEY = [
    verb("orders/order/{pending}/", STAFF, "pay", payment, asks=True),
    verb("orders/order/{paid}/", MANAGERS, "refund", back, asks=True),
    records("orders/payment", "payment", see=STAFF, form=lambda it: {"amount": "5"}),
    records("orders/refund", "refund", see=MANAGERS, form=lambda it: {"amount": "5"}),
    records("orders/customermessage", "customer_message", see=MANAGERS, form=lambda it: {"status": "sent"}),
    records("orders/shift", "shift", see=STAFF, without=["add"], form=lambda it: {"counted": "5"}),
    page("orders/shift/add/", STAFF, deed("orders/shift/add/", NOBODY, "add", refused=OPEN), then=OPEN),
    page(OPEN, STAFF, deed(OPEN, STAFF, "open", opened, then="orders/shift/*/change/")),
    verb(SHIFT, STAFF, "close", lambda it: {"close-counted": "160"}, asks=True),
    verb(SHIFT, STAFF, "cash", lambda it: {"cash-way": "out", "cash-amount": "5", "cash-reason": "milk"}, asks=True),
    verb(CLOSED, MANAGERS, "correct", lambda it: {"correct-counted": "95", "correct-reason": "again"}, asks=True),
]
