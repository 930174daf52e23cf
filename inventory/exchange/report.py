"""What an import does, line by line: shown before it is confirmed, and said when it is done."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from import_export.resources import Diff


class Outcome(TextChoices):
    """What becomes of a line."""

    NEW = "new", _("new")
    CHANGED = "changed", _("changed")
    UNCHANGED = "unchanged", _("unchanged")
    # A line of a recipe that the file does not have: recipes are replaced as a whole.
    REMOVED = "removed", _("removed")


@dataclass(frozen=True, slots=True)
class Difference:
    """What a column holds before and after."""

    column: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ReportLine:
    """A line of the file, or something that is removed because the file does not have it: then `line` is None."""

    line: int | None
    outcome: Outcome
    name: str
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What an import does. `notes` are about the file itself; `touched` are (id, whether it is new) of the records
    whose history this belongs to."""

    lines: tuple[ReportLine, ...]
    notes: tuple[str, ...] = ()
    touched: tuple[tuple[int, bool], ...] = ()

    def number(self, outcome: Outcome) -> int:
        """How many lines have this outcome."""
        return sum(line.outcome == outcome for line in self.lines)

    @property
    def changes(self) -> tuple[ReportLine, ...]:
        """The lines that change anything."""
        return tuple(line for line in self.lines if line.outcome != Outcome.UNCHANGED)

    @property
    def digest(self) -> str:
        """Stands for all that it does: two imports with the same digest do the same."""
        return hashlib.sha256(repr([(line.line, *parts(line)) for line in self.lines]).encode()).hexdigest()


def parts(line: ReportLine) -> Iterator[Any]:
    yield line.outcome.value
    yield line.name
    for difference in line.differences:
        yield (difference.column, difference.before, difference.after)


class Differences(Diff):
    """What a line changes, as values and not as django-import-export's HTML."""

    def __init__(self, resource: Any, instance: Any, new: bool) -> None:
        super().__init__(resource, instance, new)
        self.columns: Sequence[str] = resource.get_diff_headers()
        self.key: Sequence[str] = resource.key

    def as_html(self) -> list[Difference]:
        return [
            Difference(column, "" if self.new else str(before), str(after))
            for column, before, after in zip(self.columns, self.left, self.right, strict=True)
            # What a line is about says the report's line itself.
            if column not in self.key and (str(after) if self.new else before != after)
        ]
