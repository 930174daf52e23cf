"""What people do to the stock: receive it, write it off, carry it from one location to another."""

import datetime
from collections.abc import Sequence
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from foundation.errors import InvalidInput
from inventory.locks import lock_level, lock_levels
from inventory.models import Location, StockDocument, StockLevel, StockMovement
from inventory.services.ledger import Movement, open_levels, post_movements
from inventory.services.lines import (
    StockLine,
    check_lines,
    check_lots,
    check_open,
    quantity_fault,
    refuse_if_lots_are_short,
)
from inventory.services.lots import LotKey, open_lots
from inventory.services.low_stock import WatchedLevel, tell_low, tell_recovered
from inventory.services.receipts import Incoming, expiries_of, post_receipt

Reason = StockMovement.Reason


@transaction.atomic
def receive_stock(
    *,
    location: Location,
    lines: Sequence[StockLine],
    comment: str = "",
    created_by_id: int | None,
    at: datetime.datetime | None = None,
) -> StockDocument:
    """Puts ingredients on the shelves of an open location. A known cost moves the average cost.

    Raises ClosedLocation, UnknownIngredient, InvalidInput.
    """
    check_open(location)
    ingredients = check_lines(lines)
    came_at = at or timezone.now()
    expiries = expiries_of(lines, ingredients=ingredients, location=location, at=came_at)
    document = StockDocument.objects.create(
        kind=StockDocument.Kind.RECEIPT,
        location=location,
        comment=comment,
        created_by_id=created_by_id,
        created_at=came_at,
    )
    post_receipt(
        document=document,
        incoming=[
            Incoming(
                line.ingredient_id,
                line.quantity,
                line_id=str(place),
                unit_cost=line.unit_cost,
                value=line.value,
                expires_at=expires_at,
                lot_code=line.lot_code,
            )
            for place, (line, expires_at) in enumerate(zip(lines, expiries, strict=True), start=1)
        ],
        created_by_id=created_by_id,
        comment=comment,
    )
    return document


@transaction.atomic
def write_off_stock(
    *,
    location: Location,
    lines: Sequence[StockLine],
    reason: str,
    comment: str = "",
    created_by_id: int | None,
    at: datetime.datetime | None = None,
) -> StockDocument:
    """Takes spoiled, broken, tasted or mistaken ingredients off the shelves: from the lot that a line names, else
    what expires first.

    Raises InsufficientStock, ClosedLocation, UnknownIngredient, InvalidInput.
    """
    check_open(location)
    if reason not in StockDocument.WriteOffReason.values:
        raise InvalidInput.at(
            "reason", _("Say why: %(reasons)s.") % {"reasons": ", ".join(StockDocument.WriteOffReason.values)}
        )
    check_lines(lines)
    check_lots(location, lines)
    if any(line.lot_id is not None for line in lines):
        lock_levels(location_ids=[location.pk], ingredient_ids={line.ingredient_id for line in lines})
        refuse_if_lots_are_short(lines)
    document = StockDocument.objects.create(
        kind=StockDocument.Kind.WRITE_OFF,
        location=location,
        reason=reason,
        comment=comment,
        created_by_id=created_by_id,
        created_at=at or timezone.now(),
    )
    post_movements(
        movements=[
            Movement(
                location.pk,
                line.ingredient_id,
                -line.quantity,
                Reason.WRITE_OFF,
                str(document.pk),
                line_id=str(place),
                lot_id=line.lot_id,
            )
            for place, line in enumerate(lines, start=1)
        ],
        document_type=document.kind,
        created_by_id=created_by_id,
        comment=comment,
        at=document.created_at,
    )
    return document


@transaction.atomic
def transfer_stock(
    *,
    source: Location,
    destination: Location,
    lines: Sequence[StockLine],
    comment: str = "",
    created_by_id: int | None,
    at: datetime.datetime | None = None,
) -> StockDocument:
    """Carries ingredients from one open location to another, with the cost they have at the source.

    Raises InsufficientStock, ClosedLocation, UnknownIngredient, InvalidInput.
    """
    if source.pk == destination.pk:
        raise InvalidInput.at("destination", _("Choose another location: this one is the source."))
    check_open(source)
    check_open(destination)
    check_lines(lines)
    check_lots(source, lines)
    document = StockDocument.objects.create(
        kind=StockDocument.Kind.TRANSFER,
        location=source,
        destination=destination,
        comment=comment,
        created_by_id=created_by_id,
        created_at=at or timezone.now(),
    )
    wanted = {line.ingredient_id for line in lines}
    open_levels(pairs=[(destination.pk, ingredient_id) for ingredient_id in wanted])
    lock_levels(location_ids=[source.pk, destination.pk], ingredient_ids=wanted)
    refuse_if_lots_are_short(lines)

    def post(movements: Sequence[Movement]) -> None:
        post_movements(
            movements=movements,
            document_type=document.kind,
            created_by_id=created_by_id,
            comment=comment,
            at=document.created_at,
        )

    post(
        [
            Movement(
                source.pk,
                line.ingredient_id,
                -line.quantity,
                Reason.TRANSFER,
                str(document.pk),
                line_id=str(place),
                lot_id=line.lot_id,
            )
            for place, line in enumerate(lines, start=1)
        ]
    )
    # What has left is what arrives: of the same lots, and worth the same to the last digit.
    left = list(
        StockMovement.objects.filter(document_type=document.kind, document_id=str(document.pk))
        .select_related("lot")
        .order_by("id")
    )
    lots = open_lots(wanted=[key for one in left if (key := lot_key(destination, one))])
    post(
        [
            Movement(
                destination.pk,
                one.ingredient_id,
                -one.delta,
                Reason.TRANSFER,
                str(document.pk),
                line_id=one.line_id,
                value=-one.value,
                lot_id=lots[key] if (key := lot_key(destination, one)) else None,
            )
            for one in left
        ]
    )
    return document


def lot_key(location: Location, movement: StockMovement) -> LotKey | None:
    """The lot at `location` with the date and the code of the one that a movement took from, if it took from one."""
    if movement.lot is None:
        return None
    return LotKey(location.pk, movement.ingredient_id, movement.lot.expires_at, movement.lot.code)


@transaction.atomic
def set_minimum(*, level_id: int, minimum: Decimal) -> StockLevel:
    """Sets below which quantity an ingredient counts as low. The quantity itself is never set.

    What is low by the new minimum, and was not by the old one, is told, and the other way round.
    Raises UnknownLevel, InvalidInput.
    """
    if not minimum.is_finite() or minimum < 0:
        raise InvalidInput.at("minimum", _("The minimum can't be below 0."))
    if minimum and (fault := quantity_fault(minimum)):
        raise InvalidInput.at("minimum", fault)
    level = lock_level(level_id)
    was_low = level.is_low
    level.minimum = minimum
    level.save(update_fields=["minimum"])
    watched = WatchedLevel(level.location_id, level.ingredient_id, level.quantity, minimum)
    if level.is_low and not was_low:
        tell_low([watched])
    if was_low and not level.is_low:
        tell_recovered([watched])
    return level
