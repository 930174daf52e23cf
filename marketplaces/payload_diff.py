"""What differs between two versions of an order, as its marketplace told them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MOST_DIFFERENCES = 50
LONGEST_VALUE = 200
ABSENT = object()


@dataclass(frozen=True, slots=True)
class Difference:
    """A place in the JSON ("lineItems[0].quantity") that was `was` and is `now`; "" for what is not there."""

    path: str
    was: str
    now: str


def differences(before: Any, after: Any) -> list[Difference]:
    """Where the two differ, in the order of the later one, the first MOST_DIFFERENCES of them."""
    found: list[Difference] = []
    for difference in walk("", before, after):
        found.append(difference)
        if len(found) == MOST_DIFFERENCES:
            break
    return found


def walk(path: str, before: Any, after: Any) -> Iterator[Difference]:
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for name in [*after, *(name for name in before if name not in after)]:
            yield from walk(f"{path}.{name}" if path else name, before.get(name, ABSENT), after.get(name, ABSENT))
    elif isinstance(before, list) and isinstance(after, list):
        for place in range(max(len(before), len(after))):
            yield from walk(f"{path}[{place}]", item_at(before, place), item_at(after, place))
    else:
        yield Difference(path, shown(before), shown(after))


def item_at(items: list[Any], place: int) -> Any:
    return items[place] if place < len(items) else ABSENT


def shown(value: Any) -> str:
    """A value in a table: short, and not the whole of what lies below it."""
    if value is ABSENT:
        return ""
    if isinstance(value, dict | list):
        return "{…}" if isinstance(value, dict) else "[…]"
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
