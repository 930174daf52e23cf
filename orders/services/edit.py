"""Editing an order that nobody has begun to make."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.db import transaction

from inventory.errors import ClosedLocation
from inventory.menu import load_menu
from inventory.services.ledger import Movement
from inventory.services.returns import Deductions, deductions_of, movements_back
from orders.errors import ChangedMeanwhile
from orders.locks import lock_order
from orders.models import Order, OrderEvent, OrderItem
from orders.pricing import OrderLine, PricedLine, price_order
from orders.services.actor import Actor
from orders.services.deduction import DOCUMENT_TYPE, check_listed, deduct, sale_movements
from orders.services.events import event
from orders.services.place import new_item
from orders.services.transitions import require_status


@dataclass(slots=True)
class _Edit:
    """What an edit comes to: the rows to write, the movements, and what is sold more than before."""

    kept: list[OrderItem] = field(default_factory=list)
    added: list[tuple[OrderItem, PricedLine]] = field(default_factory=list)
    dropped: list[OrderItem] = field(default_factory=list)
    movements: list[Movement] = field(default_factory=list)
    sold: list[PricedLine] = field(default_factory=list)


@transaction.atomic
def edit_order(
    *,
    order_id: int,
    actor: Actor,
    lines: Sequence[OrderLine] | None = None,
    comment: str | None = None,
    allow_below_minimum: bool = False,
    sell_anyway: bool = False,
    seen_event_id: int | None = None,
) -> Order:
    """Makes a pending order consist of `lines` (None: unchanged); the stock moves by the difference.

    A line with the same product and options stays the same line, at the price it was sold for; what it
    loses comes back from its own ledger rows; what it gains is deducted by today's recipe. For `allow_below_minimum`
    and `sell_anyway` see `place_order`.

    `seen_event_id` is the newest event of the order as the editor saw it: what happened since must not be undone
    unseen. None: whatever happened.

    Raises UnknownOrder, WrongStatus, ChangedMeanwhile, WrongLines, ClosedLocation (a closed location sells nothing
    more), Unavailable, InsufficientStock.
    """
    order = lock_order(order_id)
    require_status(order, [Order.Status.PENDING])
    if seen_event_id is not None and order.events.filter(pk__gt=seen_event_id).exists():
        raise ChangedMeanwhile(number=order.number)
    details: dict[str, object] = {}
    if comment is not None and comment != order.comment:
        details["comment"] = [order.comment, comment]
        order.comment = comment
    if lines is not None:
        details["items"] = rewrite_items(
            order, lines, actor=actor, allow_below_minimum=allow_below_minimum, sell_anyway=sell_anyway
        )
        if sell_anyway:
            details["sold_anyway"] = True
    if details:
        order.save(update_fields=["comment", "subtotal", "discount", "total"])
        event(order, OrderEvent.Kind.EDITED, actor, from_status=order.status, details=details).save(force_insert=True)
    return order


def rewrite_items(
    order: Order, lines: Sequence[OrderLine], *, actor: Actor, allow_below_minimum: bool, sell_anyway: bool
) -> dict[str, list[str]]:
    """Turns the locked order's lines into `lines`; returns them in words, before and after."""
    menu = load_menu({line.product_id for line in lines})
    price = price_order(menu=menu, lines=lines)
    items = list(order.items.all())
    before = in_words(items)
    edit = compare(order, items, price.lines, deductions_of(document_type=DOCUMENT_TYPE, document_ids=[order.pk]))
    if edit.sold and not order.location.is_active:
        raise ClosedLocation(order.location.name)
    check_listed(edit.sold)
    OrderItem.objects.bulk_update(edit.kept, ["position", "quantity", "total"])
    OrderItem.objects.filter(pk__in=[item.pk for item in edit.dropped]).delete()
    OrderItem.objects.bulk_create([item for item, _line in edit.added])
    sales = [
        movement
        for item, line in edit.added
        for movement in sale_movements(order, line, line_id=item.pk, quantity=item.quantity)
    ]
    deduct(
        order=order,
        movements=[*edit.movements, *sales],
        products=[line.product for line in edit.sold],
        actor=actor,
        allow_below_minimum=allow_below_minimum,
        sell_anyway=sell_anyway,
    )
    now = [*edit.kept, *(item for item, _line in edit.added)]
    order.subtotal = sum((item.total for item in now), Decimal("0.00"))
    order.total = order.subtotal - order.discount
    return {"before": before, "after": in_words(sorted(now, key=lambda item: item.position))}


def in_words(items: Iterable[OrderItem]) -> list[str]:
    """What is still wanted, for the order's history: ["2 × Latte (Large, Oat milk)"]."""
    lines = []
    for item in items:
        options = ", ".join(option["name"] for option in item.options)
        if item.remaining:
            lines.append(
                f"{item.remaining} × {item.name} ({options})" if options else f"{item.remaining} × {item.name}"
            )
    return lines


def compare(order: Order, items: list[OrderItem], lines: Sequence[PricedLine], deductions: Deductions) -> _Edit:
    """Matches the wanted lines with the order's, each at most once."""
    edit = _Edit()
    unmatched = {item.pk: item for item in items}
    for position, line in enumerate(lines, start=1):
        item = next((one for one in unmatched.values() if one.remaining and key_of(one) == line.line.key), None)
        if item is None:
            edit.added.append((new_item(order, line, position), line))
            edit.sold.append(line)
            continue
        del unmatched[item.pk]
        more = line.line.quantity - item.remaining
        if more > 0:
            edit.sold.append(line)
            edit.movements += sale_movements(order, line, line_id=item.pk, quantity=more)
        elif more < 0:
            edit.movements += take_back(order, item, -more, deductions)
        item.position = position
        item.quantity += more
        item.total = item.unit_price * item.remaining
        edit.kept.append(item)
    for item in unmatched.values():
        edit.movements += take_back(order, item, item.remaining, deductions)
        if item.cancelled_quantity:
            # What was cancelled of it stays on record.
            item.quantity, item.total = item.cancelled_quantity, Decimal("0.00")
            edit.kept.append(item)
        else:
            edit.dropped.append(item)
    return edit


def take_back(order: Order, item: OrderItem, part: int, deductions: Deductions) -> list[Movement]:
    """What `part` of the line's remaining portions gives back to the shelf."""
    return movements_back(
        deductions, document_id=order.pk, line_id=item.pk, part=part, whole=item.remaining, restock=True
    )


def key_of(item: OrderItem) -> tuple[int, frozenset[int]]:
    """The line's product and options, to compare with `OrderLine.key`."""
    return item.product_id, frozenset(option["id"] for option in item.options)
