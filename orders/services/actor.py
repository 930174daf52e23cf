"""Who does something, and through which door: what every event of an order keeps."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """`user_id` is None for the shop itself; `door` is one of `OrderEvent.Door`."""

    user_id: int | None
    door: str
