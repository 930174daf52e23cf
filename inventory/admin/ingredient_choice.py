"""Choosing an ingredient: a list to search in, which shows the unit of each, read once for each page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.db.models import ForeignKey
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminSelectWidget

from inventory.models import Ingredient


@dataclass(frozen=True, slots=True)
class IngredientChoice:
    """An ingredient as it is offered; `unit` as people read it, `dates` whether a receipt asks until when it keeps."""

    id: int
    name: str
    unit: str
    dates: bool = False


def ingredient_choices(request: HttpRequest) -> list[IngredientChoice]:
    """All ingredients by name, read once for each request."""
    known: list[IngredientChoice] | None = getattr(request, "_ingredient_choices", None)
    if known is None:
        units = {value: str(label) for value, label in Ingredient.Unit.choices}
        known = [
            IngredientChoice(pk, name, units[unit], dates)
            for pk, name, unit, dates in Ingredient.objects.order_by("name").values_list(
                "pk", "name", "unit", "tracks_expiry"
            )
        ]
        request._ingredient_choices = known  # type: ignore[attr-defined]
    return known


class IngredientSelect(UnfoldAdminSelectWidget):
    """A select whose options know their unit; scripts make it searchable and write the unit beside quantities."""

    class Media:
        js = ("samovar/search_select.js", "samovar/units.js")

    def __init__(self, offered: Sequence[IngredientChoice] = (), attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"data-searchable": "", "data-ingredient": "", **(attrs or {})})
        self.offered = {str(one.id): one for one in offered}

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)
        offered = self.offered.get(str(value))
        if offered:
            option["attrs"]["data-unit"] = offered.unit
            if offered.dates:
                option["attrs"]["data-dates"] = ""
        return option


class PicksIngredients:
    """Mixin for inlines and model admins: their keys to Ingredient are chosen with IngredientSelect."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> forms.Field | None:
        if not isinstance(db_field, ForeignKey) or db_field.remote_field.model is not Ingredient:
            return super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        offered = ingredient_choices(request)
        field = super().formfield_for_dbfield(  # type: ignore[misc]
            db_field, request, **{**kwargs, "widget": IngredientSelect(offered)}
        )
        # The choices of a form field would otherwise be read again for each row.
        field.choices = [("", ""), *((one.id, f"{one.name}, {one.unit}") for one in offered)]
        if isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget.can_change_related = field.widget.can_view_related = False
        return field
