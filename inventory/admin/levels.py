"""How much of what lies where: the list of stock levels."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Case, F, Value, When
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from foundation.admin.model_admin import ShopModelAdmin
from foundation.admin.numbers import PlainDecimalField, PlainDecimalInput, unit_cost
from foundation.admin.pages import OwnPages
from foundation.errors import Refusal
from inventory.admin.cost_places import sees_costs
from inventory.admin.filters import IngredientFilter, LocationFilter, LowFilter
from inventory.admin.places import places, shows_places
from inventory.admin.shown import level_shown, quantity_shown
from inventory.admin.stock_pages import LowStockPage, ReceivePage, TransferPage, WriteOffPage, receive_link
from inventory.admin.valuation_pages import UsePage, ValuationPage
from inventory.models import StockLevel
from inventory.services.stock import set_minimum

MOST_CHIPS = 6
LOW_FIRST = Case(When(quantity__lt=F("minimum"), then=Value(0)), default=Value(1)).asc()


class MinimumForm(forms.ModelForm):
    """The only thing about a level that a person sets."""

    minimum = PlainDecimalField(
        min_value=0, max_digits=14, decimal_places=3, widget=PlainDecimalInput({"class": "sv-short"})
    )


def chips(request: HttpRequest) -> list[list[dict[str, Any]]]:
    """The usual filters as links: all or low, everywhere or at one location; one keeps what the other says."""
    asked = {name: request.GET[name] for name in ("location", "low") if request.GET.get(name)}
    offered: dict[str, list[tuple[str, Any]]] = {"low": [("", _("All")), ("yes", _("Low"))]}
    if shows_places(request):
        shown = [(str(place.pk), place.name) for place in places(request)[:MOST_CHIPS]]
        offered["location"] = [("", _("Everywhere")), *shown]
    return [
        [
            {
                "label": label,
                "url": f"?{urlencode({key: text for key, text in {**asked, name: value}.items() if text})}",
                "is_on": asked.get(name, "") == value,
            }
            for value, label in choices
        ]
        for name, choices in offered.items()
    ]


@admin.register(StockLevel)
class StockLevelAdmin(OwnPages, ShopModelAdmin):
    """Levels, the low ones first. Quantities move on the pages beside the list; a level's page is its ingredient's."""

    pages = (ReceivePage, WriteOffPage, TransferPage, LowStockPage, ValuationPage, UsePage)
    list_display = ("location", "ingredient_link", "quantity_now", "minimum", "average_cost_shown", "receive")
    list_display_links = None
    list_editable = ("minimum",)
    list_filter = (LocationFilter, LowFilter, IngredientFilter)
    list_select_related = ("location", "ingredient")
    search_fields = ("ingredient__name",)
    list_per_page = 100
    actions = None
    list_before_template = "inventory/stock_buttons.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: StockLevel | None = None) -> bool:
        return False

    def get_ordering(self, request: HttpRequest) -> tuple[Any, ...]:
        return (LOW_FIRST, "location_id", "ingredient__name")

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        minimum = "minimum" if self.has_change_permission(request) else "minimum_shown"
        columns = ["ingredient_link", "quantity_now", minimum]
        if sees_costs(request):
            columns.append("average_cost_shown")
        if shows_places(request):
            columns.insert(1, "location")
        if request.user.has_perm(ReceivePage.permission):
            columns.append("receive")
        return columns

    @display(description=_("ingredient"), ordering="ingredient__name")
    def ingredient_link(self, level: StockLevel) -> SafeString:
        return format_html(
            '<a class="sv-link" href="{}">{}</a>',
            reverse("admin:inventory_ingredient_change", args=[level.ingredient_id]),
            level.ingredient.name,
        )

    @display(description=_("quantity"), ordering="quantity")
    def quantity_now(self, level: StockLevel) -> SafeString:
        return level_shown(level, level.ingredient.get_unit_display(), with_minimum=False)

    @display(description=_("minimum"), ordering="minimum")
    def minimum_shown(self, level: StockLevel) -> str:
        return quantity_shown(level.minimum, level.ingredient)

    @display(description=_("average cost"), ordering="average_cost")
    def average_cost_shown(self, level: StockLevel) -> str:
        return unit_cost(level.average_cost, level.ingredient.get_unit_display()) if level.average_cost else "—"

    @display(description="")
    def receive(self, level: StockLevel) -> SafeString | str:
        return receive_link(level) if level.is_low and level.location.is_active else ""

    # --- the minimum ----------------------------------------------------------------------------------

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> type[forms.ModelForm]:
        return super().get_changelist_form(request, **{**kwargs, "form": MinimumForm})

    def save_model(self, request: HttpRequest, obj: StockLevel, form: Any, change: bool) -> None:
        set_minimum(level_id=obj.pk, minimum=form.cleaned_data["minimum"])

    def changelist_view(self, request: HttpRequest, extra_context: Mapping[str, Any] | None = None) -> HttpResponse:
        context = {"chips": chips(request), "shows_places": shows_places(request), **(extra_context or {})}
        try:
            return super().changelist_view(request, context)
        except Refusal as refusal:
            self.message_user(request, refusal.detail, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """A level has no page of its own: its ingredient's shows all of its levels and their ledger."""
        level = self.get_object(request, object_id)
        if level is None or not self.has_view_permission(request, level):
            return HttpResponseRedirect(reverse("admin:inventory_stocklevel_changelist"))
        return HttpResponseRedirect(reverse("admin:inventory_ingredient_change", args=[level.ingredient_id]))
