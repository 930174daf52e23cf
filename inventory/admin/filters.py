"""The filters of the menu's and the store room's lists. Their parameters are short and stable: links use them."""

import datetime
from typing import Any

from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import DropdownFilter

from foundation.admin.ids import as_id
from inventory.admin.ingredient_choice import ingredient_choices
from inventory.admin.places import places, shows_places
from inventory.documents import document_kinds
from inventory.models import StockMovement
from inventory.selectors import is_available_at

Choices = list[tuple[str, Any]]


class LocationFilter(DropdownFilter):
    """Not shown while the shop has a single location."""

    title = gettext_lazy("location")
    parameter_name = "location"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(str(place.pk), place.name) for place in places(request)] if shows_places(request) else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(location_id=as_id(self.value())) if self.value() else queryset


class IngredientFilter(DropdownFilter):
    title = gettext_lazy("ingredient")
    parameter_name = "ingredient"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(str(one.id), one.name) for one in ingredient_choices(request)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(ingredient_id=as_id(self.value())) if self.value() else queryset


class LowFilter(DropdownFilter):
    """Levels below their minimum."""

    title = gettext_lazy("low")
    parameter_name = "low"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("yes", _("below the minimum")), ("no", _("enough"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "yes":
                return queryset.filter(quantity__lt=F("minimum"))
            case "no":
                return queryset.filter(quantity__gte=F("minimum"))
        return queryset


class ReasonFilter(DropdownFilter):
    title = gettext_lazy("reason")
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return list(StockMovement.Reason.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(reason=self.value()) if self.value() else queryset


class PeriodFilter(DropdownFilter):
    """Today, counted by the clocks of the first location, and the days before."""

    title = gettext_lazy("period")
    parameter_name = "period"
    days = {"today": 0, "7": 6, "30": 29, "365": 364}

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [
            ("today", _("today")),
            ("7", _("the last 7 days")),
            ("30", _("the last 30 days")),
            ("365", _("the last 365 days")),
        ]

    def __init__(self, request: HttpRequest, params: Any, model: Any, model_admin: Any) -> None:
        self.places = places(request)
        super().__init__(request, params, model, model_admin)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        days = self.days.get(self.value() or "")
        if days is None:
            return queryset
        if not self.places:
            return queryset.filter(created_at__gte=timezone.now() - datetime.timedelta(days=days + 1))
        place = self.places[0]
        start, _end = place.day_bounds(place.today() - datetime.timedelta(days=days))
        return queryset.filter(created_at__gte=start)


class DocumentTypeFilter(DropdownFilter):
    """What kind of document moved the stock."""

    title = gettext_lazy("document")
    parameter_name = "document"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(kind.document_type, kind.title) for kind in document_kinds()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(document_type=self.value()) if self.value() else queryset


class ListedFilter(DropdownFilter):
    title = gettext_lazy("menu")
    parameter_name = "listed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("yes", _("on the menu")), ("no", _("off the menu"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(is_listed=self.value() == "yes") if self.value() in ("yes", "no") else queryset


class AvailableFilter(DropdownFilter):
    """Available now, at one location: "3:yes", or "yes" where there is only one."""

    title = gettext_lazy("available")
    parameter_name = "available"

    def __init__(self, request: HttpRequest, params: Any, model: Any, model_admin: Any) -> None:
        self.places = {str(place.pk): place for place in places(request)}
        super().__init__(request, params, model, model_admin)

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        words = {"yes": _("available"), "no": _("not available")}
        if len(self.places) == 1:
            return list(words.items())
        return [
            (f"{pk}:{answer}", f"{place.name}: {word}")
            for pk, place in self.places.items()
            for answer, word in words.items()
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        place_id, _colon, answer = (self.value() or "").rpartition(":")
        place = self.places.get(place_id) or (next(iter(self.places.values())) if len(self.places) == 1 else None)
        if place is None or answer not in ("yes", "no"):
            return queryset
        condition = Q(is_available_at(place))
        return queryset.filter(condition if answer == "yes" else ~condition)
