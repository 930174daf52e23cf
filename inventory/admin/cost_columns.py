"""The columns of the list of products that say what one portion costs and what is left of its price."""

from typing import Any

from django.contrib import admin
from django.db.models import ExpressionWrapper, F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from inventory.admin.cost_figures import NOTHING, cost_cell, margin_cell, names_of
from inventory.admin.cost_places import PLACE_PARAMETER, cost_chips, cost_place, sees_costs
from inventory.admin.ingredient_choice import ingredient_choices
from inventory.cost_selectors import EXACT, with_costs
from inventory.costs import Cost, Figures
from inventory.models import Product


class CostPlaceFilter(admin.SimpleListFilter):
    """Whose costs the list shows. It leaves nothing out, and stands above the list instead of among the filters."""

    title = _("location")
    parameter_name = PLACE_PARAMETER

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset


class CostColumns(ModelAdmin):
    """For the admin of products: two columns for who sees costs, in no query of their own."""

    list_before_template = "inventory/cost_places.html"

    def cost_columns(self, request: HttpRequest) -> list[str]:
        return ["cost_shown", "margin_shown"] if sees_costs(request) else []

    def get_list_filter(self, request: HttpRequest) -> Any:
        return [*super().get_list_filter(request), CostPlaceFilter]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        products = super().get_queryset(request)
        if not sees_costs(request):
            return products
        products = with_costs(products, location=cost_place(request))
        return products.annotate(margin=ExpressionWrapper(F("price") - F("cost"), output_field=EXACT))

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        if sees_costs(request):
            names = names_of(ingredient_choices(request))
            products = list(changelist.result_list)
            for product in products:
                product.ingredient_names = names
            changelist.result_list = products
        return changelist

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        chips = cost_chips(request) if sees_costs(request) else []
        return super().changelist_view(request, {"cost_places": chips, **(extra_context or {})})

    @display(description=_("cost"), ordering="cost", empty_value=NOTHING)
    def cost_shown(self, product: Product) -> SafeString | None:
        figures = figures_of(product)
        return cost_cell(figures.cost, product.ingredient_names) if figures else None  # type: ignore[attr-defined]

    @display(description=_("margin"), ordering="margin", empty_value=NOTHING)
    def margin_shown(self, product: Product) -> SafeString | None:
        figures = figures_of(product)
        return margin_cell(figures) if figures and figures.cost.amount else None


def figures_of(product: Any) -> Figures | None:
    """The figures that the list's query has reckoned; None without a recipe."""
    if product.cost is None:
        return None
    return Figures(product.price, Cost(product.cost, frozenset(product.unknown_costs)))
