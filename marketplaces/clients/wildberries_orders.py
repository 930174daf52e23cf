"""Reading Wildberries' orders: lists by time, which say no status, and the status call, which says nothing else."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from marketplaces.choices import OrderState
from marketplaces.clients.answers import need, optional
from marketplaces.clients.base import OrderPage, Problem, RemoteOrder
from marketplaces.clients.http import ApiSession
from marketplaces.clients.parallel import at_home
from marketplaces.clients.parts import parts_of
from marketplaces.clients.wildberries_values import (
    Status,
    body_of,
    order_from,
    status_from,
    unknown_words,
)
from marketplaces.errors import BadAnswer
from marketplaces.models import MarketplaceOrderRevision
from marketplaces.services.remembered import Remembered

Source = MarketplaceOrderRevision.Source

# One request may span 30 days and reach back three months; older orders are in the archive. The last window has no
# end, so that clocks which differ hide nothing.
LONGEST_WINDOW = timedelta(days=29)
LIST_REACHES_BACK = timedelta(days=89)
# How far a run looks behind the one before it, for clocks that differ and orders that come late.
OVERLAP = timedelta(hours=1)
ORDERS_A_PAGE = 500
IDS_A_STATUS_CALL = 1000
# Before they are handed over orders change by the minute, after that by the day.
RESTLESS = (OrderState.WAITING, OrderState.READY, OrderState.PROCESSING, OrderState.UNKNOWN)
SENT_EVERY = timedelta(hours=1)
# The cursors: "orders" {from, to, next} is the window of the list in unix seconds and the place in it; "sent" is the
# unix second in which the status of orders on their way was asked last.


class OrderReader:
    """Reads the orders of one account."""

    def __init__(self, api: ApiSession, remembered: Remembered) -> None:
        self.api = api
        self.remembered = remembered

    # --- everything new or changed ----------------------------------------------------------------------

    def pages(self, cursors: Mapping[str, Any], since: datetime | None) -> Iterator[OrderPage]:
        begun = timezone.now()
        seen: set[str] = set()
        if since is not None and since < begun - LIST_REACHES_BACK:
            yield from self.archived(since, until=begun - LIST_REACHES_BACK)
        for page in self.listed(cursors, since, begun):
            seen.update(order.external_id for order in page.orders)
            yield page
        yield from self.late(seen)
        yield from self.changed(cursors, begun, seen)

    def listed(self, cursors: Mapping[str, Any], since: datetime | None, begun: datetime) -> Iterator[OrderPage]:
        """The lists by time, window by window."""
        start, end, place = self.where_to_begin(cursors, since, begun)
        while True:
            if end is None and begun - moment(start) > LONGEST_WINDOW:
                end = int((moment(start) + LONGEST_WINDOW).timestamp())
            while True:
                answer = self.list_page(start, end, place)
                bodies = need(answer, "orders", list)
                following = optional(answer, "next", int) or 0
                is_last = len(bodies) < ORDERS_A_PAGE or following in (0, place)
                place = 0 if is_last else following
                cursor: dict[str, int | None] = {"from": start, "to": end, "next": place}
                if is_last:
                    done = int((begun - OVERLAP).timestamp()) if end is None else end
                    cursor = {"from": done, "to": None, "next": 0}
                yield self.page_of(bodies, cursors={"orders": cursor}, source=Source.LIST)
                if is_last:
                    break
            if end is None:
                return
            start, end = end, None

    def where_to_begin(
        self, cursors: Mapping[str, Any], since: datetime | None, begun: datetime
    ) -> tuple[int, int | None, int]:
        """(from, to, next) in the list; `to` where a run was interrupted in the middle of a window. A `since` that is
        later than what was read last does not count: the cursor would jump over what lies between."""
        earliest = begun - LIST_REACHES_BACK
        cursor = cursors.get("orders") or {}
        if not cursor or moment(cursor["from"]) < earliest:
            return int(earliest.timestamp()), None, 0
        if since is not None:
            return int(max(min(since, moment(cursor["from"])), earliest).timestamp()), None, 0
        return cursor["from"], cursor.get("to"), cursor.get("next") or 0

    def late(self, seen: Collection[str]) -> Iterator[OrderPage]:
        """New orders that no list by time has told. Their bodies are read from the list all the same, because the
        two say different fields."""
        answer = self.api.call("GET", "/api/v3/orders/new", is_safe=True).data
        new: dict[str, Mapping[str, Any]] = {
            name_of(body): body for body in need(answer, "orders", list) if isinstance(body, dict)
        }
        missing = [order_id for order_id in new if order_id not in seen]
        known = at_home(lambda: self.remembered.orders(missing)) if missing else {}
        missing = [order_id for order_id in missing if order_id not in known]
        if missing:
            placed = [optional(new[order_id], "createdAt", datetime) for order_id in missing]
            oldest = min((at for at in placed if at), default=timezone.now())
            new |= self.searched(missing, back_to=oldest - timedelta(minutes=1))
        for ids in parts_of(missing, ORDERS_A_PAGE):
            yield self.page_of([new[order_id] for order_id in ids], cursors={}, source=Source.LIST)

    def changed(self, cursors: Mapping[str, Any], begun: datetime, seen: Collection[str]) -> Iterator[OrderPage]:
        """Earlier orders that were not at their end, and now have another status."""
        states: tuple[OrderState, ...] = RESTLESS
        last_asked = cursors.get("sent")
        asks_sent = last_asked is None or moment(last_asked) <= begun - SENT_EVERY
        if asks_sent:
            states = (*RESTLESS, OrderState.SENT)
        ids = [order_id for order_id in at_home(lambda: self.remembered.open_orders(states)) if order_id not in seen]
        for part in parts_of(ids, ORDERS_A_PAGE):
            stored = at_home(partial(self.remembered.orders, part))
            statuses, problems = self.statuses(part)
            orders: list[RemoteOrder] = []
            for order_id, status in statuses.items():
                if order_id in stored and not is_status_of(stored[order_id], status):
                    self.add(orders, problems, body_of(stored[order_id]), status)
            vanished = [order_id for order_id in part if order_id not in statuses and not problems]
            yield OrderPage(orders=orders, cursors={}, source=Source.READ, vanished=vanished, problems=problems)
        if asks_sent:
            yield OrderPage(orders=(), cursors={"sent": int(begun.timestamp())}, source=Source.READ)

    def archived(self, since: datetime, until: datetime) -> Iterator[OrderPage]:
        """What was placed more than three months ago, month by month; the archive tells the last status as well."""
        year, month = since.year, since.month
        while (year, month) <= (until.year, until.month):
            place = 0
            while True:
                params = {"year": year, "month": month, "next": place, "limit": ORDERS_A_PAGE}
                answer = self.api.call(
                    "GET", "/api/marketplace/v3/fbs/orders/archive", params=params, is_safe=True
                ).data
                bodies = need(answer, "orders", list)
                orders: list[RemoteOrder] = []
                problems: list[Problem] = []
                for body in bodies:
                    try:
                        status = status_from(need(body, "status", dict))
                    except BadAnswer as error:
                        problems.append(Problem(name_of(body), str(error)))
                    else:
                        self.add(orders, problems, body, status)
                yield OrderPage(orders=orders, cursors={}, source=Source.LIST, problems=problems)
                following = optional(answer, "next", int) or 0
                if len(bodies) < ORDERS_A_PAGE or following in (0, place):
                    break
                place = following
            year, month = (year + 1, 1) if month == 12 else (year, month + 1)

    # --- some orders ------------------------------------------------------------------------------------

    def orders(self, external_ids: Sequence[str]) -> dict[str, RemoteOrder | None]:
        """These orders as they are now. The status is asked; the body, which does not change, is what was stored, or
        is looked for in the lists of the last three months. Left out is what has a status and no readable body."""
        statuses, _problems = self.statuses(external_ids)
        found: dict[str, RemoteOrder | None] = {order_id: None for order_id in external_ids if order_id not in statuses}
        bodies: dict[str, Mapping[str, Any]] = {
            order_id: body_of(payload)
            for order_id, payload in at_home(lambda: self.remembered.orders(list(statuses))).items()
        }
        bodies |= self.searched([order_id for order_id in statuses if order_id not in bodies])
        for order_id, status in statuses.items():
            orders: list[RemoteOrder] = []
            if order_id in bodies:
                self.add(orders, [], bodies[order_id], status)
            if orders:
                found[order_id] = orders[0]
        return found

    def statuses(self, external_ids: Iterable[str]) -> tuple[dict[str, Status], list[Problem]]:
        """The status of each order that Wildberries has, and what was unreadable."""
        numbers = [int(order_id) for order_id in external_ids if order_id.isascii() and order_id.isdecimal()]
        statuses: dict[str, Status] = {}
        problems: list[Problem] = []
        for part in parts_of(numbers, IDS_A_STATUS_CALL):
            answer = self.api.call("POST", "/api/v3/orders/status", json={"orders": list(part)}, is_safe=True).data
            for entry in need(answer, "orders", list):
                try:
                    statuses[str(need(entry, "id", int))] = status_from(entry)
                except BadAnswer as error:
                    problems.append(Problem(name_of(entry), str(error)))
        return statuses, problems

    def searched(self, external_ids: Sequence[str], *, back_to: datetime | None = None) -> dict[str, Mapping[str, Any]]:
        """The bodies of orders that nobody has stored, from the lists, newest first."""
        missing, found = set(external_ids), dict[str, Mapping[str, Any]]()
        end = now = timezone.now()
        earliest = max(back_to or now - LIST_REACHES_BACK, now - LIST_REACHES_BACK)
        while missing and end > earliest:
            start = max(end - LONGEST_WINDOW, earliest)
            for body in self.bodies_between(start, None if end >= now else end):
                if (order_id := name_of(body)) in missing:
                    missing.discard(order_id)
                    found[order_id] = body
            end = start
        return found

    def bodies_between(self, start: datetime, end: datetime | None) -> Iterator[Mapping[str, Any]]:
        place = 0
        while True:
            answer = self.list_page(int(start.timestamp()), None if end is None else int(end.timestamp()), place)
            bodies = need(answer, "orders", list)
            yield from bodies
            following = optional(answer, "next", int) or 0
            if len(bodies) < ORDERS_A_PAGE or following in (0, place):
                return
            place = following

    # --- pages ------------------------------------------------------------------------------------------

    def list_page(self, start: int, end: int | None, place: int) -> Any:
        params = {"limit": ORDERS_A_PAGE, "next": place, "dateFrom": start, "dateTo": end}
        return self.api.call("GET", "/api/v3/orders", params=params, is_safe=True).data

    def page_of(
        self,
        bodies: Sequence[Mapping[str, Any]],
        *,
        cursors: Mapping[str, Any],
        source: MarketplaceOrderRevision.Source,
    ) -> OrderPage:
        by_id = {name_of(body): body for body in bodies}
        statuses, problems = self.statuses(by_id)
        orders: list[RemoteOrder] = []
        said = {problem.item for problem in problems}
        for order_id, body in by_id.items():
            if order_id in statuses:
                self.add(orders, problems, body, statuses[order_id])
            elif order_id not in said:
                problems.append(Problem(order_id, _("Wildberries tells no status of it.")))
        return OrderPage(orders=orders, cursors=cursors, source=source, problems=problems)

    def add(self, orders: list[RemoteOrder], problems: list[Problem], body: Mapping[str, Any], status: Status) -> None:
        try:
            order = order_from(body, status)
        except BadAnswer as error:
            problems.append(Problem(name_of(body), str(error)))
            return
        orders.append(order)
        if order.state == OrderState.UNKNOWN:
            problems.append(Problem(order.external_id, unknown_words(order)))


def is_status_of(payload: Mapping[str, Any], status: Status) -> bool:
    return all(payload.get(name) == value for name, value in status.as_fields().items())


def name_of(body: Any) -> str:
    return str(body.get("id", "?")) if isinstance(body, Mapping) else "?"


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
