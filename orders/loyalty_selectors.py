"""Questions about points and tiers.

Expiry is first in, first out, by sums: whatever was spent was spent of the points that expire first. So what expires by
a moment is what was given with an expiry up to it, less all that was spent, expired or taken; no line of the ledger has
to remember which other one it used up. Where points that came later expire sooner, they may live longer than that, and
never shorter. See docs/adr/0032-points-are-a-ledger.md.
"""

import datetime
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.db.models import Q, Sum

from orders.models import Customer, EveryOrder, LoyaltyEntry, LoyaltyProgram, LoyaltyTier, Order
from users.models import User

# What expires of each customer's points by %(at)s: see the module. Points without an expiry that were earned or given
# by staff never expire; all else without one is spending, or takes spending back.
EXPIRING = """
    SELECT customer_id, LEAST(points, gone - GREATEST(spent, 0)) FROM (
        SELECT customer.id AS customer_id, customer.points,
            COALESCE(SUM(entry.points) FILTER (WHERE entry.expires_at <= %(at)s), 0) AS gone,
            COALESCE(-SUM(entry.points) FILTER (
                WHERE entry.expires_at IS NULL
                AND entry.kind <> 'earned'
                AND entry.reverses <> 'earned'
                AND NOT (entry.kind = 'adjusted' AND entry.points > 0 AND entry.order_id IS NULL)
            ), 0) AS spent
        FROM orders_customer AS customer JOIN orders_loyaltyentry AS entry ON entry.customer_id = customer.id
        WHERE {which} AND customer.points > 0
        GROUP BY customer.id
    ) AS sums
    WHERE LEAST(points, gone - GREATEST(spent, 0)) > 0
    ORDER BY customer_id
"""


def year_before(at: datetime.datetime) -> datetime.datetime:
    """The same moment twelve months earlier; of 29 February the one of the 28th."""
    try:
        return at.replace(year=at.year - 1)
    except ValueError:
        return at.replace(year=at.year - 1, day=28)


def spending_of(customer_ids: Collection[int], at: datetime.datetime) -> dict[int, Decimal]:
    """What each customer's orders of the twelve months before `at` came to that were completed, archived ones too.

    One query; who has bought nothing is left out.
    """
    if not customer_ids:
        return {}
    return dict(
        EveryOrder.objects.filter(
            customer_id__in=customer_ids,
            status=Order.Status.COMPLETED,
            closed_at__gte=year_before(at),
            closed_at__lte=at,
        )
        .order_by()
        .values("customer_id")
        .annotate(spent=Sum("total"))
        .values_list("customer_id", "spent")
    )


def tier_by_spending(tiers: Collection[LoyaltyTier], spent: Decimal) -> LoyaltyTier | None:
    """The highest of the tiers that this spending reaches. None if none does."""
    reached = [tier for tier in tiers if tier.spending_from <= spent]
    return max(reached, key=lambda tier: tier.spending_from, default=None)


def tiers_of(customer_ids: Collection[int], at: datetime.datetime) -> dict[int, LoyaltyTier | None]:
    """The tier of each of these customers at this moment, in two queries however many they are."""
    tiers = list(LoyaltyTier.objects.all())
    spent = spending_of(customer_ids, at) if tiers else {}
    return {pk: tier_by_spending(tiers, spent.get(pk, Decimal(0))) for pk in customer_ids}


def tier_of(customer: Customer, at: datetime.datetime) -> LoyaltyTier | None:
    """The tier that a customer has reached at this moment."""
    return tiers_of([customer.pk], at)[customer.pk]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a customer stands among the tiers: what they spent in twelve months, the tier that this makes, the one
    that follows."""

    spent: Decimal
    tier: LoyaltyTier | None
    next_tier: LoyaltyTier | None

    @property
    def lacking(self) -> Decimal | None:
        """What they have yet to spend for the next tier; None at the top."""
        return None if self.next_tier is None else self.next_tier.spending_from - self.spent


def standing_of(customer: Customer, at: datetime.datetime) -> Standing:
    """Where the customer stands among the tiers, in two queries."""
    tiers = list(LoyaltyTier.objects.order_by("spending_from"))
    spent = spending_of([customer.pk], at).get(customer.pk, Decimal("0.00"))
    return Standing(
        spent=spent,
        tier=tier_by_spending(tiers, spent),
        next_tier=next((tier for tier in tiers if tier.spending_from > spent), None),
    )


def expiring_points(customer_ids: Collection[int], *, at: datetime.datetime) -> dict[int, int]:
    """How many points each of these customers loses by this moment if they spend none, in one query. Who loses none
    is left out."""
    with connection.cursor() as cursor:
        cursor.execute(EXPIRING.format(which="customer.id = ANY(%(ids)s)"), {"at": at, "ids": list(customer_ids)})
        return dict(cursor.fetchall())


def customers_with_expired_points(now: datetime.datetime) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(EXPIRING.format(which="true"), {"at": now})
        return [pk for pk, _points in cursor.fetchall()]


def points_expiring(customer: Customer, until: datetime.datetime) -> int:
    """How many points the customer loses by this moment if they spend none."""
    return expiring_points([customer.pk], at=until).get(customer.pk, 0)


def lots_of(customer: Customer) -> list[tuple[datetime.datetime | None, int]]:
    """The customer's points as (when they expire, how many), those that go first before the others; None is never.

    Together they are the balance. Spending has eaten the first ones.
    """
    lots: dict[datetime.datetime | None, int] = defaultdict(int)
    spent = 0
    for entry in LoyaltyEntry.objects.filter(customer=customer).only(
        "kind", "points", "reverses", "expires_at", "order_id"
    ):
        if entry.expires_at is not None or entry.is_credit:
            lots[entry.expires_at] += entry.points
        else:
            spent -= entry.points
    # What a reversal took back of points that had expired already was taken from the others.
    spent -= sum(points for points in lots.values() if points < 0)
    left = []
    for expires_at in sorted(lots, key=lambda moment: (moment is None, moment)):
        eaten = min(max(spent, 0), max(lots[expires_at], 0))
        spent -= eaten
        if lots[expires_at] > eaten:
            left.append((expires_at, lots[expires_at] - eaten))
    if spent < 0:
        # Given back were points that another record had earned.
        left.append((None, -spent))
    return left


def adjustment_limit_of(user: User | AnonymousUser) -> int | None:
    """How many points of a customer this person may give or take within a day; None for any number."""
    if user.has_perm("orders.adjust_points_unlimited"):
        return None
    program = LoyaltyProgram.objects.filter(pk=LoyaltyProgram.ID).first() or LoyaltyProgram()
    return program.adjustment_limit


def earned_by(order_id: int) -> int:
    """The points that the order has earned and that were not taken back; in one query."""
    earned = Q(kind=LoyaltyEntry.Kind.EARNED) | Q(kind=LoyaltyEntry.Kind.REVERSED, reverses=LoyaltyEntry.Kind.EARNED)
    entries = LoyaltyEntry.objects.filter(earned, order_id=order_id).order_by()
    points: int = entries.aggregate(points=Sum("points", default=0))["points"]
    return points
