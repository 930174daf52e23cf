"""Pages of a large shop as one person sees them, each in turns with the SQL that it sends.

What a page asks the database is recorded once and asked again through plain psycopg2, so that both sides read the same
rows; what is between the two is the framework, the permissions, and the writing of JSON or HTML.
"""

import datetime
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import connection, connections
from django.test import Client as InProcess
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from benchmarks.clients import Client, web_server
from benchmarks.replay import connect
from foundation.api.pagination import AFTER, DEFAULT_PAGE_SIZE, KeysetPagination
from inventory.models import Ingredient, Location
from orders.models import EveryOrder, Order
from users.models import User
from users.services.tokens import issue_token

ORDERS, ADMIN_ORDERS = "/api/v1/orders/", "/admin/orders/order/"
DEEP = 10_000
TURNS = 5
Row = tuple[str, str, str, str]


@dataclass(frozen=True)
class Page:
    """A page and how long it may take, in milliseconds."""

    title: str
    path: str
    aim: int | None = None


@dataclass(frozen=True)
class Visitor:
    """Somebody who has signed in, with the headers that say so."""

    headers: dict[str, str]

    def get(self, path: str) -> None:
        """The page in this process."""
        answer = InProcess(headers=self.headers).get(path, headers={"Host": "127.0.0.1"})
        check(answer.status_code, answer.content)

    def at(self, port: int) -> Callable[[str], None]:
        """The same over HTTP, through one connection."""
        client = Client(port, "")
        client.headers |= self.headers

        def get(path: str) -> None:
            check(*client.get(path))

        return get


def check(status: int, body: bytes) -> None:
    if status != 200:
        raise RuntimeError(f"{status}: {body[:500]!r}")


def manager() -> Visitor:
    """A manager with a token for REST and a session for the admin."""
    user = User.objects.create_user("manager@bench.example", None, is_staff=True)
    user.groups.set([Group.objects.get(name="manager")])
    browser = InProcess()
    browser.force_login(user)
    session = browser.cookies[settings.SESSION_COOKIE_NAME].value
    token = issue_token(user=user, name="bench").secret
    return Visitor({"Authorization": f"Token {token}", "Cookie": f"{settings.SESSION_COOKIE_NAME}={session}"})


def pages(counter: Location) -> list[Page]:
    """What is measured, with what the history holds; at `counter` orders wait."""
    waiting = Order.objects.filter(location=counter).active().count()
    middle = Order.objects.filter(status="completed", customer__isnull=False).order_by("-pk")[
        Order.objects.count() // 4
    ]
    depth, deep = page_far_back()
    milk = Ingredient.objects.get(name="Milk")
    day = middle.location.today(middle.placed_at)
    month = {"placed_from": day - datetime.timedelta(days=29), "placed_to": day}
    customer = middle.customer
    return [
        Page("GET orders/?status=completed, first page", f"{ORDERS}?status=completed", 60),
        Page(f"GET orders/?status=completed, page {depth:,}", deep, 60),
        Page("GET orders/{id}/", f"{ORDERS}{middle.pk}/", 30),
        Page("GET orders/{id}/events/", f"{ORDERS}{middle.pk}/events/", 30),
        Page("GET stock-movements/?ingredient=", f"/api/v1/stock-movements/?ingredient={milk.pk}"),
        Page("admin: orders", ADMIN_ORDERS, 120),
        Page(
            "admin: orders, cancelled at one location",
            f"{ADMIN_ORDERS}?status=cancelled&location={middle.location_id}",
            120,
        ),
        Page("admin: orders of 30 days", f"{ADMIN_ORDERS}?{urlencode(month)}", 120),
        Page("admin: orders, search for a number", f"{ADMIN_ORDERS}?q={middle.number}", 120),
        Page("admin: orders, search for a phone", f"{ADMIN_ORDERS}?q={quote(customer.phone)}", 120),
        Page("admin: orders, search for a name", f"{ADMIN_ORDERS}?q={quote(customer.name)}", 120),
        Page("admin: an order", f"{ADMIN_ORDERS}{middle.pk}/change/"),
        Page("admin: the ledger of one ingredient", f"/admin/inventory/stockmovement/?ingredient={milk.pk}"),
        Page("admin: home", "/admin/"),
        Page(f"counter queue with {waiting} active orders", f"/counter/queue/?location={counter.pk}", 60),
    ]


def page_far_back() -> tuple[int, str]:
    """The 10,000th page of completed orders, or the last but one of a shorter list: its number and its address, as
    the page before it would name it."""
    completed = EveryOrder.objects.filter(status="completed").order_by("-pk")
    number = min(DEEP, max(completed.count() // DEFAULT_PAGE_SIZE, 1))
    last_seen = completed[DEFAULT_PAGE_SIZE * (number - 1) - 1] if number > 1 else completed[0]
    paginator = KeysetPagination()
    request = Request(APIRequestFactory().get(f"{ORDERS}?status=completed", headers={"Host": "127.0.0.1"}))
    paginator.paginate_queryset(EveryOrder.objects.none(), request)
    split = urlsplit(paginator.url_of(AFTER, last_seen))
    return number, f"{split.path}?{split.query}"


def measure(url: str, *, counter: Location, requests: int) -> list[Row]:
    """The rows of the table: p95 (and the median) of each page over HTTP, and of its SQL through psycopg2."""
    visitor, wanted = manager(), pages(counter)
    recorded = [statements_of(visitor, page.path) for page in wanted]
    connections.close_all()
    plain = connect(url)
    plain.autocommit = True
    try:
        with web_server() as port:
            get = visitor.at(port)
            return [row(page, sent, get, plain, requests) for page, sent in zip(wanted, recorded, strict=True)]
    finally:
        plain.close()


def statements_of(visitor: Visitor, path: str) -> list[tuple[str, Any]]:
    """What the page sends to the database, the second time it is asked for: caches are warm, as they are later."""
    sent: list[tuple[str, Any]] = []

    def keep(execute: Callable[..., Any], sql: str, parameters: Any, many: bool, context: Any) -> Any:
        sent.append((sql, parameters))
        return execute(sql, parameters, many, context)

    visitor.get(path)
    with connection.execute_wrapper(keep):
        visitor.get(path)
    return sent


def row(page: Page, sent: Sequence[tuple[str, Any]], get: Callable[[str], None], plain: Any, requests: int) -> Row:
    over_http: list[float] = []
    in_sql: list[float] = []
    for turn in range(TURNS + 1):
        # The first turn only warms up both.
        pairs = ((over_http, lambda: get(page.path)), (in_sql, lambda: play(plain, sent)))
        for times, call in pairs:
            taken = [timed(call) for _ in range(requests if turn else 3)]
            times.extend(taken if turn else [])
    aim = f"aim {page.aim} ms, " if page.aim else ""
    return page.title, shown(over_http), shown(in_sql), f"{aim}{len(sent)} queries"


def play(plain: Any, sent: Sequence[tuple[str, Any]]) -> None:
    with plain.cursor() as cursor:
        for sql, parameters in sent:
            cursor.execute(sql, parameters)
            if cursor.description is not None:
                cursor.fetchall()


def timed(call: Callable[[], None]) -> float:
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1000


def shown(times: list[float]) -> str:
    times.sort()
    return f"p50 {times[len(times) // 2]:.0f} ms, p95 {times[int(len(times) * 0.95)]:.0f} ms"
