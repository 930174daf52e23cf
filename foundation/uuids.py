"""Keys that are unique without asking anybody, and sort by the moment at which they were made."""

import datetime
import os
import time
import uuid


def uuid7() -> uuid.UUID:
    """A UUID of version 7: 48 bits of milliseconds since 1970, the rest random.

    Rows with such keys lie in the index in the order in which they came: a list newest first reads its end.
    Source: RFC 9562, section 5.7. Python has one of its own from 3.14 on.
    """
    value = int.from_bytes(os.urandom(10), "big") | time.time_ns() // 1_000_000 << 80
    value = value & ~(0xF << 76) | 0x7 << 76
    return uuid.UUID(int=value & ~(0x3 << 62) | 0x2 << 62)


def first_uuid7_at(moment: datetime.datetime) -> uuid.UUID:
    """The lowest key that can be made at this moment: `id__gte=` it finds what came since, by the key's own index."""
    return uuid.UUID(int=int(moment.timestamp() * 1000) << 80 | 0x7 << 76 | 0x2 << 62)
