"""Putting what came in on the shelves: what receipts of every kind have in common."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from foundation.errors import InvalidInput
from inventory.expiry import expiry_of
from inventory.locks import lock_levels
from inventory.models import Ingredient, Location, StockDocument, StockMovement
from inventory.services.ledger import Movement, open_levels, post_movements
from inventory.services.lines import StockLine
from inventory.services.lots import LotKey, open_lots


@dataclass(frozen=True, slots=True)
class Incoming:
    """So much of an ingredient came in, in its base unit. It cost `value` in all, else `unit_cost` each, else what is
    known already. `expires_at` and `lot_code` tell its lot; without either it has none, or the undated one."""

    ingredient_id: int
    quantity: Decimal
    line_id: str
    unit_cost: Decimal | None = None
    value: Decimal | None = None
    expires_at: datetime.datetime | None = None
    lot_code: str = ""

    @property
    def has_lot(self) -> bool:
        return self.expires_at is not None or bool(self.lot_code)

    def lot_key(self, location_id: int) -> LotKey:
        return LotKey(location_id, self.ingredient_id, self.expires_at, self.lot_code)


def post_receipt(
    *, document: StockDocument, incoming: Sequence[Incoming], created_by_id: int | None, comment: str = ""
) -> None:
    """Writes what came in with a receipt to the ledger, inside the caller's transaction. The same number of queries
    for one line and for many."""
    place = document.location_id
    ingredient_ids = {one.ingredient_id for one in incoming}
    open_levels(pairs=[(place, ingredient_id) for ingredient_id in ingredient_ids])
    lots: dict[LotKey, int] = {}
    if any(one.has_lot for one in incoming):
        lock_levels(location_ids=[place], ingredient_ids=ingredient_ids)
        lots = open_lots(wanted=[one.lot_key(place) for one in incoming if one.has_lot])
    post_movements(
        movements=[
            Movement(
                place,
                one.ingredient_id,
                one.quantity,
                StockMovement.Reason.RECEIPT,
                str(document.pk),
                line_id=one.line_id,
                unit_cost=one.unit_cost,
                value=one.value,
                lot_id=lots.get(one.lot_key(place)),
            )
            for one in incoming
        ],
        document_type=document.kind,
        created_by_id=created_by_id,
        comment=comment,
        at=document.created_at,
    )


def expiries_of(
    lines: Sequence[StockLine],
    *,
    ingredients: Mapping[int, Ingredient],
    location: Location,
    at: datetime.datetime,
) -> list[datetime.datetime | None]:
    """When what came in at the moment `at` expires, line by line.

    Raises InvalidInput at "lines[n].expires_on": an ingredient whose date matters comes without one, a date is given
    for one that has none, or what came in has expired already.
    """
    expiries: list[datetime.datetime | None] = []
    wrong: dict[str, list[str]] = {}
    for place, line in enumerate(lines):
        ingredient = ingredients[line.ingredient_id]
        sentence = ""
        try:
            expires_at = expiry_of(ingredient, location=location, since=at, expires_on=line.expires_on)
        except InvalidInput as refusal:
            wrong[f"lines[{place}].expires_on"] = [refusal.detail]
            continue
        if not ingredient.tracks_expiry and (line.expires_on is not None or line.lot_code):
            sentence = _("%(name)s has no expiry date. Switch it on at the ingredient first.")
        elif ingredient.tracks_expiry and expires_at is None:
            sentence = _("Say until when %(name)s keeps.")
        elif expires_at is not None and expires_at <= at:
            sentence = _("%(name)s has expired already. Do not accept it, or correct the date.")
        if sentence:
            wrong[f"lines[{place}].expires_on"] = [sentence % {"name": ingredient.name}]
        expiries.append(expires_at)
    if wrong:
        raise InvalidInput(_("Some lines are wrong."), errors=wrong)
    return expiries
