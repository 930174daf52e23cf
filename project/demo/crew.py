"""A shop of the demo and its people."""

from collections.abc import Sequence
from dataclasses import dataclass

from inventory.models import Location
from orders.models import Employee


@dataclass(frozen=True, slots=True)
class Crew:
    """`user_id` is whose hand is in the records."""

    location: Location
    workers: Sequence[Employee]
    user_id: int
