"""The page that shows the log."""

import datetime
import zoneinfo
from collections import Counter
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from foundation.admin.badges import badge
from foundation.admin.days import MomentInput
from foundation.admin.forms import ThemedForm
from foundation.admin.pages import AdminPage
from foundation.moments import day_of_year_and_time
from foundation.shop import current_shop
from monitoring.log_selectors import LEVELS, LogAnswer, LogLine, LogQuestion, find_lines
from monitoring.logs.raising import EVENT
from monitoring.logs.reading import Place
from monitoring.models import Alert

SEES_LOGS = "monitoring.view_logs"
BADGES = {"debug": "off", "info": "info", "warning": "warn", "error": "bad", "critical": "bad"}
CHOSEN = ("level", "program", "part")
SHOWN_SOURCES = 12


class LogForm(ThemedForm):
    """What is looked for, besides what the links choose."""

    text = forms.CharField(label=gettext_lazy("Text"), max_length=200, required=False)
    request = forms.CharField(
        label=gettext_lazy("Request or task"),
        max_length=100,
        required=False,
        help_text=gettext_lazy("Its id, as an error page and every line name it."),
    )
    since = forms.DateTimeField(label=gettext_lazy("Since"), required=False, widget=MomentInput())
    until = forms.DateTimeField(label=gettext_lazy("Until"), required=False, widget=MomentInput())


class LogsPage(AdminPage):
    """The newest lines, with search and filters, and how many there are of each level and source."""

    path, name = "logs/", "logs"
    title = gettext_lazy("Logs")
    permission = SEES_LOGS
    template_name = "monitoring/logs.html"
    http_method_names = ["get", "head", "options"]

    @cached_property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(current_shop().time_zone)

    @cached_property
    def form(self) -> LogForm:
        form = LogForm(self.request.GET or None)
        form.full_clean()
        return form

    @cached_property
    def chosen(self) -> dict[str, str]:
        """What the links have chosen."""
        asked = {name: self.request.GET.get(name, "")[:100] for name in CHOSEN}
        return {**asked, "level": asked["level"] if asked["level"] in LEVELS else ""}

    @cached_property
    def question(self) -> LogQuestion:
        asked = self.form.cleaned_data if self.form.is_bound and self.form.is_valid() else {}
        return LogQuestion(
            **self.chosen,
            text=asked.get("text") or "",
            request=(asked.get("request") or "").strip(),
            since=self.by_the_shops_clocks(asked.get("since")),
            until=self.by_the_shops_clocks(asked.get("until")),
        )

    def by_the_shops_clocks(self, moment: datetime.datetime | None) -> datetime.datetime | None:
        # The form has read it in the server's time zone.
        return None if moment is None else moment.replace(tzinfo=self.zone)

    def look(self) -> tuple[LogAnswer | None, str]:
        """The answer, or why there is none."""
        if settings.LOG_DIR is None:
            return None, _("No files of the log are kept: lines go to standard error only. Set LOG_DIR to a folder.")
        try:
            return find_lines(self.question, before=Place.parse(self.request.GET.get("before", ""))), ""
        except OSError:
            return None, _("There are no files of the log that the web server could read in %(folder)s.") % {
                "folder": settings.LOG_DIR
            }

    def address(self, **changes: str) -> str:
        """This page with other choices, from the newest line on."""
        asked = {**{name: self.request.GET.get(name, "") for name in self.form.fields}, **self.chosen, **changes}
        return f"?{urlencode({name: value for name, value in asked.items() if value})}"

    def chips(self, name: str, numbers: Counter[str], titles: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """Links that choose a level, a program or a part, with how many lines each has; the chosen one lets go."""
        here = self.chosen[name]
        order = list(titles) if titles else [one for one, _number in numbers.most_common(SHOWN_SOURCES) if one]
        if here and here not in order:
            order.append(here)
        return [
            {
                "label": titles[one] if titles else one,
                "number": numbers[one],
                "is_on": one == here,
                "url": self.address(**{name: "" if one == here else one}),
            }
            for one in order
            if numbers[one] or one == here
        ]

    def row(self, line: LogLine) -> dict[str, Any]:
        return {
            "line": line,
            "at": to_the_second(line.at.astimezone(self.zone)),
            "badge": level_badge(line.level),
            "request_url": self.address(request=line.request, **dict.fromkeys((*CHOSEN, "text", "since", "until"), ""))
            if line.request and line.request != self.question.request
            else "",
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        answer, sentence = self.look()
        context: dict[str, Any] = {"form": self.form, "chosen": self.chosen, "zone": self.zone.key, "why": sentence}
        if answer is not None:
            context |= {
                "rows": [self.row(line) for line in answer.lines],
                "levels": self.chips("level", answer.levels, {level: level_name(level) for level in reversed(LEVELS)}),
                "programs": self.chips("program", answer.programs),
                "parts": self.chips("part", answer.parts),
                "reached": to_the_second(answer.reached.astimezone(self.zone)) if answer.reached else "",
                "older": f"{self.address()}&before={answer.older}" if answer.older else "",
                "is_continued": "before" in self.request.GET,
                "newest": self.address() or "?",
            }
        return super().get_context_data(**context, **kwargs)


def to_the_second(local: datetime.datetime) -> str:
    return f"{day_of_year_and_time(local)}:{local.second:02}"


def level_name(level: str) -> str:
    return {
        "debug": _("debug"),
        "info": _("info"),
        "warning": _("warning"),
        "error": _("error"),
        "critical": _("critical"),
    }.get(level, level)


def level_badge(level: str) -> SafeString:
    return badge(BADGES.get(level, "off"), level_name(level))


def lines_about(request: HttpRequest, alert: Alert) -> dict[str, str]:
    """For the page of an alert about an error: where its request's lines are, and those of all its errors."""
    if alert.event != EVENT or not request.user.has_perm(SEES_LOGS):
        return {}
    page = reverse("admin:monitoring_alert_logs")
    ids = (alert.details.get(name) for name in ("request_id", "task_id"))
    found = {"all": f"{page}?{urlencode({'level': 'error', 'text': alert.details.get('error_at', '')})}"}
    if one := next((one for one in ids if one), None):
        found["request"] = f"{page}?{urlencode({'request': one})}"
    return {**found, "trace": str(alert.details.get("trace", ""))}
