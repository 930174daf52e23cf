"""What can be imported and exported, in the order in which an empty shop is filled."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Model
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from inventory.exchange.categories import CategoryResource
from inventory.exchange.ingredients import IngredientResource
from inventory.exchange.option_effects import OptionEffectResource
from inventory.exchange.option_groups import OptionGroupResource
from inventory.exchange.options import OptionResource
from inventory.exchange.products import ProductResource
from inventory.exchange.recipes import RecipeResource
from inventory.exchange.resource import ExchangeResource
from inventory.models import Category, Ingredient, OptionGroup, Product


@dataclass(frozen=True, slots=True)
class Subject:
    """One kind of file. `records` are what its lines belong to, and whose history an import is written to."""

    name: str
    label: str | Promise
    resource: type[ExchangeResource]
    records: type[Model]

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.resource.columns())

    @property
    def needed_columns(self) -> tuple[str, ...]:
        """The columns without which no line says what it is about."""
        return self.resource.key

    @property
    def columns_of_new(self) -> tuple[str, ...]:
        """The columns that a line needs that makes something new."""
        return tuple(name for name, column in self.resource.columns().items() if column.is_needed)

    def permissions(self, *verbs: str) -> list[str]:
        """The permissions for these verbs on what the file holds: "inventory.add_recipeline"."""
        meta = self.resource._meta.model._meta
        return [f"{meta.app_label}.{verb}_{meta.model_name}" for verb in verbs]

    @property
    def import_permissions(self) -> list[str]:
        return self.permissions("add", "change")

    @property
    def export_permissions(self) -> list[str]:
        """Looking alone is not enough: a file with all recipes is not for everybody behind the counter."""
        return self.permissions("view", "change")


SUBJECTS: Mapping[str, Subject] = {
    subject.name: subject
    for subject in (
        Subject("categories", _("Categories"), CategoryResource, Category),
        Subject("ingredients", _("Ingredients"), IngredientResource, Ingredient),
        Subject("option-groups", _("Option groups"), OptionGroupResource, OptionGroup),
        Subject("options", _("Options"), OptionResource, OptionGroup),
        Subject("option-effects", _("What options do to recipes"), OptionEffectResource, OptionGroup),
        Subject("products", _("Products"), ProductResource, Product),
        Subject("recipes", _("Recipes"), RecipeResource, Product),
    )
}
