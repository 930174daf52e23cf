"""Making the daily reports, and the messages that carry them."""

import datetime
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.utils.translation import override

from monitoring import registry
from monitoring.models import Channel, DailyReport, Delivery
from monitoring.report.picture import picture_of
from monitoring.report.registry import Asked, Place, ReportSection, places, sections
from monitoring.report.timetable import day_due
from monitoring.report.words import chart_of, short_text_of, text_of, title_of
from monitoring.services.checks import CheckResult, run_checks
from monitoring.services.dispatch import post_message

logger = structlog.get_logger(__name__)


def send_due_reports(*, at: datetime.datetime) -> list[DailyReport]:
    """Makes the reports that should have come by `at`, and writes the messages that carry them; the reports.

    Whoever else does so at the same moment makes none of them again. The checks of health are run once for all.
    """
    wanted = places()
    due = [(place, day) for place in wanted if (day := day_due(place, at=at)) is not None]
    made = set(
        DailyReport.objects.filter(
            place__in=[place.key for place, _day in due], day__in={day for _place, day in due}
        ).values_list("place", "day")
    )
    missing = [(place, day) for place, day in due if (place.key, day) not in made]
    if not missing:
        return []
    checks = run_checks(registry.checks.all())
    reports = (
        make_report(place=place, day=day, at=at, checks=checks, names_place=len(wanted) > 1) for place, day in missing
    )
    return [report for report in reports if report is not None]


def make_report(
    *,
    place: Place,
    day: datetime.date,
    at: datetime.datetime,
    checks: Sequence[CheckResult] = (),
    names_place: bool = False,
    is_sent: bool = True,
) -> DailyReport | None:
    """Makes the report of the place's `day` as it is at the moment `at`; None if there is one already.

    With `is_sent` a message is written for every channel that gets reports, in the same transaction: whoever crashes
    has made neither. What goes wrong in one section is said in its place, and the others are told.
    """
    asked = Asked(place, day, at, checks)
    entries = [entry for section in sections() if (entry := entry_of(section, asked)) is not None]
    report = DailyReport(
        place=place.key,
        place_name=place.name,
        time_zone=place.time_zone,
        day=day,
        until=asked.until,
        data={"sections": entries},
        created_at=at,
    )
    # Words and pictures take their time, and so are made before the transaction.
    messages = messages_of(report, names_place=names_place, at=at) if is_sent else []
    with transaction.atomic():
        kept, is_new = DailyReport.objects.get_or_create(
            place=report.place,
            day=report.day,
            defaults={
                "place_name": report.place_name,
                "time_zone": report.time_zone,
                "until": report.until,
                "data": report.data,
                "created_at": report.created_at,
            },
        )
        if not is_new:
            return None
        kept.deliveries.set([post_message(**message) for message in messages])
    logger.debug("report_made", place=place.name, day=day.isoformat(), messages=len(messages))
    return kept


def entry_of(section: ReportSection, asked: Asked) -> dict[str, object] | None:
    """A section's figures, or that it failed; None if it has nothing to tell of this place."""
    try:
        # A savepoint: a query that fails must not break the transaction of the next section.
        with transaction.atomic():
            figures = section.build(asked)
        # As they will be read again, so that the message says what the page says.
        figures = json.loads(json.dumps(figures, cls=DjangoJSONEncoder))
    except Exception:
        logger.exception("section_failed", section=section.name, place=asked.place.name)
        return {"name": section.name}
    return None if figures is None else {"name": section.name, "figures": figures}


@dataclass(frozen=True, slots=True)
class Words:
    """A report in one language."""

    title: str
    text: str
    short_text: str
    picture: bytes | None


def messages_of(report: DailyReport, *, names_place: bool, at: datetime.datetime) -> list[dict[str, Any]]:
    """What `post_message` takes, for each channel that gets reports, in its language. One query."""
    # Their addresses are not opened: one that can't be is no reason to tell nobody.
    channels = list(
        Channel.objects.filter(is_enabled=True, gets_daily_report=True, for_customers=False)
        .order_by("pk")
        .defer(*Channel.SEALED)
    )
    words = {language: words_in(language, report, names_place) for language in {one.language for one in channels}}
    return [
        {
            "channel_id": channel.pk,
            "kind": Delivery.Kind.REPORT,
            "title": told.title,
            "text": told.short_text if channel.kind == Channel.Kind.SMS else told.text,
            "picture": told.picture,
            "data": {"place": report.place_name, "day": report.day.isoformat(), **report.data},
            "at": at,
        }
        for channel in channels
        for told in [words[channel.language]]
    ]


def words_in(language: str, report: DailyReport, names_place: bool) -> Words:
    with override(language):
        title, chart = title_of(report, names_place=names_place), chart_of(report)
        return Words(
            title=title,
            text=text_of(report),
            short_text=short_text_of(report, title=title),
            picture=picture_of(chart) if chart else None,
        )
