"""The filters of the list of orders. Their parameters are short and stable: links use them."""

import datetime
from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.contrib.admin import ListFilter
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy
from unfold.contrib.filters.admin import CheckboxFilter, DropdownFilter

from foundation.admin.ids import as_id
from inventory.admin.places import places, shows_places
from inventory.models import Location
from orders.models import Customer, Employee, Order
from orders.models.finding import OrderQuerySet
from orders.selectors import Days, placed_on_days

Choices = list[tuple[str, Any]]


class StatusFilter(CheckboxFilter):
    """One status or several."""

    title = gettext_lazy("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return list(Order.Status.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        wanted = self.value()
        return queryset.filter(status__in=wanted) if wanted else queryset


class ActiveFilter(DropdownFilter):
    """Orders that somebody still has to do something about."""

    title = pgettext_lazy("orders", "active")
    parameter_name = "active"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("yes", pgettext("orders", "active")), ("no", _("completed or cancelled"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        match self.value():
            case "yes":
                return queryset.filter(status__in=Order.ACTIVE)
            case "no":
                return queryset.exclude(status__in=Order.ACTIVE)
        return queryset


class IdFilter(DropdownFilter):
    """Orders whose `column` is the chosen id; what is no id finds nothing."""

    column: str

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        if not self.value():
            return queryset
        pk = as_id(self.value())
        return queryset.none() if pk is None else queryset.filter(**{self.column: pk})


class LocationFilter(IdFilter):
    """Not shown while the shop has a single location."""

    title = gettext_lazy("location")
    parameter_name = "location"
    column = "location_id"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        if not shows_places(request):
            return []
        return [(str(place.pk), place.name) for place in places(request)]


class EmployeeFilter(IdFilter):
    title = gettext_lazy("employee")
    parameter_name = "employee"
    column = "employee_id"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(str(pk), name) for pk, name in Employee.objects.values_list("pk", "name")]


class ChannelFilter(DropdownFilter):
    title = gettext_lazy("channel")
    parameter_name = "channel"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return list(Order.Channel.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        return queryset.filter(channel=self.value()) if self.value() else queryset


class CustomerFilter(IdFilter):
    """The orders of one customer: offered only once a link has chosen one, there may be a hundred thousand."""

    title = gettext_lazy("customer")
    parameter_name = "customer"
    column = "customer_id"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        asked = request.GET.get("customer")
        if not asked:
            return []
        customer = Customer.objects.filter(pk=as_id(asked) or 0).first()
        return [(asked, customer.name if customer else _("unknown"))]


PERIODS = {
    "today": (gettext_lazy("Today"), 0, 0),
    "yesterday": (gettext_lazy("Yesterday"), 1, 1),
    "7": (gettext_lazy("7 days"), 6, 0),
    "30": (gettext_lazy("30 days"), 29, 0),
}


# A day outside these years is a slip of the finger.
EARLIEST_YEAR, LATEST_YEAR = 1900, 2999


class PeriodFilter(ListFilter):
    """When the order was placed, in days of its own location: a named period, or from one day to another."""

    title = gettext_lazy("period")
    template = "orders_admin/period_filter.html"
    parameters = ("period", "placed_from", "placed_to")

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        for name in self.parameters:
            values = params.pop(name, None)
            if values:
                self.used_parameters[name] = values[-1] if isinstance(values, list) else values
        self.first = self._day(request, "placed_from")
        self.last = self._day(request, "placed_to")

    @classmethod
    def is_asked(cls, request: HttpRequest) -> bool:
        """Whether the address names a period at all."""
        return any(request.GET.get(name) for name in cls.parameters)

    def _day(self, request: HttpRequest, name: str) -> datetime.date | None:
        text = str(self.used_parameters.get(name, ""))
        if not text:
            return None
        try:
            day = datetime.date.fromisoformat(text)
        except ValueError:
            day = None
        # The calendar's first and last years have no day before and after them.
        if day is None or not EARLIEST_YEAR <= day.year <= LATEST_YEAR:
            messages.warning(request, _("“%(text)s” is not a day. Write it as 2026-03-14.") % {"text": text[:40]})
            return None
        return day

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return list(self.parameters)

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        chosen = self.used_parameters.get("period", "")
        yield {
            "periods": [
                {"value": value, "label": label, "selected": value == chosen}
                for value, (label, _first, _last) in PERIODS.items()
            ],
            "first": self.first,
            "last": self.last,
        }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        if not isinstance(queryset, OrderQuerySet) or not self.is_used:
            return queryset
        return placed_on_days(queryset, locations=places(request), days=self.days)

    @property
    def is_used(self) -> bool:
        return self.used_parameters.get("period") in PERIODS or self.first is not None or self.last is not None

    def days(self, location: Location) -> Days:
        """The first and the last day at the location; days that were written win over a named period."""
        if self.first is not None or self.last is not None:
            return self.first, self.last
        _label, first, last = PERIODS[str(self.used_parameters["period"])]
        today = location.today()
        return today - datetime.timedelta(days=first), today - datetime.timedelta(days=last)
