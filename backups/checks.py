"""Django's system checks of backups."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register

from backups.engine.place import places_of_the_shop
from backups.engine.sealing import Key, keys_of_the_shop
from backups.errors import PlaceFailed, WrongKey


@register
def places(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """backups.W001, W002: a place or a key that would fail at the first copy. No errors: those would stop a restore."""
    found: list[CheckMessage] = []
    try:
        names = [place.name for place in places_of_the_shop()]
        if len(set(names)) < len(names):
            found.append(Warning("BACKUP_PLACES names a place twice.", id="backups.W001"))
    except PlaceFailed as error:
        found.append(Warning(str(error), id="backups.W001"))
    try:
        if settings.BACKUP_PLACES:
            keys_of_the_shop()
        for text in settings.BACKUP_KEYS:
            Key.from_text(text)
    except WrongKey as error:
        found.append(Warning(str(error), id="backups.W002"))
    return found
