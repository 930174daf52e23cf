"""The filters of payments, refunds and shifts. Their parameters are short and stable: links use them."""

import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.contrib.filters.admin import DropdownFilter

from foundation.admin.ids import as_id
from inventory.admin.places import places
from orders.admin.filters import LocationFilter, PeriodFilter
from orders.models import Payment

Bounds = tuple[datetime.datetime | None, datetime.datetime | None]


class MethodFilter(DropdownFilter):
    """How it was paid."""

    title = _("method")
    parameter_name = "method"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Payment.Method.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(method=self.value()) if self.value() else queryset


class OrdersLocationFilter(LocationFilter):
    """Where the order was placed."""

    column = "order__location_id"


class StateFilter(DropdownFilter):
    """Shifts that nobody has closed yet, or the others."""

    title = _("status")
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", pgettext_lazy("a shift", "open")), ("no", pgettext_lazy("a shift", "closed"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "yes":
                return queryset.filter(closed_at=None)
            case "no":
                return queryset.exclude(closed_at=None)
        return queryset


class MadeFilter(PeriodFilter):
    """When it was made, in days of the location: `moment` and `place` name the columns."""

    moment, place = "created_at", "order__location_id"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.is_used:
            return queryset
        asked = as_id(request.GET.get("location"))
        there = [one for one in places(request) if asked is None or one.pk == asked]
        bounds: dict[Bounds, list[int]] = {}
        for location in there:
            first, last = self.days(location)
            start = location.day_bounds(first)[0] if first else None
            end = location.day_bounds(last)[1] if last else None
            bounds.setdefault((start, end), []).append(location.pk)
        condition = Q(pk__in=[])
        for (start, end), location_ids in bounds.items():
            within = Q()
            if start is not None:
                within &= Q(**{f"{self.moment}__gte": start})
            if end is not None:
                within &= Q(**{f"{self.moment}__lt": end})
            # While all locations keep the same days, the orders need not be asked where they are.
            condition |= within if len(bounds) == 1 else within & Q(**{f"{self.place}__in": location_ids})
        return queryset.filter(condition)


class OpenedFilter(MadeFilter):
    """When a shift was opened."""

    moment, place = "opened_at", "location_id"
