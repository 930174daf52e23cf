"""As many at once as a marketplace takes."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def parts_of(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of at most `size`."""
    waiting = iter(items)
    while part := list(islice(waiting, size)):
        yield part
