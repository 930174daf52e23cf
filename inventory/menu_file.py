"""Reading a menu from a CSV file: bytes in, checked rows out. Nothing here touches the database.

The format is described, by example, in docs/menu-import.md.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from django.utils.translation import gettext as _

from inventory.errors import WrongMenuFile
from inventory.models import Category, Product

HEADER = ("category", "name", "price_from_thb", "choose_sweetness", "choose_toppings")
LARGEST_FILE = 2 * 1024 * 1024
MOST_DRINKS = 5000
LARGEST_PRICE = Decimal(1_000_000)
FAULTS_SHOWN = 20

# What spreadsheets put between the cells; with a semicolon they write the price with a comma.
DELIMITERS = ",;\t"
PRICE = re.compile(r"[0-9]{1,9}([.,][0-9]{1,2})?")
# Nearly all bytes read as some windows-1251 text; control characters give a binary file away.
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
ANSWERS = {"yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class MenuRow:
    """A drink as a menu file names it. `line` is where it stands in the file."""

    line: int
    category: str
    name: str
    price: Decimal
    choose_sweetness: bool
    choose_toppings: bool


@dataclass(frozen=True, slots=True)
class MenuFile:
    """A menu file that has been read, and in which encoding: "utf-8" or "windows-1251"."""

    rows: tuple[MenuRow, ...]
    encoding: str


def read_menu_file(path: Path) -> MenuFile:
    """Reads the menu file at `path`. Raises WrongMenuFile if there is none, or as `read_menu` does."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        raise _fault(_("There is no file %(path)s. Check the path.") % {"path": path}) from None
    except IsADirectoryError:
        raise _fault(_("%(path)s is a folder. Name a CSV file in it.") % {"path": path}) from None
    except (OSError, ValueError) as error:
        raise _fault(_("%(path)s can't be read: %(error)s.") % {"path": path, "error": error}) from None
    return read_menu(content)


def read_menu(content: bytes) -> MenuFile:
    """Reads a menu from the bytes of a CSV file.

    Raises WrongMenuFile, naming every wrong line: not text, a wrong header, no drinks, a cell that is missing
    or makes no sense, a drink that stands there twice.
    """
    text, encoding = decode(content)
    table = list(split(text))
    if not table:
        raise _fault(_("The file is empty. Its first line must be: %(header)s") % {"header": ",".join(HEADER)})
    columns = find_columns(*table[0])
    if len(table) == 1:
        raise _fault(_("The file has a header but no drinks. Add a line for each drink."))
    if len(table) - 1 > MOST_DRINKS:
        raise _fault(_("A menu has at most %(most)d drinks. Split the file.") % {"most": MOST_DRINKS})
    rows: list[MenuRow] = []
    faults: dict[str, list[str]] = {}
    first_lines: dict[str, int] = {}
    for line, cells in table[1:]:
        sentences, row = read_row(line, cells, columns)
        if row is not None:
            first = first_lines.setdefault(row.name.casefold(), line)
            if first != line:
                sentences.append(
                    _("“%(name)s” stands in line %(first)d already. Keep one of them.")
                    % {"name": row.name, "first": first}
                )
            rows.append(row)
        if sentences:
            faults[f"line {line}"] = sentences
    if faults:
        raise WrongMenuFile(_describe(faults), errors=faults)
    return MenuFile(tuple(rows), encoding)


def decode(content: bytes) -> tuple[str, str]:
    """The text and its encoding: UTF-8 (with or without a byte order mark), else windows-1251, which
    spreadsheets still write. Raises WrongMenuFile for what is too large or not text in either."""
    if len(content) > LARGEST_FILE:
        raise _fault(_("The file is larger than 2 MB. A menu is smaller: check that this is the right file."))
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _fault(_("The file is in UTF-16. Save it as “CSV UTF-8” and import it again."))
    try:
        text, encoding = content.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        try:
            text, encoding = content.decode("cp1251"), "windows-1251"
        except UnicodeDecodeError:
            raise _not_text() from None
    if CONTROL.search(text):
        raise _not_text()
    return text, encoding


def split(text: str) -> Iterator[tuple[int, list[str]]]:
    """The lines that hold anything: (number of the line, its cells without needless blanks)."""
    first_line = text.lstrip().partition("\n")[0]
    delimiter = max(DELIMITERS, key=first_line.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            tidy = [" ".join(cell.split()) for cell in cells]
            if any(tidy):
                yield line, tidy
            line = reader.line_num + 1
    except csv.Error:
        raise _fault(
            _("Line %(line)d: a quotation mark is open or stands in the wrong place. Write a quote in a name twice.")
            % {"line": line}
        ) from None


def find_columns(line: int, names: Sequence[str]) -> dict[str, int]:
    """Where each column of the header stands. Raises WrongMenuFile unless all are there, and no others."""
    found = [name.casefold() for name in names]
    if sorted(found) != sorted(HEADER):
        raise _fault(
            _("Line %(line)d: the header must be %(expected)s. Found: %(found)s. Correct this line.")
            % {"line": line, "expected": ",".join(HEADER), "found": _shorten(",".join(names), most=200)}
        )
    return {name: found.index(name) for name in HEADER}


def read_row(line: int, cells: Sequence[str], columns: dict[str, int]) -> tuple[list[str], MenuRow | None]:
    """What is wrong with a line, and the drink in it if nothing is."""
    if len(cells) != len(columns):
        return [
            _("%(found)d cells instead of %(expected)d. A name with a comma needs quotation marks.")
            % {"found": len(cells), "expected": len(columns)}
        ], None
    value = {name: cells[place] for name, place in columns.items()}
    sentences: list[str] = []
    for column, label, longest in (
        ("category", _("category"), Category._meta.get_field("name").max_length),
        ("name", _("name"), Product._meta.get_field("name").max_length),
    ):
        if not value[column]:
            sentences.append(_("The %(column)s is missing. Fill it in.") % {"column": label})
        elif longest is not None and len(value[column]) > longest:
            sentences.append(
                _("The %(column)s “%(start)s” has %(length)d characters. Use at most %(most)d.")
                % {
                    "column": label,
                    "start": _shorten(value[column]),
                    "length": len(value[column]),
                    "most": longest,
                }
            )
    sentences += price_faults(value["price_from_thb"])
    for column in ("choose_sweetness", "choose_toppings"):
        if value[column].casefold() not in ANSWERS:
            sentences.append(
                _("%(column)s is “%(value)s”. Write yes or no.") % {"column": column, "value": _shorten(value[column])}
            )
    if sentences:
        return sentences, None
    return [], MenuRow(
        line=line,
        category=value["category"],
        name=value["name"],
        price=Decimal(value["price_from_thb"].replace(",", ".")).quantize(Decimal("0.01")),
        choose_sweetness=ANSWERS[value["choose_sweetness"].casefold()],
        choose_toppings=ANSWERS[value["choose_toppings"].casefold()],
    )


def price_faults(text: str) -> list[str]:
    """What is wrong with a price. "45", "45.5", "45.00" and "45,00" are right; "1,000" could mean two things."""
    if not text:
        return [_("The price is missing. Write it like 45.00.")]
    if text.startswith(("-", "−")):
        return [_("The price %(price)s is below 0. Write it like 45.00.") % {"price": _shorten(text)}]
    if not PRICE.fullmatch(text):
        return [_("The price “%(price)s” is not a number. Write it like 45.00.") % {"price": _shorten(text)}]
    if Decimal(text.replace(",", ".")) > LARGEST_PRICE:
        return [_("The price %(price)s is above %(most)s. Check it.") % {"price": text, "most": LARGEST_PRICE}]
    return []


def _describe(faults: dict[str, list[str]]) -> str:
    lines = [
        _("Line %(line)s: %(faults)s") % {"line": place.removeprefix("line "), "faults": " ".join(sentences)}
        for place, sentences in list(faults.items())[:FAULTS_SHOWN]
    ]
    if len(faults) > FAULTS_SHOWN:
        lines.append(_("And %(number)d more lines.") % {"number": len(faults) - FAULTS_SHOWN})
    return "\n".join(lines)


def _shorten(text: str, *, most: int = 60) -> str:
    return text if len(text) <= most else f"{text[:most]}…"


def _not_text() -> WrongMenuFile:
    return _fault(_("This is not a text file. Save the menu as “CSV UTF-8” and import it again."))


def _fault(sentence: str) -> WrongMenuFile:
    return WrongMenuFile(sentence, errors={"file": [sentence]})
