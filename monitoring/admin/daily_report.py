"""Daily reports in the admin: the list of days, and the page of one."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from foundation.admin.badges import badge
from foundation.admin.model_admin import ShopModelAdmin, WrittenOutAdmin
from foundation.moments import clock, day_of_year
from monitoring.models import Channel, DailyReport, Delivery
from monitoring.report.words import SectionShown, lines_of, shown_sections

SHADES = {Delivery.Status.WAITING: "warn", Delivery.Status.SENT: "good", Delivery.Status.GIVEN_UP: "bad"}


def places_of(request: HttpRequest) -> dict[str, str]:
    """{key: its latest name} of the places that reports are about, read once for each request."""
    known: dict[str, str] | None = getattr(request, "_places_of_reports", None)
    if known is None:
        newest = DailyReport.objects.order_by("place", "-day").distinct("place")
        known = dict(newest.values_list("place", "place_name"))
        request._places_of_reports = known  # type: ignore[attr-defined]
    return known


class PlaceFilter(admin.SimpleListFilter):
    """The places that reports are about; not shown while there is one."""

    title = _("place")
    parameter_name = "place"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        found = places_of(request)
        return list(found.items()) if len(found) > 1 else []

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(place=self.value()) if self.value() else queryset


# A channel that no key opens must not close the page.
NOT_SHOWN = ("picture", "text", "data", *(f"channel__{name}" for name in Channel.SEALED))


@admin.register(DailyReport)
class DailyReportAdmin(WrittenOutAdmin, ShopModelAdmin):
    """The days, the newest first."""

    class Media:
        css = {"all": ["samovar/orders.css", "samovar/home.css", "samovar/report.css"]}

    list_display = ("day_shown", "place_name", "told")
    list_display_links = ("day_shown",)
    list_filter = (PlaceFilter,)
    ordering = ("-day", "place_name")
    sortable_by = ()
    list_per_page = 50
    actions = None
    fieldsets = ()
    change_form_outer_before_template = "monitoring/daily_report.html"

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """With a single place nobody has to say which."""
        return self.list_display if len(places_of(request)) > 1 else ("day_shown", "told")

    @display(description=_("day"))
    def day_shown(self, report: DailyReport) -> str:
        return day_of_year(report.day)

    @display(description=_("what it says"))
    def told(self, report: DailyReport) -> str:
        return " · ".join(lines_of(report)[:2])

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        report: DailyReport | None = kwargs.get("obj")
        if report is not None:
            sections = shown_sections(report, may=request.user.has_perm)
            context |= {
                "report": report,
                "names_place": len(places_of(request)) > 1,
                "until": clock(report.until, report.time_zone),
                "chart": next((one.chart for one in sections if one.chart), None),
                # The figures of the first section stand above all, over the whole width.
                "head": sections[0] if sections else None,
                "sections": [(one, page_of(one)) for one in sections],
                "messages_sent": [
                    (delivery, status_badge(delivery))
                    for delivery in report.deliveries.select_related("channel").defer(*NOT_SHOWN).order_by("pk")
                ],
                **neighbours(report),
            }
        return super().render_change_form(request, context, **kwargs)


def page_of(section: SectionShown) -> str:
    """The address of the page that tells more, empty if there is none."""
    if not section.section.page:
        return ""
    try:
        return reverse(section.section.page)
    except NoReverseMatch:
        return ""


def neighbours(report: DailyReport) -> dict[str, DailyReport | None]:
    """The reports of the same place before and after it."""
    same = DailyReport.objects.filter(place=report.place).only("pk", "day")
    return {
        "before": same.filter(day__lt=report.day).order_by("-day").first(),
        "after": same.filter(day__gt=report.day).order_by("day").first(),
    }


def status_badge(delivery: Delivery) -> SafeString:
    return badge(SHADES[Delivery.Status(delivery.status)], delivery.get_status_display(), delivery.last_error)
