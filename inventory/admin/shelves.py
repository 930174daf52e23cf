"""Shelves: what stands where, and in which order it is counted."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from foundation.admin.model_admin import ShopModelAdmin
from foundation.admin.refusals import RefusalsInForms
from foundation.errors import Refusal
from inventory.admin.checklist import ChecklistField
from inventory.admin.filters import LocationFilter
from inventory.admin.ingredient_choice import IngredientChoice, ingredient_choices
from inventory.admin.places import open_places, shows_places, usual_place
from inventory.models import Location, Shelf, StockLevel
from inventory.services.shelves import add_shelf, change_shelf, delete_shelf


class ShelfForm(forms.ModelForm):
    """The name of a shelf and what stands on it. Where it is, is said once."""

    ingredients = ChecklistField(label=_("What stands on it"), required=False)
    # Given by the admin: all ingredients, and the locations where a shelf can be put up.
    offered: ClassVar[list[IngredientChoice]] = []
    open_places: ClassVar[list[Location]] = []
    usual: ClassVar[Location | None] = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        elsewhere: dict[int, str] = {}
        if self.instance.pk:
            levels = list(
                StockLevel.objects.filter(location_id=self.instance.location_id, shelf__isnull=False)
                .order_by()
                .values_list("ingredient_id", "shelf_id", "shelf__name")
            )
            elsewhere = {
                pk: gettext("on %(shelf)s") % {"shelf": name} for pk, shelf, name in levels if shelf != self.instance.pk
            }
            self.initial["ingredients"] = [pk for pk, shelf, _name in levels if shelf == self.instance.pk]
        if "location" in self.fields:
            place: Any = self.fields["location"]
            place.choices = [(one.pk, one.name) for one in self.open_places]
            place.initial = self.usual
        if "ingredients" in self.fields:
            field: Any = self.fields["ingredients"]
            field.offer(self.offered, elsewhere)


@admin.register(Shelf)
class ShelfAdmin(RefusalsInForms, ShopModelAdmin):
    """Shelves by location, in the order of counting."""

    form = ShelfForm
    list_display = ("name", "location", "number_shown", "position")
    list_display_links = ("name",)
    list_editable = ("position",)
    list_filter = (LocationFilter,)
    list_select_related = ("location",)
    search_fields = ("name",)
    ordering = ("location_id", "position", "name")
    list_per_page = 100
    actions = None
    warn_unsaved_form = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Shelf]:
        return super().get_queryset(request).annotate(number=Count("stock_levels"))

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        position = "position" if self.has_change_permission(request) else "position_shown"
        shown = [position if name == "position" else name for name in self.list_display]
        return [name for name in shown if name != "location" or shows_places(request)]

    @display(description=_("ingredients"), ordering="number")
    def number_shown(self, shelf: Any) -> int:
        return int(shelf.number)

    @display(description=_("position"), ordering="position")
    def position_shown(self, shelf: Shelf) -> int:
        return shelf.position

    @display(description=_("What stands on it"))
    def ingredients(self, shelf: Shelf) -> str:
        """For who may only look."""
        names = shelf.stock_levels.order_by("ingredient__name").values_list("ingredient__name", flat=True)
        return ", ".join(names) or "—"

    # --- one shelf ------------------------------------------------------------------------------------

    def get_fieldsets(self, request: HttpRequest, obj: Shelf | None = None) -> Any:
        asks_where = obj is None and len(open_places(request)) != 1
        return ((None, {"fields": ("name", *(["location"] if asks_where else []), "ingredients")}),)

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> type[forms.ModelForm]:
        form_class = super().get_form(request, *args, **kwargs)
        known = {
            "offered": ingredient_choices(request),
            "open_places": open_places(request),
            "usual": usual_place(request),
        }
        return type(form_class.__name__, (form_class,), known)

    def save_model(self, request: HttpRequest, obj: Shelf, form: Any, change: bool) -> None:
        data = form.cleaned_data
        if "ingredients" not in form.fields:  # a cell of the list
            change_shelf(shelf_id=obj.pk, position=data["position"])
        elif change:
            change_shelf(shelf_id=obj.pk, name=data["name"], ingredient_ids=data["ingredients"])
        else:
            place = data["location"] if "location" in data else open_places(request)[0]
            added = add_shelf(location=place, name=data["name"], ingredient_ids=data["ingredients"])
            obj.pk, obj.location = added.pk, place

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        try:
            return super().changelist_view(request, extra_context)
        except Refusal as refusal:
            self.message_user(request, refusal.detail, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def delete_model(self, request: HttpRequest, obj: Shelf) -> None:
        delete_shelf(shelf_id=obj.pk)
