"""A report in words: the sections of the page, and the message, in the active language."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import structlog
from django.utils.translation import gettext as _

from monitoring.models import DailyReport
from monitoring.report.chart import DayChart, day_chart
from monitoring.report.picture import day_name
from monitoring.report.registry import Figures, ReportSection, Shown, section_named

logger = structlog.get_logger(__name__)

# Three parts of a text message in any alphabet: 67 characters each (3GPP TS 23.040, 9.2.3.24.1; UCS-2).
LONGEST_SMS = 3 * 67


@dataclass(frozen=True, slots=True)
class SectionShown:
    """A section as the page shows it; without `shown` it could not be read when the report was made."""

    section: ReportSection
    shown: Shown | None
    chart: DayChart | None


def told(report: DailyReport) -> Iterator[tuple[ReportSection, Figures | None]]:
    """The sections of the report that there still are, with their figures; None for one that failed."""
    for entry in report.data.get("sections", []):
        section = section_named(entry["name"])
        if section is not None:
            yield section, entry.get("figures")


def shown_sections(report: DailyReport, *, may: Any) -> list[SectionShown]:
    """What of the report somebody sees; `may(permission)` says whether they hold it."""
    return [
        show(section, figures) for section, figures in told(report) if not section.permission or may(section.permission)
    ]


def show(section: ReportSection, figures: Figures | None) -> SectionShown:
    if figures is None:
        return SectionShown(section, None, None)
    try:
        return SectionShown(section, section.show(figures), chart_in(section, figures))
    except KeyError:
        # Figures of an older version of the shop.
        logger.warning("section_not_shown", section=section.name)
        return SectionShown(section, None, None)


def chart_in(section: ReportSection, figures: Figures) -> DayChart | None:
    hours = section.chart(figures) if section.chart else None
    return day_chart(hours) if hours else None


def chart_of(report: DailyReport) -> DayChart | None:
    """The chart of the day, None if nothing was sold on it and on the one before."""
    charts = (chart_in(section, figures) for section, figures in told(report) if figures is not None)
    return next((chart for chart in charts if chart is not None), None)


def lines_of(report: DailyReport) -> list[str]:
    """What the message says, the most important first."""
    lines: list[str] = []
    for section, figures in told(report):
        try:
            if figures is None:
                raise KeyError(section.name)
            lines += section.brief(figures)
        except KeyError:
            lines.append(_("%(section)s: could not be read.") % {"section": section.title})
    return lines


def title_of(report: DailyReport, *, names_place: bool) -> str:
    """What the message is about: the day, and the place where there are several."""
    if names_place:
        return _("%(place)s: report of %(day)s") % {"place": report.place_name, "day": day_name(report.day)}
    return _("Report of %(day)s") % {"day": day_name(report.day)}


def text_of(report: DailyReport) -> str:
    """The whole message."""
    return "\n".join(lines_of(report))


def short_text_of(report: DailyReport, *, title: str) -> str:
    """As much of the message as a text message holds together with its title."""
    lines, room = [], LONGEST_SMS - len(title) - 1
    for line in lines_of(report):
        if len(line) + 1 > room:
            break
        lines.append(line)
        room -= len(line) + 1
    return "\n".join(lines)
