"""What a batch is made from, how much it yields, and what that costs."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from foundation.admin.model_admin import ShopModelAdmin, ShopTabularInline
from foundation.admin.numbers import unit_cost
from foundation.admin.refusals import RefusalsInForms
from foundation.money import money
from inventory.admin.cost_places import cost_chips, costs_here, sees_costs
from inventory.admin.ingredient_choice import PicksIngredients
from inventory.admin.shown import quantity_shown
from inventory.models import PreparationRecipe, PreparationRecipeLine
from inventory.preparation_selectors import batch_cost
from inventory.services.preparation_recipes import (
    PreparationEntry,
    add_preparation_recipe,
    change_preparation_recipe,
    delete_preparation_recipe,
)

COST_STEP = Decimal("0.000001")
NOTHING = "—"


class PreparationLinesInline(PicksIngredients, ShopTabularInline):
    """What a batch takes. A quantity is in the ingredient's base unit, which stands beside it."""

    model = PreparationRecipeLine
    fields = ("ingredient", "quantity")
    verbose_name_plural = _("what one batch takes")


@admin.register(PreparationRecipe)
class PreparationRecipeAdmin(PicksIngredients, RefusalsInForms, ShopModelAdmin):
    """Recipes of what the shop makes itself; saved as a whole by their service, which finds circles."""

    fieldsets = ((None, {"fields": (("ingredient", "yield_quantity"), "instructions")}),)
    inlines = (PreparationLinesInline,)
    search_fields = ("ingredient__name", "lines__ingredient__name")
    list_display_links = ("makes",)
    list_select_related = ("ingredient",)
    warn_unsaved_form = True
    change_form_outer_before_template = "inventory/preparation_recipe.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[PreparationRecipe]:
        return super().get_queryset(request).prefetch_related("lines__ingredient")

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        costs = [self.cost_column(request), self.unit_cost_column(request)] if sees_costs(request) else []
        return ["makes", "yields", "takes", *costs]

    @display(description=_("makes"), ordering="ingredient__name")
    def makes(self, recipe: PreparationRecipe) -> str:
        return recipe.ingredient.name

    @display(description=_("yield of a batch"), ordering="yield_quantity")
    def yields(self, recipe: PreparationRecipe) -> str:
        return quantity_shown(recipe.yield_quantity, recipe.ingredient)

    @display(description=_("what one batch takes"))
    def takes(self, recipe: PreparationRecipe) -> SafeString:
        text = ", ".join(
            f"{line.ingredient.name} {quantity_shown(line.quantity, line.ingredient)}" for line in recipe.lines.all()
        )
        return format_html('<span class="sv-clip" title="{0}">{0}</span>', text)

    def cost_column(self, request: HttpRequest) -> Any:
        @display(description=_("a batch costs"))
        def batch_costs(recipe: PreparationRecipe) -> str:
            return figures(request, recipe)["batch"]

        return batch_costs

    def unit_cost_column(self, request: HttpRequest) -> Any:
        @display(description=_("one unit costs"))
        def unit_costs(recipe: PreparationRecipe) -> str:
            return figures(request, recipe)["each"]

        return unit_costs

    # --- one recipe -----------------------------------------------------------------------------------

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """What it makes stays: for something else there is another recipe."""
        return ("ingredient",) if obj is not None else ()

    def save_model(self, request: HttpRequest, obj: PreparationRecipe, form: Any, change: bool) -> None:
        """Waits for the lines: the recipe is written as a whole in `save_related`."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Iterable[Any], change: bool) -> None:
        written: PreparationRecipe = form.instance
        said = form.cleaned_data
        formset = next(iter(formsets))
        if change:
            change_preparation_recipe(
                recipe_id=written.pk,
                yield_quantity=said["yield_quantity"],
                instructions=said["instructions"],
                lines=entries_of(formset) if formset.has_changed() else None,
            )
        else:
            recipe = add_preparation_recipe(
                ingredient_id=said["ingredient"].pk,
                yield_quantity=said["yield_quantity"],
                instructions=said["instructions"],
                lines=entries_of(formset),
            )
            written.pk = recipe.pk
            written._state.adding = False
        # What the history tells of the lines is that they changed: the service wrote them, and not the formset.
        formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []

    def delete_model(self, request: HttpRequest, obj: PreparationRecipe) -> None:
        delete_preparation_recipe(recipe_id=obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[PreparationRecipe]) -> None:
        for recipe in queryset:
            delete_preparation_recipe(recipe_id=recipe.pk)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        recipe = kwargs.get("obj")
        if recipe is not None:
            context["recipe"] = recipe
            context["recipe_figures"] = figures(request, recipe) if sees_costs(request) else None
            context["cost_places"] = cost_chips(request)
        return super().render_change_form(request, context, **kwargs)


def entries_of(formset: Any) -> list[PreparationEntry]:
    """The lines that stand in the form and were not ticked away."""
    return [
        PreparationEntry(line.cleaned_data["ingredient"].pk, line.cleaned_data["quantity"])
        for line in formset.forms
        if line.cleaned_data.get("ingredient") and line not in formset.deleted_forms
    ]


def figures(request: HttpRequest, recipe: PreparationRecipe) -> dict[str, str]:
    """What a batch costs, and one unit of its yield; more than that if the cost of something in it is not known."""
    cost = batch_cost(recipe, costs_here(request))
    unknown = sorted({line.ingredient.name for line in recipe.lines.all() if line.ingredient_id in cost.unknown})
    if len(unknown) == len(recipe.lines.all()):
        return {"batch": NOTHING, "each": NOTHING, "unknown": ", ".join(unknown)}
    more = "" if cost.is_whole else ">\N{NO-BREAK SPACE}"
    each = NOTHING
    # A form that came back with a yield of 0 has written it on the recipe that it shows.
    if recipe.yield_quantity > 0:
        unit = recipe.ingredient.get_unit_display()
        each = more + unit_cost((cost.amount / recipe.yield_quantity).quantize(COST_STEP), unit)
    return {"batch": more + money(cost.amount), "each": each, "unknown": ", ".join(unknown)}
