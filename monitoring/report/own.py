"""What monitoring itself puts into the daily report: whether all is well, and what is open."""

from typing import Any

from django.db.models import Case, Count, IntegerField, Value, When
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from monitoring.errors import sentence
from monitoring.models import Alert
from monitoring.registry import checks
from monitoring.report.registry import Asked, Figure, Figures, ReportSection, Row, Shown, register_section, sections
from monitoring.selectors import open_alerts
from monitoring.severity import Severity

MOST_ALERTS = 5
GRAVE = (Severity.ERROR, Severity.CRITICAL)


def register() -> None:
    """Called once, when the apps are ready."""
    register_section(
        ReportSection(
            name="health",
            title=gettext_lazy("Health"),
            order=90,
            build=build,
            show=show,
            brief=brief,
            permission="monitoring.view_alert",
            page="admin:monitoring_alert_changelist",
        )
    )


def build(asked: Asked) -> Figures:
    """The checks that fail, the alerts that are open and not told by another section, the worst first. Three
    queries."""
    told = [event for section in sections() for event in section.events]
    alerts = open_alerts().exclude(event__in=told)
    by_severity = alerts.order_by().values_list("severity").annotate(number=Count("pk"))
    worst = Case(
        *(When(severity=severity, then=Value(place)) for place, severity in enumerate(Severity)),
        default=Value(0),
        output_field=IntegerField(),
    )
    return {
        "checks": len(asked.checks),
        "wrong": [
            {"name": one.name, "message": one.message, "values": dict(one.values), "is_warning": one.is_warning}
            for one in asked.checks
            if not one.is_ok or one.is_warning
        ],
        "open": dict(by_severity),
        "alerts": [
            {
                "event": alert.event,
                "severity": alert.severity,
                "message": alert.message,
                "details": alert.figures,
                "count": alert.count,
            }
            for alert in alerts.order_by(worst.desc(), "-last_seen_at", "-id")[:MOST_ALERTS]
        ],
        "raised": Alert.objects.filter(created_at__gte=asked.start, created_at__lt=asked.until).count(),
    }


def show(figures: Figures) -> Shown:
    opened = sum(figures["open"].values())
    rows = [
        *(Row(title_of(one["name"]), note=said(one), is_bad=not one["is_warning"]) for one in figures["wrong"]),
        *(
            Row(
                Alert(event=one["event"], message=one["message"], details=one["details"]).text,
                f"{one['count']} ×" if one["count"] > 1 else "",
                note=str(Severity(one["severity"]).label),
                is_bad=one["severity"] in GRAVE,
            )
            for one in figures["alerts"]
        ),
    ]
    return Shown(
        figures=[
            Figure(_("Checks"), checks_in_words(figures)),
            Figure(
                _("Open alerts"),
                str(opened),
                _("%(number)s new on this day") % {"number": figures["raised"]},
            ),
        ],
        rows=rows,
        more=opened - len(figures["alerts"]),
    )


def brief(figures: Figures) -> list[str]:
    wrong = [title_of(one["name"]) for one in figures["wrong"]]
    lines = [_("Health: %(what)s") % {"what": ", ".join(wrong[:3]) + (" …" if len(wrong) > 3 else "")}] if wrong else []
    opened = sum(figures["open"].values())
    if opened:
        grave = sum(figures["open"].get(severity, 0) for severity in GRAVE)
        line = ngettext("%(number)s open alert", "%(number)s open alerts", opened) % {"number": opened}
        lines.append(_("%(alerts)s, %(number)s of them grave") % {"alerts": line, "number": grave} if grave else line)
    return lines or [_("All is well.")]


def checks_in_words(figures: Figures) -> str:
    """Fine, or how many fail; nothing is said where none was run."""
    if not figures["checks"]:
        return "—"
    failed = sum(not one["is_warning"] for one in figures["wrong"])
    return ngettext("%(number)s fails", "%(number)s fail", failed) % {"number": failed} if failed else _("fine")


def title_of(name: str) -> str:
    """The check's title; of one that is gone, or has none, its name."""
    check = checks.entries.get(name)
    return str(check.title or name) if check else name


def said(one: dict[str, Any]) -> str:
    return str(sentence(one["message"], one["values"]))
