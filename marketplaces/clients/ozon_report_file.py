"""Reading the file of Ozon's report on products: a CSV, taken apart while it comes.

It is known to come in UTF-8 with or without its mark, or in windows-1251; with semicolons or commas; with its columns
named in Russian or English, and not always in the same words, so that they are known by what their names say. The
seller's SKU stands behind an apostrophe, which keeps spreadsheets from calculating with it.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import StringIO
from operator import itemgetter
from typing import NamedTuple

from django.utils.translation import gettext as _

from marketplaces.clients.answers import read_as
from marketplaces.clients.base import Problem
from marketplaces.clients.ozon_values import LONGEST_SKU, MOST_PIECES
from marketplaces.errors import BadAnswer

# The columns that are read, by what their names look like in small letters; the first that fits counts, so that
# "realFBS" is looked for before "FBS", and the seller's own reserve before the other.
COLUMNS = {
    "sku": r"артикул|article( code)?|offer[ _]?id|seller.? sku|vendor code",
    "name": r"(название|наименование)( товара)?|(product )?name",
    "barcode": r"barcode|штрих-?код",
    "own_reserved": r"(зарезервировано|reserved).*(моих складах|my warehouse|seller).*",
    "fbo_reserved": r"(зарезервировано|reserved).*",
    "rfbs": r"(доступно|available).*(realfbs|rfbs).*",
    "fbs": r"(доступно|available).*(fbs|моих складах|my warehouse|seller).*",
    "fbo": r"(доступно|available).*(fbo|ozon).*",
}
COUNTS = ("fbo", "fbo_reserved", "fbs", "rfbs", "own_reserved")
LONGEST_LINE = 1024 * 1024
LONGEST_NAME = 300
LONGEST_BARCODE = 60
# Ozon's own labels, which mean nothing outside of it.
OZONS_BARCODE = "OZN"
BETWEEN_BARCODES = re.compile(r"[;,\s']+")
NOTHING = ("", "0")


class ReportRow(NamedTuple):
    """What the report says of a SKU. The numbers of the first three do not include what is reserved; `own_reserved`
    is FBS and realFBS together."""

    sku: str
    name: str = ""
    barcode: str = ""
    fbo: int = 0
    fbo_reserved: int = 0
    fbs: int = 0
    rfbs: int = 0
    own_reserved: int = 0


def read_report(pieces: Iterable[bytes]) -> Iterator[ReportRow | Problem]:
    """The rows of the file, and a problem for each that can't be read. Raises BadAnswer for what is no such report."""
    lines = decoded(lines_of(pieces))
    header = next(lines, "")
    if "\0" in header or header.startswith("PK"):
        raise BadAnswer(_("The report is no CSV file."))
    delimiter = max(";,\t", key=header.count)
    names = next(csv.reader([header], delimiter=delimiter), [])
    columns = columns_of(names)
    if "sku" not in columns or not columns.keys() & set(COUNTS):
        raise BadAnswer(_("The report lacks its columns; its first line is: %(line)s") % {"line": header[:200].strip()})
    # What the report has no column for is read from an empty cell behind the last one.
    pick = itemgetter(*(columns.get(name, len(names)) for name in ReportRow._fields))
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        try:
            cells = next(reader, None)
            if cells is None:
                return
            if any(cells):
                yield row_of(cells, pick, width=len(names))
        except (csv.Error, BadAnswer) as wrong:
            yield Problem(item=_("line %(number)d of the report") % {"number": reader.line_num + 1}, reason=str(wrong))


def lines_of(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The whole lines of each piece together, with their ends. Raises BadAnswer for a line that does not end."""
    rest = b""
    for piece in pieces:
        whole, end, rest = (rest + piece).rpartition(b"\n")
        if end:
            yield whole + end
        if len(rest) > LONGEST_LINE:
            raise BadAnswer(_("The report is no CSV file."))
    if rest:
        yield rest


def decoded(blocks: Iterable[bytes]) -> Iterator[str]:
    """Line by line, so that little has to be kept: the first line that is no UTF-8 shows that the file is
    windows-1251."""
    encoding, errors = "utf-8-sig", "strict"
    for block in blocks:
        try:
            text = block.decode(encoding, errors)
        except UnicodeDecodeError as wrong:
            # The error counts without the mark at the beginning, and its `object` is without it.
            line = wrong.object.rfind(b"\n", 0, wrong.start) + 1
            encoding, errors = "cp1251", "replace"
            text = wrong.object[:line].decode() + wrong.object[line:].decode(encoding, errors)
        if encoding == "utf-8-sig":
            encoding = "utf-8"
        # Ends where the line feeds are, and nowhere else; several times as fast as splitting the bytes.
        yield from StringIO(text, newline="\n")


def columns_of(names: Sequence[str]) -> dict[str, int]:
    """The place of each column that is read."""
    found: dict[str, int] = {}
    for place, name in enumerate(names):
        plain = re.sub(r"\s+", " ", name).strip(" \"'\ufeff").lower()
        column = next((column for column, pattern in COLUMNS.items() if re.fullmatch(pattern, plain)), None)
        if column is not None:
            found.setdefault(column, place)
    return found


def row_of(cells: Sequence[str], pick: Callable[[Sequence[str]], Sequence[str]], *, width: int) -> ReportRow:
    """Raises BadAnswer."""
    if len(cells) != width:
        raise BadAnswer(_("It has %(found)d cells instead of %(expected)d.") % {"found": len(cells), "expected": width})
    sku, name, barcode, *counts = pick([*cells, ""])
    sku = plain(sku).removeprefix("'").strip()
    if not sku or len(sku) > LONGEST_SKU:
        raise BadAnswer(_("It has no SKU, or one that is too long."))
    numbers = [0 if count in NOTHING else count_of(plain(count), sku) for count in counts]
    return ReportRow(sku, plain(name)[:LONGEST_NAME], barcode_of(plain(barcode)), *numbers)


def plain(cell: str) -> str:
    return cell.replace("\0", "").strip()


def count_of(text: str, sku: str) -> int:
    """A number of pieces; an empty cell is none. Raises BadAnswer."""
    if text in NOTHING:
        return 0
    number = read_as(text, int)
    if number is None or not 0 <= number <= MOST_PIECES:
        raise BadAnswer(_("%(sku)s: %(text)s is no number of pieces.") % {"sku": sku, "text": text[:40]})
    return int(number)


def barcode_of(text: str) -> str:
    """One of the barcodes in the cell: rather the maker's than Ozon's own."""
    if not BETWEEN_BARCODES.search(text):
        return text[:LONGEST_BARCODE]
    codes = [code for code in BETWEEN_BARCODES.split(text) if code]
    return next((code for code in codes if not code.startswith(OZONS_BARCODE)), "".join(codes[:1]))[:LONGEST_BARCODE]
