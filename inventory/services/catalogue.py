"""Writing the products of the menu: what they are, what they are made of, what is asked about them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from foundation.errors import InvalidInput
from foundation.locks import lock_record
from foundation.services.records import add_record, change_record, delete_record
from inventory.models import Ingredient, OptionGroup, Product, ProductOptionGroup, RecipeLine
from inventory.services.lines import quantity_fault
from inventory.services.pictures import forget_picture

MOST_RECIPE_LINES = 100
MOST_OPTION_GROUPS = 20


@dataclass(frozen=True, slots=True)
class RecipeEntry:
    """So much of an ingredient, in its base unit, goes into one portion; a size changes what scales."""

    ingredient_id: int
    quantity: Decimal
    scales: bool = False


@transaction.atomic
def add_product(
    *, fields: Mapping[str, Any], recipe: Sequence[RecipeEntry] = (), option_group_ids: Sequence[int] = ()
) -> Product:
    """Puts a product on the menu, with its recipe and its option groups in the order in which they are asked.

    `fields` are the product's own columns by name. Raises InvalidInput at the fields.
    """
    check_recipe(recipe)
    check_option_groups(option_group_ids)
    product = add_record(record=Product(**fields))
    write_recipe(product, recipe)
    write_option_groups(product, option_group_ids)
    return product


@transaction.atomic
def change_product(
    *,
    product_id: int,
    fields: Mapping[str, Any],
    recipe: Sequence[RecipeEntry] | None = None,
    option_group_ids: Sequence[int] | None = None,
) -> Product:
    """Changes the columns that `fields` names, and replaces the whole recipe or the groups if they are given.

    Orders that were placed keep what they took. Raises Missing, InvalidInput at the fields.
    """
    product = lock_record(Product, product_id)
    if fields:
        product = change_record(model=Product, record_id=product_id, changes=fields)
    if recipe is not None:
        check_recipe(recipe)
        RecipeLine.objects.filter(product=product).delete()
        write_recipe(product, recipe)
    if option_group_ids is not None:
        check_option_groups(option_group_ids)
        ProductOptionGroup.objects.filter(product=product).delete()
        write_option_groups(product, option_group_ids)
    return product


@transaction.atomic
def delete_product(*, product_id: int) -> None:
    """Deletes a product that was never sold, its recipe and its picture. Raises Missing, InUse."""
    product = delete_record(model=Product, record_id=product_id)
    forget_picture(product.image.name)


def check_recipe(recipe: Sequence[RecipeEntry]) -> None:
    """Raises InvalidInput at each line that makes no sense."""
    if len(recipe) > MOST_RECIPE_LINES:
        raise InvalidInput.at("recipe", _("A recipe has at most %(most)d lines.") % {"most": MOST_RECIPE_LINES})
    wanted = {line.ingredient_id for line in recipe}
    known = set(Ingredient.objects.filter(pk__in=wanted).values_list("pk", flat=True)) if wanted else set()
    errors: dict[str, list[str]] = {}
    seen: set[int] = set()
    for place, line in enumerate(recipe):
        if line.ingredient_id not in known:
            errors[f"recipe[{place}].ingredient"] = [_("There is no ingredient %(id)s.") % {"id": line.ingredient_id}]
        elif line.ingredient_id in seen:
            errors[f"recipe[{place}].ingredient"] = [
                _("This ingredient stands in the recipe already. Add the quantities up.")
            ]
        seen.add(line.ingredient_id)
        if fault := quantity_fault(line.quantity):
            errors[f"recipe[{place}].quantity"] = [fault]
    if errors:
        raise InvalidInput(_("The recipe can't be written like this."), errors=errors)


def check_option_groups(option_group_ids: Sequence[int]) -> None:
    """Raises InvalidInput at each group that does not exist or stands there twice."""
    if len(option_group_ids) > MOST_OPTION_GROUPS:
        raise InvalidInput.at(
            "option_group_ids", _("A product has at most %(most)d option groups.") % {"most": MOST_OPTION_GROUPS}
        )
    known = set(OptionGroup.objects.filter(pk__in=option_group_ids).values_list("pk", flat=True))
    errors: dict[str, list[str]] = {}
    for place, group_id in enumerate(option_group_ids):
        if group_id not in known:
            errors[f"option_group_ids[{place}]"] = [_("There is no option group %(id)s.") % {"id": group_id}]
        elif group_id in option_group_ids[:place]:
            errors[f"option_group_ids[{place}]"] = [_("This group stands in the list already. Name it once.")]
    if errors:
        raise InvalidInput(_("The option groups can't be set like this."), errors=errors)


def write_recipe(product: Product, recipe: Sequence[RecipeEntry]) -> None:
    RecipeLine.objects.bulk_create(
        RecipeLine(product=product, ingredient_id=line.ingredient_id, quantity=line.quantity, scales=line.scales)
        for line in recipe
    )


def write_option_groups(product: Product, option_group_ids: Sequence[int]) -> None:
    ProductOptionGroup.objects.bulk_create(
        ProductOptionGroup(product=product, group_id=group_id, position=position)
        for position, group_id in enumerate(option_group_ids, start=1)
    )
