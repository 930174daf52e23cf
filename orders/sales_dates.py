"""Dates and times as other tills write them, and the moments that they mean."""

import datetime
import functools
import re
import zoneinfo

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.errors import WrongSalesFile


class DateFormat(models.TextChoices):
    """The ways in which a column of dates is written. The values are also those of `--date-format`."""

    ISO = "YYYY-MM-DD", gettext_lazy("year-month-day: 2016-10-30")
    DOTTED = "DD.MM.YYYY", gettext_lazy("day.month.year: 30.10.2016")
    DAY_FIRST = "DD/MM/YYYY", gettext_lazy("day/month/year: 30/10/2016")
    MONTH_FIRST = "MM/DD/YYYY", gettext_lazy("month/day/year: 10/30/2016")


PATTERNS = {
    DateFormat.ISO: re.compile(r"(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})"),
    DateFormat.DOTTED: re.compile(r"(?P<day>[0-9]{1,2})\.(?P<month>[0-9]{1,2})\.(?P<year>[0-9]{4})"),
    DateFormat.DAY_FIRST: re.compile(r"(?P<day>[0-9]{1,2})/(?P<month>[0-9]{1,2})/(?P<year>[0-9]{4})"),
    DateFormat.MONTH_FIRST: re.compile(r"(?P<month>[0-9]{1,2})/(?P<day>[0-9]{1,2})/(?P<year>[0-9]{4})"),
}
TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?")


@functools.lru_cache(maxsize=4096)
def parse_date(text: str, written: DateFormat) -> datetime.date | None:
    """The date, None if there is none in the calendar that is written so."""
    found = PATTERNS[written].fullmatch(text)
    if found is None:
        return None
    try:
        return datetime.date(int(found["year"]), int(found["month"]), int(found["day"]))
    except ValueError:
        return None


@functools.lru_cache(maxsize=4096)
def parse_time(text: str) -> datetime.time | None:
    """9:58, 09:58 or 09:58:11; None for anything else."""
    found = TIME.fullmatch(text)
    if found is None:
        return None
    try:
        return datetime.time(int(found[1]), int(found[2]), int(found[3] or 0))
    except ValueError:
        return None


class DateColumn:
    """Finds out how a whole column of dates is written. Remembers a line for each way, not the dates."""

    def __init__(self) -> None:
        self.last = ""
        # The first line that is written so, with what stands there.
        self.iso: tuple[int, str] | None = None
        self.dotted: tuple[int, str] | None = None
        # With slashes: only a day first makes a date of it, only a month first, or both make different ones.
        self.day_first: tuple[int, str] | None = None
        self.month_first: tuple[int, str] | None = None
        self.either: tuple[int, str] | None = None
        self.slashed: tuple[int, str] | None = None

    def look(self, line: int, text: str) -> None:
        """Takes notice of the date in a line; what is none is passed over."""
        if text == self.last:
            return
        self.last = text
        here = (line, text)
        if parse_date(text, DateFormat.ISO):
            self.iso = self.iso or here
        elif parse_date(text, DateFormat.DOTTED):
            self.dotted = self.dotted or here
        else:
            day_first, month_first = parse_date(text, DateFormat.DAY_FIRST), parse_date(text, DateFormat.MONTH_FIRST)
            if day_first or month_first:
                self.slashed = self.slashed or here
            if day_first and month_first:
                self.either = self.either or (here if day_first != month_first else None)
            elif day_first:
                self.day_first = self.day_first or here
            elif month_first:
                self.month_first = self.month_first or here

    def decide(self) -> DateFormat:
        """How the column is written.

        Raises WrongSalesFile at "date_format" if its dates are written in several ways, if they could mean days
        first or months first, or if there is no date at all.
        """
        ways = [way for way in (self.iso, self.dotted, self.slashed) if way]
        if not ways:
            raise _unclear(
                _("No line has a date that is known. Write dates like 2016-10-30, 30.10.2016 or 30/10/2016.")
            )
        if len(ways) == 1 and self.day_first and self.month_first:
            ways = [self.day_first, self.month_first]
        if len(ways) > 1:
            (line, text), (other_line, other_text) = sorted(ways)[:2]
            raise _unclear(
                _(
                    "Line %(line)d writes its date as %(text)s, line %(other_line)d as %(other_text)s: a spreadsheet "
                    "may have swapped days and months. Write all dates in one way, or say which way is right: "
                    "the lines that are written otherwise then count as wrong."
                )
                % {"line": line, "text": text, "other_line": other_line, "other_text": other_text}
            )
        if self.iso:
            return DateFormat.ISO
        if self.dotted:
            return DateFormat.DOTTED
        if self.either and not (self.day_first or self.month_first):
            raise _unclear(
                _(
                    "The dates could be day/month or month/day, as in line %(line)d: %(text)s, and no line decides it. "
                    "Say which it is."
                )
                % {"line": self.either[0], "text": self.either[1]}
            )
        return DateFormat.MONTH_FIRST if self.month_first else DateFormat.DAY_FIRST


def moment_of(wall: datetime.datetime, zone: zoneinfo.ZoneInfo) -> tuple[datetime.datetime, bool] | None:
    """The moment (in UTC) at which the clocks of the zone showed `wall`, and whether they did so twice.

    Of two moments, in the hour that comes again when clocks are put back, it is the first. None if the clocks
    never showed it, because they were put forward.
    """
    local = wall.replace(tzinfo=zone)
    moment = local.astimezone(datetime.UTC)
    if moment.astimezone(zone).replace(tzinfo=None) != wall:
        return None
    return moment, local.replace(fold=1).utcoffset() != local.utcoffset()


def _unclear(sentence: str) -> WrongSalesFile:
    return WrongSalesFile(sentence, errors={"date_format": [sentence]})
