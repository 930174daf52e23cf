"""Costs over REST: who sees them, and whose they are."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.rest import Rest
from tests.shop import Shop

pytestmark = pytest.mark.django_db

COSTS = {"cost", "margin", "unknown_costs"}


@pytest.fixture
def bar() -> Shop:
    return Shop.open()


def test_a_manager_sees_what_a_product_costs_and_what_is_left_of_its_price(bar: Shop) -> None:
    milk = bar.ingredient("Milk", "ml", stock=1000, unit_cost="0.048333")
    ice = bar.ingredient("Ice", "g", stock=1000)
    latte = bar.product("Latte", "70", {milk: 200})
    iced = bar.product("Iced latte", "9", {milk: 200, ice: 100})
    air = bar.product("Air", "10")
    manager = Rest.of("manager")

    shown = {one["id"]: {name: one[name] for name in COSTS} for one in manager.get("products/")["results"]}

    assert shown == {
        latte.pk: {"cost": "9.67", "margin": "60.33", "unknown_costs": []},
        iced.pk: {"cost": "9.67", "margin": "-0.67", "unknown_costs": [ice.pk]},
        air.pk: {"cost": None, "margin": None, "unknown_costs": []},
    }
    assert manager.get(f"products/{latte.pk}/")["cost"] == "9.67"


@pytest.mark.parametrize("role", ["barista", "customer"])
def test_nobody_else_sees_costs(bar: Shop, role: str) -> None:
    milk = bar.ingredient("Milk", "ml", stock=1000, unit_cost="0.05")
    latte = bar.product("Latte", "70", {milk: 200})
    somebody = Rest.of(role)

    assert not COSTS & somebody.get("products/")["results"][0].keys()
    assert not COSTS & somebody.get(f"products/{latte.pk}/").keys()


def test_costs_are_those_of_the_location_that_is_asked_for(bar: Shop) -> None:
    riverside = Shop.open("Riverside")
    milk = bar.ingredient("Milk", "ml", stock=1000, unit_cost="0.05")
    riverside.receive({milk: 1000}, unit_cost="0.06")
    latte = bar.product("Latte", "70", {milk: 200})
    manager = Rest.of("manager")

    for shop, cost, margin in ((bar, "10.00", "60.00"), (riverside, "12.00", "58.00")):
        shown = manager.get(f"products/{latte.pk}/", location=shop.location.pk)
        assert (shown["cost"], shown["margin"]) == (cost, margin)
    # With several locations and none of their own, a person's write is answered without costs.
    changed = manager.patch(f"products/{latte.pk}/", {"price": "80"})
    assert (changed["cost"], changed["margin"], changed["is_available"]) == (None, None, None)


def test_a_new_recipe_has_its_cost_in_the_answer(bar: Shop) -> None:
    milk = bar.ingredient("Milk", "ml", stock=1000, unit_cost="0.05")
    made = Rest.of("manager").post(
        "products/",
        {
            "name": "Latte",
            "category": bar.category.pk,
            "price": "70",
            "recipe": [{"ingredient": milk.pk, "quantity": "250"}],
        },
    )
    assert (made["cost"], made["margin"]) == ("12.50", "57.50")


def test_costs_take_no_query_of_their_own(bar: Shop) -> None:
    milk = bar.ingredient("Milk", "ml", stock=1000, unit_cost="0.05")
    counts = []
    manager = Rest.of("manager")
    for number in (3, 30):
        for place in range(number):
            bar.product(f"Latte {number} {place}", "70", {milk: 200})
        with CaptureQueriesContext(connection) as queries:
            manager.get("products/")
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 10
