"""Names of time zones, as the IANA database has them."""

import zoneinfo

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

# Names that mean something else on another machine, or nothing.
NO_PLACE = frozenset({"localtime", "Factory"})


def check_time_zone(name: str) -> None:
    """Refuses a name that the IANA time zone database does not know."""
    if name in NO_PLACE or name not in zoneinfo.available_timezones():
        raise ValidationError(
            _("“%(name)s” is not a time zone. Examples: Europe/Warsaw, Asia/Bangkok."), params={"name": name}
        )
