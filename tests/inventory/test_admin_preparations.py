"""Preparing in the admin: the page at the stove, the list, the recipes."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils import timezone

from inventory.models import Preparation, PreparationRecipe
from tests.inventory.admin_pages import formset, queries_of, said, signed_in, text_of
from tests.inventory.kitchen import assert_in_order, cook, dated, lot_of, makes, quantities, state, tracked
from tests.shop import Shop

pytestmark = pytest.mark.django_db

PREPARE = reverse("admin:inventory_preparation_prepare")
LIST = reverse("admin:inventory_preparation_changelist")
RECIPES = reverse("admin:inventory_preparationrecipe_changelist")
ADD_RECIPE = reverse("admin:inventory_preparationrecipe_add")


@pytest.fixture
def shop() -> Shop:
    return Shop.open(time_zone="Asia/Bangkok")


@pytest.fixture
def pearls(shop):
    raw = shop.ingredient("Pearls", stock=5000, unit_cost="0.05")
    return makes(shop, tracked(shop.ingredient("Cooked pearls"), shelf_life_hours=8), 1500, {raw: 1000})


def page_of(made: Preparation) -> str:
    return reverse("admin:inventory_preparation_change", args=[made.pk])


def test_a_barista_sees_what_is_left_and_says_what_was_made(shop, pearls):
    cook(shop, pearls, "0.5")
    client = signed_in("barista")
    text = text_of(client.get(PREPARE))
    assert "Cooked pearls 750 g left, the first until" in text
    answer = client.post(PREPARE, {"ingredient": pearls.pk, "batches": "2", "quantity": "2 900", "comment": "noon"})
    made = Preparation.objects.latest("pk")
    assert answer.url == page_of(made)
    assert said(answer) == ["Made: 2,900\N{NO-BREAK SPACE}g Cooked pearls."]
    assert (made.batches, made.quantity, made.waste, made.comment) == (2, 2900, 100, "noon")
    assert_in_order()


@pytest.mark.parametrize("written", ["1.4 kg", "1,4 кг", "1400", "1 400 g", "2 x 700"])
def test_a_yield_may_be_in_a_larger_unit(shop, pearls, written):
    answer = signed_in("barista").post(PREPARE, {"ingredient": pearls.pk, "batches": "1", "quantity": written})
    made = Preparation.objects.get()
    assert answer.url == page_of(made)
    assert (made.quantity, made.waste) == (1400, 100)
    assert_in_order()


def test_a_date_is_read_by_the_clocks_of_the_location(shop, pearls):
    day = (timezone.now() + timedelta(days=2)).date()
    client = signed_in("barista")
    client.post(PREPARE, {"ingredient": pearls.pk, "batches": "1", "expires_at": f"{day}T18:00"})
    expected = datetime(day.year, day.month, day.day, 18, tzinfo=ZoneInfo("Asia/Bangkok")).astimezone(UTC)
    assert lot_of(shop, pearls).expires_at == expected


def test_what_is_refused_stands_at_its_field_and_nothing_has_changed(shop, pearls):
    client = signed_in("barista")
    before = state()
    for sent, sentence in [
        ({"batches": "0"}, "Say how many batches: more than 0."),
        ({"batches": "NaN"}, "Enter a number."),
        ({"batches": "9999"}, "At most 1000 batches at once."),
        ({"quantity": "-5"}, "The quantity can't be below 0."),
        ({"quantity": "1.4 l"}, "“l” is not a unit for this ingredient."),
        ({"quantity": "1,400"}, "“1,400” can be read in two ways."),
        ({"quantity": "a pot"}, "Write a quantity such as 250 g or 1.5 kg."),
        ({"quantity": "0"}, "The quantity must be more than 0."),
        ({"expires_at": "2020-01-01T10:00"}, "This moment is over."),
        ({"ingredient": "4711"}, "There is no recipe for it."),
        ({"ingredient": ""}, "Choose what you have made."),
        ({"batches": "6"}, "Not enough in stock. Pearls: 6000 g needed, 5000 there."),
    ]:
        answer = client.post(PREPARE, {"ingredient": pearls.pk, "batches": "1", **sent})
        assert answer.status_code == 200
        assert sentence in text_of(answer), sent
    assert state() == before


def test_what_is_sent_twice_is_made_once(shop, pearls):
    client = signed_in("barista")
    body = {"ingredient": pearls.pk, "batches": "1", "once": "0" * 32}
    assert client.post(PREPARE, body).url == client.post(PREPARE, body).url
    assert Preparation.objects.count() == 1


def test_it_is_cancelled_on_its_page_while_it_is_all_there(shop, pearls):
    made = cook(shop, pearls)
    client = signed_in("barista")
    assert "Cancel the preparation" in text_of(client.get(page_of(made)))
    verb = reverse("admin:inventory_preparation_verb", args=[made.pk, "cancel"])
    assert said(client.post(verb)) == [f"preparation {made.pk} is cancelled."]
    assert quantities(shop, pearls) == []
    text = text_of(client.get(page_of(made)))
    assert "cancelled" in text
    assert "Cancel the preparation" not in text
    assert said(client.post(verb))[-1] == f"Preparation {made.pk} has been cancelled already."


def test_money_is_shown_to_the_manager_only(shop, pearls):
    made = cook(shop, pearls)
    recipe = reverse("admin:inventory_preparationrecipe_change", args=[pearls.preparation_recipe.pk])
    manager, barista = signed_in("manager"), signed_in("barista")
    assert "฿50" in text_of(manager.get(page_of(made)))
    assert "฿50" in text_of(manager.get(recipe))
    assert "฿0.033333 / g" in text_of(manager.get(RECIPES))
    for address in (page_of(made), recipe, RECIPES, PREPARE, LIST):
        assert "฿" not in text_of(barista.get(address)), address


def test_a_manager_writes_changes_and_deletes_a_recipe(shop):
    raw, water, cooked = shop.ingredient("Pearls"), shop.ingredient("Water", "ml"), shop.ingredient("Cooked pearls")
    client = signed_in("manager")
    lines = [{"ingredient": raw.pk, "quantity": "1000"}, {"ingredient": water.pk, "quantity": "6 000"}]
    answer = client.post(
        ADD_RECIPE, {"ingredient": cooked.pk, "yield_quantity": "1500", "instructions": "", **formset("lines", lines)}
    )
    assert answer.url == RECIPES
    recipe = PreparationRecipe.objects.get()
    assert list(recipe.lines.values_list("ingredient__name", "quantity")) == [("Pearls", 1000), ("Water", 6000)]

    address = reverse("admin:inventory_preparationrecipe_change", args=[recipe.pk])
    first, second = recipe.lines.order_by("pk")
    rows = [
        {"id": first.pk, "recipe": recipe.pk, "ingredient": raw.pk, "quantity": "900"},
        {"id": second.pk, "recipe": recipe.pk, "ingredient": water.pk, "quantity": "6000", "DELETE": "on"},
    ]
    answer = client.post(address, {"yield_quantity": "1400", "instructions": "Boil.", **formset("lines", rows, 2)})
    assert answer.url == RECIPES
    recipe.refresh_from_db()
    assert (recipe.yield_quantity, recipe.instructions) == (1400, "Boil.")
    assert list(recipe.lines.values_list("ingredient__name", "quantity")) == [("Pearls", 900)]

    client.post(reverse("admin:inventory_preparationrecipe_delete", args=[recipe.pk]), {"post": "yes"})
    assert not PreparationRecipe.objects.exists()


def test_a_recipe_of_itself_is_refused_on_its_page(shop, pearls):
    client = signed_in("manager")
    syrup = shop.ingredient("Syrup", "ml")
    makes(shop, syrup, 10, {pearls: 1})
    recipe = pearls.preparation_recipe
    line = recipe.lines.get()
    address = reverse("admin:inventory_preparationrecipe_change", args=[recipe.pk])
    rows = [{"id": line.pk, "recipe": recipe.pk, "ingredient": syrup.pk, "quantity": "5"}]
    answer = client.post(address, {"yield_quantity": "1400", "instructions": "", **formset("lines", rows, 1)})
    assert answer.status_code == 200
    assert "Cooked pearls would be made from itself" in text_of(answer)
    rows[0]["quantity"] = "0"
    for body in ({"yield_quantity": "0"}, {"yield_quantity": "-1"}, {"yield_quantity": "1400"}):
        assert client.post(address, {"instructions": "", **body, **formset("lines", rows, 1)}).status_code == 200
    recipe.refresh_from_db()
    assert (recipe.yield_quantity, recipe.lines.get().ingredient.name) == (1500, "Pearls")


def test_an_expired_ingredient_is_said_to_be_expired(shop):
    milk = dated(shop, "Milk", "ml", {-1: 500})
    cream = makes(shop, shop.ingredient("Cream", "ml"), 400, {milk: 200})
    answer = signed_in("barista").post(PREPARE, {"ingredient": cream.pk, "batches": "1"})
    assert "Milk: 200 ml needed, 0 there, 500 expired." in text_of(answer)


def test_pages_take_as_many_queries_for_thirty_as_for_three(shop):
    client = signed_in("manager")
    counts = []
    for number in (3, 30):
        inputs = {shop.ingredient(f"Input {number}-{place}", stock=1000, unit_cost=1): 1 for place in range(number)}
        for place in range(number):
            made = cook(
                shop, tracked(makes(shop, shop.ingredient(f"Mix {number}-{place}"), 5, inputs), shelf_life_hours=9)
            )
        recipe = made.ingredient.preparation_recipe
        addresses = (
            PREPARE,
            LIST,
            RECIPES,
            page_of(made),
            reverse("admin:inventory_preparationrecipe_change", args=[recipe.pk]),
        )
        counts.append([queries_of(client, address) for address in addresses])
    assert counts[0] == counts[1]
    assert max(counts[0]) <= 25, counts
