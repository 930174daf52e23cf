"""stock-lots/, write-offs/ and the expiry of ingredients over REST."""

from datetime import timedelta

import pytest
from django.utils import timezone

from inventory.models import StockLot
from tests.inventory.kitchen import assert_in_order, dated, in_hours, quantities, state
from tests.rest import Rest
from tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


@pytest.fixture
def milk(shop):
    return dated(shop, "Milk", "ml", {-1: 300, 24: 1000, 48: 500}, unit_cost="0.04")


def lot(milk, quantity):
    return StockLot.objects.get(ingredient=milk, quantity=quantity)


def test_lots_are_listed_as_they_are_used(shop, milk):
    StockLot.objects.filter(pk=lot(milk, 500).pk).update(expires_at=None)
    shown = Rest.of("manager").get("stock-lots/", location=shop.location.pk)["results"]
    assert [(one["quantity"], one["has_expired"], one["worth"]) for one in shown] == [
        ("500.000", False, "20.00"),
        ("300.000", True, "12.00"),
        ("1000.000", False, "40.00"),
    ]
    assert shown[0]["expires_at"] is None
    assert (shown[1]["ingredient_name"], shown[1]["unit"], shown[1]["code"]) == ("Milk", "ml", "")


def test_they_are_found_by_what_expires_and_page_by_page(shop, milk):
    rest = Rest.of("barista")
    found = rest.get("stock-lots/", ingredient=milk.pk, expires_before=in_hours(25).isoformat())["results"]
    assert [one["quantity"] for one in found] == ["300.000", "1000.000"]
    assert "worth" not in found[0]
    StockLot.objects.filter(pk=lot(milk, 500).pk).update(expires_at=None)
    page = rest.get("stock-lots/", page_size=1)
    seen = list(page["results"])
    while page["next"]:
        page = rest.get(page["next"])
        seen += page["results"]
    assert [one["quantity"] for one in seen] == ["500.000", "300.000", "1000.000"]
    rest.refused("get", "stock-lots/?expires_before=soon", status=400, kind="invalid", at="expires_before")


def test_a_barista_throws_a_lot_away(shop, milk):
    rest = Rest.of("barista")
    path = f"stock-lots/{lot(milk, 300).pk}/write-off/"
    document = rest.post(path, {"quantity": "100", "reason": "tasting", "comment": "sour?"})
    assert (document["kind"], document["reason"], document["comment"]) == ("write_off", "tasting", "sour?")
    assert [line["delta"] for line in document["movements"]] == ["-100.000"]
    assert rest.post(path, {})["reason"] == "spoilage"
    assert quantities(shop, milk) == [1000, 500]
    rest.refused("post", path, {}, status=409, kind="empty_lot")
    rest.refused("post", "stock-lots/4711/write-off/", {}, status=404, kind="not_found")
    assert_in_order()


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({"quantity": "0"}, "quantity"),
        ({"quantity": "-1"}, "quantity"),
        ({"quantity": "NaN"}, "quantity"),
        ({"reason": "boredom"}, "reason"),
        ({"all": True}, "all"),
    ],
)
def test_a_senseless_write_off_is_refused_at_its_field(shop, milk, body, at):
    before = state()
    path = f"stock-lots/{lot(milk, 300).pk}/write-off/"
    Rest.of("barista").refused("post", path, body, status=400, kind="invalid", at=at)
    assert state() == before


def test_more_than_the_lot_holds_is_a_shortage(shop, milk):
    path = f"stock-lots/{lot(milk, 300).pk}/write-off/"
    answer = Rest.of("barista").refused("post", path, {"quantity": "301"}, status=409, kind="insufficient_stock")
    assert answer["shortages"][0]["available"] == "300.000"


def test_a_manager_puts_a_date_right_and_a_barista_does_not(shop, milk):
    path = f"stock-lots/{lot(milk, 300).pk}/"
    until = in_hours(72)
    Rest.of("barista").refused("patch", path, {"code": "L1"}, status=403, kind="permission_denied")
    rest = Rest.of("manager")
    changed = rest.patch(path, {"expires_at": until.isoformat(), "code": "L1"})
    assert (changed["has_expired"], changed["code"], changed["quantity"]) == (False, "L1", "300.000")
    other = lot(milk, 1000)
    merged = rest.patch(path, {"expires_at": other.expires_at.isoformat(), "code": ""})
    assert (merged["id"], merged["quantity"]) == (other.pk, "1300.000")
    rest.refused("patch", path, {"code": "L2"}, status=409, kind="empty_lot")
    for body, at in [
        ({"expires_at": "2050-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2027-01-01T00:00:00"}, "expires_at"),
        ({"code": "x" * 61}, "code"),
        ({"quantity": "5"}, "quantity"),
    ]:
        rest.refused("patch", f"stock-lots/{other.pk}/", body, status=400, kind="invalid", at=at)
    assert_in_order()


def test_an_expired_lot_is_not_sold_over_rest(shop):
    cake = dated(shop, "Cake", "pc", {-1: 5})
    slice_of = shop.product("Cake", recipe={cake: 1})
    body = {"location": shop.location.pk, "items": [{"product": slice_of.pk, "quantity": 1, "options": []}]}
    before = state()
    rest = Rest.of("barista")
    answer = rest.refused("post", "orders/", body, status=409, kind="unavailable")
    assert "Cake: 1 pc needed, 0 there, 5 expired" in answer["detail"]
    assert state() == before
    assert rest.get("products/", available="true")["results"] == []


def test_expiry_is_switched_on_at_the_ingredient(shop):
    rest = Rest.of("manager")
    tea = shop.ingredient("Tea", stock=50)
    changed = rest.patch(f"ingredients/{tea.pk}/", {"tracks_expiry": True, "shelf_life_hours": 12})
    assert (changed["tracks_expiry"], changed["shelf_life_hours"]) == (True, 12)
    assert [one["quantity"] for one in rest.get("stock-lots/", ingredient=tea.pk)["results"]] == ["50.000"]
    assert [one["name"] for one in rest.get("ingredients/", tracks_expiry="true")["results"]] == ["Tea"]
    for hours in (0, -1, 10**9, "12", 1.5):
        rest.refused(
            "patch",
            f"ingredients/{tea.pk}/",
            {"shelf_life_hours": hours},
            status=400,
            kind="invalid",
            at="shelf_life_hours",
        )
    rest.patch(f"ingredients/{tea.pk}/", {"tracks_expiry": False, "shelf_life_hours": None})
    assert rest.get("stock-lots/", ingredient=tea.pk)["results"] == []
    assert_in_order()


def test_write_offs_are_told_by_reason_with_money_for_who_may_see_it(shop, milk):
    barista = Rest.of("barista")
    barista.post(f"stock-lots/{lot(milk, 300).pk}/write-off/", {})
    today = shop.location.today().isoformat()
    answer = Rest.of("manager").get("write-offs/", location=shop.location.pk, first_day=today, last_day=today)
    line = {"reason": "spoilage", "ingredient": milk.pk, "ingredient_name": "Milk", "unit": "ml"}
    assert answer == {
        "location": shop.location.pk,
        "first_day": today,
        "last_day": today,
        "lines": [{**line, "quantity": "300.000", "value": "12.00"}],
        "value": "12.00",
    }
    assert barista.get("write-offs/")["lines"] == [{**line, "quantity": "300.000"}]
    yesterday = (timezone.now() - timedelta(days=2)).date().isoformat()
    assert barista.get("write-offs/", last_day=yesterday)["lines"] == []


@pytest.mark.parametrize(
    ("query", "at"),
    [
        ("first_day=2026-11-02&last_day=2026-11-01", "last_day"),
        ("first_day=2020-01-01&last_day=2026-11-01", "last_day"),
        ("last_day=9999-12-31", "last_day"),
        ("last_day=0001-01-02", "last_day"),
        ("first_day=soon", "first_day"),
        ("location=0", "location"),
        ("location=x", "location"),
        ("location=4711", "location"),
        ("since=2026-01-01", "since"),
    ],
)
def test_a_senseless_period_is_refused_at_its_parameter(shop, query, at):
    Rest.of("barista").refused("get", f"write-offs/?{query}", status=400, kind="invalid", at=at)
