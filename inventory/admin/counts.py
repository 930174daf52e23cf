"""Stock counts: their list, and the page on which one is reviewed and posted."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from foundation.admin.model_admin import ReadOnlyAdmin, ShopModelAdmin
from foundation.admin.moments import moment_at
from foundation.admin.numbers import change, number
from foundation.admin.once import new_token
from foundation.admin.pages import OwnPages
from foundation.admin.verbs import VerbButtons
from foundation.money import money
from inventory.admin.count_pages import CountingPage, StartCountPage, counting_url
from inventory.admin.count_verbs import CHANGE, COUNT_VERBS, RECOUNT
from inventory.admin.filters import LocationFilter, PeriodFilter
from inventory.admin.places import shows_places
from inventory.admin.shown import badge, quantity_shown, when_shown
from inventory.costs import PERMISSION as SEES_COSTS
from inventory.count_selectors import (
    DOCUMENT_TYPE,
    POST_PERMISSION,
    ReviewedLine,
    review,
    summary_of,
    values_of_counts,
    with_progress,
)
from inventory.models import StockCount, StockMovement
from inventory.selectors import ledger_of_document

Status = StockCount.Status
COLOURS = {Status.COUNTING: "info", Status.REVIEW: "warn", Status.POSTED: "good", Status.CANCELLED: "off"}
REASONS = dict(StockMovement.Reason.choices)
DIFFERENCES, LEFT = "differences", "left"


@admin.register(StockCount)
class StockCountAdmin(ReadOnlyAdmin, VerbButtons, OwnPages, ShopModelAdmin):
    """Counts are begun, counted, reviewed and posted on pages of their own; nothing of them is typed into a form."""

    verbs = (*COUNT_VERBS, RECOUNT)
    pages = (StartCountPage, CountingPage)
    list_display = ("number", "status_shown", "where", "progress", "difference", "by", "when")
    list_display_links = ("number",)
    list_filter = (LocationFilter, PeriodFilter)
    list_select_related = ("location", "shelf", "created_by")
    search_fields = ("=id", "comment", "shelf__name")
    search_help_text = gettext_lazy("Number, comment or shelf")
    ordering = ("-id",)
    actions = None
    list_before_template = "inventory/count_buttons.html"

    # --- the list -------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[StockCount]:
        return with_progress(super().get_queryset(request).select_related("location", "shelf"))

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [name for name in self.list_display if name != "difference" or sees_money(request)]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        counts = list(changelist.result_list)
        values = values_of_counts([one.pk for one in counts if one.status == Status.POSTED]) if counts else {}
        for count in counts:
            count.value = values.get(count.pk)
        changelist.result_list = counts
        return changelist

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"chips": status_chips(request), **(extra_context or {})})

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "status__exact" or super().lookup_allowed(lookup, value, request)

    @display(description=gettext_lazy("number"), ordering="id")
    def number(self, count: StockCount) -> str:
        return f"{count.pk}"

    @display(description=gettext_lazy("status"), ordering="status")
    def status_shown(self, count: StockCount) -> SafeString:
        return status_badge(count)

    @display(description=gettext_lazy("where"))
    def where(self, count: StockCount) -> str:
        return where_shown(count)

    @display(description=gettext_lazy("counted"))
    def progress(self, count: Any) -> str:
        return _("%(counted)d of %(number)d") % {"counted": count.counted_number, "number": count.line_number}

    @display(description=gettext_lazy("difference"))
    def difference(self, count: Any) -> SafeString | str:
        return money_shown(count.value) if count.value is not None else "—"

    @display(description=gettext_lazy("by"))
    def by(self, count: StockCount) -> str | None:
        return str(count.created_by) if count.created_by else None

    @display(description=gettext_lazy("when"), ordering="created_at")
    def when(self, count: StockCount) -> SafeString:
        return when_shown(count.created_at, count.location)

    # --- one count ------------------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page itself; it takes no POST: a count changes through its verbs and its counting page only."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET"])
        count = self.get_object(request, unquote(object_id))
        if not self.has_view_or_change_permission(request, count):
            raise PermissionDenied
        if count is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            "title": str(count),
            "opts": self.opts,
            "original": count,
            "model_admin": self,
            **self.page_of(request, count),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "inventory/count.html", context)

    def page_of(self, request: HttpRequest, count: StockCount) -> dict[str, Any]:
        """What the page shows besides its frame."""
        lines = review(count)
        summary = summary_of(lines)
        shows_expected = request.user.has_perm(POST_PERMISSION)
        asked = request.GET.get("only", "")
        may_change = request.user.has_perm(CHANGE)
        zone = count.location.time_zone
        return {
            "count": count,
            "status_badge": status_badge(count),
            "where": where_shown(count) if shows_places(request) or count.shelf else "",
            "when": moment_at(count.created_at, zone),
            "closed": moment_at(count.closed_at, zone) if count.closed_at else "",
            "summary": summary,
            "gains": money_shown(summary.gains),
            "losses": money_shown(summary.losses),
            "net": money_shown(summary.net),
            "rows": [row_of(line, zone) for line in chosen(lines, asked if shows_expected or asked == LEFT else "")],
            "to_count_again": [line.ingredient.name for line in lines if line.is_outdated] if shows_expected else [],
            "chips": line_chips(asked, lines, shows_expected=shows_expected),
            "shows_expected": shows_expected,
            "shows_money": sees_money(request),
            "something_moved": any(line.moved or line.is_outdated for line in lines),
            "counting_url": counting_url(count) if count.status == Status.COUNTING and may_change else "",
            "recount_url": self.verb_url(count, RECOUNT.name) if count.status in StockCount.OPEN and may_change else "",
            "recount_token": new_token(),
            "ledger_url": ledger_url(count) if request.user.has_perm("inventory.view_stockmovement") else "",
            "verb_buttons": self.verb_buttons(request, count),
        }


def sees_money(request: HttpRequest) -> bool:
    """Whether this person may know what the differences are worth."""
    return request.user.has_perm(POST_PERMISSION) and request.user.has_perm(SEES_COSTS)


def status_badge(count: StockCount) -> SafeString:
    return badge(COLOURS[Status(count.status)], count.get_status_display())


def where_shown(count: StockCount) -> str:
    """Main Street, or Main Street: Fridge."""
    return f"{count.location}: {count.shelf}" if count.shelf else str(count.location)


def money_shown(amount: Decimal) -> SafeString:
    """An amount that was found or is missing, with its sign and its colour."""
    kind = "in" if amount > 0 else "out" if amount < 0 else "none"
    return format_html(
        '<span class="sv-change sv-change-{}">{}{}</span>', kind, "+" if amount > 0 else "", money(amount)
    )


def row_of(line: ReviewedLine, time_zone: str) -> dict[str, Any]:
    """A line as the page shows it."""
    unit = line.ingredient.get_unit_display()
    difference, percent = line.difference, line.percent
    counted, expected = line.line.counted_quantity, line.line.expected_quantity
    return {
        "line": line.line,
        "name": line.ingredient.name,
        "url": reverse("admin:inventory_ingredient_change", args=[line.ingredient.pk]),
        "counted": "" if counted is None else quantity_shown(counted, line.ingredient),
        "expected": "" if expected is None else quantity_shown(expected, line.ingredient),
        "difference": change(difference, unit) if difference else "",
        "kind": "in" if difference and difference > 0 else "out",
        "percent": f"{'+' if percent > 0 else ''}{number(percent)} %".replace("-", "\N{MINUS SIGN}") if percent else "",
        "worth": money_shown(line.worth) if difference and line.worth is not None else "",
        "moved": [f"{REASONS[reason]} {change(delta, unit)}" for reason, delta in line.moved.items()],
        "again": (_("corrected since") if line.was_corrected else _("less is left than is missing"))
        if line.is_outdated
        else "",
        "by": line.line.counted_by or "",
        "when": moment_at(line.line.counted_at, time_zone) if line.line.counted_at else "",
    }


def chosen(lines: Sequence[ReviewedLine], only: str) -> list[ReviewedLine]:
    """The lines that the page was asked for; differences with the greatest money first."""
    if only == LEFT:
        return [line for line in lines if not line.is_counted]
    if only == DIFFERENCES:
        return sorted((line for line in lines if line.difference), key=lambda line: -abs(line.worth or Decimal(0)))
    return list(lines)


def line_chips(asked: str, lines: Sequence[ReviewedLine], *, shows_expected: bool) -> list[dict[str, Any]]:
    """The choices above the lines, with how many each shows."""
    offered = [("", _("All"))]
    if shows_expected:
        offered.append((DIFFERENCES, _("Only differences")))
    if any(not line.is_counted for line in lines):
        offered.append((LEFT, _("Not counted")))
    known = {value for value, _label in offered}
    return [
        {
            "label": f"{label} {len(chosen(lines, value))}",
            "url": f"?only={value}" if value else "?",
            "is_on": value == (asked if asked in known else ""),
        }
        for value, label in offered
    ]


def status_chips(request: HttpRequest) -> list[dict[str, Any]]:
    """The statuses as links above the list."""
    asked = request.GET.get("status__exact", "")
    return [
        {"label": label, "url": f"?status__exact={value}" if value else "?", "is_on": value == asked}
        for value, label in [("", _("All")), *Status.choices]
    ]


def ledger_url(count: StockCount) -> str:
    """The ledger's lines of a posted count; empty if it wrote none."""
    if count.status != Status.POSTED:
        return ""
    if not ledger_of_document(document_type=DOCUMENT_TYPE, document_id=count.pk).exists():
        return ""
    return f"{reverse('admin:inventory_stockmovement_changelist')}?document={DOCUMENT_TYPE}&q={count.pk}"
