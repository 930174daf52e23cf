"""What the store room holds: ingredients with their levels and their ledger."""

from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import display

from foundation.admin.deleting import ExplainsDeleting
from foundation.admin.model_admin import ShopModelAdmin
from foundation.admin.numbers import PlainDecimalField, PlainDecimalInput, unit_cost, with_unit
from foundation.admin.refusals import RefusalsInForms
from foundation.money import money
from inventory.admin.cost_places import sees_costs
from inventory.admin.exchange import Exchanges, exchange_pages
from inventory.admin.expiry_pages import WRITE_OFF, lot_rows
from inventory.admin.ledger_rows import last_movements
from inventory.admin.places import MOST_COLUMNS, places, shows_places
from inventory.admin.shown import level_shown, low_badge
from inventory.lot_selectors import lots_in_stock
from inventory.models import Ingredient, Location, StockLevel
from inventory.selectors import ingredient_has_moved, named_in_its_unit
from inventory.services.ingredients import change_ingredient
from inventory.services.minimums import set_minimums

SHOWN_MOVEMENTS = 50
ZERO = Decimal(0)
OWN_FIELDS = ("name", "unit", "tracks_expiry", "shelf_life_hours")
MOST_LOTS = 100


class LowIngredientFilter(DropdownFilter):
    """Ingredients that are below their minimum somewhere."""

    title = _("low")
    parameter_name = "low"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("below the minimum"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Ingredient]) -> QuerySet[Ingredient]:
        if self.value() != "yes":
            return queryset
        return queryset.filter(pk__in=StockLevel.objects.filter(quantity__lt=F("minimum")).values("ingredient_id"))


class IngredientForm(forms.ModelForm):
    """Name and unit, and the minimum at each location. How much there is stands in no form."""

    # The shop's locations, given by the admin.
    places: ClassVar[list[Location]] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.levels = (
            {level.location_id: level for level in self.instance.stock_levels.all()} if self.instance.pk else {}
        )
        for place in self.places:
            level = self.levels.get(place.pk)
            self.fields[minimum_field(place.pk)] = PlainDecimalField(
                label=_("minimum"),
                required=False,
                initial=level.minimum if level else 0,
                widget=PlainDecimalInput({"class": "sv-short", "aria-label": f"{_('minimum')}: {place.name}"}),
            )

    def changed_minimums(self) -> dict[int, Any]:
        """{location id: minimum} of those that somebody changed; an empty field is 0, one that was not sent stays."""
        return {
            place.pk: self.cleaned_data[name] or ZERO
            for place in self.places
            if (name := minimum_field(place.pk)) in self.changed_data and name in self.data
        }


def minimum_field(place_id: int) -> str:
    """The form's name for the minimum at a location."""
    return f"minimum_{place_id}"


@admin.register(Ingredient)
class IngredientAdmin(Exchanges, RefusalsInForms, ExplainsDeleting, ShopModelAdmin):
    """Ingredients. Levels move by receiving, selling and writing off; only their minimums are set here."""

    pages = exchange_pages("ingredients")
    form = IngredientForm
    fieldsets = ((None, {"fields": (("name", "unit"), ("tracks_expiry", "shelf_life_hours"))}),)
    list_filter = (LowIngredientFilter, ("unit", ChoicesDropdownFilter))
    search_fields = ("name",)
    list_per_page = 100
    warn_unsaved_form = True
    change_form_after_template = "inventory/ingredient_levels.html"
    change_form_outer_after_template = "inventory/ingredient_ledger.html"

    # --- the list -------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Ingredient]:
        return super().get_queryset(request).prefetch_related("stock_levels")

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        shown = places(request)
        if len(shown) > MOST_COLUMNS:
            return ["name", "unit", "quantity_in_all", "low_somewhere"]
        return ["name", "unit", *(self.level_at(request, place) for place in shown), "low_somewhere"]

    def level_at(self, request: HttpRequest, place: Location) -> Any:
        """The column of a location: what it holds, and its minimum."""

        @display(description=place.name if shows_places(request) else _("quantity"))
        def level(ingredient: Ingredient) -> SafeString:
            found = next((one for one in ingredient.stock_levels.all() if one.location_id == place.pk), None)
            return level_shown(found, ingredient.get_unit_display())

        # The theme tells columns apart by their names.
        level.__name__ = f"level_{place.pk}"
        return level

    @display(description=_("in all"))
    def quantity_in_all(self, ingredient: Ingredient) -> str:
        quantities = [level.quantity for level in ingredient.stock_levels.all()]
        return with_unit(sum(quantities, ZERO), ingredient.get_unit_display())

    @display(description="")
    def low_somewhere(self, ingredient: Ingredient) -> SafeString | str:
        low = [level for level in ingredient.stock_levels.all() if level.is_low]
        return low_badge(len(low)) if low else ""

    # --- one ingredient -------------------------------------------------------------------------------

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> type[forms.ModelForm]:
        form_class = super().get_form(request, *args, **kwargs)
        mine = places(request) if request.user.has_perm("inventory.change_stocklevel") else []
        return type(form_class.__name__, (form_class,), {"places": mine})

    def get_readonly_fields(self, request: HttpRequest, obj: Ingredient | None = None) -> tuple[str, ...]:
        """Once it has moved, or a quantity of it is written down somewhere, its unit is fixed."""
        is_fixed = obj is not None and (ingredient_has_moved(obj) or named_in_its_unit(obj))
        return ("unit",) if is_fixed else ()

    def save_model(self, request: HttpRequest, obj: Ingredient, form: Any, change: bool) -> None:
        if change:
            fields = {name: form.cleaned_data[name] for name in OWN_FIELDS if name in form.changed_data}
            change_ingredient(ingredient_id=obj.pk, changes=fields)
        else:
            super().save_model(request, obj, form, change)
        minimums = form.changed_minimums()
        if minimums:
            set_minimums(ingredient_id=obj.pk, minimums=minimums)

    @property
    def refusal_fields(self) -> dict[str, str]:  # type: ignore[override]
        return {f"minimums[{pk}]": minimum_field(pk) for pk in Location.objects.values_list("pk", flat=True)}

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        ingredient = kwargs.get("obj")
        form = context["adminform"].form
        context["levels"] = self.level_rows(request, ingredient, form)
        context["shows_places"] = shows_places(request)
        context["shows_costs"] = sees_costs(request)
        if ingredient is not None:
            levels = list(ingredient.stock_levels.all())
            context["lots"] = lot_rows(lots_in_stock(ingredient_id=ingredient.pk)[:MOST_LOTS])
            context["may_write_off"] = request.user.has_perm(WRITE_OFF)
            context["ledger"] = last_movements(ingredient, levels, most=SHOWN_MOVEMENTS)
            context["ledger_url"] = (
                f"{reverse('admin:inventory_stockmovement_changelist')}?ingredient={ingredient.pk}"
                if request.user.has_perm("inventory.view_stockmovement")
                else ""
            )
        return super().render_change_form(request, context, **kwargs)

    def level_rows(self, request: HttpRequest, ingredient: Ingredient | None, form: Any) -> list[dict[str, Any]]:
        """A row for each location: what it holds, what that is worth, and the field of its minimum."""
        levels = {level.location_id: level for level in ingredient.stock_levels.all()} if ingredient else {}
        unit = ingredient.get_unit_display() if ingredient else ""
        rows = []
        for place in places(request):
            level = levels.get(place.pk)
            field = minimum_field(place.pk)
            rows.append(
                {
                    "place": place,
                    "quantity": with_unit(level.quantity if level else ZERO, unit) if ingredient else "",
                    "is_low": level is not None and level.is_low,
                    "minimum": with_unit(level.minimum if level else ZERO, unit),
                    "field": form[field] if field in form.fields else None,
                    "unit": unit,
                    "average_cost": unit_cost(level.average_cost, unit) if level and level.average_cost else "",
                    "worth": money(level.value) if level and level.value else "",
                }
            )
        return rows
