"""Django's system checks of the foundation."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from foundation.encryption import key_problems


@register
def encryption_keys(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """foundation.E001: a key of FIELD_ENCRYPTION_KEYS that would fail at the first encrypted value."""
    hint = "Make a key with `manage.py new_encryption_key`."
    return [
        Error(problem, hint=hint, id="foundation.E001")
        for problem in key_problems(tuple(settings.FIELD_ENCRYPTION_KEYS))
    ]
