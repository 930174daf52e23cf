"""Checking the lines of a stock document before anything is written."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from foundation.decimals import QUANTITY_STEP
from foundation.errors import InvalidInput
from inventory.errors import ClosedLocation, InsufficientStock, Shortage, UnknownIngredient
from inventory.models import Ingredient, Location, StockLot

MOST_LINES = 1000
LARGEST_QUANTITY = Decimal("99999999")
LARGEST_COST = Decimal("999999")
LARGEST_VALUE = Decimal("9999999999")


@dataclass(frozen=True, slots=True)
class StockLine:
    """So much of an ingredient, in its base unit. `unit_cost` is money per base unit, `value` what all of it cost; the
    latter is exact and counts if both are known.

    Of an ingredient with an expiry date, `expires_on` is the last good day and `lot_code` the maker's mark of what
    comes in; `lot_id` names the lot that something leaves.
    """

    ingredient_id: int
    quantity: Decimal
    unit_cost: Decimal | None = None
    expires_on: datetime.date | None = None
    lot_code: str = ""
    lot_id: int | None = None
    value: Decimal | None = None

    @property
    def key(self) -> tuple[object, ...]:
        """Lines with the same key are one and the same thing written twice."""
        return self.ingredient_id, self.expires_on, self.lot_code, self.lot_id


def check_open(location: Location) -> None:
    """Raises ClosedLocation for a location that takes no stock now."""
    if not location.is_active:
        raise ClosedLocation(location.name)


def check_lines(lines: Sequence[StockLine]) -> dict[int, Ingredient]:
    """Refuses empty, overlong and senseless lists, each wrong line at its place. Answers with the ingredients by id.

    Raises InvalidInput, UnknownIngredient.
    """
    if not lines:
        raise InvalidInput.at("lines", _("Add at least one line."))
    if len(lines) > MOST_LINES:
        raise InvalidInput.at("lines", _("A document takes up to %(most)d lines. Split it.") % {"most": MOST_LINES})
    known = {one.pk: one for one in Ingredient.objects.filter(pk__in={line.ingredient_id for line in lines})}
    unknown: dict[str, list[str]] = {}
    wrong: dict[str, list[str]] = {}
    seen: set[object] = set()
    for place, line in enumerate(lines):
        if line.ingredient_id not in known:
            unknown[f"lines[{place}].ingredient"] = [_("There is no ingredient %(id)s.") % {"id": line.ingredient_id}]
        if line.key in seen:
            wrong[f"lines[{place}].ingredient"] = [
                _("This ingredient stands in the list already. Add the quantities up.")
            ]
        seen.add(line.key)
        sentence = quantity_fault(line.quantity)
        if sentence:
            wrong[f"lines[{place}].quantity"] = [sentence]
        if line.unit_cost is not None and not (line.unit_cost.is_finite() and 0 <= line.unit_cost <= LARGEST_COST):
            wrong[f"lines[{place}].unit_cost"] = [
                _("The unit cost can't be below 0 or above %(most)s.") % {"most": LARGEST_COST}
            ]
        if line.value is not None and (not line.value.is_finite() or not 0 <= line.value <= LARGEST_VALUE):
            wrong[f"lines[{place}].paid"] = [
                _("What was paid can't be below 0 or above %(most)s.") % {"most": LARGEST_VALUE}
            ]
    if unknown:
        raise UnknownIngredient(_("Some ingredients do not exist."), errors=unknown | wrong)
    if wrong:
        raise InvalidInput(_("Some lines are wrong."), errors=wrong)
    return known


def check_lots(location: Location, lines: Sequence[StockLine]) -> None:
    """Refuses lots that are not of this ingredient at this location, each at its line. One query if any is named.

    Raises InvalidInput.
    """
    named = {line.lot_id for line in lines if line.lot_id is not None}
    if not named:
        return
    known = set(StockLot.objects.filter(pk__in=named, location=location).values_list("pk", "ingredient_id"))
    wrong = {
        f"lines[{place}].lot": [_("This lot is not one of the ingredient at %(location)s.") % {"location": location}]
        for place, line in enumerate(lines)
        if line.lot_id is not None and (line.lot_id, line.ingredient_id) not in known
    }
    if wrong:
        raise InvalidInput(_("Some lines are wrong."), errors=wrong)


def refuse_if_lots_are_short(lines: Sequence[StockLine]) -> None:
    """Raises InsufficientStock with what each lot holds, if more is to leave it. One query if any is named.

    The caller has locked the levels of the lots: what they hold stays so. Where the ingredient has no expiry dates any
    more, its former lots say nothing.
    """
    wanted: dict[int, Decimal] = {}
    for line in lines:
        if line.lot_id is not None:
            wanted[line.lot_id] = wanted.get(line.lot_id, Decimal(0)) + line.quantity
    if not wanted:
        return
    lots = StockLot.objects.filter(pk__in=wanted, ingredient__tracks_expiry=True).select_related("ingredient")
    short = [
        Shortage(
            lot.ingredient_id, lot.ingredient.name, wanted[lot.pk], lot.quantity, lot.ingredient.unit, lot_id=lot.pk
        )
        for lot in lots.order_by("ingredient__name", "pk")
        if wanted[lot.pk] > lot.quantity
    ]
    if short:
        raise InsufficientStock(short)


def quantity_fault(quantity: Decimal) -> str:
    """What is wrong with a quantity in base units, as a sentence; empty if nothing is."""
    if not quantity.is_finite() or quantity <= 0:
        return _("The quantity must be more than 0.")
    if quantity > LARGEST_QUANTITY:
        return _("The quantity can't be above %(most)s.") % {"most": LARGEST_QUANTITY}
    if quantity != quantity.quantize(QUANTITY_STEP):
        return _("A quantity has at most three decimals.")
    return ""
