"""Tiers: what a customer has reached by the spending of the last twelve months."""

import datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.loyalty_selectors import standing_of, tier_of, tiers_of, year_before
from orders.models import Customer, LoyaltyTier, Order
from orders.services.archive import archive_orders
from tests.shop import Shop

pytestmark = pytest.mark.django_db
NOW = timezone.now()
DAY = datetime.timedelta(days=1)


@pytest.fixture
def bar() -> Shop:
    for name, spending in [("Guest", 0), ("Silver", 100), ("Gold", 200)]:
        LoyaltyTier.objects.create(name=name, spending_from=spending, points_per_hundred=5)
    return Shop.open()


def bought(bar: Shop, customer: Customer, amount: str, days_ago: int = 1, status: str = "completed") -> None:
    tea, _made = bar.category.products.get_or_create(name=f"Tea for {amount}", defaults={"price": Decimal(amount)})
    order = bar.sell(tea, customer_id=customer.pk, at=NOW - days_ago * DAY)
    Order.objects.filter(pk=order.pk).update(
        status=status, closed_at=None if status == "pending" else NOW - days_ago * DAY
    )


def tier(customer: Customer) -> str | None:
    reached = tier_of(customer, NOW)
    return reached and reached.name


def test_a_tier_is_reached_with_the_last_satang(bar: Shop) -> None:
    ann = Customer.objects.create(name="Ann")
    assert tier(ann) == "Guest"

    bought(bar, ann, "99.99")
    assert tier(ann) == "Guest"
    bought(bar, ann, "0.01")
    assert tier(ann) == "Silver"


def test_only_what_was_completed_in_the_last_twelve_months_counts_archived_orders_too(bar: Shop) -> None:
    ann = Customer.objects.create(name="Ann")
    bought(bar, ann, "500.00", days_ago=367)
    bought(bar, ann, "500.00", status="cancelled")
    bought(bar, ann, "500.00", status="pending")
    assert tier(ann) == "Guest"

    bought(bar, ann, "120.00", days_ago=364)
    archive_orders(before=NOW - 30 * DAY)

    assert tier(ann) == "Silver"


def test_a_shop_without_tiers_gives_none(bar: Shop) -> None:
    ann = Customer.objects.create(name="Ann")
    LoyaltyTier.objects.filter(spending_from=0).delete()
    assert tier(ann) is None
    LoyaltyTier.objects.all().delete()
    assert tiers_of([ann.pk], NOW) == {ann.pk: None}


def test_somebody_is_told_what_is_lacking_for_the_next_tier(bar: Shop) -> None:
    ann = Customer.objects.create(name="Ann")
    bought(bar, ann, "130.00")

    standing = standing_of(ann, NOW)
    assert (standing.spent, str(standing.tier), str(standing.next_tier), standing.lacking) == (
        130,
        "Silver",
        "Gold",
        70,
    )
    bought(bar, ann, "70.00")
    assert standing_of(ann, NOW).lacking is None


def test_the_tiers_of_many_take_two_queries(bar: Shop) -> None:
    customers = [Customer.objects.create(name=f"Ann {number}") for number in range(20)]
    for customer in customers[:3]:
        bought(bar, customer, "100.00")

    with CaptureQueriesContext(connection) as captured:
        reached = tiers_of([one.pk for one in customers], NOW)

    assert len(captured) == 2
    assert [str(reached[one.pk]) for one in customers[:4]] == ["Silver", "Silver", "Silver", "Guest"]


def test_a_year_before_the_29th_of_february_is_the_28th() -> None:
    leap = datetime.datetime(2028, 2, 29, 12, tzinfo=datetime.UTC)
    assert year_before(leap) == datetime.datetime(2027, 2, 28, 12, tzinfo=datetime.UTC)
