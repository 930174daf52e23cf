"""What the stock is worth at a moment, and for what reasons its worth came and went."""

import datetime
import zoneinfo
from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from foundation.admin.days import MomentInput
from foundation.admin.forms import ThemedForm
from foundation.admin.moments import moment_at
from foundation.admin.numbers import number, unit_cost, with_unit
from foundation.admin.pages import AdminPage
from foundation.admin.refusals import add_refusal
from foundation.errors import InvalidInput
from foundation.money import money
from inventory.admin.cost_figures import NOTHING, signed_money
from inventory.admin.cost_places import cost_place
from inventory.admin.places import places, shows_places
from inventory.costs import PERMISSION
from inventory.documents import document_kinds
from inventory.exchange.csv_file import write_csv
from inventory.models import Ingredient, Location, StockDocument, StockMovement
from inventory.valuation_selectors import (
    ReasonFigures,
    Valuation,
    ValuedIngredient,
    stock_valuation,
    value_by_reason,
)

CSV_COLUMNS = ("ingredient", "unit", "quantity", "average_cost", "value")
FIELD_FORMAT = "%Y-%m-%dT%H:%M"
NO_MOMENT = {"invalid": gettext_lazy("Write a day and a time: 2026-11-20 18:00.")}


class MomentField(forms.DateTimeField):
    """A day and a time as the location's clocks show them; empty for now."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, error_messages=NO_MOMENT, widget=MomentInput(), **kwargs)


class ValuationForm(ThemedForm):
    """Where, and when."""

    location = forms.TypedChoiceField(
        label=gettext_lazy("Location"),
        required=False,
        coerce=int,
        empty_value=None,
        error_messages={"invalid_choice": gettext_lazy("There is no such location. Choose one from the list.")},
    )
    at = MomentField(label=gettext_lazy("Moment"), help_text=gettext_lazy("Empty for now."))

    def __init__(self, *args: Any, offered: list[Location], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if len(offered) > 1:
            field: Any = self.fields["location"]
            field.choices = [("", _("All locations")), *((str(place.pk), place.name) for place in offered)]
        else:
            del self.fields["location"]


class UseForm(ValuationForm):
    """Where, and between which moments."""

    since = MomentField(label=pgettext_lazy("a moment", "From"), help_text=gettext_lazy("Empty for this month."))
    at = MomentField(label=pgettext_lazy("a moment", "To"), help_text=gettext_lazy("Empty for now."))
    field_order = ("location", "since", "at")


class MomentPage(AdminPage):
    """A page about the stock of a location and a moment, which its address names; it only reads.

    Moments are read by the clocks of the location, for all locations together by those of the first.
    """

    permission = PERMISSION
    form_class: type[ValuationForm]

    @cached_property
    def place(self) -> Location | None:
        """The location that the page is about; None for all of them together, and in a shop without any."""
        if "location" in self.request.GET and shows_places(self.request):
            wanted = self.request.GET["location"]
            return next((place for place in places(self.request) if str(place.pk) == wanted), None)
        return cost_place(self.request)

    @cached_property
    def clocks(self) -> Location | None:
        """Whose clocks count."""
        return self.place or next(iter(places(self.request)), None)

    @property
    def time_zone(self) -> str:
        return self.clocks.time_zone if self.clocks else "UTC"

    @cached_property
    def form(self) -> ValuationForm:
        """The form with what the address says; a person's own location if it says none."""
        asked = self.request.GET.copy()
        if self.place and "location" not in asked:
            asked["location"] = str(self.place.pk)
        form = self.form_class(asked, offered=places(self.request))
        with timezone.override(zoneinfo.ZoneInfo(self.time_zone)):
            form.full_clean()
        return form

    def month_start(self) -> datetime.datetime:
        """When this month began there."""
        if self.clocks is None:
            return timezone.now()
        return self.clocks.day_bounds(self.clocks.today().replace(day=1))[0]

    def local(self, moment: datetime.datetime) -> datetime.datetime:
        return moment.astimezone(zoneinfo.ZoneInfo(self.time_zone))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(form=self.form, place=self.place, places=shows_places(self.request), **kwargs)


class ValuationPage(MomentPage):
    """What each ingredient is worth, and all of them."""

    path, name = "valuation/", "valuation"
    title = gettext_lazy("Stock valuation")
    template_name = "inventory/valuation.html"
    form_class = ValuationForm

    @cached_property
    def valuation(self) -> Valuation | None:
        """None if the form or the selector refuses what was asked; the form then says why."""
        if not self.form.is_valid():
            return None
        try:
            return stock_valuation(location=self.place, at=self.form.cleaned_data["at"])
        except InvalidInput as refusal:
            add_refusal(self.form, refusal)
            return None

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.GET.get("format") == "csv" and self.valuation:
            return self.file(self.valuation)
        return super().get(request, *args, **kwargs)

    def file(self, valuation: Valuation) -> HttpResponse:
        """The table as a file, named by its moment."""
        content = write_csv(
            CSV_COLUMNS,
            ((row.name, row.unit, row.quantity, row.average_cost or "", row.value) for row in valuation.rows),
        )
        name = f"valuation-{self.local(valuation.at):%Y-%m-%d-%H%M}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return HttpResponse(content, content_type="text/csv; charset=utf-8", headers=headers)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        valuation = self.valuation
        query = self.request.GET.copy()
        query["format"] = "csv"
        return super().get_context_data(
            valuation=valuation,
            rows=[valued_row(row) for row in valuation.rows] if valuation else [],
            when=moment_at(valuation.at, self.time_zone) if valuation else "",
            total=money(valuation.total) if valuation else "",
            csv_url=f"?{query.urlencode()}",
            moments=self.moments(),
            **kwargs,
        )

    def moments(self) -> list[dict[str, str]]:
        """Moments that people ask for, as links."""
        offered = [(_("Now"), "")]
        if self.clocks:
            today = self.local(self.clocks.day_bounds(self.clocks.today())[0])
            month = self.local(self.month_start())
            offered += [
                (_("When today began"), f"{today:{FIELD_FORMAT}}"),
                (_("When this month began"), f"{month:{FIELD_FORMAT}}"),
            ]
        links = []
        for label, at in offered:
            query = self.request.GET.copy()
            query["at"] = at
            links.append({"label": label, "url": f"?{query.urlencode()}"})
        return links


class UsePage(MomentPage):
    """Where the worth of the stock came from and went to in a period: sales, waste by reason, receipts."""

    path, name = "use/", "use"
    title = gettext_lazy("Use and waste")
    template_name = "inventory/use.html"
    form_class = UseForm

    @cached_property
    def figures(self) -> list[ReasonFigures] | None:
        if not self.form.is_valid():
            return None
        asked = self.form.cleaned_data
        try:
            return value_by_reason(location=self.place, since=asked["since"] or self.month_start(), until=asked["at"])
        except InvalidInput as refusal:
            add_refusal(self.form, refusal)
            return None

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        figures = self.figures or []
        asked = self.form.cleaned_data if self.form.is_valid() else {}
        wasted = sum((one.value for one in figures if one.reason == StockMovement.Reason.WRITE_OFF), Decimal(0))
        return super().get_context_data(
            is_valid=self.figures is not None,
            rows=[reason_row(one) for one in figures],
            since=moment_at(asked.get("since") or self.month_start(), self.time_zone),
            until=moment_at(asked.get("at") or timezone.now(), self.time_zone),
            wasted=money(-wasted),
            change=signed_money(sum((one.value for one in figures), Decimal(0))),
            **kwargs,
        )


def valued_row(row: ValuedIngredient) -> dict[str, Any]:
    """An ingredient of the valuation, as the page shows it."""
    unit = Ingredient.Unit(row.unit).label
    return {
        "ingredient_id": row.ingredient_id,
        "name": row.name,
        "quantity": with_unit(row.quantity, unit),
        # What was written down later than it happened may have left before it came.
        "is_negative": row.quantity < 0,
        "average_cost": NOTHING if row.average_cost is None else unit_cost(row.average_cost, unit),
        "value": money(row.value),
    }


def reason_row(figures: ReasonFigures) -> dict[str, Any]:
    """A reason, as the page shows it: sale; write-off: spoilage; write-off: order."""
    detail = ""
    if figures.write_off_reason:
        detail = str(StockDocument.WriteOffReason(figures.write_off_reason).label)
    elif figures.document_type:
        titles = {kind.document_type: str(kind.title) for kind in document_kinds()}
        detail = titles.get(figures.document_type, figures.document_type)
    words = str(StockMovement.Reason(figures.reason).label)
    return {
        "reason": f"{words}: {detail}" if detail else words,
        "movements": number(Decimal(figures.movements)),
        "value": signed_money(figures.value),
        "is_waste": figures.reason == StockMovement.Reason.WRITE_OFF,
    }
