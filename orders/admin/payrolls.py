"""What people are paid by month, for who may see it."""

from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from foundation.admin.model_admin import ShopModelAdmin, WrittenOutAdmin
from foundation.admin.moments import moment_at
from foundation.admin.pages import OwnPages
from foundation.admin.verbs import ReasonForm, Verb, VerbButtons
from foundation.money import money
from inventory.admin.filters import LocationFilter
from inventory.admin.places import places, shows_places
from inventory.admin.shown import badge
from orders.admin.payroll_pages import ExportPayrollPage, FillInPage, NewPayrollPage, line_rows
from orders.models import Payroll
from orders.payroll_selectors import with_totals
from orders.services.payroll import close_payroll, discard_payroll, recalculate_payroll, reopen_payroll

Status = Payroll.Status
COLOURS = {Status.DRAFT: "warn", Status.CLOSED: "good"}


def is_draft(payroll: Payroll) -> bool:
    return payroll.status == Status.DRAFT


@admin.register(Payroll)
class PayrollAdmin(VerbButtons, OwnPages, WrittenOutAdmin, ShopModelAdmin):
    """Payrolls. They are begun and filled in on pages of their own; a payroll's page shows its lines."""

    pages = (NewPayrollPage, FillInPage, ExportPayrollPage)
    list_filter = (("status", ChoicesDropdownFilter), LocationFilter)
    list_select_related = ("location",)
    list_display_links = ("month_shown",)
    ordering = ("-month", "-id")
    actions = None
    fieldsets = ()
    list_before_template = "orders_admin/payroll_list.html"
    change_form_outer_before_template = "orders_admin/payroll.html"
    verbs = (
        Verb(
            name="recalculate",
            label=_("Calculate anew"),
            icon="calculate",
            permission="orders.change_payroll",
            run=lambda request, payroll, data: recalculate_payroll(payroll_id=payroll.pk),
            done=_("The payroll of %(object)s is calculated anew."),
            is_shown=is_draft,
        ),
        Verb(
            name="close",
            label=_("Close the payroll"),
            icon="lock",
            permission="orders.close_payroll",
            run=lambda request, payroll, data: close_payroll(payroll_id=payroll.pk, closed_by_id=request.user.pk),
            done=_("The payroll of %(object)s is closed."),
            is_shown=is_draft,
            warning=_("It is paid as it stands here. After that nobody changes the salaries of this month."),
            variant="primary",
        ),
        Verb(
            name="discard",
            label=_("Discard the draft"),
            icon="delete",
            permission="orders.change_payroll",
            run=lambda request, payroll, data: discard_payroll(payroll_id=payroll.pk),
            done=_("The draft of %(object)s is discarded."),
            is_shown=is_draft,
            warning=_("Hours and adjustments in it are gone."),
            variant="danger",
        ),
        Verb(
            name="reopen",
            label=_("Reopen"),
            icon="lock_open",
            permission="orders.reopen_payroll",
            run=lambda request, payroll, data: reopen_payroll(
                payroll_id=payroll.pk, reopened_by_id=request.user.pk, **data
            ),
            done=_("The payroll of %(object)s is open again."),
            form=ReasonForm,
            is_shown=lambda payroll: payroll.status == Status.CLOSED,
            warning=_(
                "For what was closed by mistake. What was paid wrongly is better adjusted in the next month. Why?"
            ),
        ),
    )

    class Media:
        css: ClassVar = {"all": ["samovar/payroll.css"]}

    # --- the list -------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Payroll]:
        return with_totals(super().get_queryset(request))

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        columns = ["month_shown", "status_shown", "people_shown", "total_shown"]
        if shows_places(request):
            columns.insert(1, "whose")
        return columns

    @display(description=_("month"), ordering="month")
    def month_shown(self, payroll: Payroll) -> str:
        return str(payroll)

    @display(description=_("location"))
    def whose(self, payroll: Payroll) -> str:
        return payroll.location.name if payroll.location else str(_("everybody"))

    @display(description=_("status"), ordering="status")
    def status_shown(self, payroll: Payroll) -> SafeString:
        return badge(COLOURS[Status(payroll.status)], payroll.get_status_display())

    @display(description=_("people"))
    def people_shown(self, payroll: Any) -> int:
        return int(payroll.people)

    @display(description=_("total"))
    def total_shown(self, payroll: Any) -> str:
        return money(payroll.total)

    # --- one payroll ----------------------------------------------------------------------------------

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """A payroll is begun on a page of its own."""
        if not request.user.has_perm(NewPayrollPage.permission):
            raise PermissionDenied
        return HttpResponseRedirect(reverse("admin:orders_payroll_new"))

    def address_after_verb(self, request: HttpRequest, obj: Model) -> str:
        """The list, for a draft that was discarded."""
        if not Payroll.objects.filter(pk=obj.pk).exists():
            return reverse("admin:orders_payroll_changelist")
        return super().address_after_verb(request, obj)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        payroll: Any = kwargs.get("obj")
        if payroll is not None:
            context |= self.written_out(request, payroll)
        return super().render_change_form(request, context, **kwargs)

    def written_out(self, request: HttpRequest, payroll: Any) -> dict[str, Any]:
        """All that the payroll's page says."""
        place = payroll.location or next(iter(places(request)), None)
        zone = place.time_zone if place else "UTC"
        export = reverse("admin:orders_payroll_export", args=[payroll.pk])
        return {
            "payroll": payroll,
            "payroll_badge": badge(COLOURS[Status(payroll.status)], payroll.get_status_display()),
            "payroll_rows": line_rows(payroll),
            "payroll_total": money(payroll.total),
            "payroll_whose": self.whose(payroll) if shows_places(request) else "",
            "payroll_moments": {
                name: moment_at(moment, zone)
                for name in ("calculated_at", "closed_at", "reopened_at")
                if (moment := getattr(payroll, name)) is not None
            },
            "is_draft": is_draft(payroll),
            "may_fill_in": is_draft(payroll) and request.user.has_perm(FillInPage.permission),
            "export_urls": [(kind.upper(), f"{export}?format={kind}") for kind in ("csv", "xlsx")],
        }
