"""What apps above keep of people: they register it in their `AppConfig.ready()`, and it is erased with the customer.

The list of who was erased is kept outside of the database across a restore: what an app adds to it must be JSON and
name nobody.
"""

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Contacts:
    """By what a person is found elsewhere: e-mail addresses in small letters, telephone numbers in E.164."""

    emails: frozenset[str]
    phones: frozenset[str]


@dataclass(frozen=True, slots=True)
class PersonalData:
    """Records of one kind that may hold a person's data.

    `erase(contacts, reason, user_id, at)` empties those of the person, in the caller's transaction. `repeat()` empties
    once more what a restore has brought back, and says how many. `erased()` is what is remembered of erasures, and
    `remember(entry)` takes one of these in, if it is not known; KeyError and ValueError for what is none.
    """

    name: str
    erase: Callable[[Contacts, str, int | None, datetime.datetime], object]
    repeat: Callable[[], int]
    erased: Callable[[], Sequence[Mapping[str, Any]]]
    remember: Callable[[Mapping[str, Any]], None]


_registered: dict[str, PersonalData] = {}


def register_personal_data(data: PersonalData) -> None:
    """Has these records erased with the customer. Each name once."""
    if data.name in _registered:
        raise ValueError(f"The personal data {data.name!r} are registered already.")
    _registered[data.name] = data


def personal_data(name: str) -> PersonalData:
    """Raises KeyError for a name that no app has registered."""
    return _registered[name]


def all_personal_data() -> list[PersonalData]:
    return [_registered[name] for name in sorted(_registered)]
