"""The countries whose way of writing phone numbers the shop can read."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from phonenumbers import SUPPORTED_REGIONS, country_code_for_region

PHONE_REGIONS = tuple(sorted(SUPPORTED_REGIONS))


def check_phone_region(code: str) -> None:
    """Refuses what is not the two letters of a country with phone numbers."""
    if code not in SUPPORTED_REGIONS:
        raise ValidationError(
            _("“%(code)s” is not a country. Use its two letters, for example PL or TH."), params={"code": code}
        )


def calling_code(region: str) -> str:
    """What stands before a country's numbers: +66."""
    return f"+{country_code_for_region(region)}"
