"""CSV: reading what spreadsheets save, writing what they open."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from inventory.exchange.errors import WrongFile
from inventory.exchange.formulas import for_csv
from inventory.exchange.limits import MOST_COLUMNS
from inventory.exchange.raw import CONTROL, RawFile, RawLine, raw_line

# What spreadsheets put between the cells; with a semicolon they write numbers with a comma.
DELIMITERS = ",;\t"


def read_csv(content: bytes) -> RawFile:
    """Reads UTF-8 (with or without a byte order mark), else windows-1251 and says so. Raises WrongFile."""
    text, notes = decode(content)
    first_line = text.lstrip().partition("\n")[0]
    delimiter = max(DELIMITERS, key=first_line.count)
    return RawFile(lines=split(text, delimiter), notes=notes, has_decimal_comma=delimiter == ";")


def decode(content: bytes) -> tuple[str, tuple[str, ...]]:
    """The text, and what to say about how it was read. Raises WrongFile for what is no text."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise WrongFile(_("The file is in UTF-16. Save it as “CSV UTF-8” and import it again."))
    notes: tuple[str, ...] = ()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = content.decode("cp1251")
        except UnicodeDecodeError:
            raise not_text() from None
        notes = (_("The file is not UTF-8 and was read as windows-1251, as Russian Excel saves it: check the names."),)
    # Nearly all bytes read as some windows-1251 text; control characters give a binary file away.
    if CONTROL.search(text):
        raise not_text()
    return text, notes


def split(text: str, delimiter: str) -> Iterator[RawLine]:
    """The lines, numbered as a spreadsheet numbers its rows: a text of several lines is one. Raises WrongFile."""
    number = 0
    try:
        for number, cells in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), 1):
            yield raw_line(number, cells if len(cells) <= MOST_COLUMNS else shortened(cells))
    except csv.Error:
        raise WrongFile(
            _("Line %(line)d: a quotation mark is open or stands in the wrong place. Write a quote in a text twice.")
            % {"line": number + 1}
        ) from None


def shortened(cells: list[str]) -> list[str]:
    """The first cells; one more stands for all that follow, so that they are refused without being looked at."""
    return [*cells[:MOST_COLUMNS], *(["…"] if any(cells[MOST_COLUMNS:]) else [])]


def write_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """A CSV file in UTF-8, with the mark by which Excel knows that; numbers have a point."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([written(value) for value in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def written(value: Any) -> str:
    """A number as it is: -5 is no formula. A text so that it becomes none."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    return for_csv(value) if isinstance(value, str) else str(value)


def not_text() -> WrongFile:
    return WrongFile(_("This is not a text file. Save the spreadsheet as “CSV UTF-8” and import it again."))
