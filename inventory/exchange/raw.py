"""What a file reader hands over: lines of cells, in which nothing is named yet."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from inventory.exchange.formulas import as_meant
from inventory.exchange.limits import LONGEST_CELL

# Line breaks and tabs are text; what else is below the blank comes from a damaged or a binary file.
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class RawLine:
    """A line: its number in the spreadsheet, the text of its cells, and {place: sentence} of cells without one."""

    number: int
    cells: list[str]
    faults: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RawFile:
    """The lines of a file, read as they are asked for; they may still raise WrongFile."""

    lines: Iterator[RawLine]
    notes: tuple[str, ...] = ()
    has_decimal_comma: bool = False


def raw_line(number: int, cells: list[str], faults: dict[int, str] | None = None) -> RawLine:
    """A line with its cells tidied: no blanks around them, one kind of line break, formulas' escapes undone."""
    faults = dict(faults or {})
    tidy = [as_meant(tidied(cell)) for cell in cells]
    for place, text in enumerate(tidy):
        if CONTROL.search(text):
            faults[place] = _("The cell holds characters that are no text. Type it anew.")
            tidy[place] = ""
        elif len(text) > LONGEST_CELL:
            faults[place] = _("The cell holds more than %(most)d characters. Shorten it.") % {"most": LONGEST_CELL}
            tidy[place] = ""
    return RawLine(number, tidy, faults)


def tidied(text: str) -> str:
    """A text without blanks around it, its lines parted as on Unix: browsers, Excel and Python differ in that."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()
