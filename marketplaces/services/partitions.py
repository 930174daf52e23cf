"""The months of the table of sync runs: made ahead, and dropped whole when they are old.

A row whose month has no partition goes into the default one, so nothing fails if this is not done for long.
"""

import datetime
import re
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from marketplaces.models import SyncRun

TABLE = SyncRun._meta.db_table
DEFAULT = f"{TABLE}_default"
MONTHS_AHEAD = 2
KEPT_DAYS = 90
NAME = re.compile(rf"{TABLE}_y(\d{{4}})m(\d{{2}})")
# Whoever uses the table for longer than this is not waited for: tomorrow is another day.
PATIENCE = "5s"


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month in UTC."""

    year: int
    number: int

    @classmethod
    def of(cls, moment: datetime.datetime) -> "Month":
        moment = moment.astimezone(datetime.UTC)
        return cls(moment.year, moment.month)

    def plus(self, months: int) -> "Month":
        years, number = divmod(self.number - 1 + months, 12)
        return Month(self.year + years, number + 1)

    @property
    def start(self) -> datetime.datetime:
        return datetime.datetime(self.year, self.number, 1, tzinfo=datetime.UTC)

    @property
    def table(self) -> str:
        return f"{TABLE}_y{self.year}m{self.number:02}"


def ensure_partitions(*, now: datetime.datetime) -> list[str]:
    """Makes the partitions of this month and the next two that are lacking, moves the rows of those months there from
    the default partition, and returns the new ones' names. Two at once make each between them once."""
    this_month = Month.of(now)
    return [
        month.table for month in (this_month.plus(ahead) for ahead in range(MONTHS_AHEAD + 1)) if make_partition(month)
    ]


@transaction.atomic
def make_partition(month: Month) -> bool:
    """Whether it was lacking."""
    if month in existing_months():
        return False
    bounds = {"start": month.start, "end": month.plus(1).start}
    with connection.cursor() as cursor:
        take_turns(cursor)
        if month in existing_months():
            return False
        cursor.execute(f"CREATE TABLE {month.table} (LIKE {TABLE} INCLUDING ALL)")
        cursor.execute(
            f"WITH moved AS (DELETE FROM {DEFAULT} WHERE started_at >= %(start)s AND started_at < %(end)s RETURNING *)"  # noqa: S608 - names of our own
            f" INSERT INTO {month.table} SELECT * FROM moved",
            bounds,
        )
        cursor.execute(
            f"ALTER TABLE {TABLE} ATTACH PARTITION {month.table} FOR VALUES FROM (%(start)s) TO (%(end)s)", bounds
        )
    return True


def drop_old_partitions(*, now: datetime.datetime, days: int = KEPT_DAYS) -> list[str]:
    """Drops the months that ended more than `days` ago, deletes rows of the default partition that are as old, and
    returns the names of what was dropped."""
    before = now - datetime.timedelta(days=days)
    old = [month for month in existing_months() if month.plus(1).start <= before]
    for month in old:
        with transaction.atomic(), connection.cursor() as cursor:
            take_turns(cursor)
            cursor.execute(f"DROP TABLE IF EXISTS {month.table}")
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {DEFAULT} WHERE started_at < %s", [before])  # noqa: S608 - a name of our own
    return [month.table for month in old]


def take_turns(cursor: CursorWrapper) -> None:
    """One at a time changes the table's shape, and nobody writes into the default partition meanwhile."""
    cursor.execute(f"SET LOCAL lock_timeout = '{PATIENCE}'")
    cursor.execute(f"LOCK TABLE {DEFAULT} IN ACCESS EXCLUSIVE MODE")


def existing_months() -> list[Month]:
    """The months that have a partition, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT child.relname FROM pg_inherits JOIN pg_class AS child ON child.oid = inhrelid"
            " WHERE inhparent = %s::regclass",
            [TABLE],
        )
        names = [name for (name,) in cursor.fetchall()]
    found = (NAME.fullmatch(name) for name in names)
    return sorted(Month(int(match[1]), int(match[2])) for match in found if match)
