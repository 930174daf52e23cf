"""What people do about lots: throw them away, and put a wrong date right."""

import datetime
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from foundation.errors import InvalidInput
from inventory.errors import EmptyLot, InsufficientStock, NothingExpired, Shortage
from inventory.locks import lock_levels, lock_lot
from inventory.lot_selectors import expired_lots
from inventory.models import Location, StockDocument, StockLot
from inventory.models.recipe import LONGEST_SHELF_LIFE_HOURS
from inventory.services.expiring import tell_gone
from inventory.services.lines import MOST_LINES, StockLine, quantity_fault
from inventory.services.stock import write_off_stock

SPOILAGE = StockDocument.WriteOffReason.SPOILAGE
FARTHEST = datetime.timedelta(hours=LONGEST_SHELF_LIFE_HOURS)
CODE_LENGTH = 60


@transaction.atomic
def write_off_lot(
    *,
    lot_id: int,
    quantity: Decimal | None = None,
    reason: str = SPOILAGE,
    comment: str = "",
    created_by_id: int | None,
    at: datetime.datetime | None = None,
) -> StockDocument:
    """Throws away a lot, or `quantity` of it in the base unit. It leaves at the average cost of its level.

    Raises UnknownLot, EmptyLot, InsufficientStock, ClosedLocation, InvalidInput.
    """
    lot = lock_lot(lot_id)
    if not lot.quantity:
        raise EmptyLot(lot.ingredient.name)
    quantity = lot.quantity if quantity is None else quantity
    if fault := quantity_fault(quantity):
        raise InvalidInput.at("quantity", fault)
    if quantity > lot.quantity:
        ingredient = lot.ingredient
        raise InsufficientStock([Shortage(ingredient.pk, ingredient.name, quantity, lot.quantity, ingredient.unit)])
    document = write_off_stock(
        location=lot.location,
        lines=[StockLine(lot.ingredient_id, quantity, lot_id=lot.pk)],
        reason=reason,
        comment=comment,
        created_by_id=created_by_id,
        at=at,
    )
    if quantity == lot.quantity:
        tell_gone([lot.pk])
    return document


@transaction.atomic
def write_off_expired(
    *, location: Location, comment: str = "", created_by_id: int | None, at: datetime.datetime | None = None
) -> StockDocument:
    """Throws away everything at the location that has expired, in one document (of at most 1,000 lots, those that
    expired first).

    Raises NothingExpired, ClosedLocation.
    """
    moment = at or timezone.now()
    lots = expired_lots(location=location, at=moment).order_by("expires_at", "id")
    lock_levels(location_ids=[location.pk], ingredient_ids=set(lots.order_by().values_list("ingredient_id", flat=True)))
    # Read again: somebody may have thrown one away while we waited for the locks.
    found = list(lots[:MOST_LINES])
    if not found:
        raise NothingExpired(location.name)
    document = write_off_stock(
        location=location,
        lines=[StockLine(lot.ingredient_id, lot.quantity, lot_id=lot.pk) for lot in found],
        reason=SPOILAGE,
        comment=comment,
        created_by_id=created_by_id,
        at=moment,
    )
    tell_gone([lot.pk for lot in found])
    return document


@transaction.atomic
def change_lot(*, lot_id: int, changes: Mapping[str, Any], at: datetime.datetime | None = None) -> StockLot:
    """Puts right what was written down wrong of a lot: `expires_at` (None: unknown) and `code`.

    Where there is a lot with that date and code already, the two become one, and the answer is that one; the sum of
    the lots stays. Otherwise the lot keeps its id and its history. Raises UnknownLot, EmptyLot, InvalidInput.
    """
    lot = lock_lot(lot_id)
    expires_at = changes.get("expires_at", lot.expires_at)
    code = changes.get("code", lot.code).strip()
    now = at or timezone.now()
    if expires_at is not None and expires_at != lot.expires_at and abs(expires_at - now) > FARTHEST:
        raise InvalidInput.at("expires_at", _("This date is more than ten years away. Check it."))
    if len(code) > CODE_LENGTH:
        raise InvalidInput.at("code", _("A lot code has at most %(most)d characters.") % {"most": CODE_LENGTH})
    if not lot.quantity:
        raise EmptyLot(lot.ingredient.name)
    if (expires_at, code) == (lot.expires_at, lot.code):
        return lot
    same = StockLot.objects.filter(
        location=lot.location_id, ingredient=lot.ingredient_id, expires_at=expires_at, code=code
    )
    if same.update(quantity=F("quantity") + lot.quantity):
        lot.quantity = Decimal(0)
        lot.save(update_fields=["quantity"])
    else:
        lot.expires_at, lot.code = expires_at, code
        lot.save(update_fields=["expires_at", "code"])
    tell_gone([lot_id])
    return same.select_related("ingredient", "location").get()
