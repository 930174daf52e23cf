"""Alerts in the admin: read and acknowledge."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import display

from foundation.admin.model_admin import ReadOnlyAdmin, ShopModelAdmin
from monitoring.models import Alert
from monitoring.registry import events
from monitoring.services import alerts
from monitoring.severity import Severity

BADGES = {Severity.INFO: "info", Severity.WARNING: "warning", Severity.ERROR: "danger", Severity.CRITICAL: "danger"}


class IsOpenFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Open")), ("no", _("Resolved"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Alert]) -> QuerySet[Alert]:
        if self.value() is None:
            return queryset
        return queryset.filter(resolved_at__isnull=self.value() == "yes")


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin, ShopModelAdmin):
    list_display = ("severity_badge", "event_title", "subject", "text", "count", "last_seen_at", "state")
    list_filter = (IsOpenFilter, "severity", "event", "last_seen_at")
    list_select_related = ("acknowledged_by",)
    search_fields = ("subject", "message")
    ordering = ("-last_seen_at", "-id")
    fields = (
        "event_title",
        "severity",
        "subject",
        "text",
        "details",
        "count",
        "created_at",
        "last_seen_at",
        "acknowledged_at",
        "acknowledged_by",
        "resolved_at",
        "dispatched_at",
    )
    readonly_fields = ("event_title", "text")
    actions = ("acknowledge",)

    @display(description=_("severity"), ordering="severity", label=BADGES)
    def severity_badge(self, alert: Alert) -> tuple[str, Any]:
        return alert.severity, alert.get_severity_display()

    @admin.display(description=_("event"), ordering="event")
    def event_title(self, alert: Alert) -> str:
        # Of an app that is gone, the name is all that is left.
        registered = events.entries.get(alert.event)
        return str(registered.title) if registered else alert.event

    @admin.display(description=_("message"), ordering="message")
    def text(self, alert: Alert) -> str:
        return alert.text

    @admin.display(description=_("state"))
    def state(self, alert: Alert) -> Any:
        if alert.resolved_at:
            return _("resolved")
        return _("seen by %(name)s") % {"name": alert.acknowledged_by} if alert.acknowledged_at else _("open")

    def has_acknowledge_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("monitoring.acknowledge_alert"))

    @admin.action(description=_("Acknowledge"), permissions=["acknowledge"])
    def acknowledge(self, request: HttpRequest, queryset: QuerySet[Alert]) -> None:
        count = alerts.acknowledge(alert_ids=list(queryset.values_list("pk", flat=True)), user=request.user)
        sentence = ngettext("%(count)s alert acknowledged.", "%(count)s alerts acknowledged.", count) % {"count": count}
        self.message_user(request, sentence, messages.SUCCESS if count else messages.INFO)
