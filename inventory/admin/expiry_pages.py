"""What has expired and what will, by location; and what was thrown away, by reason."""

import datetime
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from foundation.admin.days import DayInput
from foundation.admin.forms import ThemedForm
from foundation.admin.ids import as_id
from foundation.admin.numbers import with_unit
from foundation.admin.once import Done
from foundation.admin.pages import AdminPage, FormPage
from foundation.moments import day_of_year
from foundation.money import money
from inventory.admin.cost_places import cost_chips, cost_place, sees_costs
from inventory.admin.lot_shown import keeps_until
from inventory.admin.places import open_places, shows_places
from inventory.admin.shown import quantity_shown
from inventory.lot_selectors import lots_that_expire_before, with_worth
from inventory.models import Ingredient, Location, StockLot
from inventory.services.expiry import write_off_expired
from inventory.write_off_selectors import REASONS, WrittenOff, write_offs_by_reason

WRITE_OFF = "inventory.write_off_stock"
# More lots than a person walks along in a week.
MOST_LOTS = 500
FARTHEST_DAYS = 7
USUAL_DAYS = 30


class ExpiredForm(forms.Form):
    """Where everything that has expired is thrown away."""

    location = forms.TypedChoiceField(coerce=int, choices=())

    def __init__(self, *args: Any, places: Sequence[Location], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.places = {place.pk: place for place in places}
        field: Any = self.fields["location"]
        field.choices = [(place.pk, place.name) for place in places]


class ExpiringPage(FormPage):
    """What has expired, what does so today, within 24 hours, within three days and within a week."""

    path, name = "expiring/", "expiring"
    title = gettext_lazy("Expiring")
    permission = "inventory.view_stocklot"
    template_name = "inventory/expiring.html"
    form_class = ExpiredForm

    def form_kwargs(self) -> dict[str, Any]:
        return {"places": open_places(self.request)}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.has_perm(WRITE_OFF):
            raise PermissionDenied
        return super().post(request, *args, **kwargs)

    def act(self, form: ExpiredForm, lines: list[Any]) -> Done:
        place = form.places[form.cleaned_data["location"]]
        document = write_off_expired(location=place, created_by_id=self.request.user.pk)
        return Done(
            message=_("Written off: %(document)s.") % {"document": document},
            url=reverse("admin:inventory_stockdocument_change", args=[document.pk]),
        )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        now = timezone.now()
        offered = {place.pk: place for place in open_places(self.request)}
        latest = max((day_end(place, now, FARTHEST_DAYS) for place in offered.values()), default=now)
        lots: dict[int, list[Any]] = {}
        for lot in with_worth(lots_that_expire_before(latest)).order_by("expires_at", "id")[:MOST_LOTS]:
            lots.setdefault(lot.location_id, []).append(lot)
        return super().get_context_data(
            by_place=[
                {
                    "place": place,
                    "name": place.name if shows_places(self.request) else "",
                    "groups": groups_of(place, lots[place.pk], now, with_money=sees_costs(self.request)),
                }
                for place in offered.values()
                if place.pk in lots
            ],
            may_write_off=self.request.user.has_perm(WRITE_OFF),
            with_money=sees_costs(self.request),
            is_full=sum(map(len, lots.values())) == MOST_LOTS,
            most=MOST_LOTS,
            **kwargs,
        )


def day_end(place: Location, at: datetime.datetime, days: int) -> datetime.datetime:
    """The end of the location's day so many days after the one at the moment `at`."""
    return place.day_bounds(place.today(at) + datetime.timedelta(days=days))[1]


def groups_of(place: Location, lots: Sequence[Any], at: datetime.datetime, *, with_money: bool) -> list[dict[str, Any]]:
    """The lots of a location in the order in which somebody has to deal with them; groups without any are left out."""
    limits = [
        (at, _("Expired"), "expired"),
        (day_end(place, at, 0), _("Today"), "today"),
        # What keeps for hours and goes off after midnight is not looked at tomorrow.
        (at + datetime.timedelta(hours=24), _("Within 24 hours"), "today"),
        (day_end(place, at, 3), _("The next 3 days"), "soon"),
        (day_end(place, at, FARTHEST_DAYS), _("The next 7 days"), "later"),
    ]
    rest, groups = list(lots), []
    for limit, title, kind in limits:
        mine = [lot for lot in rest if lot.expires_at <= limit]
        rest = [lot for lot in rest if lot.expires_at > limit]
        if mine:
            worth = sum((lot.quantity * (lot.average_cost or 0) for lot in mine), Decimal(0))
            groups.append(
                {
                    "title": title,
                    "kind": kind,
                    "worth": money(worth) if with_money else "",
                    "rows": [lot_row(lot, with_money=with_money) for lot in mine],
                }
            )
    return groups


def lot_row(lot: Any, *, with_money: bool) -> dict[str, Any]:
    return {
        "lot": lot,
        "url": reverse("admin:inventory_stocklot_change", args=[lot.pk]),
        "write_off_url": reverse("admin:inventory_stocklot_verb", args=[lot.pk, "write_off"]),
        "quantity": quantity_shown(lot.quantity, lot.ingredient),
        "until": keeps_until(lot.expires_at, lot.location),
        "worth": money(lot.quantity * (lot.average_cost or 0)) if with_money else "",
    }


def lot_rows(lots: Iterable[StockLot]) -> list[dict[str, Any]]:
    """Lots as the page of their ingredient shows them."""
    now = timezone.now()
    return [
        {**lot_row(lot, with_money=False), "has_expired": lot.is_expired(now), "has_date": lot.expires_at is not None}
        for lot in lots
    ]


# --- what was thrown away -------------------------------------------------------------------------


class PeriodForm(ThemedForm):
    """From which day to which; without them the last 30."""

    first_day = forms.DateField(label=gettext_lazy("First day"), required=False, widget=DayInput())
    last_day = forms.DateField(label=gettext_lazy("Last day"), required=False, widget=DayInput())

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        first, last = data.get("first_day"), data.get("last_day")
        for name in ("first_day", "last_day"):
            if data.get(name) and not 2000 <= data[name].year < 2100:
                self.add_error(name, _("Give a day of this century."))
        if first and last and first > last:
            self.add_error("last_day", _("The last day is before the first."))
        return data


class WriteOffsPage(AdminPage):
    """What was thrown away at a location in a period: by reason and ingredient, with the money."""

    path, name = "write-offs/", "write_offs"
    title = gettext_lazy("Write-offs")
    permission = "inventory.view_stockdocument"
    template_name = "inventory/write_offs.html"

    @cached_property
    def form(self) -> PeriodForm:
        return PeriodForm(self.request.GET if {"first_day", "last_day"} & self.request.GET.keys() else None)

    def period(self, place: Location) -> tuple[datetime.date, datetime.date] | None:
        """The first and the last day; None if the form refuses them."""
        if self.form.is_bound and not self.form.is_valid():
            return None
        asked = self.form.cleaned_data if self.form.is_bound else {}
        last = asked.get("last_day") or max(place.today(), asked.get("first_day") or place.today())
        return asked.get("first_day") or last - datetime.timedelta(days=USUAL_DAYS - 1), last

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        place = cost_place(self.request)
        period = self.period(place) if place else None
        found: list[WrittenOff] = []
        if place and period:
            found = write_offs_by_reason(
                location=place, start=place.day_bounds(period[0])[0], end=place.day_bounds(period[1])[1]
            )
        with_money = sees_costs(self.request)
        return super().get_context_data(
            form=self.form,
            place=place,
            chips=cost_chips(self.request),
            period=" – ".join(day_of_year(day) for day in period or ()),
            reasons=reasons_of(found),
            with_money=with_money,
            total=money(sum((one.value for one in found), Decimal(0))) if with_money else "",
            asked_location=as_id(self.request.GET.get("location")) or "",
            **kwargs,
        )


def reasons_of(found: Sequence[WrittenOff]) -> list[dict[str, Any]]:
    """The dearest reason first, each with its ingredients."""
    by_reason: dict[str, list[WrittenOff]] = {}
    for one in found:
        by_reason.setdefault(one.reason, []).append(one)
    totals = {reason: sum((one.value for one in lines), Decimal(0)) for reason, lines in by_reason.items()}
    return [
        {
            "title": REASONS.get(reason, reason),
            "value": money(totals[reason]),
            "rows": [
                {
                    "ingredient_id": one.ingredient_id,
                    "name": one.name,
                    "quantity": with_unit(one.quantity, Ingredient.Unit(one.unit).label),
                    "value": money(one.value),
                }
                for one in by_reason[reason]
            ],
        }
        for reason in sorted(by_reason, key=lambda reason: totals[reason], reverse=True)
    ]
