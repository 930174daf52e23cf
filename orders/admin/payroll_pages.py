"""The pages of payrolls: a new one, filling one in, and the file for the bookkeeper."""

import datetime
import re
from decimal import Decimal
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from foundation.admin.forms import ThemedForm
from foundation.admin.numbers import PlainDecimalField
from foundation.admin.once import Done
from foundation.admin.pages import AdminPage, FormPage
from foundation.money import money
from inventory.admin.places import places, shows_places
from inventory.models import Location
from inventory.services.exchange import FORMATS
from orders.employee_selectors import month_before
from orders.models import Payroll, PayrollLine
from orders.payroll_file import payroll_file
from orders.payroll_selectors import lines_of
from orders.services.payroll import LineEntry, draft_payroll, fill_in_payroll

MONTH = re.compile(r"(\d{4})-(\d{1,2})", re.ASCII)
MOST_LINES = 1000


class MonthField(forms.CharField):
    """A calendar month: 2026-11."""

    default_error_messages = {"month": gettext_lazy("Write a month like 2026-11.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=10, **kwargs)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        # Browsers without a field of months show one of text.
        return {**super().widget_attrs(widget), "type": "month", "placeholder": "2026-11"}

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        found = MONTH.fullmatch(text.strip())
        if not found or not 1 <= int(found[2]) <= 12 or not int(found[1]):
            raise forms.ValidationError(self.error_messages["month"], code="month")
        return datetime.date(int(found[1]), int(found[2]), 1)


class NewPayrollForm(ThemedForm):
    """Which month, and whose."""

    month = MonthField(label=gettext_lazy("Month"))
    location = forms.ModelChoiceField(
        label=gettext_lazy("Location"),
        queryset=Location.objects.order_by("id"),
        required=False,
        empty_label=gettext_lazy("Everybody who is in no other payroll of the month"),
    )

    def __init__(self, *args: Any, shows_location: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not shows_location:
            del self.fields["location"]


class NewPayrollPage(FormPage):
    """A payroll is begun with its month; everything else is computed."""

    path, name, title = "new/", "new", gettext_lazy("New payroll")
    permission = "orders.add_payroll"
    form_class = NewPayrollForm
    submit_label, submit_icon = gettext_lazy("Calculate"), "calculate"

    def form_kwargs(self) -> dict[str, Any]:
        today = places(self.request)[0].today() if places(self.request) else datetime.datetime.now(datetime.UTC).date()
        return {
            "shows_location": shows_places(self.request),
            "initial": {"month": f"{month_before(today)[0]:%Y-%m}"},
        }

    def act(self, form: NewPayrollForm, lines: list[Any]) -> Done:
        payroll = draft_payroll(
            month=form.cleaned_data["month"],
            location=form.cleaned_data.get("location"),
            created_by_id=self.request.user.pk,
        )
        return Done(_("The payroll of %(month)s is calculated.") % {"month": payroll}, payroll_url(payroll))


class LineForm(ThemedForm):
    """What is written into one line by hand."""

    id = forms.IntegerField(widget=forms.HiddenInput)
    hours = PlainDecimalField(label=gettext_lazy("Hours"), max_digits=6, decimal_places=2, required=False)
    adjustment = PlainDecimalField(label=gettext_lazy("Adjustment"), max_digits=12, decimal_places=2, required=False)
    adjustment_reason = forms.CharField(label=gettext_lazy("Why"), max_length=300, required=False)

    line: PayrollLine | None = None

    def has_changed(self) -> bool:
        """All lines count, as they were sent: they may have changed meanwhile in what the page was made of."""
        return True

    def entry(self) -> LineEntry:
        data = self.cleaned_data
        nothing = Decimal(0)
        return LineEntry(data["id"], data["hours"] or nothing, data["adjustment"] or nothing, data["adjustment_reason"])


class BaseLines(forms.BaseFormSet):
    """A form for each line of the payroll."""

    def __init__(self, *args: Any, lines: list[PayrollLine], **kwargs: Any) -> None:
        self.lines = {line.pk: line for line in lines}
        initial = [
            {
                "id": line.pk,
                "hours": line.hours or None,
                "adjustment": line.adjustment or None,
                "adjustment_reason": line.adjustment_reason,
            }
            for line in lines
        ]
        super().__init__(*args, **{**kwargs, "initial": initial})

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        sent = form["id"].value()
        form.line = self.lines.get(int(sent)) if str(sent or "").isdecimal() and len(str(sent)) < 19 else None


Lines = forms.formset_factory(LineForm, formset=BaseLines, extra=0, max_num=MOST_LINES, absolute_max=MOST_LINES)


class FillInPage(FormPage):
    """Hours and adjustments of all lines of a draft."""

    path, name = "<int:pk>/fill-in/", "fill_in"
    title = gettext_lazy("Hours and adjustments")
    permission = "orders.change_payroll"
    template_name = "orders_admin/payroll_fill_in.html"
    form_class = ThemedForm
    formset_class = Lines
    submit_label, submit_icon = gettext_lazy("Save and calculate"), "calculate"

    @cached_property
    def payroll(self) -> Payroll:
        return found_payroll(self.kwargs["pk"])

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if self.may_open(request) and request.method == "GET" and self.payroll.status != Payroll.Status.DRAFT:
            return HttpResponseRedirect(payroll_url(self.payroll))
        return super().dispatch(request, *args, **kwargs)

    def formset_kwargs(self) -> dict[str, Any]:
        return {"lines": list(lines_of(self.payroll))}

    def act(self, form: ThemedForm, lines: list[LineForm]) -> Done:
        payroll = fill_in_payroll(payroll_id=self.payroll.pk, entries=[line.entry() for line in lines])
        return Done(_("The payroll of %(month)s is calculated anew.") % {"month": payroll}, payroll_url(payroll))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(payroll=self.payroll, payroll_page=payroll_url(self.payroll), **kwargs)


class ExportPayrollPage(AdminPage):
    """The payroll as a file: ?format=csv or xlsx."""

    path, name = "<int:pk>/export/", "export"
    title = gettext_lazy("Export")
    permission = "orders.view_payroll"
    http_method_names = ("get", "head")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        kind = request.GET.get("format", "")
        if kind not in FORMATS:
            raise Http404
        return file_response(found_payroll(self.kwargs["pk"]), kind)


def file_response(payroll: Payroll, kind: str) -> HttpResponse:
    """The payroll's file, for the browser to keep; of this moment, and of nobody without the permission."""
    file = payroll_file(payroll, kind=kind)
    headers = {
        "Content-Type": file.content_type,
        "Content-Disposition": f'attachment; filename="{file.name}"',
        "Cache-Control": "no-store",
    }
    return HttpResponse(file.content, headers=headers)


def found_payroll(pk: int) -> Payroll:
    """The payroll, or Http404."""
    return get_object_or_404(Payroll.objects.select_related("location"), pk=pk)


def payroll_url(payroll: Payroll) -> str:
    return reverse("admin:orders_payroll_change", args=[payroll.pk])


def line_rows(payroll: Payroll) -> list[dict[str, Any]]:
    """The lines of a payroll as its page shows them."""
    return [
        {
            "line": line,
            "base": money(line.base),
            "adjustment": money(line.adjustment) if line.adjustment else "",
            "total": money(line.total),
            "lacks_hours": line.is_hourly and not line.hours,
            "is_partial": line.days_employed < line.days_in_month,
            "has_no_salary": not line.parts,
            "parts": [part_in_words(part) for part in line.parts],
        }
        for line in lines_of(payroll)
    ]


def part_in_words(part: dict[str, Any]) -> str:
    """฿20,000 a month for 10 days"""
    values = {"amount": money(part["amount"]), "days": part["days"]}
    if part["per"] == "hour":
        return _("%(amount)s per hour, %(days)d d") % values
    return _("%(amount)s per month, %(days)d d") % values
