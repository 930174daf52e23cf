"""XLSX: reading the first sheet of a workbook, and writing a workbook of one sheet.

openpyxl reads the sheet row by row and, with defusedxml installed, no XML entities. What it can't know is checked
before: how much the archive unpacks to.
"""

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import count
from math import isfinite
from typing import Any

from django.utils.translation import gettext as _
from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from inventory.exchange.errors import WrongFile
from inventory.exchange.formulas import for_workbook, looks_like_formula
from inventory.exchange.limits import LARGEST_UNPACKED, MOST_COLUMNS, MOST_PARTS, MOST_TAGS, as_megabytes
from inventory.exchange.raw import CONTROL, RawFile, RawLine, raw_line

MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]{0,200}?ref=\"([A-Z0-9:]{1,30})\"")
CHUNK = 1024 * 1024
LAST_ROW = 1_048_576
# More digits than these are the noise of binary numbers: 0.1 + 0.2 is stored as 0.30000000000000004.
DIGITS = 15
WIDEST_COLUMN = 60


def read_xlsx(content: bytes) -> RawFile:
    """Reads the first sheet. Raises WrongFile, also for cells that are merged and for a zip bomb."""
    check_archive(content)
    try:
        workbook = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
    except Exception as error:  # A damaged workbook fails in any of openpyxl's parts, each in its own way.
        raise unreadable() from error
    if not workbook.worksheets:
        raise WrongFile(_("The workbook has no sheet with cells."))
    sheet = workbook.worksheets[0]
    merged = merged_cells(workbook, sheet)
    if merged:
        raise WrongFile(
            _("The cells %(range)s are merged. Unmerge them and fill in each one: a line needs its own values.")
            % {"range": merged}
        )
    notes: tuple[str, ...] = ()
    if len(workbook.worksheets) > 1:
        notes = (_("Only the first sheet, “%(name)s”, is read.") % {"name": sheet.title},)
    return RawFile(lines=read_lines(sheet), notes=notes)


def check_archive(content: bytes) -> None:
    """Raises WrongFile for what is no archive, or holds too much. zipfile never unpacks more than is declared."""
    tags = 0
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > LARGEST_UNPACKED:
                raise holds_too_much()
            for part in parts:
                tags += archive.read(part).count(b"<")
    except WrongFile:
        raise
    except Exception as error:  # Damaged, encrypted, packed in a way that nobody uses: each has its own exception.
        raise unreadable() from error
    if tags > MOST_TAGS:
        raise holds_too_much()


def merged_cells(workbook: Any, sheet: Any) -> str:
    """A range of merged cells, or "". openpyxl does not tell of them where it reads row by row."""
    try:
        with workbook._archive.open(sheet._worksheet_path) as part:
            before = b""
            while chunk := part.read(CHUNK):
                found = MERGED.search(before + chunk)
                if found:
                    return found[1].decode()
                before = chunk[-300:]
    except Exception as error:
        raise unreadable() from error
    return ""


def read_lines(sheet: Any) -> Iterator[RawLine]:
    """The rows of the sheet, as they are asked for."""
    # What the file says about its own size may be wrong.
    sheet.reset_dimensions()
    rows = sheet.iter_rows(max_col=MOST_COLUMNS + 1)
    blank = None
    for number in count(1):
        try:
            row = next(rows, None)
        except Exception as error:
            raise unreadable() from error
        if row is None:
            return
        if number > LAST_ROW:
            raise unreadable()
        if row is blank or all(cell.value is None for cell in row):
            # Rows that the file leaves out are one and the same, up to a million of them.
            blank = row
            continue
        cells: list[str] = []
        faults: dict[int, str] = {}
        for place, cell in enumerate(row):
            text, fault = text_of(cell)
            cells.append(text)
            if fault:
                faults[place] = fault % {"cell": f"{get_column_letter(place + 1)}{number}", "text": cell.value}
        yield raw_line(number, cells, faults)


def text_of(cell: Any) -> tuple[str, str]:
    """The cell's text and, if it holds what is no value, a sentence about it."""
    value = cell.value
    if value is None:
        return "", ""
    if cell.data_type == "f":
        # What the formula gave when the file was saved may be anything: a hand-made file can claim any number.
        return "", _("%(cell)s holds a formula. Copy the cell and paste its value in its place.")
    if cell.data_type == "e":
        return "", _("%(cell)s holds the error %(text)s. Write the value.")
    if isinstance(value, bool):
        return "yes" if value else "no", ""
    if isinstance(value, int):
        return str(value), ""
    if isinstance(value, float):
        if not isfinite(value):
            return "", _("%(cell)s holds a number that is too large. Check it.")
        return f"{Decimal(f'{value:.{DIGITS}g}'):f}", ""
    if isinstance(value, date | datetime | time | timedelta):
        return "", _("%(cell)s is formatted as a date. Format it as a number or as text, and write the value anew.")
    return str(value), ""


def write_xlsx(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str) -> bytes:
    """A workbook of one sheet, the header fixed. Texts are text whatever they begin with, numbers are numbers."""
    table = [list(row) for row in rows]
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet(title)
    sheet.freeze_panes = "A2"
    for place, column in enumerate(columns):
        widest = max([len(column), *(len(str(row[place])) for row in table)])
        sheet.column_dimensions[get_column_letter(place + 1)].width = min(widest, WIDEST_COLUMN) + 2
    sheet.append([text_cell(sheet, column, bold=True) for column in columns])
    for row in table:
        sheet.append(
            [text_cell(sheet, value) if isinstance(value, str) else number_cell(sheet, value) for value in row]
        )
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def text_cell(sheet: Any, text: str, *, bold: bool = False) -> Any:
    """A cell that stays text: also when somebody edits it in Excel, where the prefix keeps it from being parsed."""
    # XML has no place for control characters; no form of the shop takes them.
    cell = WriteOnlyCell(sheet, CONTROL.sub("", for_workbook(text)))
    if cell.value is not None:
        cell.data_type = "s"
    if looks_like_formula(text):
        cell.quotePrefix = True
    if bold:
        cell.font = Font(bold=True)
    return cell


def number_cell(sheet: Any, number: Any) -> Any:
    cell = WriteOnlyCell(sheet, number)
    if isinstance(number, Decimal):
        decimals = -int(number.as_tuple().exponent)
        if decimals > 0:
            cell.number_format = f"0.{'0' * decimals}"
    return cell


def holds_too_much() -> WrongFile:
    return WrongFile(
        _(
            "The workbook unpacks to more than %(most)s MB or has too many cells. "
            "Copy the lines into a new one and save that."
        )
        % {"most": as_megabytes(LARGEST_UNPACKED)}
    )


def unreadable() -> WrongFile:
    return WrongFile(_("This workbook can't be read. Open it in a spreadsheet, save it as XLSX, and import it again."))
