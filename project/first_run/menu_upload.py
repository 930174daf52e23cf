"""Reading the menu that somebody uploads on the first-run page: a spreadsheet of drinks with categories and prices."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from inventory.exchange.errors import WrongFile
from inventory.exchange.table import Line, read_table
from inventory.menu_file import FAULTS_SHOWN, MenuRow, read_row

CATEGORY, NAME, PRICE = "category", "name", "price"
# As the example menu calls it.
PRICE_IN_BAHT = "price_from_thb"
ANSWERS = ("choose_sweetness", "choose_toppings")
COLUMNS = (CATEGORY, NAME, PRICE, PRICE_IN_BAHT, *ANSWERS)
# Where each cell stands in the rows that a menu file's reader checks.
PLACES = {CATEGORY: 0, NAME: 1, PRICE_IN_BAHT: 2, ANSWERS[0]: 3, ANSWERS[1]: 4}


def read_menu_upload(*, file_name: str, content: bytes) -> tuple[MenuRow, ...]:
    """The drinks of a CSV or XLSX file: category, name and price; the other columns may be missing.

    Raises WrongFile with every wrong line: no spreadsheet, too large packed or unpacked, a cell that makes no sense.
    """
    table = read_table(file_name=file_name, content=content, known=COLUMNS, needed=(CATEGORY, NAME))
    price = next((column for column in (PRICE, PRICE_IN_BAHT) if column in table.columns), None)
    if price is None:
        raise WrongFile(_("The column “price” is missing. Add it to the first line and fill it in."))
    rows: list[MenuRow] = []
    faults: list[str] = []
    first_lines: dict[str, int] = {}
    for line in table.lines:
        sentences, row = read_row(line.number, cells_of(line, price), PLACES)
        sentences += [sentence for _column, sentence in line.faults]
        if row is not None:
            first = first_lines.setdefault(row.name.casefold(), line.number)
            if first != line.number:
                sentences.append(
                    _("“%(name)s” stands in line %(first)d already. Keep one of them.")
                    % {"name": row.name, "first": first}
                )
            rows.append(row)
        if sentences:
            faults.append(_("Line %(line)s: %(faults)s") % {"line": line.number, "faults": " ".join(sentences)})
    if faults:
        raise wrong_lines(faults)
    return tuple(rows)


def cells_of(line: Line, price: str) -> list[str]:
    """The cells in the order of PLACES; what the file does not ask, no drink asks."""
    cells = {name: " ".join(text.split()) for name, text in line.cells.items()}
    answers = [cells.get(answer) or "no" for answer in ANSWERS]
    return [cells.get(CATEGORY, ""), cells.get(NAME, ""), cells.get(price, ""), *answers]


def wrong_lines(faults: Sequence[str]) -> WrongFile:
    shown = list(faults[:FAULTS_SHOWN])
    if len(faults) > FAULTS_SHOWN:
        shown.append(_("And %(number)d more lines.") % {"number": len(faults) - FAULTS_SHOWN})
    refusal = WrongFile(shown[0])
    refusal.errors = {"file": shown}
    return refusal
