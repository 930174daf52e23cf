"""What a customer may know of themselves: their own orders and points, and nobody else's."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from orders.models import Customer, EveryOrder, LoyaltyEntry, Order
from orders.queue_selectors import call_number

ORDERS_OF_A_PAGE = 10
ENTRIES_OF_A_PAGE = 30
# The steps that an order takes, in their order.
STEPS = (Order.Status.PENDING, Order.Status.PREPARING, Order.Status.READY)


@dataclass(frozen=True, slots=True)
class OwnOrder:
    """An order as its customer sees it."""

    order: EveryOrder

    @property
    def call_number(self) -> str:
        return call_number(self.order.number)

    @property
    def lines(self) -> list[Any]:
        """Its lines, read with the order."""
        return list(self.order.items.all())

    @property
    def steps(self) -> list[tuple[str, str]]:
        """(label, "done", "now" or "") of each step on the way to the customer's hand."""
        now = STEPS.index(self.order.status) if self.order.status in STEPS else len(STEPS)
        return [
            (str(status.label), "done" if place < now else "now" if place == now else "")
            for place, status in enumerate(STEPS)
        ]


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list, newest first. `before` is the id that the next part goes on before, None on the last."""

    rows: list[Any]
    before: int | None


def customer_of(user_id: int) -> Customer | None:
    """The customer's record of an account, if there is one yet."""
    return Customer.objects.filter(user_id=user_id).first()


def own_orders(customer: Customer | None, *, before: int | None = None) -> Page:
    """The customer's orders that are over, archived ones too, in two queries."""
    return page_of(orders_of(customer).exclude(status__in=Order.ACTIVE), before, ORDERS_OF_A_PAGE, OwnOrder)


def own_active_orders(customer: Customer | None) -> list[OwnOrder]:
    """What the customer is waiting for, the oldest first."""
    waiting = orders_of(customer).filter(status__in=Order.ACTIVE, is_archived=False)
    return [OwnOrder(order) for order in waiting.order_by("id")]


def own_order(customer: Customer | None, *, number: int) -> OwnOrder | None:
    """The customer's order with this number; None for one that is not theirs."""
    order = orders_of(customer).filter(number=number).first()
    return OwnOrder(order) if order else None


def own_entries(customer: Customer | None, *, before: int | None = None) -> Page:
    """The lines of the customer's points ledger."""
    entries = LoyaltyEntry.objects.filter(customer=customer).select_related("order") if customer else None
    return page_of(entries, before, ENTRIES_OF_A_PAGE) if entries is not None else Page([], None)


def orders_of(customer: Customer | None) -> QuerySet[EveryOrder]:
    if customer is None:
        return EveryOrder.objects.none()
    return EveryOrder.objects.filter(customer=customer).select_related("location").prefetch_related("items")


def page_of(rows: QuerySet[Any], before: int | None, size: int, shown: Any = lambda row: row) -> Page:
    """The next rows before this id, by keyset: the last page costs what the first one does."""
    if before is not None:
        rows = rows.filter(id__lt=before)
    found = list(rows.order_by("-id")[: size + 1])
    return Page([shown(row) for row in found[:size]], found[size - 1].id if len(found) > size else None)
