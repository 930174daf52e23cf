"""What is asked about a restore: what is left of it, and what came in since it was compared with the running shop."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from backups.models import RestoreRun
from orders.models import Order

MOST = 100


@dataclass(frozen=True, slots=True)
class Left:
    """What a restore has left to decide about: a shop that was restored beside, or the `database` that another one took
    the place of. `until` it is kept; None if there never was any."""

    is_there: bool = False
    until: datetime.datetime | None = None
    database: str = ""


@dataclass(frozen=True, slots=True)
class CameIn:
    """Orders that nobody has seen in a comparison yet, the newest first and at most a hundred of `number`."""

    orders: Sequence[Order] = ()
    number: int = 0


def left_of(run: RestoreRun) -> Left:
    """Two questions to the database at most."""
    kept_for = datetime.timedelta(days=settings.BACKUP_KEPT_DAYS)
    if run.status != RestoreRun.Status.DONE or run.ended_at is None:
        return Left()
    until = run.ended_at + kept_for
    if run.kind == RestoreRun.Kind.RECOVER:
        if database := run.result.get("database"):
            return Left(is_database(database), until, database)
        discarded = RestoreRun.objects.filter(
            kind=RestoreRun.Kind.DISCARD, status=RestoreRun.Status.DONE, result__recovery=str(run.pk)
        )
        # The next tidying throws it away.
        return Left(until > timezone.now() and not discarded.exists(), until)
    if kept := run.result.get("kept"):
        swapped_at = parse_datetime(run.result.get("at") or "") or run.ended_at
        return Left(is_database(kept), swapped_at + kept_for, kept)
    return Left()


def is_database(name: str) -> bool:
    """Whether the server that the shop is on has a database of this name."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_database WHERE datname = %s)", [name])
        return bool(cursor.fetchall()[0][0])


def came_in_since(comparison: dict[str, Any]) -> CameIn:
    """The orders of the running shop that are in no part of the comparison: while somebody looks at it, the shop goes
    on selling."""
    moment = parse_datetime(comparison.get("moment") or "")
    if not comparison.get("is_running") or moment is None:
        return CameIn()
    listed = [order["number"] for order in comparison.get("orders_since", [])]
    found = Order.objects.filter(placed_at__gt=moment).exclude(number__in=listed)
    if comparison.get("orders_since_number", 0) > len(listed):
        # The oldest of those since are counted there and not listed.
        found = found.filter(number__gt=max(listed))
    orders = list(found.order_by("-number")[: MOST + 1])
    return CameIn(orders[:MOST], len(orders) if len(orders) <= MOST else found.count())
