"""Points around an order: earned when it is completed, redeemed when it is placed, reversed when it is taken back.

The customers are locked first; their balance and the ledger are written together, by `write_entries` and by nothing
else. What the entries mean for expiry stands at `orders.models.LoyaltyEntry`.
"""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_FLOOR, Decimal

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from foundation.decimals import round_money
from orders.discounts import PointsOffer
from orders.errors import CustomerGone, NotEnoughPoints, PointsNotUsable
from orders.locks import lock_customers
from orders.loyalty_selectors import earned_by, tiers_of
from orders.models import Customer, LoyaltyEntry, LoyaltyProgram, Order

Kind = LoyaltyEntry.Kind
NOTHING = Decimal("0.00")


def program() -> LoyaltyProgram:
    """The shop's loyalty programme; one that is switched off while nobody has set it up."""
    return LoyaltyProgram.objects.filter(pk=LoyaltyProgram.ID).first() or LoyaltyProgram()


def write_entries(entries: Sequence[LoyaltyEntry]) -> None:
    """Writes these lines into the ledger and moves the balances of their locked customers by them, in two queries.

    The caller has seen to it that no balance falls below zero; the database refuses it too.
    """
    deltas: dict[int, int] = {}
    for entry in entries:
        deltas[entry.customer_id] = deltas.get(entry.customer_id, 0) + entry.points
    if not deltas:
        return
    LoyaltyEntry.objects.bulk_create(entries)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orders_customer SET points = points + moved.delta "
            "FROM unnest(%s::bigint[], %s::int[]) AS moved (id, delta) WHERE orders_customer.id = moved.id",
            [list(deltas), list(deltas.values())],
        )


def check_still_there(customer: Customer) -> None:
    """Raises CustomerGone for a duplicate that was merged, and for somebody whose data was erased."""
    if customer.merged_into_id is not None or customer.erased_at is not None:
        raise CustomerGone(customer.pk, merged_into=customer.merged_into_id)


def points_offer(customer: Customer | None, points: int, *, held: int = 0) -> PointsOffer | None:
    """What `points` of the customer may pay for; None for no points. `held` of them are in the order already.

    Raises PointsNotUsable without a customer or a programme, NotEnoughPoints.
    """
    if points <= 0:
        return None
    if customer is None:
        sentence = _("Say whose points are to be used: choose the customer.")
        raise PointsNotUsable(sentence, errors={"redeem_points": [sentence]})
    rules = program()
    if not rules.is_active and points > held:
        sentence = _("The loyalty programme is switched off: points can't be used now.")
        raise PointsNotUsable(sentence, errors={"redeem_points": [sentence]})
    if points > customer.points + held:
        raise NotEnoughPoints.of(field="redeem_points", wanted=points, balance=customer.points + held)
    return PointsOffer(points, rules.point_value)


def redeem(order: Order, points: int, *, user_id: int | None, at: datetime.datetime | None = None) -> None:
    """Takes the points that pay for a part of the order from its locked customer."""
    if points:
        write_entries([entry_of(order, Kind.REDEEMED, -points, user_id=user_id, at=at)])


def give_back(
    order: Order, points: int, *, user_id: int | None, reason: str = "", at: datetime.datetime | None = None
) -> None:
    """Gives redeemed points back to the locked customer."""
    give_back_all([(order, points)], user_id=user_id, reason=reason, at=at)


def give_back_all(
    returned: Iterable[tuple[Order, int]],
    *,
    user_id: int | None,
    reason: str = "",
    at: datetime.datetime | None = None,
) -> None:
    """Gives redeemed points of several orders back to their locked customers, in two queries."""
    write_entries(
        [
            entry_of(order, Kind.REVERSED, points, reverses=Kind.REDEEMED, user_id=user_id, reason=reason, at=at)
            for order, points in returned
            if points
        ]
    )


def earn_for(orders: Sequence[Order], *, user_id: int | None, at: datetime.datetime | None = None) -> None:
    """Gives the customers of these locked orders, which are being completed, what they earn for them.

    By the tier that each customer has reached before, rounded down to whole points. The same number of queries for one
    order and for a thousand, and none for orders without a customer. A customer who was merged or erased earns nothing.
    """
    earning = [order for order in orders if order.customer_id is not None and order.total > 0]
    if not earning:
        return
    rules = program()
    if not rules.is_active:
        return
    now = at or timezone.now()
    customers = lock_customers({order.customer_id for order in earning if order.customer_id is not None})
    tiers = tiers_of(list(customers), now)
    expires_at = now + datetime.timedelta(days=rules.points_days) if rules.points_days else None
    entries = []
    for order in earning:
        customer = customers[order.customer_id]  # type: ignore[index]
        tier = tiers.get(customer.pk)
        if tier is None or customer.merged_into_id is not None or customer.erased_at is not None:
            continue
        points = int((order.total * tier.points_per_hundred / 100).to_integral_value(rounding=ROUND_FLOOR))
        if points:
            entries.append(entry_of(order, Kind.EARNED, points, user_id=user_id, expires_at=expires_at, at=now))
    write_entries(entries)


def take_back_earned(
    order: Order,
    *,
    before: Decimal,
    after: Decimal,
    balance: int,
    user_id: int | None,
    reason: str,
    at: datetime.datetime | None,
) -> Decimal:
    """Takes back what the order earned for the part of it that is refunded: its total falls from `before` to `after`.

    `balance` is what its locked customer has. What they have spent already they pay for with the refund: returns the
    money to withhold, at most the refund itself.
    """
    earned = earned_by(order.pk)
    if not earned or before <= 0:
        return NOTHING
    kept = int((earned * after / before).to_integral_value(rounding=ROUND_FLOOR))
    taken = earned - kept
    if not taken:
        return NOTHING
    spent = max(taken - balance, 0)
    expires_at = order_expiry(order)
    entries = [
        entry_of(
            order,
            Kind.REVERSED,
            -taken,
            reverses=Kind.EARNED,
            expires_at=expires_at,
            user_id=user_id,
            reason=reason,
            at=at,
        )
    ]
    if spent:
        # The ledger says it plainly: these points were bought with money that was not paid back.
        bought = _("kept from the refund: these points were spent")
        entries.append(entry_of(order, Kind.ADJUSTED, spent, user_id=user_id, reason=bought, at=at))
    write_entries(entries)
    return min(round_money(program().point_value * spent), before - after) if spent else NOTHING


def order_expiry(order: Order) -> datetime.datetime | None:
    """When the points that the order earned expire."""
    return LoyaltyEntry.objects.filter(order_id=order.pk, kind=Kind.EARNED).values_list("expires_at", flat=True).first()


def entry_of(
    order: Order,
    kind: str,
    points: int,
    *,
    user_id: int | None,
    reverses: str = "",
    reason: str = "",
    expires_at: datetime.datetime | None = None,
    at: datetime.datetime | None = None,
) -> LoyaltyEntry:
    """A line of the ledger for the order's customer, not saved yet."""
    return LoyaltyEntry(
        customer_id=order.customer_id,  # type: ignore[misc]  # nobody calls for an order without one
        kind=kind,
        points=points,
        order_id=order.pk,
        reverses=reverses,
        reason=reason,
        expires_at=expires_at,
        created_by_id=user_id,
        created_at=at or timezone.now(),
    )


def lock_customers_of(orders: Iterable[Order]) -> Mapping[int, Customer]:
    """Locks the customers of those of the orders that have one."""
    return lock_customers({order.customer_id for order in orders if order.customer_id is not None})
