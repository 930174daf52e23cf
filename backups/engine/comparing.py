"""A recovered database beside the running one: what is in each, and what was written after the recovered moment."""

import contextlib
import datetime
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

import psycopg2.extensions
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from backups.engine.checking import Checked, check_shop
from backups.engine.counting import NO_TIMEOUTS, meanings, tables_of
from backups.engine.server import Server
from backups.errors import Interrupted, ServerGone

COMPARING = gettext_noop("comparing")
NEWEST = 10
MOST_ORDERS_SINCE = 500
ORDERS = "orders_order"
# Of a row that was added or changed after a moment; rows of long ago have no such time any more.
WRITTEN_SINCE = "pg_xact_commit_timestamp(xmin) > %s"
# Numbers are asked for in portions.
PORTION = 10_000
# Of a table that is not there: rows, and rows written.
NOTHING = (None, None)


@dataclass(frozen=True, slots=True)
class TableCount:
    """The rows of a table on both sides, None where it is not there. `written_since`: how many of the running one's
    were added or changed after the recovered moment; None where the server does not note when it commits."""

    name: str
    recovered: int | None
    running: int | None
    written_since: int | None = None


@dataclass(frozen=True, slots=True)
class OrderLine:
    """An order in a list."""

    number: int
    placed_at: datetime.datetime
    total: Decimal
    status: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a person sees before confirming.

    `moment`: up to which the recovered database goes. `is_running`: the other one could be asked, and what is said of
    it is known. `orders_since`: placed in the running one and not in the recovered one, the newest first and at most
    500 of `orders_since_number`, worth `orders_since_total`; `orders_changed_since`: in both, and changed in the
    running one after the moment. `checked` is about the recovered one.
    """

    moment: datetime.datetime | None
    is_running: bool
    tables: tuple[TableCount, ...]
    newest_recovered: tuple[OrderLine, ...]
    newest_running: tuple[OrderLine, ...]
    orders_since: tuple[OrderLine, ...]
    orders_since_number: int
    orders_since_total: Decimal
    orders_changed_since: int | None
    checked: Checked

    @property
    def differing(self) -> list[TableCount]:
        """The tables that are not the same on both sides, as far as that is known."""
        return [one for one in self.tables if one.recovered != one.running or one.written_since]

    def as_dict(self) -> dict[str, Any]:
        """For JSON: numbers of money as strings, moments in ISO 8601."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


def compare(
    recovered: Server,
    running: Server | None,
    *,
    moment: datetime.datetime | None = None,
    with_indexes: bool = False,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Comparison:
    """Sets both databases side by side, each as it is at one moment. Neither is changed.

    Args:
        running: None, or a server that does not answer, leaves its side out.
        moment: up to which the recovered one goes, `Beside.recovered_to`.
        with_indexes: compares the recovered one's indexes with their tables too, which reads everything once more.

    Raises ServerGone (the recovered one), Interrupted, BackupFailed.
    """
    checked = check_shop(recovered, with_indexes=with_indexes, is_stopped=is_stopped)
    with contextlib.ExitStack() as stack:
        left = stack.enter_context(reading(recovered, is_stopped))
        right = None
        if running is not None:
            with contextlib.suppress(ServerGone):
                right = stack.enter_context(reading(running, is_stopped))
        before = left.rows(since=None)
        after = right.rows(since=moment) if right is not None else {}
        since = orders_since(left, right, moment) if right is not None else OrdersSince()
        return Comparison(
            moment=moment,
            is_running=right is not None,
            tables=tuple(
                TableCount(name, before.get(name, NOTHING)[0], *after.get(name, NOTHING))
                for name in sorted(before.keys() | after.keys())
            ),
            newest_recovered=left.newest_orders(),
            newest_running=right.newest_orders() if right is not None else (),
            orders_since=since.newest,
            orders_since_number=since.number,
            orders_since_total=since.total,
            orders_changed_since=since.changed,
            checked=checked,
        )


@dataclass(frozen=True, slots=True)
class OrdersSince:
    """What was done to orders after the moment; see Comparison."""

    newest: tuple[OrderLine, ...] = ()
    number: int = 0
    total: Decimal = Decimal("0.00")
    changed: int | None = None


class Side:
    """One of the two databases, as it is at one moment."""

    def __init__(self, cursor: psycopg2.extensions.cursor, is_stopped: Callable[[], bool]) -> None:
        self.cursor, self.is_stopped = cursor, is_stopped
        cursor.execute(NO_TIMEOUTS)
        ((self.notes_commits, self.has_orders),) = self.ask(
            "SELECT current_setting('track_commit_timestamp')::bool, to_regclass(%s) IS NOT NULL", ORDERS
        )

    def ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        if self.is_stopped():
            raise Interrupted(_("It was stopped."))
        self.cursor.execute(query, values or None)
        return list(self.cursor.fetchall())

    def rows(self, *, since: datetime.datetime | None) -> dict[str, tuple[int, int | None]]:
        """{table: its rows, and how many of them were written after `since`}."""
        found: dict[str, tuple[int, int | None]] = {}
        for table in tables_of(self.cursor):
            source = table.quoted if table.is_partitioned else f"ONLY {table.quoted}"
            escaped = source.replace("%", "%%")
            if since is None or not self.notes_commits:
                ((number,),) = self.ask(f"SELECT count(*) FROM {source}")  # noqa: S608 - quoted by the server
                found[table.name] = number, None
            else:
                ((number, written),) = self.ask(
                    f"SELECT count(*), count(*) FILTER (WHERE {WRITTEN_SINCE}) FROM {escaped}",  # noqa: S608
                    since,
                )
                found[table.name] = number, written
        return found

    def numbers_among(self, numbers: list[int]) -> set[int]:
        """Which of these orders are there."""
        if not self.has_orders:
            return set()
        return {number for (number,) in self.ask(f"SELECT number FROM {ORDERS} WHERE number = ANY(%s)", numbers)}  # noqa: S608

    def newest_orders(self) -> tuple[OrderLine, ...]:
        return self.orders("ORDER BY id DESC LIMIT %s", NEWEST) if self.has_orders else ()

    def orders(self, which: str, *values: Any) -> tuple[OrderLine, ...]:
        rows = self.ask(f"SELECT number, placed_at, total, status FROM {ORDERS} {which}", *values)  # noqa: S608
        return tuple(OrderLine(*row) for row in rows)


@contextlib.contextmanager
def reading(server: Server, is_stopped: Callable[[], bool]) -> Iterator[Side]:
    """A transaction that changes nothing and sees one moment. Raises ServerGone, BackupFailed."""
    with server.connected() as connection, meanings(server):
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True, autocommit=False)
        with connection.cursor() as cursor:
            yield Side(cursor, is_stopped)


def orders_since(recovered: Side, running: Side, moment: datetime.datetime | None) -> OrdersSince:
    """The orders that only the running side has, and how many others were changed."""
    if not running.has_orders:
        return OrdersSince()
    knows = running.notes_commits and moment is not None
    if knows:
        written = running.ask(f"SELECT number FROM {ORDERS} WHERE {WRITTEN_SINCE} ORDER BY number DESC", moment)  # noqa: S608
    else:
        newest = recovered.ask(f"SELECT coalesce(max(id), 0) FROM {ORDERS}")[0][0] if recovered.has_orders else 0  # noqa: S608
        written = running.ask(f"SELECT number FROM {ORDERS} WHERE id > %s ORDER BY number DESC", newest)  # noqa: S608
    numbers = [number for (number,) in written]
    lines: list[OrderLine] = []
    count, total = 0, Decimal("0.00")
    for begin in range(0, len(numbers), PORTION):
        portion = numbers[begin : begin + PORTION]
        there = recovered.numbers_among(portion)
        missing = sorted(set(portion) - there, reverse=True)
        count += len(missing)
        total += running.ask(f"SELECT coalesce(sum(total), 0) FROM {ORDERS} WHERE number = ANY(%s)", missing)[0][0]  # noqa: S608
        if len(lines) < MOST_ORDERS_SINCE:
            shown = missing[: MOST_ORDERS_SINCE - len(lines)]
            lines += running.orders("WHERE number = ANY(%s) ORDER BY number DESC", shown)
    return OrdersSince(tuple(lines), count, total, len(numbers) - count if knows else None)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC).isoformat()
    return str(value) if isinstance(value, Decimal) else value
