"""Saying that a lot expires soon, and once more when it has; taking it back when it is gone."""

import datetime
from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction
from django.db.models import DurationField, ExpressionWrapper, F, QuerySet, Value
from django.db.models.functions import Coalesce, Least
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from foundation.decimals import plain
from foundation.moments import day_and_time
from inventory.lot_selectors import lots_in_stock
from inventory.models import StockLot
from monitoring.services.alerts import AlertText, resolve
from monitoring.services.standing import tell_what_stands

EXPIRING = "inventory.expiring"
SOON = datetime.timedelta(hours=24)
# What keeps for a morning would otherwise be told of as soon as it is made.
LAST_PART = 4


@transaction.atomic
def tell_expiring(*, at: datetime.datetime | None = None) -> int:
    """Raises an alert of each lot that expires soon or has expired, closes those of lots that are gone, and says how
    many there are now. Running it again says nothing new.

    Soon is within 24 hours, or within the last quarter of the ingredient's shelf life where that is less.
    """
    now = at or timezone.now()
    found = {str(lot.pk): details_of(lot, now) for lot in lots_expiring_soon(now)}
    tell_what_stands(
        event=EXPIRING,
        alerts=[AlertText(subject, expiring_sentence(details), details) for subject, details in found.items()],
        tells_changes=True,
    )
    return len(found)


def tell_gone(lot_ids: Collection[int]) -> None:
    """Closes the alerts of these lots: nothing is left of them, or their date was wrong."""
    resolve(event=EXPIRING, subjects=[str(lot_id) for lot_id in lot_ids])


def lots_expiring_soon(at: datetime.datetime) -> QuerySet[StockLot]:
    """The lots at open locations that people should be told of at the moment `at`."""
    last_part = ExpressionWrapper(
        F("ingredient__shelf_life_hours") * Value(datetime.timedelta(hours=1) / LAST_PART),
        output_field=DurationField(),
    )
    return lots_in_stock().filter(expires_at__lte=Value(at) + Least(Value(SOON), Coalesce(last_part, Value(SOON))))


def details_of(lot: StockLot, at: datetime.datetime) -> dict[str, Any]:
    return {
        "lot": lot.pk,
        "location": lot.location_id,
        "place": lot.location.name,
        "time_zone": lot.location.time_zone,
        "ingredient": lot.ingredient_id,
        "name": lot.ingredient.name,
        "quantity": plain(lot.quantity),
        "unit": lot.ingredient.unit,
        "expires_at": lot.expires_at.isoformat() if lot.expires_at else "",
        "has_expired": lot.is_expired(at),
    }


def expiring_sentence(details: Mapping[str, Any]) -> str:
    """What such an alert says, in the reader's language; KeyError if the details do not tell."""
    moment = parse_datetime(details["expires_at"])
    values = {
        "name": details["name"],
        "quantity": details["quantity"],
        "unit": _(details["unit"]),
        "place": details["place"],
        "when": day_and_time(moment, details["time_zone"]) if moment else "",
    }
    if details["has_expired"]:
        return _("%(name)s at %(place)s expired on %(when)s: throw away %(quantity)s %(unit)s.") % values
    return _("%(name)s at %(place)s expires on %(when)s: %(quantity)s %(unit)s left.") % values
