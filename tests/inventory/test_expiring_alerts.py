"""What expires soon is told once, once more when it has expired, and taken back when it is gone."""

from datetime import timedelta

import pytest
from django.utils import timezone, translation

from inventory.services.expiring import tell_expiring
from inventory.services.expiry import change_lot, write_off_lot
from inventory.services.ingredients import change_ingredient
from inventory.tasks import tell_what_expires
from monitoring.models import Alert
from tests.inventory.kitchen import dated, in_hours, lot_of
from tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


def told() -> list[tuple[str, int]]:
    """The open alerts: what they say without the moment, and how often it was said."""
    return [
        (alert.text.partition(" expire")[0] + "; " + alert.text.partition(": ")[2], alert.count)
        for alert in Alert.objects.filter(event="inventory.expiring", resolved_at=None).order_by("id")
    ]


def test_a_lot_that_expires_within_a_day_is_told_once(shop):
    dated(shop, "Milk", "ml", {20: 300, 30: 1000})
    tell_what_expires()
    tell_what_expires()
    assert told() == [("Milk at Main Street; 300 ml left.", 1)]


def test_it_is_told_once_more_when_it_has_expired(shop):
    dated(shop, "Milk", "ml", {20: 300})
    tell_expiring()
    tell_expiring(at=in_hours(21))
    tell_expiring(at=in_hours(22))
    assert told() == [("Milk at Main Street; throw away 300 ml.", 2)]


def test_what_keeps_for_a_morning_is_told_of_in_the_last_quarter(shop):
    pearls = dated(shop, "Pearls", lots={3: 300})
    change_ingredient(ingredient_id=pearls.pk, changes={"shelf_life_hours": 8})
    tell_expiring()
    assert told() == []
    tell_expiring(at=in_hours(1.1))
    assert told() == [("Pearls at Main Street; 300 g left.", 1)]


def test_it_is_taken_back_when_it_is_gone(shop):
    milk = dated(shop, "Milk", "ml", {20: 300})
    tell_expiring()
    shop.sell(shop.product("Milk", recipe={milk: 300}))
    tell_expiring()
    assert told() == []
    assert Alert.objects.filter(event="inventory.expiring").count() == 1


def test_thrown_away_or_put_right_it_is_taken_back_at_once(shop):
    milk, tea = dated(shop, "Milk", "ml", {-1: 300}), dated(shop, "Tea", "ml", {-1: 200})
    tell_expiring()
    assert len(told()) == 2
    write_off_lot(lot_id=lot_of(shop, milk).pk, created_by_id=None)
    assert told() == [("Tea at Main Street; throw away 200 ml.", 1)]
    change_lot(lot_id=lot_of(shop, tea).pk, changes={"expires_at": in_hours(100)})
    assert told() == []


def test_a_closed_location_is_not_told_of(shop):
    dated(shop, "Milk", "ml", {20: 300})
    tell_expiring()
    shop.location.is_active = False
    shop.location.save()
    assert tell_expiring() == 0
    assert told() == []


def test_the_sentence_is_in_the_places_time_and_the_readers_language(shop):
    shop.location.time_zone = "Asia/Bangkok"
    shop.location.save()
    milk = dated(shop, "Milk", "ml", {20: 300})
    # The year is left out of a date of this year.
    this_year = shop.location.today(timezone.now()).year
    moment = timezone.now().replace(year=this_year, month=12, day=31, hour=3, minute=0, second=0, microsecond=0)
    change_lot(lot_id=lot_of(shop, milk).pk, changes={"expires_at": moment})
    tell_expiring(at=moment - timedelta(hours=1))
    alert = Alert.objects.get()
    assert alert.message == "Milk at Main Street expires on 31 Dec, 10:00: 300 ml left."
    with translation.override("en"):
        assert alert.text == alert.message


def test_it_takes_the_same_number_of_queries_for_many_lots(shop, django_assert_num_queries):
    for place in range(3):
        dated(shop, f"Milk {place}", "ml", dict.fromkeys(range(1, 6), 10))
    with django_assert_num_queries(5):
        assert tell_expiring() == 15
