"""What the apps above tell monitoring about themselves, each in its `AppConfig.ready()`.

Monitoring knows no domain: an app names its events before it notifies of them, its checks, and its metrics.
"""

import datetime
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, TypeVar

from monitoring.errors import AlreadyRegistered, NotRegistered
from monitoring.severity import Severity

LabelValues = Mapping[str, str]


@dataclass(frozen=True)
class Event:
    """Something that people want to be told of: "stock.low"."""

    name: str
    severity: Severity
    title: Any
    """For people, translated lazily."""
    tell: Callable[[Mapping[str, Any]], str] | None = None
    """Says an alert's sentence anew from its details, in the reader's language; KeyError where one is missing."""
    is_news: bool = False
    """Something that is over once it is told: its alerts are closed from the start."""
    keeps_first: bool = False
    """While one is open, its words and details stay those of the first time, as of an error the first trace."""
    quiet_after: datetime.timedelta | None = None
    """Nobody says when it is over: it is when it was not seen for so long."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "severity", Severity(self.severity))


@dataclass(frozen=True)
class Check:
    """A question with the answer "in order" or not. `run` returns a remark or None; raises CheckFailed for what is
    wrong, CheckWarning for what somebody should see to before it is.

    With `gates_readiness`, a failed check takes this server out of service (/health/ready answers 503).
    """

    name: str
    run: Callable[[], str | None]
    gates_readiness: bool = False
    timeout: float = 3.0
    """Seconds."""
    title: Any = ""
    """For people, and what they are to do when it fails: translated lazily."""
    advice: Any = ""
    is_probed: bool = False
    """/health/ready tells it too, though nothing is refused because of it: the server works without."""
    every: float = 15.0
    """Seconds from one look to the next of whoever watches. One that takes long is looked at rarely."""
    event: str = "health.failed"
    """What an alert of its failure is called, and one of its warning; without a name, a warning is only shown."""
    warning_event: str = ""
    needs_database: bool = True
    """What such a one says while the database is away is about the database."""


@dataclass(frozen=True)
class Metric:
    """A figure over time. `collect` gives its values now, each with the values of the `labels`."""

    name: str
    help: str
    labels: tuple[str, ...]
    collect: Callable[[], Iterable[tuple[LabelValues, float]]]
    kind: Literal["gauge", "counter"] = "gauge"
    needs_database: bool = True
    """One that does not is told also while the database is away."""
    fresh_for: float = 10.0
    """Seconds in which it is not read again, however often somebody asks. One that takes long is read rarely."""

    def __post_init__(self) -> None:
        # The names that Prometheus reads: https://prometheus.io/docs/concepts/data_model/
        for name in (self.name, *self.labels):
            if not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", name):
                raise ValueError(f"{name!r} is no name for a metric or a label.")
        if self.kind == "counter" and not self.name.endswith("_total"):
            raise ValueError(f"{self.name!r} counts, so its name ends in _total.")


class Named(Protocol):
    @property
    def name(self) -> str: ...


Entry = TypeVar("Entry", bound=Named)


class Registry(Generic[Entry]):
    """Entries by name, each name once."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.entries: dict[str, Entry] = {}

    def add(self, entry: Entry) -> None:
        """Raises AlreadyRegistered if the name is taken."""
        if entry.name in self.entries:
            raise AlreadyRegistered(f"The {self.kind} {entry.name!r} is registered already.")
        self.entries[entry.name] = entry

    def get(self, name: str) -> Entry:
        """Raises NotRegistered if there is none of this name."""
        try:
            return self.entries[name]
        except KeyError:
            raise NotRegistered(
                f"No {self.kind} is registered as {name!r}. Register it in the AppConfig.ready() of its app."
            ) from None

    def all(self) -> list[Entry]:
        return sorted(self.entries.values(), key=lambda entry: entry.name)


events: Registry[Event] = Registry("event")
checks: Registry[Check] = Registry("check")
metrics: Registry[Metric] = Registry("metric")

register_event = events.add
register_check = checks.add
register_metric = metrics.add
