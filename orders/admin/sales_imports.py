"""Imports of sales: their list, and the page that shows what one would do, how far it is, and what it did."""

from typing import Any, ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext
from unfold.decorators import display

from foundation.admin.model_admin import ReadOnlyAdmin, ShopModelAdmin
from foundation.admin.moments import moment_at
from foundation.admin.pages import OwnPages
from foundation.admin.verbs import Verb, VerbButtons
from inventory.admin.places import shows_places
from orders.admin.sales_upload import UploadPage
from orders.models import Order, SalesImport
from orders.services.sales_import import discard_import, start_import
from orders.tasks import hand_over_sales_import

Status = SalesImport.Status
COLOURS = {
    Status.CHECKED: "pending",
    Status.RUNNING: "preparing",
    Status.FINISHED: "ready",
    Status.STOPPED: "cancelled",
    Status.DISCARDED: "completed",
}


def start(sales_import: SalesImport, *, leave_out_wrong: bool) -> None:
    start_import(import_id=sales_import.pk, leave_out_wrong=leave_out_wrong)
    hand_over_sales_import(sales_import.pk)


SALES_IMPORT_VERBS = (
    Verb(
        name="start",
        label=_("Import"),
        permission="orders.import_sales",
        run=lambda request, sales_import, data: start(sales_import, leave_out_wrong=False),
        done=_("The import of %(object)s has begun."),
        is_shown=lambda sales_import: is_startable(sales_import) and not sales_import.wrong_count,
        variant="primary",
        icon="play_arrow",
    ),
    Verb(
        name="start_without",
        label=_("Import without the wrong lines"),
        permission="orders.import_sales",
        run=lambda request, sales_import, data: start(sales_import, leave_out_wrong=True),
        done=_("The import of %(object)s has begun."),
        is_shown=lambda sales_import: is_startable(sales_import) and bool(sales_import.wrong_count),
        warning=_(
            "Each transaction with a wrong line is left out as a whole. Once the lines are corrected, import the file "
            "again: only what is missing is added."
        ),
        variant="primary",
        icon="play_arrow",
    ),
    Verb(
        name="discard",
        label=_("Discard"),
        permission="orders.import_sales",
        run=lambda request, sales_import, data: discard_import(import_id=sales_import.pk),
        done=_("The import of %(object)s is discarded."),
        is_shown=lambda sales_import: sales_import.status == Status.CHECKED,
        icon="delete",
    ),
)


def is_startable(sales_import: SalesImport) -> bool:
    """Whether it waits and has anything to bring in."""
    return sales_import.status == Status.CHECKED and sales_import.known_count < sales_import.order_count


@admin.register(SalesImport)
class SalesImportAdmin(VerbButtons, OwnPages, ReadOnlyAdmin, ShopModelAdmin):
    verbs = SALES_IMPORT_VERBS
    pages = (UploadPage,)

    list_display = ("file_name", "status_label", "location", "period", "progress", "who", "created")
    list_display_links = ("file_name",)
    list_select_related = ("location", "created_by")
    list_per_page = 50
    list_before_template = "orders_admin/sales_import_buttons.html"
    sortable_by = ()

    class Media:
        css: ClassVar = {"all": ["samovar/orders.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[SalesImport]:
        return super().get_queryset(request).select_related("location", "created_by")

    def get_list_display(self, request: HttpRequest) -> Any:
        shown = super().get_list_display(request)
        return shown if shows_places(request) else [name for name in shown if name != "location"]

    @display(description=_("status"))
    def status_label(self, sales_import: SalesImport) -> SafeString:
        return format_html(
            '<span class="ord-badge" data-status="{}">{}</span>',
            COLOURS[Status(sales_import.status)],
            sales_import.get_status_display(),
        )

    @display(description=_("period"))
    def period(self, sales_import: SalesImport) -> SafeString | str:
        """Its first and its last day, one below the other."""
        if sales_import.first_at is None or sales_import.last_at is None:
            return "—"
        zone = ZoneInfo(sales_import.location.time_zone)
        days = [
            date_format(when.astimezone(zone), pgettext("format of a date", "j M Y"))
            for when in (sales_import.first_at, sales_import.last_at)
        ]
        return format_html('<span class="ord-nowrap">{} –</span> <span class="ord-nowrap">{}</span>', *days)

    @display(description=_("imported"))
    def progress(self, sales_import: SalesImport) -> SafeString:
        figures = f"{grouped(sales_import.imported_count)} / {grouped(sales_import.order_count)}"
        return format_html('<span class="ord-nowrap">{}</span>', figures)

    @display(description=_("created"))
    def created(self, sales_import: SalesImport) -> SafeString:
        when = moment_at(sales_import.created_at, sales_import.location.time_zone)
        return format_html('<span class="ord-nowrap">{}</span>', when)

    @display(description=_("by"))
    def who(self, sales_import: SalesImport) -> str:
        return str(sales_import.created_by or sales_import.get_door_display())

    def get_urls(self) -> list[URLPattern]:
        progress = self.admin_site.admin_view(self.progress_view)
        return [path("<uuid:import_id>/progress/", progress, name="orders_salesimport_progress"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What the import would do, how far it is, or what it did; its script asks `progress_view` while it runs."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET"])
        sales_import = self.get_object(request, unquote(object_id))
        if not self.has_view_permission(request, sales_import):
            raise PermissionDenied
        if sales_import is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            "title": str(sales_import),
            "opts": self.opts,
            "original": sales_import,
            "model_admin": self,
            "sales_import": sales_import,
            "colour": COLOURS[Status(sales_import.status)],
            "zone": sales_import.location.time_zone,
            "shows_location": shows_places(request),
            "period": period_of(sales_import),
            "new_orders": sales_import.order_count - sales_import.known_count,
            "errors_left": sales_import.wrong_count - len(sales_import.errors),
            "verb_buttons": self.verb_buttons(request, sales_import),
            "progress": progress_of(sales_import),
            "progress_url": reverse("admin:orders_salesimport_progress", args=[sales_import.pk]),
            "orders_url": orders_url(sales_import),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "orders_admin/sales_import.html", context)

    def progress_view(self, request: HttpRequest, import_id: UUID) -> JsonResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        sales_import = self.get_queryset(request).filter(pk=import_id).first()
        if sales_import is None:
            raise Http404
        return JsonResponse(progress_of(sales_import))


def grouped(number: int) -> str:
    return number_format(number, force_grouping=True)


def progress_of(sales_import: SalesImport) -> dict[str, Any]:
    """How far the import is, as its page shows it."""
    return {
        "done": sales_import.done_count,
        "total": sales_import.order_count,
        "imported": sales_import.imported_count,
        "already_there": sales_import.already_there_count,
        "status": sales_import.status,
        "status_label": sales_import.get_status_display(),
        "colour": COLOURS[Status(sales_import.status)],
        "is_running": sales_import.status == Status.RUNNING,
    }


def period_of(sales_import: SalesImport) -> str:
    """From the first sale of the file to the last one, by the location's clocks."""
    if sales_import.first_at is None or sales_import.last_at is None:
        return "—"
    zone = sales_import.location.time_zone
    return f"{moment_at(sales_import.first_at, zone)} – {moment_at(sales_import.last_at, zone)}"


def orders_url(sales_import: SalesImport) -> str:
    """The list of imported orders of the file's days at its location."""
    query: dict[str, str | int] = {"channel": Order.Channel.IMPORT.value, "location": sales_import.location_id}
    if sales_import.first_at and sales_import.last_at:
        query |= {
            "placed_from": sales_import.location.day_of(sales_import.first_at).isoformat(),
            "placed_to": sales_import.location.day_of(sales_import.last_at).isoformat(),
        }
    return f"{reverse('admin:orders_order_changelist')}?{urlencode(query)}"
