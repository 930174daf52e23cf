"""The catalogue over REST: products with their recipes and options, groups, categories, ingredients, locations."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory.models import (
    Category,
    Ingredient,
    Location,
    Option,
    OptionEffect,
    OptionGroup,
    Product,
    ProductOptionGroup,
    RecipeLine,
    StockLevel,
)
from tests.rest import Rest
from tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def bar() -> Shop:
    return Shop.open()


@pytest.fixture
def manager() -> Rest:
    return Rest.of("manager")


def names(page: Any) -> list[str]:
    return [row["name"] for row in page["results"]]


class TestProducts:
    """products/"""

    def test_are_shown_with_their_groups_and_what_can_be_chosen_here(self, bar: Shop, manager: Rest) -> None:
        milk, oat = bar.ingredient("Milk", "ml", stock=1000), bar.ingredient("Oat milk", "ml")
        pearls = bar.ingredient("Pearls", stock=30)
        milks, toppings = bar.group("Milk", least=1), bar.group("Toppings", most=3, free=1)
        usual = bar.option(milks, "Cow", is_default=True)
        oaten = bar.replaces(bar.option(milks, "Oat", "20.00"), milk, oat)
        tapioca = bar.adds(bar.option(toppings, "Tapioca", "15.00"), pearls, 50)
        few = bar.adds(bar.option(toppings, "Few pearls", "10.00"), pearls, 30)
        off = bar.option(toppings, "Aloe", is_available=False)
        latte = bar.product("Latte", "70.00", {milk: 200}, scales=[milk], groups=[toppings, milks])

        shown = manager.get(f"products/{latte.pk}/")
        assert {name: shown[name] for name in ("id", "name", "category", "price", "is_listed", "is_available")} == {
            "id": latte.pk,
            "name": "Latte",
            "category": bar.category.pk,
            "price": "70.00",
            "is_listed": True,
            "is_available": True,
        }
        assert shown["image"] is None
        assert shown["recipe"] == [{"ingredient": milk.pk, "quantity": "200.000", "scales": True}]

        def choice(option: Option, *, is_available: bool) -> dict[str, Any]:
            return {
                "id": option.pk,
                "name": option.name,
                "price_delta": str(option.price_delta.quantize(Decimal("0.01"))),
                "is_default": option.is_default,
                "is_available": is_available,
            }

        assert shown["option_groups"] == [
            {
                "id": toppings.pk,
                "name": "Toppings",
                "min_choices": 0,
                "max_choices": 3,
                "free_choices": 1,
                "options": [
                    choice(tapioca, is_available=False),
                    choice(few, is_available=True),
                    choice(off, is_available=False),
                ],
            },
            {
                "id": milks.pk,
                "name": "Milk",
                "min_choices": 1,
                "max_choices": 1,
                "free_choices": 0,
                "options": [choice(usual, is_available=True), choice(oaten, is_available=False)],
            },
        ]
        assert manager.get("products/")["results"] == [shown]

    def test_are_available_by_the_stock_of_the_location(self, bar: Shop, manager: Rest) -> None:
        elsewhere = Shop.open("Elsewhere")
        milk = bar.ingredient("Milk", "ml", stock=1000)
        bar.product("Latte", "70.00", {milk: 200})
        bar.product("Tea", "50.00")
        here, there = bar.location.pk, elsewhere.location.pk
        assert names(manager.get("products/", location=here, available="true")) == ["Latte", "Tea"]
        assert names(manager.get("products/", location=there, available="true")) == ["Tea"]
        assert names(manager.get("products/", location=there, available="false")) == ["Latte"]
        assert not manager.get(f"products/{Product.objects.get(name='Latte').pk}/", location=there)["is_available"]
        for path in ("products/", f"products/{Product.objects.get(name='Tea').pk}/"):
            manager.refused("get", path, status=400, kind="invalid", at="location")

    @pytest.mark.parametrize("location", ["9" * 30, "9" * 5000, "here", "0", "-1", "1.5", "999999"])
    def test_at_a_location_that_is_none_are_refused(self, bar: Shop, manager: Rest, location: str) -> None:
        tea = bar.product("Tea")
        for path in ("products/", f"products/{tea.pk}/"):
            manager.refused("get", f"{path}?location={location}", status=400, kind="invalid", at="location")

    def test_are_searched_and_filtered(self, bar: Shop, manager: Rest) -> None:
        milk = Category.objects.create(name="Milk tea", position=5)
        bar.product("Jasmine", "50.00")
        bar.product("Oolong", "50.00", is_listed=False)
        Product.objects.create(name="Brown sugar", category=milk, price=90, description="With jasmine")
        assert names(manager.get("products/")) == ["Jasmine", "Oolong", "Brown sugar"]
        assert names(manager.get("products/", search="jasm")) == ["Jasmine", "Brown sugar"]
        assert names(manager.get("products/", category=milk.pk)) == ["Brown sugar"]
        assert names(manager.get("products/", is_listed="false")) == ["Oolong"]
        first = manager.get("products/", page_size=2)
        assert names(manager.get(first["next"])) == ["Brown sugar"]

    def test_have_numbers_of_the_shops_own_which_customers_do_not_see(self, bar: Shop, manager: Rest) -> None:
        tea, body = bar.product("Tea"), {"name": "Latte", "category": bar.category.pk, "price": "70.00"}
        made = manager.post("products/", {**body, "sku": "L-1", "barcode": "4601234567890"})
        assert (made["sku"], made["barcode"]) == ("L-1", "4601234567890")
        assert names(manager.get("products/", search="4601234567890")) == ["Latte"]
        manager.refused("patch", f"products/{tea.pk}/", {"sku": "L-1"}, status=400, kind="invalid", at="sku")
        assert Rest.of("barista").get(f"products/{made['id']}/")["sku"] == "L-1"
        assert not {"sku", "barcode", "recipe"} & set(Rest.of("customer").get(f"products/{made['id']}/"))

    def test_are_made_changed_and_deleted_with_recipe_and_groups(self, bar: Shop, manager: Rest) -> None:
        milk, tea = bar.ingredient("Milk", "ml"), bar.ingredient("Tea")
        size, ice = bar.group("Size"), bar.group("Ice")
        made = manager.post(
            "products/",
            {
                "name": "Latte",
                "category": bar.category.pk,
                "price": "70.00",
                "description": "Hot or cold",
                "recipe": [
                    {"ingredient": milk.pk, "quantity": "200", "scales": True},
                    {"ingredient": tea.pk, "quantity": 5.5},
                ],
                "option_group_ids": [ice.pk, size.pk],
            },
        )
        assert made["recipe"] == [
            {"ingredient": milk.pk, "quantity": "200.000", "scales": True},
            {"ingredient": tea.pk, "quantity": "5.500", "scales": False},
        ]
        assert [group["name"] for group in made["option_groups"]] == ["Ice", "Size"]
        assert (made["price"], made["is_listed"], made["is_available"]) == ("70.00", True, False)

        path = f"products/{made['id']}/"
        assert manager.patch(path, {"is_listed": False})["recipe"] == made["recipe"]
        changed = manager.patch(
            path, {"recipe": [{"ingredient": tea.pk, "quantity": "6"}], "option_group_ids": [size.pk]}
        )
        assert changed["recipe"] == [{"ingredient": tea.pk, "quantity": "6.000", "scales": False}]
        assert [group["name"] for group in changed["option_groups"]] == ["Size"]
        assert (changed["name"], changed["is_listed"]) == ("Latte", False)
        assert manager.patch(path, {"recipe": [], "option_group_ids": []})["option_groups"] == []
        manager.delete(path)
        assert not Product.objects.exists()
        assert not RecipeLine.objects.exists()

    def test_that_were_sold_are_in_use(self, bar: Shop, manager: Rest) -> None:
        tea = bar.product("Tea")
        bar.sell(tea)
        answer = manager.refused("delete", f"products/{tea.pk}/", status=409, kind="in_use")
        assert "Tea" in answer["detail"]
        assert "order items" in answer["detail"]
        assert Product.objects.exists()

    def test_without_a_default_location_are_written_all_the_same(self, bar: Shop, manager: Rest) -> None:
        Shop.open("Elsewhere")
        made = manager.post("products/", {"name": "Tea", "category": bar.category.pk, "price": "50"})
        assert made["is_available"] is None

    def test_show_no_recipe_to_a_customer(self, bar: Shop) -> None:
        milk = bar.ingredient("Milk", "ml", stock=1000)
        group = bar.group("Milk")
        bar.adds(bar.option(group, "More"), milk, 50)
        bar.product("Latte", "70.00", {milk: 200}, groups=[group])
        anna = Rest.of("customer")
        (latte,) = anna.get("products/")["results"]
        assert latte["is_available"]
        assert "recipe" not in latte
        assert "effects" not in anna.get("option-groups/")["results"][0]["options"][0]
        anna.refused("get", "ingredients/", status=403, kind="permission_denied")
        anna.refused("get", "stock/", status=403, kind="permission_denied")

    def test_that_make_no_sense_are_refused_at_their_fields(self, bar: Shop, manager: Rest) -> None:
        milk = bar.ingredient("Milk", "ml")
        size = bar.group("Size")
        tea = bar.product("Tea")
        right = {"name": "Latte", "category": bar.category.pk, "price": "70.00"}
        line = {"ingredient": milk.pk, "quantity": "200"}
        for body, at in (
            ({}, ["name", "category", "price"]),
            ({**right, "name": "Tea"}, "name"),
            ({**right, "name": "x" * 151}, "name"),
            ({**right, "description": "x" * 1_000_000}, "description"),
            ({**right, "category": 999_999}, "category"),
            ({**right, "category": "Tea"}, "category"),
            ({**right, "price": "-1"}, "price"),
            ({**right, "price": "1.005"}, "price"),
            ({**right, "price": "1e30"}, "price"),
            ({**right, "price": "NaN"}, "price"),
            ({**right, "price": None}, "price"),
            ({**right, "position": -1}, "position"),
            ({**right, "position": "1"}, "position"),
            ({**right, "is_available": True}, "is_available"),
            ({**right, "option_groups": []}, "option_groups"),
            (
                {**right, "option_group_ids": [size.pk, 999_999, size.pk]},
                ["option_group_ids[1]", "option_group_ids[2]"],
            ),
            ({**right, "option_group_ids": ["1"]}, "option_group_ids[0]"),
            ({**right, "option_group_ids": [10**30]}, "option_group_ids[0]"),
            ({**right, "option_group_ids": list(range(1, 5001))}, "option_group_ids"),
            ({**right, "recipe": {"ingredient": 1}}, "recipe"),
            ({**right, "recipe": [line] * 5000}, "recipe"),
            ({**right, "recipe": [line, line]}, "recipe[1].ingredient"),
            ({**right, "recipe": [{**line, "ingredient": 999_999}]}, "recipe[0].ingredient"),
            ({**right, "recipe": [{**line, "quantity": "0"}]}, "recipe[0].quantity"),
            ({**right, "recipe": [{**line, "quantity": "-1"}]}, "recipe[0].quantity"),
            ({**right, "recipe": [{**line, "quantity": "0.0001"}]}, "recipe[0].quantity"),
            ({**right, "recipe": [{**line, "quantity": "1e9"}]}, "recipe[0].quantity"),
            ({**right, "recipe": [{"ingredient": milk.pk}]}, "recipe[0].quantity"),
            ({**right, "recipe": [{**line, "scale": True}]}, "recipe[0].scale"),
        ):
            manager.refused("post", "products/", body, status=400, kind="invalid", at=at)
            change = {name: value for name, value in body.items() if right.get(name) != value}
            if change and change != {"name": "Tea"}:  # its own name
                manager.refused("patch", f"products/{tea.pk}/", change, status=400, kind="invalid", at=at)
        assert Product.objects.count() == 1
        assert not RecipeLine.objects.exists()
        assert not ProductOptionGroup.objects.exists()
        assert Product.objects.get().price == Decimal("60.00")


class TestOptionGroups:
    """option-groups/"""

    def test_are_written_as_a_whole(self, bar: Shop, manager: Rest) -> None:
        milk, oat, pearls = bar.ingredient("Milk", "ml"), bar.ingredient("Oat", "ml"), bar.ingredient("Pearls")
        group = manager.post(
            "option-groups/",
            {
                "name": "Extras",
                "max_choices": 3,
                "options": [
                    {
                        "name": "Oat milk",
                        "price_delta": "20.00",
                        "effects": [{"kind": "replace", "ingredient": milk.pk, "replacement": oat.pk}],
                    },
                    {"name": "Large", "is_default": True, "effects": [{"kind": "scale", "factor": "1.5"}]},
                    {"name": "Pearls", "effects": [{"kind": "add", "ingredient": pearls.pk, "quantity": "50"}]},
                ],
            },
        )
        assert [(one["name"], one["price_delta"], one["is_default"], one["position"]) for one in group["options"]] == [
            ("Oat milk", "20.00", False, 1),
            ("Large", "0.00", True, 2),
            ("Pearls", "0.00", False, 3),
        ]
        assert group["options"][0]["effects"] == [
            {"kind": "replace", "ingredient": milk.pk, "replacement": oat.pk, "factor": None, "quantity": None}
        ]
        assert group["options"][1]["effects"][0]["factor"] == "1.5000"
        assert group["options"][2]["effects"][0]["quantity"] == "50.000"
        assert manager.get(f"option-groups/{group['id']}/") == group

        oat_milk, large, _pearls = (one["id"] for one in group["options"])
        path = f"option-groups/{group['id']}/"
        assert manager.patch(path, {"name": "More"})["options"] == group["options"]
        changed = manager.patch(
            path,
            {
                "options": [
                    {"id": large, "name": "Oat milk", "is_available": False},
                    {"id": oat_milk, "name": "Large"},
                    {"name": "Jelly"},
                ]
            },
        )
        assert [(one["id"], one["name"]) for one in changed["options"]][:2] == [
            (large, "Oat milk"),
            (oat_milk, "Large"),
        ]
        assert changed["options"][0]["effects"] == group["options"][1]["effects"]
        assert not changed["options"][0]["is_available"]
        assert changed["options"][1]["price_delta"] == "20.00"
        assert changed["options"][2]["name"] == "Jelly"
        assert Option.objects.count() == 3
        assert OptionEffect.objects.count() == 2

    def test_know_their_options_by_name_too(self, bar: Shop, manager: Rest) -> None:
        ice = bar.group("Ice")
        less = bar.option(ice, "Less")
        changed = manager.patch(f"option-groups/{ice.pk}/", {"options": [{"name": "Less", "price_delta": "5"}]})
        assert [(one["id"], one["price_delta"]) for one in changed["options"]] == [(less.pk, "5.00")]

    def test_that_products_ask_about_are_in_use(self, bar: Shop, manager: Rest) -> None:
        ice, sugar = bar.group("Ice"), bar.group("Sugar")
        bar.option(sugar, "50 %")
        bar.product("Tea", groups=[ice])
        manager.refused("delete", f"option-groups/{ice.pk}/", status=409, kind="in_use")
        manager.delete(f"option-groups/{sugar.pk}/")
        assert names(manager.get("option-groups/")) == ["Ice"]

    def test_that_make_no_sense_are_refused_at_their_fields(self, bar: Shop, manager: Rest) -> None:
        milk = bar.ingredient("Milk", "ml")
        ice = bar.group("Ice")
        bar.option(ice, "Less")
        foreign = bar.option(bar.group("Sugar"), "50 %")

        def effect(**fields: Any) -> dict[str, Any]:
            return {"options": [{"name": "Less"}, {"name": "More", "effects": [fields]}]}

        at_effect = "options[1].effects[0]"
        for body, at in (
            ({"min_choices": 2}, "non_field_errors"),
            ({"max_choices": 0}, ["max_choices"]),
            ({"min_choices": -1}, "min_choices"),
            ({"max_choices": "3"}, "max_choices"),
            ({"max_choices": 5, "min_choices": 2, "options": [{"name": "Less"}]}, "min_choices"),
            ({"options": [{"name": "A", "is_default": True}, {"name": "B", "is_default": True}]}, "options"),
            ({"options": [{"name": "A"}, {"name": "A"}]}, "options[1].name"),
            ({"options": [{"name": "A" * 101}]}, "options[0].name"),
            ({"options": [{}]}, "options[0].name"),
            ({"options": [{"name": "A", "price": 1}]}, "options[0].price"),
            ({"options": [{"name": "A", "price_delta": "1e30"}]}, "options[0].price_delta"),
            ({"options": [{"name": "A"}] * 5000}, "options"),
            ({"options": "A"}, "options"),
            (effect(kind="scale", factor="2") | {"name": "x" * 101}, "name"),
            ({"options": [{"name": "A", "effects": [{"kind": "scale", "factor": "2"}] * 21}]}, "options[0].effects"),
            (effect(), f"{at_effect}.kind"),
            (effect(kind="melt"), f"{at_effect}.kind"),
            (effect(kind="replace", ingredient=milk.pk), at_effect),
            (effect(kind="replace", ingredient=milk.pk, replacement=milk.pk), at_effect),
            (effect(kind="scale"), at_effect),
            (effect(kind="scale", factor="-1"), at_effect),
            (effect(kind="scale", factor="1", quantity="1"), at_effect),
            (effect(kind="scale", factor="1e9"), f"{at_effect}.factor"),
            (effect(kind="add", ingredient=milk.pk), at_effect),
            (effect(kind="add", quantity="5"), at_effect),
            (effect(kind="add", ingredient=milk.pk, quantity="0"), at_effect),
            (effect(kind="add", ingredient=999_999, quantity="5"), f"{at_effect}.ingredient"),
            (effect(kind="add", ingredient=10**30, quantity="5"), f"{at_effect}.ingredient"),
        ):
            manager.refused("post", "option-groups/", {"name": "New"} | body, status=400, kind="invalid", at=at)
            manager.refused("patch", f"option-groups/{ice.pk}/", body, status=400, kind="invalid", at=at)
        for option_id in (foreign.pk, 999_999):
            body = {"options": [{"id": option_id, "name": "Less"}]}
            manager.refused("patch", f"option-groups/{ice.pk}/", body, status=400, kind="invalid", at="options[0].id")
        less = {"id": Option.objects.get(name="Less").pk}
        body = {"options": [{**less, "name": "A"}, {**less, "name": "B"}]}
        manager.refused("patch", f"option-groups/{ice.pk}/", body, status=400, kind="invalid", at="options[1].id")
        assert sorted(OptionGroup.objects.values_list("name", "min_choices", "max_choices")) == [
            ("Ice", 0, 1),
            ("Sugar", 0, 1),
        ]
        assert sorted(Option.objects.values_list("name", flat=True)) == ["50 %", "Less"]
        assert not OptionEffect.objects.exists()


class TestPlainRecords:
    """locations/, categories/, ingredients/"""

    def test_are_listed_made_changed_and_deleted(self, manager: Rest) -> None:
        admin = Rest.of("admin")
        for path, body, change in (
            ("categories/", {"name": "Coffee", "position": 3}, {"position": 4}),
            ("ingredients/", {"name": "Milk", "unit": "ml"}, {"unit": "g"}),
            (
                "locations/",
                {"name": "River", "address": "1, Quay", "time_zone": "Asia/Bangkok", "day_starts_at": "04:00:00"},
                {"is_active": False},
            ),
        ):
            made = manager.post(path, body)
            assert {name: made[name] for name in body} == body
            assert manager.get(f"{path}{made['id']}/") == made
            assert manager.patch(f"{path}{made['id']}/", change) == {**made, **change}
            assert names(manager.get(path)) == [body["name"]]
            admin.delete(f"{path}{made['id']}/")
            assert names(manager.get(path)) == []

    def test_that_are_needed_are_in_use(self, bar: Shop, manager: Rest) -> None:
        admin = Rest.of("admin")
        milk = bar.ingredient("Milk", "ml", stock=1)
        oat = bar.ingredient("Oat milk", "ml")
        bar.replaces(bar.option(bar.group("Milk"), "Oat"), milk, oat)
        bar.product("Latte", "70.00", {milk: 200})
        for path, users in (
            (f"ingredients/{milk.pk}/", ["recipe lines", "stock levels", "stock movements", "effects"]),
            (f"ingredients/{oat.pk}/", ["effects"]),
            (f"categories/{bar.category.pk}/", ["products"]),
            (f"locations/{bar.location.pk}/", ["stock levels", "stock movements"]),
        ):
            answer = admin.refused("delete", path, status=409, kind="in_use")
            assert all(user in answer["detail"] for user in users), answer
        manager.refused("delete", f"locations/{bar.location.pk}/", status=403, kind="permission_denied")
        assert (Ingredient.objects.count(), Category.objects.count(), Location.objects.count()) == (2, 1, 1)

    def test_an_ingredient_that_has_moved_keeps_its_unit(self, bar: Shop, manager: Rest) -> None:
        milk = bar.ingredient("Milk", "ml", stock=1)
        path = f"ingredients/{milk.pk}/"
        manager.refused("patch", path, {"unit": "pc"}, status=400, kind="invalid", at="unit")
        assert manager.patch(path, {"name": "Fresh milk", "unit": "ml"})["name"] == "Fresh milk"

    def test_that_make_no_sense_are_refused_at_their_fields(self, bar: Shop, manager: Rest) -> None:
        bar.ingredient("Milk", "ml")
        for path, body, at in (
            ("categories/", {}, "name"),
            ("categories/", {"name": "Tea"}, "name"),
            ("categories/", {"name": "Coffee", "colour": "brown"}, "colour"),
            ("categories/", {"name": ["x"]}, "name"),
            ("ingredients/", {"name": "Milk", "unit": "ml"}, "name"),
            ("ingredients/", {"name": "Oat", "unit": "kg"}, "unit"),
            ("ingredients/", {"name": "Oat", "unit": "x" * 1_000_000}, "unit"),
            ("ingredients/", {"name": "Oat", "unit": "g", "quantity": 5}, "quantity"),
            ("locations/", {"name": "River", "time_zone": "Mars/Olympus"}, "time_zone"),
            ("locations/", {"name": "River", "day_starts_at": "25:00"}, "day_starts_at"),
            ("locations/", {"name": "River", "day_starts_at": "04:00Z"}, "day_starts_at"),
            ("locations/", {"name": "River", "is_active": "maybe"}, "is_active"),
            ("locations/", [], "non_field_errors"),
        ):
            answer = manager.refused("post", path, body, status=400, kind="invalid", at=at)
            assert len(str(answer)) < 1000
        assert (Ingredient.objects.count(), Category.objects.count(), Location.objects.count()) == (1, 1, 1)

    def test_a_repeated_key_makes_one_record(self, manager: Rest) -> None:
        for _ in range(2):
            manager.post("categories/", {"name": "Coffee"}, **{"Idempotency-Key": "coffee"})
        assert Category.objects.count() == 1


def test_a_list_takes_as_many_queries_for_thirty_rows_as_for_three(bar: Shop, manager: Rest) -> None:
    def fill(start: int, end: int) -> None:
        for number in range(start, end):
            tea = bar.ingredient(f"Tea {number}", stock=100)
            Location.objects.create(name=f"Location {number}", is_active=False)
            Category.objects.create(name=f"Category {number}")
            group = bar.group(f"Group {number}")
            for name in ("Less", "More"):
                bar.adds(bar.option(group, name), tea, 1)
            bar.product(f"Drink {number}", "50.00", {tea: 5}, groups=[group])

    def queries(path: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            manager.get(path)
        return len(captured)

    # The token, the permissions (2) and the list; a product's groups with their options, recipes and location.
    expected = {"products/": 10, "option-groups/": 6, "categories/": 4, "ingredients/": 4, "locations/": 4}
    fill(0, 3)
    few = {path: queries(path) for path in expected}
    fill(3, 30)
    assert {path: queries(path) for path in expected} == few == expected
    assert len(manager.get("products/")["results"]) == 30
    assert StockLevel.objects.count() == 30
