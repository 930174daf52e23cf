"""Keys that are unique without asking anybody, and sort by the moment at which they were made."""

import datetime
import os
import time
import uuid

NANOSECONDS_OF_A_MILLISECOND = 1_000_000
VERSION, VARIANT = 0x7 << 76, 0x2 << 62


def uuid7() -> uuid.UUID:
    """A UUID of version 7: 48 bits of milliseconds since 1970, 12 bits of the fraction of the millisecond, 62 random.

    Rows with such keys lie in the index in the order in which they came: a list newest first reads its end.
    Source: RFC 9562, section 5.7, and section 6.2, method 3, for the fraction. Python has one of its own from 3.14 on.
    """
    milliseconds, rest = divmod(time.time_ns(), NANOSECONDS_OF_A_MILLISECOND)
    fraction = rest * 4096 // NANOSECONDS_OF_A_MILLISECOND
    random = int.from_bytes(os.urandom(8), "big") >> 2
    return uuid.UUID(int=milliseconds << 80 | VERSION | fraction << 64 | VARIANT | random)


def first_uuid7_at(moment: datetime.datetime) -> uuid.UUID:
    """The lowest key that can be made at this moment: `id__gte=` it finds what came since, by the key's own index."""
    return uuid.UUID(int=int(moment.timestamp() * 1000) << 80 | VERSION | VARIANT)
