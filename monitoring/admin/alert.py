"""Alerts in the admin: read and acknowledge."""

import json
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import display

from foundation.admin.model_admin import ReadOnlyAdmin, ShopModelAdmin
from foundation.admin.pages import OwnPages
from foundation.admin.verbs import Verb, VerbButtons
from monitoring.admin.database_page import DatabasePage
from monitoring.admin.health_page import HealthPage
from monitoring.admin.logs_page import LogsPage, lines_about
from monitoring.admin.shown import moment, severity_badge, status_badge, words_of
from monitoring.models import Alert, Channel, Delivery
from monitoring.registry import events
from monitoring.services import alerts
from monitoring.severity import Severity

BADGES = {Severity.INFO: "info", Severity.WARNING: "warning", Severity.ERROR: "danger", Severity.CRITICAL: "danger"}

SHOWN_MESSAGES = 50


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
class AlertAdmin(VerbButtons, OwnPages, ReadOnlyAdmin, ShopModelAdmin):
    pages = (HealthPage, DatabasePage, LogsPage)
    verbs = (
        Verb(
            name="acknowledge",
            label=_("Acknowledge"),
            permission="monitoring.acknowledge_alert",
            run=lambda request, alert, data: alerts.acknowledge(alert_ids=[alert.pk], user=request.user) and None,
            done=_("Acknowledged: nobody is reminded of it any more."),
            is_shown=lambda alert: alert.resolved_at is None and alert.acknowledged_at is None,
            icon="done",
            variant="primary",
        ),
    )
    change_form_after_template = "monitoring/alert_messages.html"
    list_display = ("severity_badge", "event_title", "text", "count", "last_seen", "state")
    list_filter = (IsOpenFilter, "severity", "event", "last_seen_at")
    list_select_related = ("acknowledged_by",)
    search_fields = ("subject", "message")
    ordering = ("-last_seen_at", "-id")
    fieldsets = (
        (None, {"fields": ("event_title", "severity_shown", "text", "count", ("since", "last_seen"))}),
        (_("What became of it"), {"fields": (("acknowledged", "acknowledged_by"), "resolved")}),
        (_("What programs know of it"), {"fields": ("subject", "details_shown"), "classes": ("collapse",)}),
    )
    readonly_fields = (
        *("event_title", "severity_shown", "text", "since", "last_seen", "acknowledged", "resolved"),
        "details_shown",
    )
    actions = ("acknowledge",)

    class Media:
        css = {"all": ["samovar/watching.css"]}

    @display(description=_("severity"), ordering="severity", label=BADGES)
    def severity_badge(self, alert: Alert) -> tuple[str, Any]:
        return alert.severity, alert.get_severity_display()

    @admin.display(description=_("severity"))
    def severity_shown(self, alert: Alert) -> SafeString:
        return severity_badge(alert.severity)

    @admin.display(description=_("event"), ordering="event")
    def event_title(self, alert: Alert) -> str:
        # Of an app that is gone, the name is all that is left.
        registered = events.entries.get(alert.event)
        return str(registered.title) if registered else alert.event

    @admin.display(description=_("message"), ordering="message")
    def text(self, alert: Alert) -> str:
        return alert.text

    @admin.display(description=_("details"))
    def details_shown(self, alert: Alert) -> SafeString:
        rows = ((name, written(value)) for name, value in sorted(alert.figures.items()))
        return format_html(
            '<dl class="wt-fields">{}</dl>', format_html_join("", "<div><dt>{}</dt><dd>{}</dd></div>", rows)
        )

    @admin.display(description=_("since"))
    def since(self, alert: Alert) -> str:
        return moment(alert.created_at)

    @admin.display(description=_("last seen"), ordering="last_seen_at")
    def last_seen(self, alert: Alert) -> str:
        return moment(alert.last_seen_at)

    @admin.display(description=_("acknowledged"))
    def acknowledged(self, alert: Alert) -> str:
        return moment(alert.acknowledged_at)

    @admin.display(description=_("resolved"))
    def resolved(self, alert: Alert) -> str:
        return moment(alert.resolved_at)

    @admin.display(description=_("state"))
    def state(self, alert: Alert) -> Any:
        if alert.resolved_at:
            return _("resolved")
        return _("seen by %(name)s") % {"name": alert.acknowledged_by} if alert.acknowledged_at else _("open")

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        alert: Alert | None = kwargs.get("obj")
        if alert is not None and request.user.has_perm("monitoring.view_delivery"):
            context["told"] = told_of(alert)
        if alert is not None:
            context["log_lines"] = lines_about(request, alert)
        return super().render_change_form(request, context, **kwargs)

    def has_acknowledge_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("monitoring.acknowledge_alert"))

    @admin.action(description=_("Acknowledge"), permissions=["acknowledge"])
    def acknowledge(self, request: HttpRequest, queryset: QuerySet[Alert]) -> None:
        count = alerts.acknowledge(alert_ids=list(queryset.values_list("pk", flat=True)), user=request.user)
        sentence = ngettext("%(count)s alert acknowledged.", "%(count)s alerts acknowledged.", count) % {"count": count}
        self.message_user(request, sentence, messages.SUCCESS if count else messages.INFO)


def written(value: Any) -> str | SafeString:
    """A detail for people; of what has several lines, such as a trace, each is one."""
    if isinstance(value, str):
        return format_html('<pre class="wt-trace">{}</pre>', value) if "\n" in value else value
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    return json.dumps(value, ensure_ascii=False)


def told_of(alert: Alert) -> list[dict[str, Any]]:
    """The messages that speak of an alert, the latest first."""
    sealed = [f"channel__{name}" for name in Channel.SEALED]
    told = Delivery.objects.filter(parts__alert=alert).distinct().select_related("channel").order_by("-id")
    return [
        {
            "delivery": delivery,
            "words": words_of(delivery),
            "made": moment(delivery.created_at),
            "status": status_badge(delivery),
        }
        for delivery in told.defer("picture", "text", "data", *sealed)[:SHOWN_MESSAGES]
    ]
