"""What the apps above put into the daily report, each in its `AppConfig.ready()`: sections, and places that get one.

A section is built once, of plain figures that JSON holds, and is shown and said from them in any language later.
"""

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from monitoring.errors import AlreadyRegistered
from monitoring.registry import Registry
from monitoring.services.checks import CheckResult

Figures = Mapping[str, Any]


@dataclass(frozen=True)
class Place:
    """Where a report is about. Monitoring knows no more of it; `own` is what the app that keeps it knows it by.

    `day_bounds(day)` are the first moment of the place's day and the first one after it. `report_at` and
    `day_starts_at` are read by the clocks of `time_zone`.
    """

    key: str
    name: str
    time_zone: str
    day_starts_at: datetime.time
    report_at: datetime.time
    day_bounds: Callable[[datetime.date], tuple[datetime.datetime, datetime.datetime]]
    own: Any = None


@dataclass(frozen=True)
class Asked:
    """What a section is to tell of: the place's `day`, as far as it has come at the moment `at`.

    `checks` are the results of the checks of health, run for all places at once; empty where nobody ran them.
    """

    place: Place
    day: datetime.date
    at: datetime.datetime
    checks: Sequence[CheckResult] = ()

    @property
    def start(self) -> datetime.datetime:
        return self.place.day_bounds(self.day)[0]

    @property
    def until(self) -> datetime.datetime:
        """The end of the day, or `at` while it lasts."""
        return min(self.place.day_bounds(self.day)[1], self.at)

    @property
    def is_whole(self) -> bool:
        """Whether the day was over."""
        return self.place.day_bounds(self.day)[1] <= self.at


@dataclass(frozen=True)
class Figure:
    """A number that stands out; `change` in percent is shown beside it, `note` under it."""

    label: Any
    value: str
    note: str = ""
    change: int | None = None

    @property
    def change_size(self) -> int:
        return abs(self.change or 0)


@dataclass(frozen=True)
class Row:
    """A line of a list. `share` (0 to 100) draws a bar under it; `is_bad` makes the value stand out."""

    name: str
    value: str = ""
    note: str = ""
    share: int | None = None
    is_bad: bool = False


@dataclass(frozen=True)
class Shown:
    """A section on the page: figures, a list, a sentence where there is nothing to list. `more` counts what the list
    leaves out; `rows_title` is the list's own name, for the section whose figures stand above all others."""

    figures: Sequence[Figure] = ()
    rows: Sequence[Row] = ()
    sentence: str = ""
    more: int = 0
    rows_title: str = ""


@dataclass(frozen=True)
class Slot:
    """An hour of the chart: what was taken in it, and in the same one of the day that it is compared with."""

    label: str
    amount: Decimal
    before: Decimal


@dataclass(frozen=True)
class Hours:
    """The chart of a day: money by hour. `before` is the day that it is compared with."""

    day: datetime.date
    before: datetime.date
    slots: Sequence[Slot]


@dataclass(frozen=True)
class ReportSection:
    """A part of the report, in the order of `order`.

    `build` returns figures that JSON holds (amounts as text), or None where the place has nothing to do with it.
    `show` and `brief` write them for the page and for a message, in the reader's language; each line of a message is
    short. `chart` draws the day, for one section. Who lacks `permission` does not see the section on the page;
    `page` names the address of the page that tells more.
    """

    name: str
    title: Any
    order: int
    build: Callable[[Asked], Figures | None]
    show: Callable[[Figures], Shown]
    brief: Callable[[Figures], Sequence[str]]
    chart: Callable[[Figures], Hours | None] | None = None
    permission: str = ""
    page: str = ""
    # Events that it tells of already: the section of open alerts leaves them out.
    events: Sequence[str] = field(default=())


_sections: Registry[ReportSection] = Registry("section of the report")
_providers: list[Callable[[], Sequence[Place]]] = []

register_section = _sections.add


def register_places(provider: Callable[[], Sequence[Place]]) -> None:
    """`provider` gives the places that want a report, in one query. Raises AlreadyRegistered if there is one."""
    if _providers:
        raise AlreadyRegistered("Somebody tells already which places get a daily report.")
    _providers.append(provider)


def sections() -> list[ReportSection]:
    """All sections in the order of the report."""
    return sorted(_sections.entries.values(), key=lambda section: (section.order, section.name))


def section_named(name: str) -> ReportSection | None:
    """None for a section of an app that is gone."""
    return _sections.entries.get(name)


def places() -> list[Place]:
    """The places that want a report now."""
    return [place for provider in _providers for place in provider()]
