"""Django's system checks of the foundation."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ValidationError

from foundation.currencies import check_currency
from foundation.encryption import key_problems
from foundation.phone_regions import check_phone_region
from foundation.time_zones import check_time_zone


@register
def encryption_keys(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """foundation.E001: a key of FIELD_ENCRYPTION_KEYS that would fail at the first encrypted value."""
    hint = "Make a key with `manage.py new_encryption_key`."
    return [
        Error(problem, hint=hint, id="foundation.E001")
        for problem in key_problems(tuple(settings.FIELD_ENCRYPTION_KEYS))
    ]


@register
def new_shop(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """foundation.E002: a variable that a new shop can't start from."""
    found: list[CheckMessage] = []
    for name, check in (
        ("CURRENCY", check_currency),
        ("TIME_ZONE", check_time_zone),
        ("PHONE_REGION", check_phone_region),
    ):
        try:
            check(getattr(settings, name))
        except ValidationError as error:
            found.append(Error(f"{name}: {' '.join(error.messages)}", id="foundation.E002"))
    return found
