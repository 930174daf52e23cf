"""The first start may come at any hour: the shop is at work all the same, and the same plan comes of the same seed."""

import datetime
from collections import Counter

import pytest

from inventory.menu import load_menu
from inventory.menu_file import read_menu_file
from inventory.models import Location, Product
from inventory.services.menu_import import import_menu
from orders.models import Order, OrderEvent
from orders.selectors import best_sellers, day_figures
from project.demo.guests import Offer, People, Verb, Visit, full_day
from project.demo.load import MENU, load_demo
from project.demo.places import PLACES
from tests.shop import assert_levels_are_what_the_ledger_sums_to

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
MONDAY, SATURDAY = datetime.date(2026, 11, 16), datetime.date(2026, 11, 21)


@pytest.mark.parametrize(
    "now",
    [
        datetime.datetime(2026, 11, 20, 17, 0, 5, tzinfo=datetime.UTC),
        datetime.datetime(2026, 11, 20, 21, 0, 2, tzinfo=datetime.UTC),
        datetime.datetime(2026, 3, 1, 16, 59, 59, tzinfo=datetime.UTC),
    ],
    ids=["seconds after midnight", "seconds after four", "seconds before midnight"],
)
def test_the_shop_is_at_work_at_any_hour(now, tmp_path, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    shop = load_demo(accounts_path=tmp_path / "demo-accounts.json", now=now)
    assert 250 <= shop.orders <= 400
    for location in Location.objects.all():
        today = location.today(now)
        figures = day_figures(location=location, day=today)
        assert figures.completed >= 3
        assert figures.revenue > 0
        start, end = location.day_bounds(today)
        assert best_sellers(location=location, start=start, end=end)
        assert set(Order.objects.active().filter(location=location).values_list("status", flat=True)) == {
            "pending",
            "preparing",
            "ready",
        }
    assert not OrderEvent.objects.filter(created_at__gt=now).exists()
    assert_levels_are_what_the_ledger_sums_to()


def visits(day: datetime.date, seed: str = "samovar") -> list[Visit]:
    offer = Offer(list(load_menu(list(Product.objects.values_list("pk", flat=True))).values()))
    return full_day(PLACES[0], day, offer=offer, people=People(guests=20, workers=3), seed=seed)


def test_a_day_is_the_same_for_the_same_seed_and_another_for_another():
    import_menu(rows=read_menu_file(MENU).rows)
    assert visits(MONDAY) == visits(MONDAY)
    assert visits(MONDAY) != visits(SATURDAY)
    assert visits(MONDAY) != visits(MONDAY, seed="teapot")
    assert Counter(step.verb for visit in visits(MONDAY) for step in visit.steps)[Verb.COMPLETED] > 20
