"""Questions about points and tiers."""

import datetime
from collections.abc import Collection
from decimal import Decimal

from django.db.models import Sum

from orders.models import EveryOrder, LoyaltyTier, Order


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
