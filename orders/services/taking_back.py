"""Taking lines of an order back: what cancelling a part and refunding have in common.

The locks in their order: the order (by the caller), its promo code, its customer; after that the caller locks tills,
and the ledger its levels.
"""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _

from inventory.services.ledger import Movement
from inventory.services.returns import deductions_of, movements_back
from orders.discounts import NOTHING
from orders.errors import UnknownItem, WrongQuantity
from orders.models import CancelledItem, Order, OrderItem
from orders.services.actor import Actor
from orders.services.code_uses import release_codes
from orders.services.deduction import DOCUMENT_TYPE
from orders.services.loyalty import give_back, lock_customers_of, take_back_earned
from orders.services.shares import points_left, set_points, set_totals, take_back_shares


@dataclass(slots=True)
class TakenBack:
    """What was taken back: `lines` are (item, quantity, what it cost less everything that was taken off).

    `amount` is what the order costs less now, `withheld` the part of it that pays for points which it had earned and
    which are spent. `movements` are still to be posted, last of all.
    """

    lines: list[tuple[OrderItem, int, Decimal]] = field(default_factory=list)
    amount: Decimal = NOTHING
    withheld: Decimal = NOTHING
    movements: list[Movement] = field(default_factory=list)
    nothing_left: bool = False


def take_back_items(
    order: Order,
    quantities: Mapping[int, int],
    *,
    actor: Actor,
    reason: str,
    restock: bool,
    at: datetime.datetime | None = None,
) -> TakenBack:
    """Takes so many portions of these lines ({item id: quantity}) of a locked order back, in a constant number of
    queries: lines, records, shares of the discounts, points and code.

    The order is changed in memory, for the caller to save; so are `order.withheld` and `order.points_redeemed`.
    Raises UnknownItem, WrongQuantity.
    """
    items = list(order.items.all())
    chosen = checked(items, quantities)
    before, points_before = order.total, sum((item.points_discount for item in items), NOTHING)
    deductions = deductions_of(document_type=DOCUMENT_TYPE, document_ids=[order.pk])
    taken = TakenBack()
    for item, quantity in chosen:
        net = item.net
        taken.movements += movements_back(
            deductions,
            document_id=order.pk,
            line_id=item.pk,
            part=quantity,
            whole=item.remaining,
            restock=restock,
        )
        take_back_shares(order, item, part=quantity, whole=item.remaining)
        item.cancelled_quantity += quantity
        item.total = item.unit_price * item.remaining
        taken.lines.append((item, quantity, net - item.net))
    write_items(taken.lines, actor=actor, reason=reason, restock=restock, at=at)
    set_totals(order, items)
    taken.amount = before - order.total
    taken.nothing_left = not any(item.remaining for item in items)
    if taken.nothing_left:
        release_codes([order], at=at)
    points = points_left(order, before=points_before, after=sum((item.points_discount for item in items), NOTHING))
    taken.withheld = settle_points(order, points, before=before, actor=actor, reason=reason, at=at)
    return taken


def checked(items: Sequence[OrderItem], quantities: Mapping[int, int]) -> list[tuple[OrderItem, int]]:
    """The lines with what is to be taken back of each. Raises UnknownItem, WrongQuantity."""
    by_id = {item.pk: item for item in items}
    chosen = []
    for pk, quantity in quantities.items():
        item = by_id.get(pk)
        if item is None:
            raise UnknownItem(pk)
        if not 1 <= quantity <= item.remaining:
            raise WrongQuantity.at(
                "quantity",
                _("Of %(name)s, %(remaining)d can be cancelled, not %(quantity)d.")
                % {"name": item.name, "remaining": item.remaining, "quantity": quantity},
            )
        chosen.append((item, quantity))
    return chosen


def write_items(
    lines: Sequence[tuple[OrderItem, int, Decimal]],
    *,
    actor: Actor,
    reason: str,
    restock: bool,
    at: datetime.datetime | None,
) -> None:
    """Saves the changed lines, and writes down what was taken back of each."""
    OrderItem.objects.bulk_update(
        [item for item, _quantity, _net in lines], ["cancelled_quantity", "total", "discount", "points_discount"]
    )
    CancelledItem.objects.bulk_create(
        CancelledItem(
            item=item,
            quantity=quantity,
            reason=reason,
            is_restocked=restock,
            created_by_id=actor.user_id,
            created_at=at or timezone.now(),
        )
        for item, quantity, _net in lines
    )


def settle_points(
    order: Order, points: int, *, before: Decimal, actor: Actor, reason: str, at: datetime.datetime | None
) -> Decimal:
    """Gives back the points that pay for nothing any more, and takes back those that a completed order has earned for
    what is taken back: its total was `before`. Returns the money that is withheld for those that are spent."""
    returned = order.points_redeemed - points
    was_completed = order.status == Order.Status.COMPLETED
    if order.customer_id is None or not (returned or was_completed):
        return NOTHING
    customer = lock_customers_of([order])[order.customer_id]
    if returned:
        give_back(order, returned, user_id=actor.user_id, reason=reason, at=at)
        set_points(order, points)
    if not was_completed:
        return NOTHING
    withheld = take_back_earned(
        order,
        before=before,
        after=order.total,
        balance=customer.points + returned,
        user_id=actor.user_id,
        reason=reason,
        at=at,
    )
    order.withheld += withheld
    return withheld
