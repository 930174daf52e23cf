"""Writing how the shop makes an ingredient from others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from foundation.errors import InvalidInput
from foundation.locks import lock_record
from foundation.services.records import add_record, change_record, delete_record
from inventory.errors import UnknownIngredient
from inventory.locks import lock_preparation_recipes
from inventory.models import Ingredient, PreparationRecipe, PreparationRecipeLine
from inventory.services.lines import quantity_fault

MOST_LINES = 100


@dataclass(frozen=True, slots=True)
class PreparationEntry:
    """So much of an ingredient, in its base unit, goes into one batch."""

    ingredient_id: int
    quantity: Decimal


@transaction.atomic
def add_preparation_recipe(
    *, ingredient_id: int, yield_quantity: Decimal, lines: Sequence[PreparationEntry], instructions: str = ""
) -> PreparationRecipe:
    """Writes down how an ingredient is made, which has no recipe yet.

    Raises UnknownIngredient, InvalidInput at the fields: also where the ingredient would be made from itself, be it
    through other preparations.
    """
    lock_preparation_recipes()
    if not Ingredient.objects.filter(pk=ingredient_id).exists():
        raise UnknownIngredient.at("ingredient", _("There is no ingredient %(id)s.") % {"id": ingredient_id})
    if PreparationRecipe.objects.filter(ingredient_id=ingredient_id).exists():
        raise InvalidInput.at("ingredient", _("This ingredient has a recipe already. Change that one."))
    check_yield(yield_quantity)
    check_preparation_lines(ingredient_id, lines)
    recipe = add_record(
        record=PreparationRecipe(ingredient_id=ingredient_id, yield_quantity=yield_quantity, instructions=instructions)
    )
    write_lines(recipe, lines)
    return recipe


@transaction.atomic
def change_preparation_recipe(
    *,
    recipe_id: int,
    yield_quantity: Decimal | None = None,
    lines: Sequence[PreparationEntry] | None = None,
    instructions: str | None = None,
) -> PreparationRecipe:
    """Changes what is given; `lines` replace all lines. What it makes stays. What was made before stays what it was.

    Raises Missing, UnknownIngredient, InvalidInput at the fields; see `add_preparation_recipe`.
    """
    lock_preparation_recipes()
    recipe = lock_record(PreparationRecipe, recipe_id)
    changes: dict[str, object] = {}
    if yield_quantity is not None:
        check_yield(yield_quantity)
        changes["yield_quantity"] = yield_quantity
    if instructions is not None:
        changes["instructions"] = instructions
    if lines is not None:
        check_preparation_lines(recipe.ingredient_id, lines)
        recipe.lines.all().delete()
        write_lines(recipe, lines)
    return change_record(model=PreparationRecipe, record_id=recipe_id, changes=changes) if changes else recipe


@transaction.atomic
def delete_preparation_recipe(*, recipe_id: int) -> None:
    """Forgets how an ingredient is made; what was made stays. Raises Missing."""
    delete_record(model=PreparationRecipe, record_id=recipe_id)


def check_yield(quantity: Decimal) -> None:
    """Raises InvalidInput at "yield_quantity"."""
    if fault := quantity_fault(quantity):
        raise InvalidInput.at("yield_quantity", fault)


def check_preparation_lines(ingredient_id: int, lines: Sequence[PreparationEntry]) -> None:
    """Raises UnknownIngredient or InvalidInput at each line that makes no sense."""
    if not lines:
        raise InvalidInput.at("lines", _("Add at least one line."))
    if len(lines) > MOST_LINES:
        raise InvalidInput.at("lines", _("A recipe has at most %(most)d lines.") % {"most": MOST_LINES})
    made_from = recipes_by_ingredient()
    names = dict(
        Ingredient.objects.filter(
            pk__in={ingredient_id, *(line.ingredient_id for line in lines), *made_from}
        ).values_list("pk", "name")
    )
    unknown: dict[str, list[str]] = {}
    wrong: dict[str, list[str]] = {}
    seen: set[int] = set()
    for place, line in enumerate(lines):
        if line.ingredient_id not in names:
            unknown[f"lines[{place}].ingredient"] = [_("There is no ingredient %(id)s.") % {"id": line.ingredient_id}]
        elif line.ingredient_id in seen:
            wrong[f"lines[{place}].ingredient"] = [
                _("This ingredient stands in the recipe already. Add the quantities up.")
            ]
        elif circle := way_back(line.ingredient_id, ingredient_id, made_from):
            wrong[f"lines[{place}].ingredient"] = [
                _("%(name)s would be made from itself: %(way)s.")
                % {
                    "name": names[ingredient_id],
                    "way": " ← ".join(names[pk] for pk in (ingredient_id, *circle)),
                }
            ]
        seen.add(line.ingredient_id)
        if fault := quantity_fault(line.quantity):
            wrong[f"lines[{place}].quantity"] = [fault]
    if unknown:
        raise UnknownIngredient(_("Some ingredients do not exist."), errors=unknown | wrong)
    if wrong:
        raise InvalidInput(_("The recipe can't be written like this."), errors=wrong)


def recipes_by_ingredient() -> dict[int, set[int]]:
    """{ingredient id: the ingredients that it is made from} of all preparations, in one query."""
    made_from: dict[int, set[int]] = {}
    for output_id, input_id in PreparationRecipeLine.objects.order_by().values_list(
        "recipe__ingredient_id", "ingredient_id"
    ):
        made_from.setdefault(output_id, set()).add(input_id)
    return made_from


def way_back(start: int, end: int, made_from: Mapping[int, set[int]]) -> tuple[int, ...]:
    """The ingredients from `start` to `end` if `start` is, or is made from, `end`; else nothing."""
    ways: list[tuple[int, ...]] = [(start,)]
    seen = {start}
    while ways:
        way = ways.pop()
        if way[-1] == end:
            return way
        for ingredient_id in sorted(made_from.get(way[-1], ())):
            if ingredient_id not in seen:
                seen.add(ingredient_id)
                ways.append((*way, ingredient_id))
    return ()


def write_lines(recipe: PreparationRecipe, lines: Sequence[PreparationEntry]) -> None:
    PreparationRecipeLine.objects.bulk_create(
        PreparationRecipeLine(recipe=recipe, ingredient_id=line.ingredient_id, quantity=line.quantity) for line in lines
    )
