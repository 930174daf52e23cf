"""Decimals in the admin: shown as people write them, and read from what people type."""

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _
from unfold import widgets

from foundation.decimals import plain
from foundation.money import money_format

SPACES = re.compile(r"\s")
ONE_COMMA = re.compile(r"-?\d*,\d{1,2}")


def number(amount: Decimal) -> str:
    """A number for reading: in the reader's format, thousands grouped, without needless zeros."""
    text = plain(amount)
    decimals = len(text.partition(".")[2])
    return number_format(amount, decimal_pos=decimals, force_grouping=True)


def with_unit(quantity: Decimal, unit: Any) -> str:
    """A quantity and its unit: 1,250 ml."""
    return f"{number(quantity)}\N{NO-BREAK SPACE}{unit}"


def change(delta: Decimal, unit: Any) -> str:
    """A change of a quantity, always with its sign: +1,250 ml."""
    sign = "+" if delta > 0 else "\N{MINUS SIGN}" if delta < 0 else ""
    return f"{sign}{with_unit(abs(delta), unit)}"


def unit_cost(cost: Decimal, unit: Any) -> str:
    """What one base unit costs; such prices have more decimals than money: ฿0.0425 / ml."""
    form = money_format()
    gap = "\N{NO-BREAK SPACE}"
    return f"{form.before}{number(cost)}{form.after}{gap}/{gap}{unit}"


class PlainDecimalInput(widgets.UnfoldAdminDecimalFieldWidget):
    """The field of a decimal: without needless zeros, with the number keypad of a phone.

    A text field and not one of numbers, which browsers empty when they do not like what was typed.
    """

    input_type = "text"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        attrs = {name: value for name, value in (attrs or {}).items() if name not in ("min", "max", "step")}
        super().__init__({"inputmode": "decimal", "autocomplete": "off", **attrs})

    def format_value(self, value: Any) -> str | None:
        if isinstance(value, Decimal) and value.is_finite():
            return plain(value)
        formatted = super().format_value(value)
        return None if formatted is None else str(formatted)


class PlainDecimalField(forms.DecimalField):
    """A decimal as people type it: "1 250", "0,5". "1,000" is refused: a thousand to some, one to others."""

    widget = PlainDecimalInput
    default_error_messages = {
        "comma": _("“%(text)s” can be read in two ways. Write 1000 for a thousand, and 1.5 for one and a half."),
    }

    def to_python(self, value: Any) -> Decimal | None:  # type: ignore[override]
        if isinstance(value, str) and value not in self.empty_values:
            text = SPACES.sub("", value)
            if ONE_COMMA.fullmatch(text):
                text = text.replace(",", ".")
            elif "," in text:
                raise ValidationError(self.error_messages["comma"], code="comma", params={"text": value[:40]})
            value = text
        return super().to_python(value)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {}
