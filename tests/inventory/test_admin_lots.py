"""Lots in the admin: what expires, throwing it away, putting a date right, and what was thrown away."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils import timezone

from inventory.admin.expiry_pages import groups_of
from inventory.admin.lot_shown import keeps_until
from inventory.lot_selectors import with_worth
from inventory.models import Ingredient, StockDocument, StockLot
from inventory.services.expiry import write_off_lot
from tests.inventory.admin_pages import lines, queries_of, said, signed_in, text_of
from tests.inventory.kitchen import assert_in_order, dated, lot_of, quantities, state
from tests.shop import Shop

pytestmark = pytest.mark.django_db

EXPIRING = reverse("admin:inventory_stocklot_expiring")
LOTS = reverse("admin:inventory_stocklot_changelist")
WRITE_OFFS = reverse("admin:inventory_stockdocument_write_offs")
INGREDIENT_ADD = reverse("admin:inventory_ingredient_add")


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


@pytest.fixture
def milk(shop):
    return dated(shop, "Milk", "ml", {-1: 300, 24 * 5: 1000}, unit_cost="0.04")


def verb(lot: StockLot, name: str) -> str:
    return reverse("admin:inventory_stocklot_verb", args=[lot.pk, name])


def change_page(ingredient: Ingredient) -> str:
    return reverse("admin:inventory_ingredient_change", args=[ingredient.pk])


def expired(milk: Ingredient) -> StockLot:
    return milk.stock_lots.get(quantity=300)


def test_what_expires_is_shown_in_the_order_in_which_it_matters(shop, milk):
    dated(shop, "Cake", "pc", {24 * 2: 3}, unit_cost=10)
    manager, barista = text_of(signed_in("manager").get(EXPIRING)), text_of(signed_in("barista").get(EXPIRING))
    groups = ["Expired 1", "The next 3 days 1", "The next 7 days 1"]
    places = [barista.index(group) for group in groups]
    assert places == sorted(places)
    assert "Today" not in barista
    assert "฿" not in barista
    assert "Expired 1 ฿12" in manager
    assert "The next 3 days 1 ฿30" in manager


def test_what_goes_off_after_midnight_is_not_left_for_the_next_days(shop):
    now = shop.location.day_bounds(shop.location.today())[1] - timedelta(hours=1)
    pearls = dated(shop, "Cooked pearls", "g", {1: 200, 2: 300, 24: 400, 30: 500})
    lots = list(with_worth(pearls.stock_lots.select_related("location", "ingredient")).order_by("quantity"))
    for lot, hours in zip(lots, (1, 4, 24, 25), strict=True):
        lot.expires_at = now + timedelta(hours=hours)
    groups = groups_of(shop.location, lots, now, with_money=False)
    assert [(group["title"], [row["lot"].quantity for row in group["rows"]]) for group in groups] == [
        ("Today", [200]),
        ("Within 24 hours", [300, 400]),
        ("The next 3 days", [500]),
    ]


def test_the_form_says_which_lot_is_written_off(shop):
    milk = dated(shop, "Milk", "ml", {24 * 5: 1000})
    lot = milk.stock_lots.get()
    lot.code = "L42"
    lot.save()
    shown = text_of(signed_in("barista").get(verb(lot, "write_off")))
    assert f"Milk: 1,000 ml there. Keeps until: {keeps_until(lot.expires_at, shop.location)}, L42." in shown


def test_an_empty_page_says_that_nothing_expires(shop):
    assert "Nothing has expired" in text_of(signed_in("barista").get(EXPIRING))


def test_a_barista_writes_off_a_lot_or_a_part_of_it(shop, milk):
    client = signed_in("barista")
    lot = expired(milk)
    assert 'value="300"' in client.get(verb(lot, "write_off")).content.decode()
    body = {"write_off-quantity": "100", "write_off-reason": "tasting", "write_off-comment": "sour"}
    assert client.post(verb(lot, "write_off"), body).url == EXPIRING
    document = StockDocument.objects.latest("pk")
    assert (document.kind, document.reason, document.comment) == ("write_off", "tasting", "sour")
    assert quantities(shop, milk) == [200, 1000]
    before = state()
    answer = client.post(verb(lot, "write_off"), {**body, "write_off-quantity": "201"})
    assert said(answer)[-1] == "Not enough in stock. Milk: 201 ml needed, 200 there."
    assert client.post(verb(lot, "write_off"), {**body, "write_off-quantity": "0"}).status_code == 200
    assert state() == before


def test_all_that_has_expired_is_written_off_at_once_and_once(shop, milk):
    dated(shop, "Cake", "pc", {-2: 3})
    client = signed_in("barista")
    assert "2 expired lots leave the stock." in text_of(client.get(EXPIRING))
    body = {"location": shop.location.pk, "once": "0" * 33}
    first, second = client.post(EXPIRING, body), client.post(EXPIRING, body)
    assert first.url == second.url
    assert quantities(shop, milk) == [1000]
    answer = client.post(EXPIRING, {"location": shop.location.pk})
    assert "Nothing at Main Street has expired." in text_of(answer)
    assert client.post(EXPIRING, {"location": "4711"}).status_code == 200
    assert_in_order()


def test_a_manager_puts_a_date_right_by_the_clocks_of_the_location(shop, milk):
    shop.location.time_zone = "Asia/Bangkok"
    shop.location.save()
    lot = expired(milk)
    day = (timezone.now() + timedelta(days=3)).date()
    body = {"change-expires_at": f"{day}T08:30", "change-code": "L42"}
    assert signed_in("barista").post(verb(lot, "change"), body).status_code == 403
    client = signed_in("manager")
    client.post(verb(lot, "change"), body)
    lot.refresh_from_db()
    assert (lot.code, lot.quantity) == ("L42", 300)
    assert lot.expires_at == datetime(day.year, day.month, day.day, 8, 30, tzinfo=ZoneInfo("Asia/Bangkok"))
    answer = client.post(verb(lot, "change"), {"change-expires_at": "2099-01-01T08:30"})
    assert "more than ten years away" in text_of(answer)


def test_a_date_that_shows_the_same_stays_to_the_second(shop, milk):
    lot = expired(milk)
    client = signed_in("manager")
    shown = client.get(verb(lot, "change")).content.decode()
    moment = f"{lot.expires_at.astimezone(ZoneInfo(shop.location.time_zone)):%Y-%m-%dT%H:%M}"
    assert f'value="{moment}"' in shown
    client.post(verb(lot, "change"), {"change-expires_at": moment, "change-code": "L1"})
    changed = StockLot.objects.get(pk=lot.pk)
    assert (changed.expires_at, changed.code) == (lot.expires_at, "L1")


def test_lots_stand_on_the_ingredients_page_and_in_the_ledger(shop, milk):
    client = signed_in("barista")
    text = text_of(client.get(change_page(milk)))
    assert "Lots" in text
    assert "expired" in text
    write_off_lot(lot_id=expired(milk).pk, quantity=expired(milk).quantity, created_by_id=None)
    lot = milk.stock_lots.get(movements__reason="write_off")
    link = reverse("admin:inventory_stocklot_change", args=[lot.pk])
    ledger = client.get(reverse("admin:inventory_stockmovement_changelist")).content.decode()
    assert link in ledger
    # Its page stays when it is empty.
    assert "Milk, 0 ml" in text_of(client.get(link))
    assert link not in client.get(LOTS).content.decode()


def test_dates_are_switched_on_on_the_ingredients_page(shop):
    tea = shop.ingredient("Tea", stock=50)
    client = signed_in("manager")
    body = {"name": "Tea", "tracks_expiry": "on", "shelf_life_hours": "12"}
    client.post(change_page(tea), body)
    tea.refresh_from_db()
    assert (tea.tracks_expiry, tea.shelf_life_hours) == (True, 12)
    assert lot_of(shop, tea).quantity == 50
    answer = client.post(change_page(tea), {**body, "shelf_life_hours": "0"})
    assert answer.status_code == 200
    client.post(change_page(tea), {"name": "Tea", "shelf_life_hours": ""})
    tea.refresh_from_db()
    assert (tea.tracks_expiry, tea.shelf_life_hours) == (False, None)
    assert quantities(shop, tea) == []
    client.post(INGREDIENT_ADD, {"name": "Cream", "unit": "ml", "tracks_expiry": "on", "shelf_life_hours": "48"})
    assert Ingredient.objects.get(name="Cream").tracks_expiry
    assert_in_order()


def test_what_was_thrown_away_is_told_by_reason_with_money_for_the_manager(shop, milk):
    write_off_lot(lot_id=expired(milk).pk, created_by_id=None)
    manager, barista = text_of(signed_in("manager").get(WRITE_OFFS)), text_of(signed_in("barista").get(WRITE_OFFS))
    assert "Spoilage ฿12" in manager
    assert "Milk 300 ml ฿12" in manager
    assert "Milk 300 ml" in barista
    assert "฿" not in barista
    client = signed_in("barista")
    long_ago = text_of(client.get(f"{WRITE_OFFS}?first_day=2020-01-01&last_day=2020-02-01"))
    assert "Nothing was written off." in long_ago
    for query, sentence in [
        ("first_day=2020-02-02&last_day=2020-02-01", "The last day is before the first."),
        ("last_day=0001-01-01", "Give a day of this century."),
        ("last_day=9999-12-31", "Give a day of this century."),
        ("first_day=soon", "Enter a valid date."),
        ("location=4711", "Spoilage"),
        ("location=x", "Spoilage"),
    ]:
        answer = client.get(f"{WRITE_OFFS}?{query}")
        assert answer.status_code == 200
        assert sentence in text_of(answer), query


def test_pages_take_as_many_queries_for_thirty_lots_as_for_three(shop):
    client = signed_in("manager")
    counts = []
    for number in (3, 30):
        for place in range(number):
            milk = dated(shop, f"Milk {number}-{place}", "ml", {-1: 5, 24: 10})
        for hours in range(number):
            dated(shop, milk.name, "ml", {hours + 30: 5})
        write_off_lot(lot_id=milk.stock_lots.filter(quantity=10).first().pk, created_by_id=None)
        addresses = (
            EXPIRING,
            LOTS,
            change_page(milk),
            WRITE_OFFS,
            verb(milk.stock_lots.filter(quantity=5)[0], "write_off"),
        )
        counts.append([queries_of(client, address) for address in addresses])
    assert counts[0] == counts[1]
    assert max(counts[0]) <= 25, counts


def test_the_menu_says_how_much_has_expired(shop, milk):
    client = signed_in("barista")
    assert "Expiring 1" in text_of(client.get(LOTS))
    write_off_lot(lot_id=expired(milk).pk, created_by_id=None)
    assert "Expiring 1" not in text_of(client.get(LOTS))


def test_too_much_from_one_lot_is_said_at_its_line_with_what_the_lot_holds(shop, milk):
    address = reverse("admin:inventory_stocklevel_write_off")
    fresh = milk.stock_lots.get(quantity=1000)
    before = state()
    rows = [
        {"ingredient": milk.pk, "lot": fresh.pk, "quantity": "400"},
        {"ingredient": milk.pk, "lot": expired(milk).pk, "quantity": "301"},
    ]
    answer = signed_in("barista").post(address, lines(rows, reason="spoilage"))
    assert [form.errors for form in answer.context["formset"].forms] == [{}, {"quantity": ["The lot holds 300 ml."]}]
    assert "Not enough in stock. Milk: 301 ml needed of a lot that holds 300." in text_of(answer)
    assert state() == before


def test_the_write_off_page_takes_from_the_lot_that_is_chosen_or_what_expires_first(shop, milk):
    address = reverse("admin:inventory_stocklevel_write_off")
    client = signed_in("barista")
    page = client.get(address).content.decode()
    assert f'data-of="{shop.location.pk}:{milk.pk}"' in page
    fresh = milk.stock_lots.get(quantity=1000)
    body = lines([{"ingredient": milk.pk, "quantity": "100", "lot": fresh.pk}], reason="spoilage", comment="")
    client.post(address, body)
    assert quantities(shop, milk) == [300, 900]
    client.post(address, {**body, "lines-0-lot": ""})
    assert quantities(shop, milk) == [200, 900]
    tea = dated(shop, "Tea", lots={24: 5})
    answer = client.post(address, {**body, "lines-0-lot": lot_of(shop, tea).pk})
    assert "This lot is not one of the ingredient at Main Street." in text_of(answer)
    answer = client.post(address, {**body, "lines-0-lot": "4711"})
    assert "There is no such lot any more." in text_of(answer)
    assert quantities(shop, milk) == [200, 900]
    assert_in_order()
