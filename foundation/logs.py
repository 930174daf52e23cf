"""The masking of log lines. Knows nothing of Django: the settings import it."""

from collections.abc import Mapping, MutableMapping
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from decimal import Decimal
from typing import Any
from uuid import UUID

from foundation.masking import LONGEST_TEXT, MASK, mask_text, personal_name, sensitive_name, tells_of_a_secret

__all__ = ["LONGEST_TEXT", "MASK", "mask_secrets", "mask_text"]

DEEPEST = 8
MOST_ITEMS = 1000
# Shorter ones are no card numbers.
LONG_NUMBER = 10**13
HARMLESS_TYPES = (bool, int, float, Decimal, datetime, date, time_of_day, timedelta, UUID, type(None))
# Where the name of a header or of a field stands, beside its value.
NAMES, VALUES = ("name", "key", "header", "field"), ("value", "val")


def mask_secrets(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The last processor before the renderer: replaces secrets and what says who somebody is by [masked].

    Values are masked whole if their name says what they are, and by their look in any text, the text of an exception
    included. Names that begin with "_" belong to structlog.
    """
    for name, value in event.items():
        if not name.startswith("_"):
            try:
                event[name] = masked(name, value)
            except Exception:
                event[name] = MASK
    return event


def masked(name: str, value: Any, depth: int = 0) -> Any:
    """The value as it may be shown under this name: plain types, ready for JSON."""
    if value is None or isinstance(value, bool):
        return value
    if sensitive_name.search(name):
        return MASK
    if personal_name.search(name) and isinstance(value, str | bytes | int | date):
        return MASK
    if isinstance(value, int) and abs(value) >= LONG_NUMBER and MASK in mask_text(str(value)):
        return MASK
    if isinstance(value, HARMLESS_TYPES):
        return value
    if isinstance(value, str):
        return mask_text(value)
    if depth < DEEPEST:
        if isinstance(value, Mapping):
            return masked_mapping(value, depth + 1)
        if isinstance(value, list | tuple | set | frozenset):
            return masked_items(name, value, depth + 1)
    if isinstance(value, bytes | bytearray | memoryview):
        return mask_text(bytes(value).decode(errors="replace"))
    return mask_text(repr(value))


def masked_mapping(value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    shown = {mask_text(str(key)): masked(str(key), value[key], depth) for key in list(value)[:MOST_ITEMS]}
    # {"name": "Authorization", "value": …}
    names = [str(value[key]) for key in NAMES if key in value]
    if any(map(tells_of_a_secret, names)):
        shown |= {key: MASK for key in VALUES if key in value}
    return shown


def masked_items(name: str, value: Any, depth: int) -> list[Any]:
    items = list(value)
    # ("Authorization", …)
    if len(items) == 2 and isinstance(items[0], str | bytes):
        first = items[0] if isinstance(items[0], str) else items[0].decode(errors="replace")
        if len(first) < 100 and tells_of_a_secret(first):
            return [mask_text(first), MASK]
    shown = [masked(name, item, depth) for item in items[:MOST_ITEMS]]
    return [*shown, f"… ({len(items)})"] if len(items) > MOST_ITEMS else shown
