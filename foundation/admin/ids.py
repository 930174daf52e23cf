"""Row ids as they come from outside: anything may stand there."""

from typing import Any

LARGEST_ID = 2**63 - 1


def as_id(text: str | None) -> int | None:
    """The text as a row's id, None if it can't be one."""
    if text is None or not (text.isascii() and text.isdigit()) or len(text) > 19:
        return None
    number = int(text)
    return number if is_id(number) else None


def is_id(value: Any) -> bool:
    """Whether a value of JSON can be a row's id."""
    return is_whole(value) and 0 < value <= LARGEST_ID


def is_whole(value: Any) -> bool:
    """Whether a value of JSON is a whole number: neither 2.5 nor true."""
    return isinstance(value, int) and not isinstance(value, bool)
