"""What is new among Allegro's orders: a sweep by the time of change, and the event journal.

The journal is the main way, and misses events or tells them late, twice and out of order; the sweep looks at what
changed since the last one, and a little before that. The sweep goes first: it reads a hundred orders with one call,
and an event is passed over when the sweep has just read what it tells. What it did not show is read singly.
"""

import datetime
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from marketplaces.clients.allegro_orders import name_of, read_orders
from marketplaces.clients.answers import as_moment, need, optional
from marketplaces.clients.base import OrderPage, Problem, RemoteOrder
from marketplaces.clients.http import ApiSession
from marketplaces.errors import BadAnswer
from marketplaces.models import MarketplaceOrderRevision

Source = MarketplaceOrderRevision.Source

# Names of the cursors: the id of the last event processed, and the newest time of change that the sweep has seen.
JOURNAL, SWEEP = "journal", "sweep"
FORMS = "/order/checkout-forms"
MOST_EVENTS, MOST_FORMS = 1000, 100
# An order whose time of change came to light late is found by the next sweep, if it was not later than this.
OVERLAP = datetime.timedelta(minutes=10)
FARTHEST_AHEAD = datetime.timedelta(days=1)
# So many orders that were named by events are read singly before what they told is handed on.
PART = 100
# What the sweep has read is remembered for the journal that follows; of a first sweep over years only the end.
MOST_REMEMBERED = 50_000

# Reads these orders as they are now: {id: order, None where there is none}, and what can't be read.
ReadForms = Callable[[Sequence[str]], tuple[dict[str, RemoteOrder | None], list[Problem]]]


@dataclass(slots=True)
class Seen:
    """What this run has read of each order: its revision and time of change."""

    orders: OrderedDict[str, tuple[str, datetime.datetime | None]] = field(default_factory=OrderedDict)

    def add(self, order: RemoteOrder) -> None:
        self.orders[order.external_id] = (order.revision, order.changed_at)
        self.orders.move_to_end(order.external_id)
        if len(self.orders) > MOST_REMEMBERED:
            self.orders.popitem(last=False)

    def has(self, order: RemoteOrder) -> bool:
        """Whether exactly this version was read."""
        known = self.orders.get(order.external_id)
        return known == (order.revision, order.changed_at) and known != ("", None)

    def covers(self, event: "Event") -> bool:
        """Whether the order was read as the event left it, or later."""
        known = self.orders.get(event.form_id)
        if known is None:
            return False
        revision, changed_at = known
        if event.revision and event.revision == revision:
            return True
        return changed_at is not None and event.occurred_at is not None and event.occurred_at <= changed_at


@dataclass(frozen=True, slots=True)
class Event:
    """An event of the journal; one without a form (a purchase that is not filled in yet) has form_id ""."""

    id: str
    form_id: str
    revision: str
    occurred_at: datetime.datetime | None


def order_pages(
    session: ApiSession, read_forms: ReadForms, *, cursors: Mapping[str, Any], since: datetime.datetime | None
) -> Iterator[OrderPage]:
    """See MarketplaceClient.order_pages."""
    seen = Seen()
    journal = cursors.get(JOURNAL)
    if journal is None:
        # The very first run: what happened until now is the sweep's, whose own cursor says how far it has come, and
        # what happens from now on the journal's. Never again: later the cursor is the last event that was processed,
        # since the newest one there is may hide others that come to light late.
        journal = newest_event(session)
        yield OrderPage(orders=(), cursors={JOURNAL: journal}, source=Source.JOURNAL)
    yield from sweep_pages(session, seen, newest_known=cursors.get(SWEEP), since=since)
    yield from journal_pages(session, read_forms, seen, last=str(journal))


# --- the sweep ----------------------------------------------------------------------------------------


def sweep_pages(
    session: ApiSession, seen: Seen, *, newest_known: str | None, since: datetime.datetime | None
) -> Iterator[OrderPage]:
    """The orders that changed since the newest time known (less the overlap), or since `since` if that is earlier, the
    oldest first.

    Each page begins at the last time of the one before, not at an offset: an order that changes while we read moves to
    the end, and would shift another one over the edge of a page, unseen. Only where a whole page changed at the same
    moment does an offset lead on.
    """
    known = as_moment(newest_known) if newest_known else None
    start = start_of(known, since=since)
    begin, offset = spelled(start), 0
    # No clock of theirs is that far ahead: such a time must not blind the sweeps that follow.
    horizon = timezone.now() + FARTHEST_AHEAD
    while True:
        forms = list_forms(session, begin=begin, offset=offset)
        orders, problems = read_orders(forms)
        fresh = [order for order in orders if not seen.has(order)]
        for order in fresh:
            seen.add(order)
        last = last_change(forms, before=horizon)
        cursors = {}
        if last and (known is None or last > known):
            known, cursors = last, {SWEEP: spelled(last)}
        if fresh or problems or cursors:
            yield OrderPage(orders=fresh, cursors=cursors, source=Source.SWEEP, problems=problems)
        if len(forms) < MOST_FORMS:
            return
        if last and (start is None or last > start):
            start, begin, offset = last, spelled(last), 0
        else:
            offset += MOST_FORMS


def start_of(known: datetime.datetime | None, *, since: datetime.datetime | None) -> datetime.datetime | None:
    """Where the sweep begins, None for the very beginning. A `since` that is later than what was read last does not
    count: the cursor would jump over what lies between."""
    if known is None:
        return None
    return min(known - OVERLAP, since) if since else known - OVERLAP


def list_forms(session: ApiSession, *, begin: str | None, offset: int) -> list[Any]:
    params: dict[str, Any] = {"sort": "updatedAt", "limit": MOST_FORMS, "offset": offset}
    if begin is not None:
        params["updatedAt.gte"] = begin
    return need(session.call("GET", FORMS, params=params, is_safe=True).data, "checkoutForms", list)


def last_change(forms: Sequence[Any], *, before: datetime.datetime) -> datetime.datetime | None:
    """The newest time of change of a page."""
    texts = [form.get("updatedAt") for form in forms if isinstance(form, Mapping)]
    moments = [as_moment(text) for text in texts if isinstance(text, str)]
    return max((moment for moment in moments if moment and moment < before), default=None)


def spelled(moment: datetime.datetime | None) -> str | None:
    """As Allegro spells a moment, cut off to milliseconds: at or before it, so that asking from it on leaves nothing
    out."""
    if moment is None:
        return None
    return moment.astimezone(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# --- the journal --------------------------------------------------------------------------------------


def newest_event(session: ApiSession) -> str:
    """The id of the newest event, or nothing if there has been none: then the journal is read from its beginning."""
    data = session.call("GET", "/order/event-stats", is_safe=True).data
    return optional(data, "latestEvent.id", str) or ""


def journal_pages(session: ApiSession, read_forms: ReadForms, seen: Seen, *, last: str) -> Iterator[OrderPage]:
    """The orders that events after `last` name. The cursor moves past an event when its order has been read."""
    while True:
        raw = list_events(session, last)
        events, problems = read_events(raw)
        yield from parts_of(events, problems, read_forms, seen)
        if len(raw) < MOST_EVENTS:
            return
        if not events or events[-1].id == last:
            raise BadAnswer(_("Allegro's journal does not go on after the event %(id)s.") % {"id": last})
        last = events[-1].id


def list_events(session: ApiSession, last: str) -> list[Any]:
    params: dict[str, Any] = {"limit": MOST_EVENTS}
    if last:
        params["from"] = last
    return need(session.call("GET", "/order/events", params=params, is_safe=True).data, "events", list)


def read_events(raw: Sequence[Any]) -> tuple[list[Event], list[Problem]]:
    """The events of an answer; those that can't be read are left out and listed (the sweep finds their orders)."""
    events: list[Event] = []
    problems: list[Problem] = []
    for place, event in enumerate(raw):
        try:
            events.append(
                Event(
                    id=need(event, "id", str),
                    form_id=optional(event, "order.checkoutForm.id", str) or "",
                    revision=optional(event, "order.checkoutForm.revision", str) or "",
                    occurred_at=optional(event, "occurredAt", datetime.datetime),
                )
            )
        except BadAnswer as error:
            problems.append(Problem(name_of(event, place), str(error)))
    return events, problems


def parts_of(
    events: Sequence[Event], problems: Sequence[Problem], read_forms: ReadForms, seen: Seen
) -> Iterator[OrderPage]:
    """Pages of at most PART orders, each with the last event that it covers: every order once, however many events
    name it."""
    wanted: dict[str, None] = {}
    left_out = list(problems)
    for place, event in enumerate(events):
        if event.form_id and not seen.covers(event):
            wanted[event.form_id] = None
        if len(wanted) < PART and place + 1 < len(events):
            continue
        found, unread = read_forms(list(wanted)) if wanted else ({}, [])
        orders = [order for order in found.values() if order is not None]
        for order in orders:
            seen.add(order)
        yield OrderPage(
            orders=orders,
            cursors={JOURNAL: event.id},
            source=Source.JOURNAL,
            vanished=[form_id for form_id, order in found.items() if order is None],
            problems=[*left_out, *unread],
        )
        wanted, left_out = {}, []
    if left_out:
        yield OrderPage(orders=(), cursors={}, source=Source.JOURNAL, problems=left_out)
