"""Recipes: a line for each ingredient of a product. A product that the file names gets the recipe that it has there."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from foundation.errors import InvalidInput
from inventory.exchange.columns import ChoiceCell, Column, NameCell, Names, NumberCell, YesNoCell
from inventory.exchange.resource import ExchangeMeta, OrderedLines, by_name
from inventory.models import Ingredient, Product, RecipeLine
from inventory.services.catalogue import RecipeEntry, change_product
from inventory.services.lines import quantity_fault
from inventory.units import to_base

# A quantity may be in kilograms; what it is in grams must fit a thousandth.
DECIMALS = 6


def unknown_product(name: str) -> str:
    return _("There is no product “%(name)s”. Add it first.") % {"name": name}


def unknown_ingredient(name: str) -> str:
    return _("There is no ingredient “%(name)s”. Add it first.") % {"name": name}


def ingredients_by_name() -> Mapping[str, Ingredient]:
    return by_name(Ingredient.objects.all())


class UnitColumn(Column):
    """The unit of the quantity: any that the ingredient can be measured in. Written is always its base unit."""

    def get_value(self, instance: RecipeLine) -> str:
        return instance.ingredient.unit if instance.ingredient_id else ""

    def save(self, instance: Any, row: Mapping[str, str], is_m2m: bool = False, **kwargs: Any) -> None:
        unit = self.clean(row, **kwargs)
        if instance.ingredient_id is None or instance.quantity is None:
            return
        try:
            instance.quantity = to_base(instance.quantity, unit, instance.ingredient.unit)
        except InvalidInput as refusal:
            raise ValueError(refusal.detail) from refusal


class WordCell(ChoiceCell):
    """A word that somebody else checks."""

    def __init__(self) -> None:
        super().__init__(())

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> str:
        return value


class RecipeResource(OrderedLines):
    product = Column(
        "product", NameCell(Names(lambda: by_name(Product.objects.all()), unknown_product)), is_needed=True
    )
    ingredient = Column("ingredient", NameCell(Names(ingredients_by_name, unknown_ingredient)), is_needed=True)
    quantity = Column("quantity", NumberCell(decimals=DECIMALS), is_needed=True)
    unit = UnitColumn("unit", WordCell())
    scales = Column("scales", YesNoCell())

    key = ("product", "ingredient")
    owner = "product"

    class Meta(ExchangeMeta):
        model = RecipeLine
        fields = ("product", "ingredient", "quantity", "unit", "scales")
        import_id_fields = ("product", "ingredient")
        # The service checks a recipe as a whole, and `faults_of` each line by the same rule.
        clean_model_instances = False

    def get_queryset(self) -> QuerySet[RecipeLine]:
        lines = RecipeLine.objects.select_related("product", "ingredient")
        return lines.order_by("product__category__position", "product__position", "product__name", "id")

    def faults_of(self, instance: RecipeLine, row: Mapping[str, str]) -> dict[str, list[str]]:
        fault = quantity_fault(instance.quantity)
        return {"quantity": [fault]} if fault else {}

    def replace(self, owner_id: int, instances: Sequence[RecipeLine]) -> None:
        change_product(
            product_id=owner_id,
            fields={},
            recipe=[RecipeEntry(line.ingredient_id, line.quantity, line.scales) for line in instances],
        )
