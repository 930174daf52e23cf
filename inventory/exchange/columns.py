"""The columns of a spreadsheet: how a cell is read into a field, and a field written into a cell.

They are django-import-export's fields and widgets. A cell arrives as text, whatever the file was; a widget's
`clean` refuses it with a ValueError whose sentence stands at the column.
"""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from import_export.fields import Field
from import_export.widgets import Widget

from inventory.exchange.raw import tidied
from inventory.exchange.table import shorten

# What people and spreadsheets put between the thousands.
SPACES = re.compile(r"[\s']")
NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?")
COMMA = re.compile(r"[+-]?[0-9]{1,15},(?P<decimals>[0-9]{1,15})")
YES = ("yes", "true", "1", "да", "истина")
NO = ("no", "false", "0", "нет", "ложь")


class Column(Field):
    """A column, named like the field. `is_needed` of who makes a new record; `may_be_empty` if nothing is a value."""

    def __init__(self, name: str, widget: Widget, *, is_needed: bool = False, may_be_empty: bool = False) -> None:
        super().__init__(attribute=name, column_name=name, widget=widget)
        self.is_needed = is_needed
        self.may_be_empty = may_be_empty

    def clean(self, row: Mapping[str, str], **kwargs: Any) -> Any:
        if not row[self.column_name] and not self.may_be_empty:
            raise ValueError(_("The cell is empty. Fill it in."))
        return self.widget.clean(row[self.column_name], row=row, **kwargs)


class TextCell(Widget):
    """Text as it stands there; how long it may be the model says."""

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> str:
        return value

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return tidied(str(value or ""))


class NumberCell(Widget):
    """A decimal of at most so many decimals: never rounded. "1e3" is refused: nobody types it, bombs are made of it."""

    def __init__(self, *, decimals: int, is_padded: bool = False) -> None:
        super().__init__()
        self.decimals = decimals
        # Money is written with all of its decimals.
        self.is_padded = is_padded
        # Set by the resource from the file: "0,125" is an eighth where cells are parted by semicolons.
        self.has_decimal_comma = False

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> Decimal | None:
        if not value:
            return None
        text = SPACES.sub("", value).replace("\N{MINUS SIGN}", "-")
        comma = COMMA.fullmatch(text)
        if comma:
            if len(comma["decimals"]) > 2 and not self.has_decimal_comma:
                raise ValueError(
                    _("“%(text)s” can be read in two ways. Write 1000 for a thousand, and 1.5 for one and a half.")
                    % {"text": shorten(value)}
                )
            text = text.replace(",", ".")
        if not NUMBER.fullmatch(text):
            raise ValueError(_("“%(text)s” is not a number. Write it like 12.5.") % {"text": shorten(value)})
        number = Decimal(text)
        if number != round(number, self.decimals):
            raise ValueError(self.too_fine(value))
        return round(number, self.decimals)

    def too_fine(self, value: str) -> str:
        return _("“%(text)s” has too many decimals. Write at most %(most)d of them.") % {
            "text": shorten(value),
            "most": self.decimals,
        }

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        if value is None:
            return ""
        number = round(Decimal(value), self.decimals)
        if self.is_padded:
            return number
        whole = number.to_integral_value()
        return whole if number == whole else number.normalize()


class WholeCell(NumberCell):
    """A whole number; spreadsheets may write 1 as 1.0."""

    def __init__(self) -> None:
        super().__init__(decimals=0)

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> Any:
        number = super().clean(value, row, **kwargs)
        return None if number is None else int(number)

    def too_fine(self, value: str) -> str:
        return _("“%(text)s” is not a whole number.") % {"text": shorten(value)}

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        return "" if value is None else int(value)


class YesNoCell(Widget):
    """yes or no, as people and English and Russian spreadsheets write it."""

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> bool:
        answer = value.casefold()
        if answer in YES or answer in NO:
            return answer in YES
        raise ValueError(_("“%(text)s” is neither yes nor no. Write one of them.") % {"text": shorten(value)})

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return "yes" if value else "no"


class ChoiceCell(Widget):
    """One of a few words, as the API writes them."""

    def __init__(self, words: Sequence[str]) -> None:
        super().__init__()
        self.words = tuple(words)

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> str:
        if value.casefold() not in self.words:
            raise ValueError(
                _("“%(text)s” is unknown. Write one of: %(words)s.")
                % {"text": shorten(value), "words": ", ".join(self.words)}
            )
        return value.casefold()

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return str(value or "")


class Names:
    """The records of a kind by their names, read once for a file."""

    def __init__(self, find: Callable[[], Mapping[str, Any]], unknown: Callable[[str], str]) -> None:
        self.find = find
        # The sentence about a name that nothing has.
        self.unknown = unknown
        self._known: Mapping[str, Any] | None = None
        self._folded: dict[str, str] = {}

    def get(self, name: str) -> Any:
        """The record of that name. Raises ValueError, with the name that differs in its letters' case if one does."""
        if self._known is None:
            self._known = self.find()
            self._folded = {one.casefold(): one for one in self._known}
        if name in self._known:
            return self._known[name]
        meant = self._folded.get(name.casefold())
        if meant is not None:
            raise ValueError(
                _("“%(text)s” is written “%(name)s” here. Write it alike.") % {"text": shorten(name), "name": meant}
            )
        raise ValueError(self.unknown(shorten(name)))


class NameCell(Widget):
    """Another record, by its name."""

    def __init__(self, names: Names) -> None:
        super().__init__()
        self.names = names

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> Any:
        return self.names.get(value) if value else None

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return value.name if value is not None else ""


class NameListCell(Widget):
    """Several records by their names, in their order: Size, Milk, "Ice, more"."""

    def __init__(self, names: Names) -> None:
        super().__init__()
        self.names = names

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> tuple[Any, ...]:
        found = tuple(self.names.get(name) for name in listed(value))
        for place, one in enumerate(found):
            if one in found[:place]:
                raise ValueError(_("“%(name)s” stands there twice. Name it once.") % {"name": one.name})
        return found

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return as_list([one.name for one in value or ()])


def listed(text: str) -> list[str]:
    """The names in a cell. A name with a comma or a quote stands in quotation marks, as in a CSV file."""
    if not text:
        return []
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), skipinitialspace=True, strict=True))
    except csv.Error:
        lines = []
    if len(lines) != 1:
        raise ValueError(_("Write the names with commas between them; a name with a comma needs quotation marks."))
    return [name.strip() for name in lines[0] if name.strip()]


def as_list(names: Sequence[str]) -> str:
    """The names for one cell, which `listed` reads back."""
    return ", ".join('"{}"'.format(name.replace('"', '""')) if re.search(r'[,"\n]', name) else name for name in names)
