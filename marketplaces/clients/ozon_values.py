"""Single values of Ozon's answers, as its rows need them. Ozon writes ids and numbers now as numbers, now as texts;
money as a text, or as {amount, currency}. All raise BadAnswer, which leaves out the one row that it concerns."""

import datetime
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from marketplaces.clients.answers import need, optional, read_as
from marketplaces.errors import BadAnswer

# What the database's columns hold.
MOST_PIECES = 2**31 - 1
MOST_MONEY = Decimal("9999999999.99")
LONGEST_SKU = 100


def name_of(row: Any, field: str) -> str:
    """An id or a word that may come as text or as a number; "" where there is none."""
    value = row.get(field) if isinstance(row, dict) else None
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def needed_name(row: Any, field: str) -> str:
    """An id or a word that must be there. Raises BadAnswer."""
    value = name_of(row, field)
    if not value:
        raise BadAnswer(_("The answer has no “%(path)s”.") % {"path": field})
    return value


def sku_of(row: Any) -> str:
    """The seller's own name of the thing, which Ozon's orders and stock have in common. Raises BadAnswer."""
    value = needed_name(row, "offer_id")
    if len(value) > LONGEST_SKU:
        raise BadAnswer(_("The SKU is longer than %(most)d characters.") % {"most": LONGEST_SKU})
    return value


def pieces(row: Any, field: str, *, least: int = 0) -> int:
    """A number of pieces, at least `least`. Raises BadAnswer."""
    value = row.get(field) if type(row) is dict else None
    if type(value) is not int:
        value = need(row, field, int)
    if not least <= value <= MOST_PIECES:
        raise BadAnswer(_("“%(path)s” can't be %(value)d.") % {"path": field, "value": value})
    return value


def money(row: Any, field: str) -> tuple[Decimal | None, str]:
    """(amount, currency); None and "" where nothing is said. Raises BadAnswer."""
    value = row.get(field)
    if value in (None, ""):
        return None, ""
    if isinstance(value, Mapping):
        amount, currency = optional(row, f"{field}.amount", Decimal), name_of(value, "currency")
    else:
        amount, currency = need(row, field, Decimal), ""
    if amount is not None and not 0 <= amount <= MOST_MONEY:
        raise BadAnswer(_("“%(path)s” can't be %(value)s.") % {"path": field, "value": amount})
    return None if amount is None else amount.quantize(Decimal("0.01")), currency


def moment(row: Any, field: str) -> datetime.datetime | None:
    """A moment, or None: no row is left out for a date that can't be read."""
    found: datetime.datetime | None = read_as(row.get(field), datetime.datetime)
    return found


def iso(at: datetime.datetime) -> str:
    """A moment as Ozon reads it."""
    return at.astimezone(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
