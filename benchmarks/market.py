"""The marketplaces: orders from the journal to the ledger, large stocks imported, and the lists of a large mirror.

All of it against the local stand-in, which answers without limits: what is measured is the shop.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import connection, connections
from django.utils import timezone

from benchmarks import clients
from foundation.services.records import add_record
from inventory.models import Category, Ingredient, Location, Product, RecipeLine
from inventory.selectors import levels_that_differ_from_the_ledger
from inventory.services.lines import StockLine
from inventory.services.stock import receive_stock
from marketplaces.choices import Marketplace
from marketplaces.models import Listing, SellerAccount, StockOperation, SyncRun
from users.models import User
from users.services.tokens import issue_token

ORDERS, ROWS, MIRRORED, ACCOUNTS = 1_000, 100_000, 1_000_000, 3
AIM_ORDERS, AIM_IMPORT, AIM_MEMORY, AIM_AGAIN, AIM_LIST = 20, 20, 250, 5, 60
PATIENCE = 300
GOODS = 20
FAR = 80
PACE = 1000.0
Row = tuple[str, str, str, str]


class Standin:
    """The stand-in as a program of its own; `tell` speaks with its door for tests."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url, token

    def tell(self, action: str, **body: Any) -> dict[str, Any]:
        request = urllib.request.Request(
            f"{self.url}/control/{action}", json.dumps(body).encode(), {"X-Control-Token": self.token}
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            told: dict[str, Any] = json.load(answer)
        return told


@contextmanager
def standin() -> Iterator[Standin]:
    """Starts a stand-in without limits, and points the settings of this process and its children to it."""
    with tempfile.TemporaryDirectory() as folder:
        token = Path(folder) / "token"
        command = [
            *[sys.executable, "-m", "marketplaces.standin", "--control-token", str(token)],
            *["--no-limits", "--settle", "0"],
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
            try:
                assert program.stdout is not None
                url = program.stdout.readline().split()[-1]
                point_to(url)
                yield Standin(url, token.read_text(encoding="ascii"))
            finally:
                program.terminate()
                program.wait(PATIENCE)


def point_to(url: str) -> None:
    """The marketplaces are at this stand-in, for this process and for those that it starts, and no limit of the real
    ones holds the shop back."""
    settings.MARKETPLACE_STANDIN_URL, settings.MARKETPLACE_STANDIN_PACE = url, PACE
    os.environ |= {"MARKETPLACE_STANDIN_URL": url, "MARKETPLACE_STANDIN_PACE": str(PACE)}
    for name, prefix in (
        ("ALLEGRO_API_URL", "allegro"),
        ("ALLEGRO_AUTH_URL", "allegro-auth"),
        ("OZON_API_URL", "ozon"),
        ("WILDBERRIES_MARKETPLACE_URL", "wildberries"),
        ("WILDBERRIES_ANALYTICS_URL", "wildberries-analytics"),
    ):
        setattr(settings, name, f"{url}/{prefix}")
        os.environ[name] = f"{url}/{prefix}"


def measure(*, orders: int = ORDERS, rows: int = ROWS, mirrored: int = MIRRORED) -> Iterator[Row]:
    """The rows of the table: what, measured, the aim, and remarks."""
    location = Location.objects.create(name="Warehouse")
    with standin() as market:
        yield from journal_to_completed(market, location, orders=orders)
        yield from imports(market, location, rows=rows)
    yield from lists(location, mirrored=mirrored)


# --- orders ------------------------------------------------------------------------------------------------


def journal_to_completed(market: Standin, location: Location, *, orders: int) -> Iterator[Row]:
    """So many new orders, from Allegro's journal to the status `completed`, with one worker process."""
    seller = market.tell(
        "sellers", marketplace="allegro", keys={"client_id": "bench", "client_secret": "s", "first_refresh_token": "r"}
    )["seller"]
    skus = [market.tell("offers", seller=seller, pieces=orders * 10)["sku"] for _ in range(GOODS)]
    account = SellerAccount.objects.create(
        marketplace=Marketplace.ALLEGRO,
        external_user_id="bench",
        name="Bench",
        location=location,
        mode=SellerAccount.Mode.LIVE,
        connection=SellerAccount.Connection.CONNECTED,
        credentials={"client_id": "bench", "client_secret": "s"},
        credentials_changed_at=timezone.now(),
        tokens={"access_token": "", "refresh_token": "r"},
        access_expires_at=timezone.now(),
    )
    stock_goods(location, account, skus, pieces=orders * 10)
    with worker():
        # The first reading finds nothing: what is measured is what comes after it.
        read_orders(account)
        wait_for(lambda: SyncRun.objects.filter(what="orders", status="success").count() == 1)
        for number in range(orders):
            market.tell("orders", seller=seller, lines=[[skus[number % GOODS], 1], [skus[(number + 7) % GOODS], 2]])
        started = time.perf_counter()
        read_orders(account)
        wait_for(lambda: StockOperation.objects.filter(status="completed").count() == orders)
        elapsed = time.perf_counter() - started
        wait_for(lambda: not Listing.objects.filter(push_wanted_at__isnull=False).exists())
        pushed = time.perf_counter() - started
    if differing := levels_that_differ_from_the_ledger():
        raise RuntimeError(f"levels that are not what their ledger sums to: {differing[:5]}")
    yield (
        f"{orders:,} new orders of two lines, from the journal to completed, one worker",
        f"{elapsed:.1f} s",
        f"{AIM_ORDERS} s",
        f"{orders / elapsed:.0f} orders/s; quantities pushed and read back after {pushed:.1f} s",
    )


def stock_goods(location: Location, account: SellerAccount, skus: Sequence[str], *, pieces: int) -> None:
    """A packed good for each SKU, and plenty of it."""
    category = Category.objects.create(name="Goods")
    lines = []
    for number, sku in enumerate(skus):
        ingredient = add_record(record=Ingredient(name=f"Tin {number}", unit="pc"))
        product = add_record(record=Product(category=category, name=f"Tea {number}", price=Decimal(50)))
        RecipeLine.objects.create(product=product, ingredient=ingredient, quantity=Decimal(1))
        Listing.objects.create(account=account, sku=sku, product=product)
        lines.append(StockLine(ingredient.pk, Decimal(pieces), Decimal(1)))
    receive_stock(location=location, lines=lines, created_by_id=None)


def read_orders(account: SellerAccount) -> None:
    """Asks the worker to read the account's orders, as beat does when it is time."""
    from marketplaces.tasks import sync_orders  # noqa: PLC0415 (a task needs the broker that the worker listens to)

    account.sync_states.update(next_due_at=timezone.now())
    sync_orders.delay(str(account.pk))


@contextmanager
def worker() -> Iterator[None]:
    """One worker that does one thing at a time."""
    command = [
        *[sys.executable, "-m", "celery", "--app", "project", "--quiet", "worker", "--pool", "solo"],
        *["--loglevel", "ERROR", "--without-mingle", "--without-gossip", "--without-heartbeat"],
    ]
    environment = os.environ | {"LOG_LEVEL": "ERROR"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as program:
        try:
            yield
        finally:
            program.terminate()
            program.wait(PATIENCE)


def wait_for(is_so: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() > deadline:
            raise RuntimeError("the worker did not get there")
        time.sleep(0.05)


# --- stock -------------------------------------------------------------------------------------------------


def imports(market: Standin, location: Location, *, rows: int) -> Iterator[Row]:
    """So many rows of one account; a tenth of them, for the memory; the same again; three accounts at once."""
    sellers = [ozon_seller(market, location, f"{1000 + number}", offers=rows) for number in range(ACCOUNTS)]
    small = ozon_seller(market, location, "999", offers=rows // 10)
    few = in_processes([small])[0]
    first = in_processes(sellers[:1])[0]
    yield (
        f"{first.stored:,} rows of stock imported",
        f"{first.seconds:.1f} s",
        f"{AIM_IMPORT} s",
        f"{first.stored / first.seconds:,.0f} rows/s",
    )
    yield (
        "memory of that process",
        f"{first.memory:.0f} MB",
        f"{AIM_MEMORY} MB",
        f"{few.memory:.0f} MB with {few.stored:,} rows",
    )
    again = in_processes(sellers[:1])[0]
    yield (
        "the same again, nothing changed",
        f"{100 * again.written / first.written:.2f} % of the writes",
        f"{AIM_AGAIN} %",
        f"{again.written:,} of {first.written:,} rows written, {again.seconds:.1f} s",
    )
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE marketplaces_marketplacestock, marketplaces_marketplacestocksnapshot")
    together = in_processes(sellers)
    yield (
        f"{ACCOUNTS} accounts in parallel, {sum(one.stored for one in together):,} rows",
        f"{together[0].together:.1f} s",
        f"{AIM_IMPORT} s",
        f"{max(one.memory for one in together):.0f} MB the largest process",
    )


@dataclass(frozen=True, slots=True)
class Imported:
    """What a process that imported stock says of itself: seconds, its largest memory in MB, the rows that the account
    has now; the rows that were written meanwhile, in all tables of marketplaces; and the seconds from the start of the
    processes that were started with it to the end of the last one."""

    seconds: float
    memory: float
    stored: int
    written: int
    together: float


def ozon_seller(market: Standin, location: Location, client_id: str, *, offers: int) -> SellerAccount:
    """An account on Ozon with so many offers in one warehouse."""
    keys = {"client_id": client_id, "api_key": f"key-{client_id}"}
    seller = market.tell("sellers", marketplace="ozon", keys=keys)["seller"]
    market.tell("offers", seller=seller, count=offers)
    return SellerAccount.objects.create(
        marketplace=Marketplace.OZON,
        external_user_id="bench",
        name=client_id,
        location=location,
        connection=SellerAccount.Connection.CONNECTED,
        credentials=keys,
        credentials_changed_at=timezone.now(),
    )


def in_processes(accounts: Sequence[SellerAccount]) -> list[Imported]:
    """Imports the stock of these accounts, each in a process of its own."""
    before = rows_written()
    environment = os.environ | {"LOG_LEVEL": "ERROR"}
    started = time.perf_counter()
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.importing", str(account.pk)],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        for account in accounts
    ]
    told = []
    for process in processes:
        said, _nothing = process.communicate(timeout=PATIENCE)
        if process.returncode:
            raise RuntimeError(f"an import ended with exit code {process.returncode}")
        told.append(json.loads(said))
    elapsed = time.perf_counter() - started
    if failed := [one["message"] for one in told if one["status"] != SyncRun.Status.SUCCESS]:
        raise RuntimeError(f"an import failed: {failed[0]}")
    written = rows_written() - before
    return [Imported(one["seconds"], one["memory"], one["stored"], written, elapsed) for one in told]


def rows_written() -> int:
    """The rows that were inserted, updated and deleted in the tables of marketplaces so far, by PostgreSQL's count."""
    # A backend hands its counts over when it ends or is idle; those that we ask about have ended.
    time.sleep(1.5)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables WHERE relname LIKE 'marketplaces_%'"
        )
        return int(cursor.fetchone()[0])


# --- lists -------------------------------------------------------------------------------------------------


def lists(location: Location, *, mirrored: int) -> Iterator[Row]:
    """The REST lists of a mirror of so many orders."""
    accounts = fill_mirror(location, mirrored)
    user = User.objects.create_user("manager@bench.example", None, is_staff=True)
    user.groups.set([Group.objects.get(name="manager")])
    token = issue_token(user=user, name="bench").secret
    connections.close_all()
    root = "/api/v1/marketplaces/orders/"
    with clients.web_server() as port:
        far = far_back(port, token, f"{root}?account={accounts[0].pk}")
        for title, path in (
            ("all, the newest", root),
            ("of one account", f"{root}?account={accounts[1].pk}"),
            ("of one seller", f"{root}?external_user_id=mirror-2"),
            ("ready, of all accounts", f"{root}?state=ready"),
            (
                "of a day",
                f"{root}?account={accounts[0].pk}&placed_after=2026-03-01T00:00:00Z&placed_before=2026-03-02T00:00:00Z",
            ),
            ("by number", f"{root}?search=M-99"),
            (f"page {FAR + 1}", far),
        ):
            half, most = clients.latencies(port, token, path, number=100)
            yield (
                f"REST orders of {mirrored:,} mirrored: {title}",
                f"p95 {most:.0f} ms",
                f"{AIM_LIST} ms",
                f"p50 {half:.0f} ms",
            )


def far_back(port: int, token: str, path: str) -> str:
    """The address of a page that is reached by turning so many."""
    client = clients.Client(port, token)
    for _turn in range(FAR):
        status, answer = client.get(path)
        if status != 200:
            raise RuntimeError(f"{status}: {answer[:300]!r}")
        address = json.loads(answer)["next"]
        if address is None:
            break
        path = address[address.index("/api/") :]
    return path


def fill_mirror(location: Location, number: int) -> list[SellerAccount]:
    """So many orders of five accounts over a year, a line each; written by PostgreSQL itself."""
    accounts = [
        SellerAccount.objects.create(
            marketplace=Marketplace.OZON, external_user_id=f"mirror-{place}", name=f"Mirror {place}", location=location
        )
        for place in range(5)
    ]
    states = ["delivered"] * 17 + ["cancelled", "ready", "sent"]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO marketplaces_marketplaceorder (id, account_id, external_id, number, status, fulfilment_status,
                state, scheme, currency, total, revision, payload, payload_digest, placed_at, changed_at,
                first_seen_at, synced_at, buyer_contacts)
            SELECT (lpad(to_hex((extract(epoch FROM placed) * 1000)::bigint), 12, '0')
                    || '7' || substr(md5(i::text), 1, 3) || '8' || substr(md5(i::text), 4, 15))::uuid,
                   (%(accounts)s::uuid[])[i %% 5 + 1], 'M-' || i, 'M-' || i, 'delivered', '',
                   (%(states)s::text[])[i %% 20 + 1], 'FBS', 'RUB', i %% 5000, '',
                   jsonb_build_object('posting_number', 'M-' || i, 'note', repeat(md5(i::text), 20)), md5(i::text),
                   placed, placed, placed, placed, '{}'
            FROM (SELECT i, timestamptz '2025-11-01' + i * interval '1 year' / %(number)s AS placed
                  FROM generate_series(1, %(number)s) AS i) AS one
            """,
            {"accounts": [account.pk for account in accounts], "states": states, "number": number},
        )
        cursor.execute(
            """
            INSERT INTO marketplaces_marketplaceorderline (order_id, external_line_id, sku, name, barcode, quantity)
            SELECT id, external_id || '-1', 'SKU-' || substr(external_id, 3, 3), 'Tea', '', 1
            FROM marketplaces_marketplaceorder WHERE external_id LIKE 'M-%%'
            """,
            [],
        )
        cursor.execute("VACUUM ANALYZE marketplaces_marketplaceorder")
        cursor.execute("VACUUM ANALYZE marketplaces_marketplaceorderline")
    return accounts
