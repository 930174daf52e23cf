"""What employees sell: the report for managers, and the figures on one employee's page."""

import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from foundation.admin.days import DayInput
from foundation.admin.forms import ThemedForm
from foundation.admin.ids import as_id
from foundation.admin.numbers import number
from foundation.admin.pages import AdminPage
from foundation.admin.refusals import add_refusal
from foundation.errors import InvalidInput
from foundation.moments import day_of_year
from foundation.money import money
from inventory.admin.places import places, shows_places
from inventory.models import Location
from orders.employee_selectors import EmployeeSales, month_before, sales_by_employee, sales_of_employee, total_of
from orders.models import Employee

SEES_SALES = "orders.view_employee_sales"
Days = tuple[datetime.date, datetime.date]


class PeriodForm(ThemedForm):
    """From which day to which, and where."""

    first_day = forms.DateField(label=gettext_lazy("First day"), required=False, widget=DayInput())
    last_day = forms.DateField(label=gettext_lazy("Last day"), required=False, widget=DayInput())


class SalesByEmployeePage(AdminPage):
    """Orders and sales of each employee in a period, at one location or all of them; this month if none is named."""

    path, name = "sales/", "sales"
    title = gettext_lazy("Sales by employee")
    permission = SEES_SALES
    template_name = "orders_admin/employee_sales.html"

    @cached_property
    def place(self) -> Location | None:
        """The location that the address names; None for all."""
        asked = as_id(self.request.GET.get("location"))
        return next((one for one in places(self.request) if one.pk == asked), None)

    @cached_property
    def form(self) -> PeriodForm:
        first, last = this_month(self.request)
        asked = self.request.GET
        form = PeriodForm({"first_day": asked.get("first_day") or first, "last_day": asked.get("last_day") or last})
        form.full_clean()
        return form

    @cached_property
    def sales(self) -> list[EmployeeSales] | None:
        """None if the days make no sense; the form then says why."""
        if not self.form.is_valid():
            return None
        asked = self.form.cleaned_data
        try:
            return sales_by_employee(
                locations=[self.place] if self.place else places(self.request),
                first=asked["first_day"],
                last=asked["last_day"],
            )
        except InvalidInput as refusal:
            add_refusal(self.form, refusal)
            return None

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        sales = self.sales
        days = (self.form.cleaned_data["first_day"], self.form.cleaned_data["last_day"]) if sales is not None else None
        return super().get_context_data(
            form=self.form,
            period=" – ".join(day_of_year(day) for day in days) if days else "",
            place=self.place,
            rows=[sales_row(one, days, self.place) for one in sales or ()],
            total=sales_row(total_of(sales or ()), days, self.place),
            period_chips=self.period_chips(),
            place_chips=self.place_chips(),
            **kwargs,
        )

    def period_chips(self) -> list[dict[str, Any]]:
        """Periods that people ask for, as links."""
        this, today = this_month(self.request), today_of(self.request)
        offered: list[tuple[str, Days]] = [
            (_("Today"), (today, today)),
            (_("7 days"), (today - datetime.timedelta(days=6), today)),
            (_("This month"), this),
            (_("Last month"), month_before(today)),
        ]
        shown = self.form.cleaned_data
        return [
            {
                "label": label,
                "url": self.address(first_day=first.isoformat(), last_day=last.isoformat()),
                "is_on": (shown.get("first_day"), shown.get("last_day")) == (first, last),
            }
            for label, (first, last) in offered
        ]

    def place_chips(self) -> list[dict[str, Any]]:
        """The locations as links; none where there is one."""
        if not shows_places(self.request):
            return []
        offered = [(_("All locations"), ""), *((place.name, str(place.pk)) for place in places(self.request))]
        return [
            {
                "label": label,
                "url": self.address(location=pk),
                "is_on": pk == (str(self.place.pk) if self.place else ""),
            }
            for label, pk in offered
        ]

    def address(self, **changed: str) -> str:
        """This page with some of its questions changed."""
        known = {name: self.request.GET.get(name, "") for name in ("first_day", "last_day", "location")}
        return f"?{urlencode({name: value for name, value in {**known, **changed}.items() if value})}"


def today_of(request: HttpRequest) -> datetime.date:
    """Today by the clocks of the first location."""
    return places(request)[0].today() if places(request) else datetime.datetime.now(datetime.UTC).date()


def this_month(request: HttpRequest) -> Days:
    today = today_of(request)
    return today.replace(day=1), today


def sales_row(sales: EmployeeSales, days: Days | None, place: Location | None) -> dict[str, Any]:
    """The figures of somebody as pages show them, with the way to their orders."""
    asked: dict[str, Any] = {"employee": sales.employee_id, "status": "completed"}
    if days:
        asked |= {"placed_from": days[0].isoformat(), "placed_to": days[1].isoformat()}
    if place:
        asked["location"] = place.pk
    return {
        "employee_id": sales.employee_id,
        "name": sales.name,
        "orders": number(Decimal(sales.orders)),
        "items": number(Decimal(sales.items)),
        "revenue": money(sales.revenue),
        "average": money(sales.average),
        "refunds": money(sales.refunds) if sales.refunds else "—",
        "orders_url": f"{reverse('admin:orders_order_changelist')}?{urlencode(asked)}" if sales.employee_id else "",
    }


def figures_of(request: HttpRequest, employee: Employee) -> list[dict[str, Any]]:
    """This month and the last one, for an employee's page."""
    today = today_of(request)
    return [
        {
            "title": title,
            **sales_row(
                sales_of_employee(employee_id=employee.pk, locations=places(request), first=days[0], last=days[1]),
                days,
                None,
            ),
        }
        for title, days in ((_("This month"), this_month(request)), (_("Last month"), month_before(today)))
    ]
