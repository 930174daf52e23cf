"""preparations/ and preparation-recipes/ over REST."""

import pytest

from inventory.models import Preparation, PreparationRecipe
from tests.inventory.kitchen import cook, dated, in_hours, lot_of, makes, state, tracked
from tests.rest import Rest
from tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


@pytest.fixture
def pearls(shop):
    raw = shop.ingredient("Pearls", stock=5000, unit_cost="0.05")
    return makes(shop, tracked(shop.ingredient("Cooked pearls"), shelf_life_hours=8), 1500, {raw: 1000})


def test_a_barista_makes_a_batch(shop, pearls):
    rest = Rest.of("barista")
    until = in_hours(3).isoformat()
    made = rest.post(
        "preparations/",
        {"ingredient": pearls.pk, "batches": "0.5", "quantity": "700", "expires_at": until, "comment": "noon"},
    )
    assert made["location"] == shop.location.pk
    assert [made[name] for name in ("batches", "expected_quantity", "quantity", "waste", "unit", "comment")] == [
        "0.500",
        "750.000",
        "700.000",
        "50.000",
        "g",
        "noon",
    ]
    assert lot_of(shop, pearls).expires_at.isoformat() == until
    assert [(line["ingredient_name"], line["delta"], "unit_cost" in line) for line in made["movements"]] == [
        ("Pearls", "-500.000", False),
        ("Cooked pearls", "700.000", False),
    ]
    assert rest.get(f"preparations/{made['id']}/") == made
    (listed,) = rest.get("preparations/", ingredient=pearls.pk, cancelled="false")["results"]
    assert listed == {name: value for name, value in made.items() if name != "movements"}


def test_it_is_taken_back_once(shop, pearls):
    rest = Rest.of("barista")
    made = cook(shop, pearls)
    answer = rest.post(f"preparations/{made.pk}/cancel/", {}, status=200)
    assert answer["cancelled_at"]
    assert answer["cancelled_by"] == rest.user.pk
    assert [line["delta"] for line in answer["movements"]] == ["-1000.000", "1500.000", "-1500.000", "1000.000"]
    rest.refused("post", f"preparations/{made.pk}/cancel/", {}, status=409, kind="wrong_status")
    rest.refused("post", "preparations/4711/cancel/", {}, status=404, kind="not_found")
    assert rest.get("preparations/", cancelled="false")["results"] == []
    assert len(rest.get("preparations/", cancelled="true")["results"]) == 1


def test_what_was_used_says_how_much_is_left(shop, pearls):
    made = cook(shop, pearls)
    shop.sell(shop.product("Pearls", recipe={pearls: 50}))
    answer = Rest.of("barista").refused("post", f"preparations/{made.pk}/cancel/", {}, status=409, kind="yield_used")
    assert (answer["made"], answer["left"], answer["unit"]) == ("1500.000", "1450.000", "g")


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({"batches": "0"}, "batches"),
        ({"batches": "-1"}, "batches"),
        ({"batches": "NaN"}, "batches"),
        ({"batches": "99999"}, "batches"),
        ({"batches": "1e20"}, "batches"),
        ({"batches": "0.0001"}, "batches"),
        ({"batches": None}, "batches"),
        ({"quantity": "0"}, "quantity"),
        ({"quantity": "-1500"}, "quantity"),
        ({"quantity": "1e30"}, "quantity"),
        ({"ingredient": 4711}, "ingredient"),
        ({"ingredient": "1"}, "ingredient"),
        ({"location": 4711}, "location"),
        ({"expires_at": "2020-01-01T10:00:00Z"}, "expires_at"),
        ({"expires_at": "9999-12-31T23:59:59Z"}, "expires_at"),
        ({"expires_at": "0001-01-01T00:00:00+14:00"}, "expires_at"),
        ({"expires_at": "2027-01-01T10:00:00"}, "expires_at"),
        ({"expires_at": "tomorrow"}, "expires_at"),
        ({"comment": "x" * 501}, "comment"),
        ({"yield": "5"}, "yield"),
    ],
)
def test_a_senseless_preparation_is_refused_at_its_field(shop, pearls, changes, at):
    rest = Rest.of("barista")
    before = state()
    body = {"ingredient": pearls.pk, "batches": "1", **changes}
    rest.refused("post", "preparations/", body, status=400, kind="invalid", at=at)
    assert state() == before


def test_too_little_an_expired_ingredient_and_a_closed_location_are_conflicts(shop, pearls):
    rest = Rest.of("barista")
    milk = dated(shop, "Milk", "ml", {-1: 500})
    cream = makes(shop, shop.ingredient("Cream", "ml"), 400, {milk: 200})
    before = state()
    answer = rest.refused(
        "post", "preparations/", {"ingredient": cream.pk, "batches": "1"}, status=409, kind="insufficient_stock"
    )
    assert answer["shortages"] == [
        {
            "ingredient": milk.pk,
            "name": "Milk",
            "needed": "200.000",
            "available": "0",
            "unit": "ml",
            "expired": "500.000",
        }
    ]
    shop.location.is_active = False
    shop.location.save()
    rest.refused(
        "post",
        "preparations/",
        {"location": shop.location.pk, "ingredient": pearls.pk, "batches": "1"},
        status=409,
        kind="closed_location",
    )
    assert state() == before


def test_a_repeat_with_its_key_makes_one_batch(shop, pearls):
    rest = Rest.of("barista")
    body = {"ingredient": pearls.pk, "batches": "1"}
    first, second = (
        rest.call("post", "preparations/", body, **{"Idempotency-Key": "pearls-1"}).json() for _ in range(2)
    )
    assert first == second
    assert Preparation.objects.count() == 1


def test_a_manager_writes_a_recipe(shop):
    rest = Rest.of("manager")
    raw, water, cooked = shop.ingredient("Pearls"), shop.ingredient("Water", "ml"), shop.ingredient("Cooked pearls")
    recipe = rest.post(
        "preparation-recipes/",
        {
            "ingredient": cooked.pk,
            "yield_quantity": "1500",
            "instructions": "Boil.",
            "lines": [{"ingredient": raw.pk, "quantity": "1000"}, {"ingredient": water.pk, "quantity": "6000"}],
        },
    )
    assert recipe == {
        "id": PreparationRecipe.objects.get().pk,
        "ingredient": cooked.pk,
        "ingredient_name": "Cooked pearls",
        "unit": "g",
        "yield_quantity": "1500.000",
        "instructions": "Boil.",
        "lines": [
            {"ingredient": raw.pk, "quantity": "1000.000"},
            {"ingredient": water.pk, "quantity": "6000.000"},
        ],
    }
    path = f"preparation-recipes/{recipe['id']}/"
    changed = rest.patch(path, {"lines": [{"ingredient": raw.pk, "quantity": "900"}]})
    assert changed == {**recipe, "lines": [{"ingredient": raw.pk, "quantity": "900.000"}]}
    assert rest.get("preparation-recipes/", search="cook")["results"] == [changed]
    rest.delete(path)
    assert rest.get("preparation-recipes/")["results"] == []


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({"yield_quantity": "0"}, "yield_quantity"),
        ({"yield_quantity": "-1"}, "yield_quantity"),
        ({"lines": []}, "lines"),
        ({"lines": [{"ingredient": 4711, "quantity": "1"}]}, "lines[0].ingredient"),
        ({"ingredient": 4711}, "ingredient"),
        ({"instructions": "x" * 2001}, "instructions"),
    ],
)
def test_a_senseless_recipe_is_refused_at_its_field(shop, changes, at):
    raw, cooked = shop.ingredient("Pearls"), shop.ingredient("Cooked pearls")
    body = {
        "ingredient": cooked.pk,
        "yield_quantity": "1500",
        "lines": [{"ingredient": raw.pk, "quantity": "1"}],
        **changes,
    }
    Rest.of("manager").refused("post", "preparation-recipes/", body, status=400, kind="invalid", at=at)
    assert not PreparationRecipe.objects.exists()


def test_a_recipe_of_itself_is_refused(shop, pearls):
    body = {"lines": [{"ingredient": pearls.pk, "quantity": "1"}]}
    path = f"preparation-recipes/{pearls.preparation_recipe.pk}/"
    Rest.of("manager").refused("patch", path, body, status=400, kind="invalid", at="lines[0].ingredient")
    Rest.of("barista").refused("patch", path, body, status=403, kind="permission_denied")


def test_lists_take_the_same_number_of_queries_for_many(shop, pearls, django_assert_max_num_queries):
    for _ in range(3):
        cook(shop, pearls)
    rest = Rest.of("barista")
    with django_assert_max_num_queries(4):
        assert len(rest.get("preparations/")["results"]) == 3
    with django_assert_max_num_queries(5):
        rest.get("preparation-recipes/")
