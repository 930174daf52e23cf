"""What a batch is made from: written whole or refused, and never from itself."""

from decimal import Decimal

import pytest

from foundation.errors import InvalidInput, Missing
from inventory.errors import UnknownIngredient
from inventory.models import PreparationRecipe
from inventory.services.preparation_recipes import (
    PreparationEntry,
    add_preparation_recipe,
    change_preparation_recipe,
    delete_preparation_recipe,
)
from tests.inventory.kitchen import makes
from tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


def refused(call, *fields: str) -> str:
    before = list(PreparationRecipe.objects.values_list("pk", "yield_quantity", "lines__ingredient", "lines__quantity"))
    with pytest.raises(InvalidInput) as refusal:
        call()
    assert set(refusal.value.errors) == set(fields)
    after = list(PreparationRecipe.objects.values_list("pk", "yield_quantity", "lines__ingredient", "lines__quantity"))
    assert after == before
    return " ".join(sentence for lines in refusal.value.errors.values() for sentence in lines)


def written(recipe: PreparationRecipe) -> list[tuple[str, Decimal]]:
    return list(recipe.lines.values_list("ingredient__name", "quantity"))


def add(ingredient, yield_quantity, *lines, **more):
    return add_preparation_recipe(
        ingredient_id=getattr(ingredient, "pk", ingredient),
        yield_quantity=Decimal(yield_quantity),
        lines=[PreparationEntry(getattr(one, "pk", one), Decimal(quantity)) for one, quantity in lines],
        **more,
    )


def test_a_recipe_is_written_with_its_lines(shop):
    raw, water, pearls = shop.ingredient("Pearls"), shop.ingredient("Water", "ml"), shop.ingredient("Cooked pearls")

    recipe = add(pearls, "1500", (raw, "1000"), (water, "6000.5"), instructions="Boil for 30 minutes.")

    recipe.refresh_from_db()
    assert (recipe.ingredient, recipe.yield_quantity, recipe.instructions) == (pearls, 1500, "Boil for 30 minutes.")
    assert written(recipe) == [("Pearls", 1000), ("Water", Decimal("6000.500"))]


def test_a_change_replaces_the_lines_or_leaves_them(shop):
    raw, water, pearls = shop.ingredient("Pearls"), shop.ingredient("Water", "ml"), shop.ingredient("Cooked pearls")
    recipe = add(pearls, "1500", (raw, "1000"))

    change_preparation_recipe(recipe_id=recipe.pk, yield_quantity=Decimal(1400))
    assert (PreparationRecipe.objects.get().yield_quantity, written(recipe)) == (1400, [("Pearls", 1000)])

    change_preparation_recipe(recipe_id=recipe.pk, lines=[PreparationEntry(water.pk, Decimal(5))], instructions="Stir.")
    assert (PreparationRecipe.objects.get().instructions, written(recipe)) == ("Stir.", [("Water", 5)])


@pytest.mark.parametrize("quantity", ["0", "-1", "NaN", "-Infinity", "1E+20", "0.0001"])
def test_a_yield_that_is_none_is_refused(shop, quantity):
    raw, pearls = shop.ingredient("Pearls"), shop.ingredient("Cooked pearls")
    refused(lambda: add(pearls, quantity, (raw, 1)), "yield_quantity")
    recipe = makes(shop, pearls, 1500, {raw: 1000}).preparation_recipe
    refused(lambda: change_preparation_recipe(recipe_id=recipe.pk, yield_quantity=Decimal(quantity)), "yield_quantity")


@pytest.mark.parametrize("quantity", ["0", "-1", "NaN", "1E+20", "0.0001"])
def test_a_line_that_takes_nothing_is_refused(shop, quantity):
    raw, water, pearls = shop.ingredient("Pearls"), shop.ingredient("Water", "ml"), shop.ingredient("Cooked pearls")
    refused(lambda: add(pearls, 1, (water, 1), (raw, quantity)), "lines[1].quantity")


def test_a_recipe_without_lines_or_with_one_twice_is_refused(shop):
    raw, pearls = shop.ingredient("Pearls"), shop.ingredient("Cooked pearls")
    refused(lambda: add(pearls, 1), "lines")
    refused(lambda: add(pearls, 1, *[(raw, 1)] * 101), "lines")
    refused(lambda: add(pearls, 1, (raw, 1), (raw, 2)), "lines[1].ingredient")


def test_unknown_ingredients_are_named(shop):
    raw, pearls = shop.ingredient("Pearls"), shop.ingredient("Cooked pearls")
    with pytest.raises(UnknownIngredient):
        add(4711, 1, (raw, 1))
    with pytest.raises(UnknownIngredient) as refusal:
        add(pearls, 1, (raw, 1), (4711, 1))
    assert set(refusal.value.errors) == {"lines[1].ingredient"}
    assert not PreparationRecipe.objects.exists()


def test_an_ingredient_has_one_recipe(shop):
    raw, pearls = shop.ingredient("Pearls"), shop.ingredient("Cooked pearls")
    add(pearls, 1500, (raw, 1000))
    refused(lambda: add(pearls, 1400, (raw, 1000)), "ingredient")


def test_nothing_is_made_from_itself(shop):
    pearls = shop.ingredient("Cooked pearls")
    sentence = refused(lambda: add(pearls, 1, (pearls, 1)), "lines[0].ingredient")
    assert sentence == "Cooked pearls would be made from itself: Cooked pearls ← Cooked pearls."


def test_nothing_is_made_from_itself_through_other_preparations_either(shop):
    sugar, syrup, glaze, pearls = (shop.ingredient(name) for name in ("Sugar", "Syrup", "Glaze", "Pearls"))
    makes(shop, glaze, 10, {syrup: 5, sugar: 1})
    makes(shop, pearls, 10, {sugar: 1, glaze: 5})
    sentence = refused(lambda: add(syrup, 10, (sugar, 5), (pearls, 1)), "lines[1].ingredient")
    assert sentence == "Syrup would be made from itself: Syrup ← Pearls ← Glaze ← Syrup."
    # Two ways to one ingredient are no circle.
    recipe = add(syrup, 10, (sugar, 5))
    refused(
        lambda: change_preparation_recipe(recipe_id=recipe.pk, lines=[PreparationEntry(glaze.pk, Decimal(1))]),
        "lines[0].ingredient",
    )


def test_a_recipe_is_forgotten(shop):
    raw, pearls = shop.ingredient("Pearls"), shop.ingredient("Cooked pearls")
    recipe = add(pearls, 1500, (raw, 1000))
    delete_preparation_recipe(recipe_id=recipe.pk)
    assert not PreparationRecipe.objects.exists()
    with pytest.raises(Missing):
        delete_preparation_recipe(recipe_id=recipe.pk)
    with pytest.raises(Missing):
        change_preparation_recipe(recipe_id=recipe.pk, instructions="x")
