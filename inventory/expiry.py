"""Until when things keep."""

import datetime

from django.utils.translation import gettext as _

from foundation.errors import InvalidInput
from inventory.models import Ingredient, Location

# Nothing in a store room keeps from or until another millennium, and calendars end at the year 9999.
EARLIEST, LATEST = datetime.date(1900, 1, 1), datetime.date(2999, 12, 31)


def end_of_day(location: Location, day: datetime.date) -> datetime.datetime:
    """The first moment after the location's `day`: what is good "until 14 March" may be sold all of that day.

    Raises InvalidInput at "expires_on" for a day that nobody can mean.
    """
    if not EARLIEST <= day <= LATEST:
        raise InvalidInput.at("expires_on", _("Look at the date again: %(day)s can't be meant.") % {"day": day})
    return location.day_bounds(day)[1]


def expiry_of(
    ingredient: Ingredient,
    *,
    location: Location,
    since: datetime.datetime,
    expires_on: datetime.date | None = None,
) -> datetime.datetime | None:
    """From when on an ingredient that was received or made at `since` may not be sold any more.

    The date on the pack decides (its last good day at the location), else the ingredient's shelf life. None if the
    ingredient has no expiry date, or neither is known.
    """
    if not ingredient.tracks_expiry:
        return None
    if expires_on is not None:
        return end_of_day(location, expires_on)
    if ingredient.shelf_life_hours is not None:
        return since + datetime.timedelta(hours=ingredient.shelf_life_hours)
    return None
