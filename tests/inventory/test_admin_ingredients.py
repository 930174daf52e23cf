"""Ingredients in the admin: their list, their levels, their ledger."""

from decimal import Decimal

import pytest

from inventory.admin.ingredients import SHOWN_MOVEMENTS
from inventory.models import Ingredient, StockLevel
from inventory.services.low_stock import LOW_STOCK
from monitoring.models import Alert
from tests.inventory.admin_pages import page, said, signed_in, text_of
from tests.shop import Shop

pytestmark = pytest.mark.django_db


def test_the_list_shows_what_each_location_holds_and_what_is_low() -> None:
    here, there = Shop.open("Main Street"), Shop.open("Riverside")
    milk = here.ingredient("Milk", "ml", stock=1250, minimum=2000)
    there.ingredient("Milk", "ml", stock="40.5")

    shown = text_of(signed_in("manager").get(page("ingredient_changelist")))

    assert "1,250 ml min. 2,000 ml" in shown
    assert "40.5 ml" in shown
    assert "low" in shown
    only_low = text_of(signed_in("barista").get(page("ingredient_changelist"), {"low": "yes"}))
    assert milk.name in only_low


def test_with_a_single_location_the_list_does_not_name_it() -> None:
    Shop.open("Main Street").ingredient("Milk", "ml", stock=5)
    assert "Main Street" not in text_of(signed_in("manager").get(page("ingredient_changelist")))


def test_with_many_locations_the_list_sums_up() -> None:
    shops = [Shop.open(f"Shop {place}") for place in range(5)]
    for shop in shops:
        shop.ingredient("Milk", "ml", stock=100, minimum=200)

    shown = text_of(signed_in("manager").get(page("ingredient_changelist")))

    assert "500 ml" in shown
    assert "low at 5" in shown


def test_the_page_shows_the_ledger_with_what_was_left_after_each_line() -> None:
    shop = Shop.open(time_zone="Asia/Bangkok")
    milk = shop.ingredient("Milk", "ml", stock=1000)
    latte = shop.product("Latte", "70", {milk: 200})
    order = shop.sell(latte, 2)

    response = signed_in("barista").get(page("ingredient_change", milk.pk))

    rows = response.context["ledger"]
    assert [(row.movement.reason, row.movement.delta, row.left) for row in rows] == [
        ("sale", Decimal("-400.000"), "600\N{NO-BREAK SPACE}ml"),
        ("receipt", Decimal("1000.000"), "1,000\N{NO-BREAK SPACE}ml"),
    ]
    assert f"#{order.number}" in rows[0].document
    assert f"/admin/orders/order/{order.pk}/change/" in rows[0].document
    assert "−400 ml" in text_of(response)
    assert f"?ingredient={milk.pk}" in response.context["ledger_url"]


def test_what_was_left_is_counted_for_each_location_by_itself() -> None:
    here, there = Shop.open("Main Street"), Shop.open("Riverside")
    milk = here.ingredient("Milk", "ml", stock=100)
    there.receive({milk: 7})
    here.receive({milk: 50})

    rows = signed_in("manager").get(page("ingredient_change", milk.pk)).context["ledger"]

    assert [row.left for row in rows] == ["150\N{NO-BREAK SPACE}ml", "7\N{NO-BREAK SPACE}ml", "100\N{NO-BREAK SPACE}ml"]


def test_the_page_shows_the_last_fifty_lines() -> None:
    shop = Shop.open()
    milk = shop.ingredient("Milk", "ml")
    for _ in range(SHOWN_MOVEMENTS + 3):
        shop.receive({milk: 1})

    rows = signed_in("manager").get(page("ingredient_change", milk.pk)).context["ledger"]

    assert len(rows) == SHOWN_MOVEMENTS
    assert rows[0].left == f"{SHOWN_MOVEMENTS + 3}\N{NO-BREAK SPACE}ml"


def test_a_minimum_is_set_and_the_alert_follows_it() -> None:
    shop = Shop.open()
    milk = shop.ingredient("Milk", "ml", stock=100)
    client = signed_in("manager")
    address, field = page("ingredient_change", milk.pk), f"minimum_{shop.location.pk}"

    client.post(address, {"name": "Milk", field: "150"})
    assert StockLevel.objects.get().minimum == 150
    assert Alert.objects.filter(event=LOW_STOCK, resolved_at=None).count() == 1

    client.post(address, {"name": "Milk", field: ""})
    assert StockLevel.objects.get().minimum == 0
    assert not Alert.objects.filter(event=LOW_STOCK, resolved_at=None).exists()


def test_a_minimum_may_be_set_before_the_first_delivery() -> None:
    shop = Shop.open()
    client = signed_in("manager")
    response = client.post(page("ingredient_add"), {"name": "Milk", "unit": "ml", f"minimum_{shop.location.pk}": "500"})

    assert response.status_code == 302
    level = StockLevel.objects.get()
    assert (level.ingredient.name, level.quantity, level.minimum) == ("Milk", 0, 500)


@pytest.mark.parametrize(
    ("minimum", "sentence"),
    [
        ("-1", "The minimum can't be below 0."),
        ("1e9", "The quantity can't be above 99999999."),
        ("0.0001", "A quantity has at most three decimals."),
        ("many", "Enter a number."),
    ],
)
def test_a_minimum_that_makes_no_sense_is_refused_at_its_location(minimum: str, sentence: str) -> None:
    here, there = Shop.open("Main Street"), Shop.open("Riverside")
    milk = here.ingredient("Milk", "ml", stock=100, minimum=20)
    there.receive({milk: 1})

    response = signed_in("manager").post(
        page("ingredient_change", milk.pk),
        {"name": "Whole milk", f"minimum_{here.location.pk}": "30", f"minimum_{there.location.pk}": minimum},
    )

    assert response.status_code == 200
    assert response.context["adminform"].form.errors == {f"minimum_{there.location.pk}": [sentence]}
    assert sentence in text_of(response)
    milk.refresh_from_db()
    assert milk.name == "Milk"
    assert set(StockLevel.objects.values_list("minimum", flat=True)) == {20, 0}


def test_the_unit_is_fixed_once_the_ingredient_has_moved() -> None:
    shop = Shop.open()
    moved, fresh = shop.ingredient("Milk", "ml", stock=100), shop.ingredient("Tea", "g")
    client = signed_in("manager")

    client.post(page("ingredient_change", moved.pk), {"name": "Oat milk", "unit": "pc"})
    client.post(page("ingredient_change", fresh.pk), {"name": "Tea", "unit": "pc"})

    assert list(Ingredient.objects.order_by("name").values_list("name", "unit")) == [("Oat milk", "ml"), ("Tea", "pc")]


def test_a_unit_that_is_changed_while_the_first_delivery_comes_in_is_refused() -> None:
    shop = Shop.open()
    milk = shop.ingredient("Milk", "ml")
    client = signed_in("manager")
    client.get(page("ingredient_change", milk.pk))
    shop.receive({milk: 5})

    client.post(page("ingredient_change", milk.pk), {"name": "Milk", "unit": "pc"})

    milk.refresh_from_db()
    assert milk.unit == "ml"


def test_a_name_that_is_taken_is_refused_at_its_field() -> None:
    shop = Shop.open()
    shop.ingredient("Milk", "ml")
    tea = shop.ingredient("Tea", "g")

    response = signed_in("manager").post(page("ingredient_change", tea.pk), {"name": "Milk", "unit": "g"})

    assert response.context["adminform"].form.errors == {"name": ["Ingredient with this Name already exists."]}


def test_deleting_an_ingredient_in_use_is_refused_with_what_uses_it() -> None:
    shop = Shop.open()
    milk = shop.ingredient("Milk", "ml", stock=100)
    shop.product("Latte", "70", {milk: 200})
    client = signed_in("manager")

    response = client.post(page("ingredient_delete", milk.pk), {"post": "yes"})

    assert response["Location"] == page("ingredient_change", milk.pk)
    assert said(response) == [
        "“Milk” can't be deleted: in use by 1 recipe line, 1 stock level and 1 stock movement.",
    ]
    assert Ingredient.objects.filter(pk=milk.pk).exists()


def test_deleting_several_of_which_one_is_in_use_deletes_none() -> None:
    shop = Shop.open()
    milk, tea = shop.ingredient("Milk", "ml", stock=1), shop.ingredient("Tea", "g")

    response = signed_in("manager").post(
        page("ingredient_changelist"),
        {"action": "delete_selected", "_selected_action": [milk.pk, tea.pk], "post": "yes"},
    )

    assert "can't be deleted" in said(response)[0]
    assert Ingredient.objects.count() == 2


def test_an_ingredient_that_nothing_uses_is_deleted() -> None:
    tea = Shop.open().ingredient("Tea", "g")

    signed_in("manager").post(page("ingredient_delete", tea.pk), {"post": "yes"})

    assert not Ingredient.objects.exists()


def test_a_barista_looks_and_changes_nothing() -> None:
    shop = Shop.open()
    milk = shop.ingredient("Milk", "ml", stock=100, minimum=20)
    client = signed_in("barista")

    shown = client.get(page("ingredient_change", milk.pk))
    assert shown.status_code == 200
    assert f"minimum_{shop.location.pk}" not in shown.content.decode()
    sent = {"name": "Water", f"minimum_{shop.location.pk}": "0"}
    assert client.post(page("ingredient_change", milk.pk), sent).status_code == 403
    assert client.post(page("ingredient_add"), {"name": "Water", "unit": "ml"}).status_code == 403
    assert client.post(page("ingredient_delete", milk.pk), {"post": "yes"}).status_code == 403
    assert StockLevel.objects.get().minimum == 20
    assert list(Ingredient.objects.values_list("name", flat=True)) == ["Milk"]
