"""Setting up how the shop thanks those who come back."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from foundation.errors import InvalidInput
from foundation.services.records import change_record
from orders.models import LoyaltyProgram
from orders.services.points import MOST_POINTS

LONGEST_LIFE = 36_500


@transaction.atomic
def change_program(*, changes: Mapping[str, Any]) -> LoyaltyProgram:
    """Changes these settings of the programme and no others; sets it up if nobody has. Points that were given keep the
    day on which they expire. Raises InvalidInput at its fields."""
    if changes.get("points_days", 0) > LONGEST_LIFE:
        raise InvalidInput.at("points_days", _("At most a hundred years. Write 0 for points that never expire."))
    if changes.get("adjustment_limit", 0) > MOST_POINTS:
        raise InvalidInput.at("adjustment_limit", _("At most %(most)d points.") % {"most": MOST_POINTS})
    LoyaltyProgram.objects.get_or_create(pk=LoyaltyProgram.ID)
    return change_record(model=LoyaltyProgram, record_id=LoyaltyProgram.ID, changes=changes)
