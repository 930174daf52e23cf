"""Saying that an ingredient is low, once, and taking it back when it is there again.

Both are written in the transaction that changed the level: a sale that is rolled back has said nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import F
from django.utils.translation import gettext as _

from foundation.decimals import plain
from inventory.models import StockLevel
from monitoring.services.alerts import AlertText, notify_many, resolve

LOW_STOCK = "inventory.low_stock"


@dataclass(frozen=True, slots=True)
class WatchedLevel:
    """A level after a change: its quantity and its minimum, in the ingredient's base unit."""

    location_id: int
    ingredient_id: int
    quantity: Decimal
    minimum: Decimal

    @property
    def subject(self) -> str:
        """What the alert is about: there is one open alert of a level."""
        return f"{self.location_id}:{self.ingredient_id}"


def tell_low(levels: Sequence[WatchedLevel]) -> None:
    """Raises the alert of each of these levels, which have just come to be below their minimum."""
    if not levels:
        return
    rows = StockLevel.objects.filter(
        location_id__in={one.location_id for one in levels}, ingredient_id__in={one.ingredient_id for one in levels}
    )
    names = {
        (row["location_id"], row["ingredient_id"]): row
        for row in rows.order_by().values(
            "location_id",
            "ingredient_id",
            place=F("location__name"),
            name=F("ingredient__name"),
            unit=F("ingredient__unit"),
        )
    }
    notify_many(
        event=LOW_STOCK,
        alerts=[
            AlertText(
                subject=level.subject,
                message=low_sentence(details),
                details=details,
            )
            for level in levels
            for details in [details_of(level, names[level.location_id, level.ingredient_id])]
        ],
    )


def details_of(level: WatchedLevel, names: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "location": level.location_id,
        "place": names["place"],
        "ingredient": level.ingredient_id,
        "name": names["name"],
        "unit": names["unit"],
        "quantity": plain(level.quantity),
        "minimum": plain(level.minimum),
    }


def low_sentence(details: Mapping[str, Any]) -> str:
    """What such an alert says, in the reader's language; KeyError if the details do not tell."""
    sentence = _("%(name)s at %(place)s is low: %(quantity)s %(unit)s left, the minimum is %(minimum)s %(unit)s.")
    return sentence % {**details, "unit": _(details["unit"])}


def tell_recovered(levels: Sequence[WatchedLevel]) -> None:
    """Closes the alerts of these levels, which are no longer below their minimum."""
    if levels:
        resolve(event=LOW_STOCK, subjects=[level.subject for level in levels])
