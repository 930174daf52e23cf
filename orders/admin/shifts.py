"""Shifts in the admin: the list, the page with the report, and opening a till."""

import datetime
from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext
from unfold.decorators import display

from foundation import moments
from foundation.admin.model_admin import ShopModelAdmin, WrittenOutAdmin
from foundation.admin.once import Done
from foundation.admin.pages import FormPage, OwnPages
from foundation.admin.verbs import VerbButtons
from foundation.money import money
from inventory.admin.places import open_places, shows_places, usual_place
from inventory.admin.shown import badge
from orders.admin.filters import LocationFilter
from orders.admin.money_filters import OpenedFilter, StateFilter
from orders.admin.money_forms import OpenShiftForm
from orders.admin.money_verbs import SHIFT_VERBS
from orders.admin.verbs import actor_of
from orders.models import Shift, ShiftCorrection
from orders.services.shifts import open_shift
from orders.shift_selectors import shift_report, with_expected_cash


class OpenShiftPage(FormPage):
    """Opens a till with the cash that is in it."""

    path, name = "open/", "open"
    title = _("Open a shift")
    permission = "orders.add_shift"
    form_class = OpenShiftForm
    submit_label, submit_icon = _("Open the shift"), "lock_open"

    def form_kwargs(self) -> dict[str, Any]:
        place = usual_place(self.request)
        return {"places": open_places(self.request), "initial": {"location": place.pk if place else None}}

    def act(self, form: OpenShiftForm, lines: list[Any]) -> Done:
        shift = open_shift(
            location=form.place(),
            till=form.cleaned_data["till"],
            opening_float=form.cleaned_data["opening_float"],
            actor=actor_of(self.request),
        )
        return Done(
            message=_("Shift %(shift)s is open.") % {"shift": shift},
            url=reverse("admin:orders_shift_change", args=[shift.pk]),
        )


@admin.register(Shift)
class ShiftAdmin(VerbButtons, OwnPages, WrittenOutAdmin, ShopModelAdmin):
    """Shifts, the newest first. One's page shows its report; it is opened, counted and corrected by verbs."""

    pages = (OpenShiftPage,)
    verbs = SHIFT_VERBS
    list_display_links = ("label",)
    list_filter = (StateFilter, OpenedFilter, LocationFilter)
    list_select_related = ("location", "opened_by")
    ordering = ("-id",)
    list_per_page = 50
    actions = None
    fieldsets = ()
    list_before_template = "orders_admin/shift_buttons.html"
    change_form_outer_before_template = "orders_admin/shift.html"

    class Media:
        css: ClassVar = {"all": ["samovar/orders.css"]}

    # --- the list -------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        newest = ShiftCorrection.objects.filter(shift=OuterRef("pk")).order_by("-pk")
        return with_expected_cash(super().get_queryset(request)).annotate(
            corrected=Subquery(newest.values("counted")[:1])
        )

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        columns = ["label", "state", "till", "opened", "closed", "should_be", "counted_shown", "difference_shown"]
        if shows_places(request):
            columns.insert(3, "location")
        return columns

    @display(description=_("number"), ordering="id")
    def label(self, shift: Shift) -> str:
        return str(shift)

    @display(description=_("status"))
    def state(self, shift: Shift) -> SafeString:
        return (
            badge("good", pgettext("a shift", "open")) if shift.is_open else badge("off", pgettext("a shift", "closed"))
        )

    @display(description=_("opened"), ordering="opened_at")
    def opened(self, shift: Shift) -> SafeString:
        return when(shift, shift.opened_at)

    @display(description=_("closed"), ordering="closed_at")
    def closed(self, shift: Shift) -> SafeString | str:
        return when(shift, shift.closed_at) if shift.closed_at else "—"

    @display(description=_("expected cash"))
    def should_be(self, shift: Any) -> str:
        return money(shift.cash if shift.expected is None else shift.expected)

    @display(description=_("counted cash"))
    def counted_shown(self, shift: Any) -> str:
        counted = counted_last(shift)
        return "—" if counted is None else money(counted)

    @display(description=_("difference"))
    def difference_shown(self, shift: Any) -> SafeString | str:
        counted = counted_last(shift)
        if counted is None:
            return "—"
        difference = counted - shift.expected
        return badge("bad" if difference < 0 else "warn", money(difference)) if difference else badge("good", money(0))

    # --- one shift ------------------------------------------------------------------------------------

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """A till is opened on a page of its own."""
        if not request.user.has_perm(OpenShiftPage.permission):
            raise PermissionDenied
        return HttpResponseRedirect(reverse("admin:orders_shift_open"))

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        shift: Shift | None = kwargs.get("obj")
        if shift is not None:
            context |= self.written_out(request, shift)
        return super().render_change_form(request, context, **kwargs)

    def written_out(self, request: HttpRequest, shift: Shift) -> Mapping[str, Any]:
        """All that the shift's page says."""
        return {
            "shift": shift,
            "report": shift_report(shift),
            "zone": shift.location.time_zone,
            "shows_place": shows_places(request),
        }


def when(shift: Shift, moment: datetime.datetime) -> SafeString:
    """A moment by the clocks of the shift's location, on one line."""
    return format_html('<span class="ord-nowrap">{}</span>', moments.day_and_time(moment, shift.location.time_zone))


def counted_last(shift: Any) -> Any:
    """What was counted, by the newest correction if there is one."""
    return shift.counted if shift.corrected is None else shift.corrected
