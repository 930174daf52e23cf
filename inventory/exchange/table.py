"""A spreadsheet as a table: named columns, and lines with their numbers. Bytes in, text of cells out.

What a cell means is for `inventory.exchange.columns` to say; nothing here touches the database.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from django.utils.translation import gettext as _

from inventory.exchange.csv_file import read_csv
from inventory.exchange.errors import WrongFile
from inventory.exchange.limits import LARGEST_FILE, MOST_LINES, as_megabytes
from inventory.exchange.raw import RawFile, RawLine
from inventory.exchange.xlsx_file import read_xlsx

WORKBOOK = b"PK\x03\x04"
OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"
LONGEST_NAME_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `number` is the spreadsheet's, `cells` are by column, `faults` are of cells that hold no value."""

    number: int
    cells: dict[str, str]
    faults: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """What a file holds. `notes` are sentences for who looks at it; `has_decimal_comma` if 0,125 is an eighth."""

    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()
    has_decimal_comma: bool = False


# What an export reads.
NO_TABLE = Table((), ())


def read_table(*, file_name: str, content: bytes, known: Sequence[str], needed: Sequence[str]) -> Table:
    """Reads a CSV or XLSX file whose columns are among `known`, with all of `needed`, in any order.

    Raises WrongFile.
    """
    raw = read_raw(file_name, content)
    lines = filled(raw.lines)
    header = next(lines, None)
    if header is None:
        raise WrongFile(
            _("The file is empty. Its first line names the columns: %(columns)s.") % {"columns": ", ".join(known)}
        )
    places = find_columns(header, known, needed)
    table = Table(
        columns=tuple(places),
        lines=tuple(line_of(raw_line, places) for raw_line in limited(lines)),
        notes=raw.notes,
        has_decimal_comma=raw.has_decimal_comma,
    )
    if not table.lines:
        raise WrongFile(_("The file has a header but no lines below it. Add a line for each one."))
    return table


def read_raw(file_name: str, content: bytes) -> RawFile:
    """Reads the file by what it is, if its name says the same. Raises WrongFile."""
    if len(content) > LARGEST_FILE:
        raise too_large()
    ending = PurePath(file_name).suffix.lower()
    if content.startswith(OLD_WORKBOOK):
        raise WrongFile(
            _("This is an old or a protected Excel file. Save it as XLSX without a password, or as “CSV UTF-8”.")
        )
    if ending not in (".csv", ".xlsx"):
        raise WrongFile(
            _("“%(name)s” is neither CSV nor XLSX. Save the spreadsheet as one of them.")
            % {"name": shorten(PurePath(file_name).name)}
        )
    if content.startswith(WORKBOOK) != (ending == ".xlsx"):
        raise WrongFile(
            _("What the file holds is not what its ending says. Save the spreadsheet anew, as XLSX or as “CSV UTF-8”.")
        )
    return read_xlsx(content) if ending == ".xlsx" else read_csv(content)


def too_large() -> WrongFile:
    return WrongFile(
        _("The file is larger than %(most)s MB. Split it, or check that this is the right file.")
        % {"most": as_megabytes(LARGEST_FILE)}
    )


def filled(lines: Iterable[RawLine]) -> Iterator[RawLine]:
    """The lines that hold anything."""
    return (line for line in lines if line.faults or any(line.cells))


def limited(lines: Iterable[RawLine]) -> Iterator[RawLine]:
    """The lines, as long as they are not too many: the rest is not even read. Raises WrongFile."""
    for count, line in enumerate(lines, start=1):
        if count > MOST_LINES:
            raise WrongFile(_("The file has more than %(most)d lines. Split it.") % {"most": MOST_LINES})
        yield line


def find_columns(header: RawLine, known: Sequence[str], needed: Sequence[str]) -> dict[str, int]:
    """Where each column stands. Raises WrongFile for a name that is unknown, stands there twice or is missing."""
    if header.faults:
        raise WrongFile(header.faults[min(header.faults)])
    names = [cell.casefold() for cell in header.cells]
    while names and not names[-1]:
        names.pop()
    unknown = [name for name in names if name and name not in known]
    if unknown:
        raise WrongFile(
            _("Unknown column: %(names)s. The columns are: %(columns)s. Correct line %(line)d.")
            % {"names": shorten(", ".join(unknown)), "columns": ", ".join(known), "line": header.number}
        )
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise WrongFile(_("A column stands there twice: %(names)s. Keep one.") % {"names": ", ".join(twice)})
    missing = [name for name in needed if name not in names]
    if missing:
        raise WrongFile(
            _("A column is missing: %(names)s. Line %(line)d must name it.")
            % {"names": ", ".join(missing), "line": header.number}
        )
    return {name: place for place, name in enumerate(names) if name}


def line_of(raw: RawLine, places: dict[str, int]) -> Line:
    """A line by its columns; what stands beside them has no name and is a fault."""
    by_place = {place: name for name, place in places.items()}
    faults = [(by_place.get(place, ""), sentence) for place, sentence in sorted(raw.faults.items())]
    if any(cell for place, cell in enumerate(raw.cells) if place not in by_place):
        faults.append(
            (
                "",
                _(
                    "There are more cells than named columns. Name the column, or empty the cell; a text with a comma "
                    "needs quotation marks in a CSV file."
                ),
            )
        )
    cells = {name: raw.cells[place] if place < len(raw.cells) else "" for name, place in places.items()}
    return Line(raw.number, cells, tuple(faults))


def shorten(text: str, most: int = LONGEST_NAME_SHOWN) -> str:
    """A text as a sentence can quote it."""
    return text if len(text) <= most else f"{text[:most]}…"
