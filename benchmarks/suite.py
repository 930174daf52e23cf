"""All that is measured: the till of an empty shop, the pages of one with years behind it, the search of a large one,
the marketplaces, and backups."""

import sys
import time
from statistics import median

from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connections

from benchmarks import (
    backups,
    batches,
    catalogue,
    clients,
    counter,
    documents,
    failover,
    history,
    market,
    pages,
    placing,
    report,
    searching,
)
from inventory.selectors import levels_that_differ_from_the_ledger
from project.embedded.errors import CannotStart
from tests.cluster.tills import TILLS
from users.models import User
from users.services.tokens import issue_token

HEADER = ("what", "Samovar", "the same SQL in psycopg2", "ratio / queries")
# The peers' own measure is an order of two lines, so it is ours.
LINES = 2


def run_till(url: str, *, rounds: int, seconds: float) -> None:
    """Fills the empty database at `url`, sells, measures, prints. The connections are closed at the end."""
    print(report.machine(url), flush=True)
    call_command("migrate", verbosity=0)
    menu = catalogue.open_shop()
    placing.start_ids_high()
    try:
        rows = [
            *placing_rows(menu, url, rounds, seconds),
            *http_rows(menu, url, rounds, seconds),
            *(
                (title, f"{elapsed:.2f} s", "", f"{queries} queries")
                for title, elapsed, queries in batches.measure(menu)
            ),
        ]
    finally:
        connections.close_all()
    print(report.table(rows, HEADER))


def run_history(url: str, *, orders: int, requests: int) -> None:
    """Writes years of orders into the empty database at `url`, measures, prints."""
    print(f"\n{report.machine(url)}", flush=True)
    call_command("migrate", verbosity=0)
    menu = catalogue.open_shop()
    started = time.perf_counter()
    history.fill(menu, orders=orders)
    elapsed = time.perf_counter() - started
    differing = levels_that_differ_from_the_ledger()
    if differing:
        raise RuntimeError(f"levels that are not what their ledger sums to: {differing[:5]}")
    print(f"{history.counted()}, written in {elapsed:.0f} s; the levels are what the ledger sums to\n", flush=True)
    try:
        rows = [*documents.measure(menu), *pages.measure(url, counter=counter.open_counter(menu), requests=requests)]
    finally:
        connections.close_all()
    print(report.table(rows, HEADER), flush=True)


def run_search(url: str, *, products: int) -> None:
    """Writes the products into the empty database at `url`, searches, prints."""
    print(f"\n{report.machine(url)}", flush=True)
    call_command("migrate", verbosity=0)
    started = time.perf_counter()
    shelf = searching.fill(products)
    print(f"{products:,} products, written in {time.perf_counter() - started:.0f} s\n", flush=True)
    try:
        rows = searching.measure(shelf)
    finally:
        connections.close_all()
    print(report.table(rows, ("search", "in SQL", "", "aim for p95")), flush=True)


def run_market(url: str, *, mirrored: int) -> None:
    """Sells on marketplaces from the empty database at `url`, measures, prints."""
    print(f"\n{report.machine(url)}\n", flush=True)
    call_command("migrate", verbosity=0)
    rows = []
    try:
        for row in market.measure(mirrored=mirrored):
            # It takes minutes: whoever waits sees that it goes on.
            print(*row, sep=" · ", file=sys.stderr, flush=True)
            rows.append(row)
    finally:
        connections.close_all()
    print(report.table(rows, ("marketplaces, against the stand-in", "measured", "limit", "")), flush=True)


def run_backups(url: str, *, megabytes: int, rounds: int) -> None:
    """Backs up and restores a large table in the empty database at `url`, measures, prints."""
    print(f"\n{report.machine(url)}\n", flush=True)
    rows = []
    try:
        for row in backups.measure(megabytes=megabytes, rounds=rounds):
            print(*row, sep=" · ", file=sys.stderr, flush=True)
            rows.append(row)
    finally:
        connections.close_all()
    print(report.table(rows, ("backups", "Samovar", "the bare tools", "ratio")), flush=True)


def run_failover(url: str, *, servers: int, nodes: int) -> None:
    """Kills the leaders of a cluster of its own while orders are taken, measures, prints. The database at `url` says
    which PostgreSQL it is."""
    print(f"\n{report.machine(url)}\n", flush=True)
    rows = []
    try:
        for row in failover.measure(servers=servers, nodes=nodes):
            print(*row, sep=" · ", file=sys.stderr, flush=True)
            rows.append(row)
    except CannotStart as refusal:
        print(f"failover is left out: {refusal}", flush=True)
        return
    header = (f"failover, {TILLS} tills over HTTP", "orders again after: median", "limit", "acknowledged orders")
    print(report.table(rows, header), flush=True)


def placing_rows(menu: catalogue.Menu, url: str, rounds: int, seconds: float) -> list[tuple[str, str, str, str]]:
    rows = []
    for lines in (2, 20):
        queries = placing.queries(menu, lines=lines)
        service, plain, ratio = placing.measure(menu, url, lines=lines, rounds=rounds, seconds=seconds)
        rows.append(
            (
                f"place_order, {lines} lines, one process",
                f"{service:.0f} orders/s",
                f"{plain:.0f} orders/s",
                f"{ratio:.2f} / {queries} queries",
            )
        )
    rows.append(("place_order, 50 lines", "", "", f"{placing.queries(menu, lines=50)} queries"))
    for lines in (2, 20, 50):
        service, number = placing.measure_for_less(menu, lines=lines, rounds=rounds, seconds=seconds)
        title = f"place_order with promotion, code and points, {lines} lines, one process"
        rows.append((title, f"{service:.0f} orders/s", "", f"{number} queries"))
    return rows


def http_rows(menu: catalogue.Menu, url: str, rounds: int, seconds: float) -> list[tuple[str, str, str, str]]:
    token = token_of_a_till()
    bodies = clients.bodies_of(menu.orders(placing.CARTS, lines=LINES), menu.location.pk)
    recorded = placing.recordings(menu, lines=LINES)
    carts = menu.orders(placing.CARTS, lines=LINES)
    connections.close_all()
    plain, service, over_http = [], [], []
    with clients.web_server() as port:
        clients.rate_over_http(port, token, bodies, 1)
        for _turn in range(rounds):
            plain.append(clients.rate_of_plain_sql(url, recorded, seconds))
            service.append(clients.rate_of_service(lambda cart: placing.sell(menu, cart), carts, seconds))
            over_http.append(clients.rate_over_http(port, token, bodies, seconds))
        rows = [
            (
                title,
                f"{median(rates):.0f} orders/s",
                f"{median(plain):.0f} orders/s",
                f"{median(one / other for one, other in zip(rates, plain, strict=True)):.2f}",
            )
            for title, rates in (
                (f"place_order, {LINES} lines, {clients.CLIENTS} processes", service),
                (f"POST orders/, {LINES} lines, {clients.CLIENTS} clients over HTTP", over_http),
            )
        ]
        for title, path in (
            (
                "GET products/ (50 of 200, with availability and options)",
                f"/api/v1/products/?location={menu.location.pk}",
            ),
            ("GET orders/ (50 with their items)", "/api/v1/orders/"),
        ):
            half, most = clients.latencies(port, token, path, number=100)
            rows.append((title, f"p50 {half:.0f} ms, p95 {most:.0f} ms", "", ""))
    return rows


def token_of_a_till() -> str:
    user = User.objects.create_user("till@bench.example", None, is_staff=True)
    user.groups.set([Group.objects.get(name="barista")])
    return issue_token(user=user, name="bench").secret
