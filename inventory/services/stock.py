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
from inventory.services.lines import StockLine, check_lines, check_open, quantity_fault
from inventory.services.low_stock import WatchedLevel, tell_low, tell_recovered

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
    check_lines(lines)
    document = StockDocument.objects.create(
        kind=StockDocument.Kind.RECEIPT,
        location=location,
        comment=comment,
        created_by_id=created_by_id,
        created_at=at or timezone.now(),
    )
    open_levels(pairs=[(location.pk, line.ingredient_id) for line in lines])
    post_movements(
        movements=[
            Movement(
                location.pk,
                line.ingredient_id,
                line.quantity,
                Reason.RECEIPT,
                str(document.pk),
                line_id=str(place),
                unit_cost=line.unit_cost,
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
def write_off_stock(
    *,
    location: Location,
    lines: Sequence[StockLine],
    reason: str,
    comment: str = "",
    created_by_id: int | None,
    at: datetime.datetime | None = None,
) -> StockDocument:
    """Takes spoiled, broken, tasted or mistaken ingredients off the shelves.

    Raises InsufficientStock, ClosedLocation, UnknownIngredient, InvalidInput.
    """
    check_open(location)
    if reason not in StockDocument.WriteOffReason.values:
        raise InvalidInput.at(
            "reason", _("Say why: %(reasons)s.") % {"reasons": ", ".join(StockDocument.WriteOffReason.values)}
        )
    check_lines(lines)
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
                location.pk, line.ingredient_id, -line.quantity, Reason.WRITE_OFF, str(document.pk), line_id=str(place)
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
    # The cost that travels is read under the lock, or a receipt in between would change it.
    levels = lock_levels(location_ids=[source.pk, destination.pk], ingredient_ids=wanted)
    costs = {level.ingredient_id: level.average_cost for level in levels if level.location_id == source.pk}
    movements = []
    for place, line in enumerate(lines, start=1):
        for location, delta in ((source, -line.quantity), (destination, line.quantity)):
            movements.append(
                Movement(
                    location.pk,
                    line.ingredient_id,
                    delta,
                    Reason.TRANSFER,
                    str(document.pk),
                    line_id=str(place),
                    unit_cost=costs.get(line.ingredient_id, Decimal(0)),
                )
            )
    post_movements(
        movements=movements,
        document_type=document.kind,
        created_by_id=created_by_id,
        comment=comment,
        at=document.created_at,
    )
    return document


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
