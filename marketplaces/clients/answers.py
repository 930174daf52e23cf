"""Reading what a marketplace answered: nothing is used that has not been looked at."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from marketplaces.errors import BadAnswer

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, the JSON (None for an empty body) and the headers (any case)."""

    status: int
    data: Any
    headers: Mapping[str, str]


def need(data: Any, path: str, kind: type[T]) -> T:
    """The value at "a.b" or "a.0.b" of an answer, as `kind`: str, int, bool, Decimal, datetime, dict, list.

    A whole number may also come as text ("3"), an amount as text or number. Raises BadAnswer, which names the path,
    where it is missing, null or something else.
    """
    found = optional(data, path, kind)
    if found is None:
        raise BadAnswer(_("The answer has no “%(path)s”.") % {"path": path})
    return found


def optional(data: Any, path: str, kind: type[T]) -> T | None:
    """Like `need`, but None where it is missing or null. Raises BadAnswer where it is of another kind."""
    value = data
    for step in path.split(".") if "." in path else (path,):
        # JSON knows no other kinds; asking for Mapping and Sequence takes five times as long, a million times over.
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal():
            value = value[int(step)] if int(step) < len(value) else None
        elif value is not None:
            raise BadAnswer(_("The answer's “%(path)s” can't be reached.") % {"path": path})
        if value is None:
            return None
    read = read_as(value, kind)
    if read is None:
        raise BadAnswer(
            _("The answer's “%(path)s” is %(found)s instead of %(kind)s.")
            % {"path": path, "found": type(value).__name__, "kind": kind.__name__}
        )
    return read


def read_as(value: Any, kind: type[Any]) -> Any:
    """The value as `kind`, or None if it is none."""
    if type(value) is kind:
        return value
    if kind is int and isinstance(value, str):
        digits = value.removeprefix("-")
        return int(value) if digits.isascii() and digits.isdecimal() and len(digits) < 20 else None
    if isinstance(value, bool):
        return value if kind is bool else None
    if kind is Decimal and isinstance(value, int | float | str):
        return as_decimal(value)
    if kind is datetime.datetime and isinstance(value, str):
        return as_moment(value)
    return value if isinstance(value, kind) else None


def as_decimal(value: float | str) -> Decimal | None:
    # By way of its text: 12.1 is then 12.1, and not 12.0999999999999996447.
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def as_moment(value: str) -> datetime.datetime | None:
    """An ISO moment; one that names no zone is UTC."""
    try:
        moment = parse_datetime(value)
    except ValueError:
        return None
    if moment is None:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
