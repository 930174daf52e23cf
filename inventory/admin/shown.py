"""Levels, badges and quantities as lists and pages show them."""

import datetime
from decimal import ROUND_HALF_UP, Decimal

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from foundation.admin.badges import badge as badge
from foundation.admin.moments import moment_at
from foundation.admin.numbers import unit_cost, with_unit
from inventory.models import Ingredient, Location, StockLevel, SupplierPack
from inventory.units import SHOWN_UNITS, nicest, value_of


def when_shown(moment: datetime.datetime, location: Location) -> SafeString:
    """A moment by the location's clocks, on one line."""
    return format_html('<span class="sv-when">{}</span>', moment_at(moment, location.time_zone))


def low_badge(places: int = 1) -> SafeString:
    """Says that an ingredient is low, and at how many locations if at several."""
    return badge("bad", _("low") if places == 1 else _("low at %(number)d") % {"number": places})


def quantity_shown(quantity: Decimal, ingredient: Ingredient) -> str:
    """1,250 ml."""
    return with_unit(quantity, ingredient.get_unit_display())


def amount_shown(quantity: Decimal, ingredient: Ingredient) -> str:
    """A quantity in the unit that reads best: 12 l."""
    amount = nicest(quantity, ingredient.unit)
    return with_unit(amount.quantity, amount.unit.label)


def pack_cost_shown(pack: SupplierPack) -> str:
    """What a kilogram, a litre or a piece costs in the pack: ฿50 / l; a dash if nobody knows."""
    if pack.price is None:
        return "—"
    largest = next(unit for unit in SHOWN_UNITS if unit.base == pack.ingredient.unit)
    cost = value_of(largest.factor, pack_quantity=pack.quantity, price=pack.price)
    return unit_cost(cost.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP), largest.label)


def level_shown(level: StockLevel | None, unit: str, *, with_minimum: bool = True) -> SafeString:
    """What a level holds, red where it is low, with its minimum below it. No level is 0."""
    if level is None:
        return format_html('<span class="sv-muted">{}</span>', with_unit(Decimal(0), unit))
    minimum = _("min. %(quantity)s") % {"quantity": with_unit(level.minimum, unit)} if level.minimum else ""
    return format_html(
        '<span class="sv-level{}">{}<small>{}</small></span>',
        " sv-level-low" if level.is_low else "",
        with_unit(level.quantity, unit),
        minimum if with_minimum else "",
    )
