"""When a step that failed is tried again."""

import datetime
import random

MOST_ATTEMPTS = 8
FIRST = datetime.timedelta(minutes=1)
LONGEST = datetime.timedelta(hours=1)
AFTER_TIMEOUT = datetime.timedelta(minutes=10)
AFTER_DATABASE_ERROR = datetime.timedelta(minutes=5)
# An answer that did not come in time is waited for longer the next time, in seconds.
MORE_PATIENCE = 90.0
# Operations that failed together shall not come back together.
SPREAD = 0.2

TIMEOUT, DATABASE = "timeout", "database"


def delay_after(kind: str, *, attempts: int) -> datetime.timedelta:
    """How long to wait after the `attempts`-th failure in a row, of this kind: 1, 2, 4 … minutes up to an hour, and
    longer at once where soon is no use; up to a fifth more or less."""
    if kind == TIMEOUT:
        base = AFTER_TIMEOUT
    elif kind == DATABASE:
        base = AFTER_DATABASE_ERROR
    else:
        base = min(FIRST * 2 ** (attempts - 1), LONGEST)
    return base * random.uniform(1 - SPREAD, 1 + SPREAD)  # noqa: S311 - it spreads, nobody has to guess it
