"""Reading sales from a CSV file: bytes in, cells out, line by line, whatever the file's size. No database here.

The format is described, by example, in docs/sales-import.md.
"""

import csv
import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.utils.translation import gettext as _

from orders.errors import WrongSalesFile
from orders.sales_dates import DateColumn, DateFormat

HEADER = ("date", "time", "transaction", "item")
SHOWN_HEADER = "Date,Time,Transaction,Item"
# Longer ones are no line of a till; so no line fills the memory, whatever the file holds.
LONGEST_LINE = 10_000
PIECE = 1024 * 1024
# What spreadsheets put between the cells.
DELIMITERS = ",;\t"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Nearly all bytes read as some windows-1251 text; control characters give a binary file away.
CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
UTF8, WINDOWS_1251 = "utf-8", "windows-1251"


@dataclass(frozen=True, slots=True)
class SalesRow:
    """The cells of a line, without needless blanks. `found` is how many there are; what is missing is empty."""

    line: int
    date: str
    time: str
    transaction: str
    item: str
    found: int = len(HEADER)

    @property
    def is_whole(self) -> bool:
        return self.found == len(HEADER)


@dataclass(frozen=True, slots=True)
class SalesFile:
    """A file of sales whose header and dates have been looked at: its lines can be read, as often as needed."""

    file: BinaryIO
    encoding: str
    delimiter: str
    date_format: DateFormat
    size: int
    sha256: str

    def rows(self) -> Iterator[SalesRow]:
        """The lines below the header that hold anything. Raises WrongSalesFile for what is no table."""
        return rows_of(self.file, self.encoding, self.delimiter)


@contextmanager
def open_sales(path: Path, *, date_format: DateFormat | None = None) -> Iterator[SalesFile]:
    """The file of sales at `path`, open. Raises WrongSalesFile if there is none, or as `read_sales` does."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise fault(_("There is no file %(path)s. Check the path.") % {"path": path}) from None
    except IsADirectoryError:
        raise fault(_("%(path)s is a folder. Name a CSV file in it.") % {"path": path}) from None
    except (OSError, ValueError) as error:
        raise fault(_("%(path)s can't be read: %(error)s.") % {"path": path, "error": error}) from None
    with file:
        yield read_sales(file, date_format=date_format)


def read_sales(file: BinaryIO, *, date_format: DateFormat | None = None) -> SalesFile:
    """Looks through an open file, which can be read again from its start: how it is to be read.

    `date_format` says how dates are written; without it the whole column is asked. Memory does not grow with the
    file. Raises WrongSalesFile: not text, empty, a wrong header, dates that could mean two things.
    """
    size, sha256 = weigh(file)
    encoding = UTF8
    try:
        delimiter, column = look_through(file, encoding)
    except UnicodeDecodeError:
        encoding = WINDOWS_1251
        try:
            delimiter, column = look_through(file, encoding)
        except UnicodeDecodeError:
            raise fault(_("This is not a text file. Save the sales as “CSV UTF-8” and import it again.")) from None
    return SalesFile(file, encoding, delimiter, date_format or column.decide(), size, sha256)


def weigh(file: BinaryIO) -> tuple[int, str]:
    """The size of the file and its SHA-256. Raises WrongSalesFile if it holds what no text does."""
    digest, size, line = hashlib.sha256(), 0, 1
    file.seek(0)
    while piece := file.read(PIECE):
        if not size and piece.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise fault(_("The file is in UTF-16. Save it as “CSV UTF-8” and import it again."))
        if found := CONTROL.search(piece):
            raise fault(
                _(
                    "Line %(line)d holds characters that no text has. Check that this is a CSV file, save it as "
                    "“CSV UTF-8” and import it again."
                )
                % {"line": line + piece.count(b"\n", 0, found.start())}
            )
        digest.update(piece)
        size += len(piece)
        line += piece.count(b"\n")
    return size, digest.hexdigest()


def look_through(file: BinaryIO, encoding: str) -> tuple[str, DateColumn]:
    """What stands between the cells, and what the dates of all lines tell. Raises WrongSalesFile,
    UnicodeDecodeError."""
    first = next((line for line in lines_of(file, encoding) if line.strip(f" \r\n{DELIMITERS}")), "")
    delimiter = max(DELIMITERS, key=first.count)
    column, has_rows = DateColumn(), False
    for row in rows_of(file, encoding, delimiter):
        column.look(row.line, row.date)
        has_rows = True
    if not has_rows:
        raise fault(_("The file has a header but no sales. Add a line for each item sold."))
    return delimiter, column


def rows_of(file: BinaryIO, encoding: str, delimiter: str) -> Iterator[SalesRow]:
    reader = csv.reader(lines_of(file, encoding), delimiter=delimiter, strict=True)
    places: tuple[int, ...] = ()
    line = 1
    try:
        for cells in reader:
            tidy = [" ".join(cell.split()) for cell in cells]
            if any(tidy):
                if places:
                    found = len(tidy)
                    tidy += [""] * (len(HEADER) - found)
                    date, time, transaction, item = (tidy[place] for place in places)
                    yield SalesRow(line, date, time, transaction, item, found)
                else:
                    places = find_columns(line, tidy)
            line = reader.line_num + 1
    except csv.Error:
        raise fault(
            _("Line %(line)d: a quotation mark is open or stands in the wrong place. Write a quote in a name twice.")
            % {"line": line}
        ) from None
    if not places:
        raise fault(_("The file is empty. Its first line must be: %(header)s") % {"header": SHOWN_HEADER})


def lines_of(file: BinaryIO, encoding: str) -> Iterator[str]:
    """The text of the file, a line at a time. Raises WrongSalesFile, UnicodeDecodeError."""
    file.seek(0)
    number = 0
    while raw := file.readline(LONGEST_LINE + 1):
        number += 1
        if number == 1:
            raw = raw.removeprefix(BYTE_ORDER_MARK)
        if len(raw) > LONGEST_LINE:
            raise fault(
                _("Line %(line)d has more than %(most)d characters. Check that this is a CSV file of sales.")
                % {"line": number, "most": LONGEST_LINE}
            )
        yield raw.decode(encoding)


def find_columns(line: int, names: Sequence[str]) -> tuple[int, ...]:
    """Where each column of the header stands. Raises WrongSalesFile unless all are there, and no others."""
    found = [name.casefold() for name in names]
    if sorted(found) != sorted(HEADER):
        shown = ",".join(names)
        raise fault(
            _("Line %(line)d: the header must be %(expected)s. Found: %(found)s. Correct this line.")
            % {"line": line, "expected": SHOWN_HEADER, "found": shown if len(shown) <= 200 else f"{shown[:200]}…"}
        )
    return tuple(found.index(name) for name in HEADER)


def fault(sentence: str) -> WrongSalesFile:
    """Something is wrong with the file as a whole."""
    return WrongSalesFile(sentence, errors={"file": [sentence]})
