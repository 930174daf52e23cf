"""Making orders of the lines of a file of sales: values only, no database.

What belongs together: the lines of one date with the same transaction number are one order, however they stand among
each other. Tills begin to count anew, so the same number on another date is another order, also where a sale goes on
past midnight. A file may be read in any order of its dates as long as the lines of a date stand together: only one
date is kept in memory at a time.
"""

import datetime
import zoneinfo
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from inventory.models import Location
from orders.models import OrderItem
from orders.sales_dates import DateFormat, moment_of, parse_date, parse_time
from orders.sales_file import HEADER, SalesFile, SalesRow, fault

# What the file says where nobody rang up an item.
NO_ITEM = "none"
LONGEST_TRANSACTION = 40
LONGEST_NAME: int = OrderItem._meta.get_field("name").max_length or 0
EARLIEST = datetime.date(1970, 1, 2)
ERRORS_KEPT = 200
MOST_LINES_OF_A_DAY = 100_000
MOST_NAMES = 5_000


@dataclass(frozen=True, slots=True)
class SalesOrder:
    """What was sold in one transaction. `line` is where it begins in the file; `items` are (name, quantity).

    `key` is what knows it again: see `import_key`.
    """

    key: str
    transaction: str
    line: int
    placed_at: datetime.datetime
    items: tuple[tuple[str, int], ...]


@dataclass(slots=True)
class Findings:
    """What was seen while the lines of a file became orders. Of the wrong lines, the first 200 are kept."""

    lines: int = 0
    orders: int = 0
    items: int = 0
    none: int = 0
    wrong: int = 0
    left_out: int = 0
    errors: list[tuple[int, str]] = field(default_factory=list)
    # {folded name: the name as it stands first}
    names: dict[str, str] = field(default_factory=dict)
    first_at: datetime.datetime | None = None
    last_at: datetime.datetime | None = None
    shown_twice: int = 0
    past_midnight: int = 0

    def add_error(self, line: int, sentence: str) -> None:
        self.wrong += 1
        if len(self.errors) < ERRORS_KEPT:
            self.errors.append((line, sentence))

    def add_order(self, order: SalesOrder) -> None:
        self.orders += 1
        self.items += sum(quantity for _name, quantity in order.items)
        self.first_at = min(self.first_at or order.placed_at, order.placed_at)
        self.last_at = max(self.last_at or order.placed_at, order.placed_at)
        for name, _quantity in order.items:
            self.names.setdefault(name.casefold(), name)
        if len(self.names) > MOST_NAMES:
            raise fault(
                _("Line %(line)d: the file has more than %(most)d different items. Check that the columns are right.")
                % {"line": order.line, "most": MOST_NAMES}
            )

    def notices(self) -> list[str]:
        """What is not wrong and should be known."""
        sentences = []
        if self.shown_twice:
            sentences.append(
                ngettext(
                    "%(number)d order was placed in an hour that came twice, when the clocks were put back: the first "
                    "of the two is taken.",
                    "%(number)d orders were placed in an hour that came twice, when the clocks were put back: the "
                    "first of the two is taken.",
                    self.shown_twice,
                )
                % {"number": self.shown_twice}
            )
        if self.past_midnight:
            sentences.append(
                ngettext(
                    "%(number)d transaction goes on with the same number on another date: that is an order of its own.",
                    "%(number)d transactions go on with the same number on another date: those are orders of their "
                    "own.",
                    self.past_midnight,
                )
                % {"number": self.past_midnight}
            )
        return sentences


@dataclass(slots=True)
class Transaction:
    """The lines of one date and number, as far as they have been read."""

    line: int
    time: datetime.time
    items: dict[str, tuple[str, int]] = field(default_factory=dict)
    is_spoiled: bool = False


def import_key(*, location_id: int, till: str, wall: datetime.datetime, transaction: str) -> str:
    """What tells an imported sale from all others: location, date and time as the till wrote them, till, transaction.

    The time is the one on the wall and not the moment: a location whose time zone is corrected later still knows its
    sales again. The parts are joined by tabs, which none of them holds.
    """
    return f"{location_id}\t{wall:%Y-%m-%dT%H:%M:%S}\t{till}\t{transaction}"


def orders_of(
    file: SalesFile, *, location: Location, till: str, now: datetime.datetime, findings: Findings
) -> Iterator[SalesOrder]:
    """The orders of a file, those of a date in the order of their times; what is seen is noted in `findings`.

    A wrong line leaves out its whole transaction: half an order would never become a whole one later. Raises
    WrongSalesFile: see `SalesFile.rows`, and for the lines of a date that stand apart.
    """
    reading = Reading(file.date_format, location, till, now, findings)
    for row in file.rows():
        yield from reading.take(row)
    yield from reading.close_day()


class Reading:
    """Takes the lines of a file one after the other, and gives the orders of a date once it is over."""

    def __init__(
        self, written: DateFormat, location: Location, till: str, now: datetime.datetime, findings: Findings
    ) -> None:
        self.written, self.location, self.till, self.findings = written, location, till, findings
        self.zone = zoneinfo.ZoneInfo(location.time_zone)
        self.now = now
        self.today = now.astimezone(self.zone).date()
        self.day: datetime.date | None = None
        self.days: set[datetime.date] = set()
        self.lines_of_day = 0
        self.transactions: dict[str, Transaction] = {}
        # The transaction of the line before, and of the last line whose date can't be read.
        self.last = ""
        self.undated = ""

    def take(self, row: SalesRow) -> Iterator[SalesOrder]:
        self.findings.lines += 1
        if row.is_whole and row.item.casefold() == NO_ITEM:
            self.findings.none += 1
            return
        date = parse_date(row.date, self.written) if row.is_whole else None
        sentence = self.fault_of_day(row, date)
        if sentence or date is None:
            self.findings.add_error(row.line, sentence)
            # Of which date it is, its neighbours tell.
            if row.transaction and row.transaction == self.last:
                self.transactions[row.transaction].is_spoiled = True
            else:
                self.undated = row.transaction
            return
        if date != self.day:
            if row.transaction == self.last:
                self.findings.past_midnight += 1
            yield from self.close_day()
            self.open_day(date, row)
        self.lines_of_day += 1
        if self.lines_of_day > MOST_LINES_OF_A_DAY:
            raise fault(
                _("Line %(line)d: more than %(most)d lines of one date. Check that the columns are right.")
                % {"line": row.line, "most": MOST_LINES_OF_A_DAY}
            )
        self.add(row)

    def fault_of_day(self, row: SalesRow, date: datetime.date | None) -> str:
        """What is wrong with a line so that nobody knows where it belongs; empty if nothing is."""
        if not row.is_whole:
            return _("%(found)d cells instead of %(expected)d. A name with a comma needs quotation marks.") % {
                "found": row.found,
                "expected": len(HEADER),
            }
        if date is None:
            return _("The date “%(text)s” is not one. Here dates are written %(format)s.") % {
                "text": shorten(row.date),
                "format": self.written,
            }
        if date < EARLIEST:
            return _("The date %(text)s is too long ago to be right.") % {"text": row.date}
        if date > self.today:
            return _("The date %(text)s lies in the future.") % {"text": row.date}
        if not row.transaction:
            return _("The transaction is missing. Fill it in.")
        if len(row.transaction) > LONGEST_TRANSACTION:
            return _("The transaction “%(start)s” has %(length)d characters. Use at most %(most)d.") % {
                "start": shorten(row.transaction),
                "length": len(row.transaction),
                "most": LONGEST_TRANSACTION,
            }
        return ""

    def add(self, row: SalesRow) -> None:
        """Puts a line of the open date into its transaction, or spoils that."""
        time = parse_time(row.time)
        known = self.transactions.get(row.transaction)
        if known is None:
            known = self.transactions[row.transaction] = Transaction(row.line, time or datetime.time())
            known.is_spoiled = row.transaction == self.undated
        self.last, self.undated = row.transaction, ""
        sentence = fault_of_sale(row, time)
        if sentence or time is None:
            self.findings.add_error(row.line, sentence)
            known.is_spoiled = True
            return
        folded = row.item.casefold()
        name, quantity = known.items.get(folded, (row.item, 0))
        known.items[folded] = (name, quantity + 1)
        known.time = min(known.time, time)

    def open_day(self, date: datetime.date, row: SalesRow) -> None:
        """Raises WrongSalesFile for a date that was there before."""
        if date in self.days:
            raise fault(
                _(
                    "Line %(line)d is of %(date)s again, after lines of another date. Sort the file by date and time, "
                    "and import it again."
                )
                % {"line": row.line, "date": row.date}
            )
        self.days.add(date)
        self.day = date
        self.lines_of_day = 0

    def close_day(self) -> Iterator[SalesOrder]:
        """The orders of the date that is over, in the order of their times."""
        transactions, self.transactions, self.last = self.transactions, {}, ""
        for number, transaction in sorted(transactions.items(), key=lambda one: (one[1].time, one[1].line)):
            order = None if transaction.is_spoiled else self.order(number, transaction)
            if order is None:
                self.findings.left_out += 1
            else:
                self.findings.add_order(order)
                yield order

    def order(self, number: str, transaction: Transaction) -> SalesOrder | None:
        """The order of a transaction; None, and an error, if there was no such moment or not yet."""
        wall = datetime.datetime.combine(self.day or EARLIEST, transaction.time)
        found = moment_of(wall, self.zone)
        if found is None:
            sentence = _("%(time)s was on no clock in %(zone)s on that date: clocks were put forward.")
            values = {"time": f"{transaction.time:%H:%M}", "zone": self.location.time_zone}
            self.findings.add_error(transaction.line, sentence % values)
            return None
        moment, is_shown_twice = found
        if moment > self.now:
            self.findings.add_error(transaction.line, _("The moment %(when)s lies in the future.") % {"when": wall})
            return None
        self.findings.shown_twice += is_shown_twice
        return SalesOrder(
            key=import_key(location_id=self.location.pk, till=self.till, wall=wall, transaction=number),
            transaction=number,
            line=transaction.line,
            placed_at=moment,
            items=tuple(transaction.items.values()),
        )


def fault_of_sale(row: SalesRow, time: datetime.time | None) -> str:
    """What is wrong with the time or the item of a line, empty if nothing is."""
    if time is None:
        return _("The time “%(text)s” is not one. Write it like 09:58 or 09:58:11.") % {"text": shorten(row.time)}
    if not row.item:
        return _("The item is missing. Fill it in, or write NONE.")
    if len(row.item) > LONGEST_NAME:
        return _("The item “%(start)s” has %(length)d characters. Use at most %(most)d.") % {
            "start": shorten(row.item),
            "length": len(row.item),
            "most": LONGEST_NAME,
        }
    return ""


def as_json(orders: Iterable[SalesOrder]) -> list[dict[str, Any]]:
    """Orders as a part of an import keeps them."""
    return [
        {
            "key": order.key,
            "transaction": order.transaction,
            "line": order.line,
            "placed_at": order.placed_at.isoformat(),
            "items": [list(item) for item in order.items],
        }
        for order in orders
    ]


def from_json(orders: Iterable[dict[str, Any]]) -> list[SalesOrder]:
    """The orders that `as_json` wrote."""
    return [
        SalesOrder(
            key=order["key"],
            transaction=order["transaction"],
            line=order["line"],
            placed_at=datetime.datetime.fromisoformat(order["placed_at"]),
            items=tuple((name, quantity) for name, quantity in order["items"]),
        )
        for order in orders
    ]


def shorten(text: str, *, most: int = 60) -> str:
    return text if len(text) <= most else f"{text[:most]}…"
