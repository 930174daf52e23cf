"""A real shop for a test's own server: run as a program against the database of DATABASE_URL.

`migrate` makes the tables in an empty one, and `make` begins to sell; `sell` sells once more in one that was restored.
Those two say what they find.
"""

import datetime
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.contrib.postgres.search import SearchQuery
from django.core.management import call_command
from django.db import connection

from backups.engine.databases import drop, lobby
from backups.engine.logical import restore_all, take_logical
from backups.engine.repository import Repository
from backups.engine.server import Server
from inventory.models import Category, Location, Product, StockLevel
from inventory.selectors import levels_that_differ_from_the_ledger
from marketplaces.models import SellerAccount, SyncRun
from marketplaces.services.partitions import ensure_partitions
from orders.models import Order
from tests.shop import Shop

ROOT = Path(__file__).resolve().parents[2]
START = "import django, runpy; django.setup(); runpy.run_module('tests.backups.real_shop', run_name='__main__')"


def run(command: str, server: Server) -> Any:
    """What the program answers. Raises CalledProcessError if it fails."""
    url = f"postgres://{server.user}:{server.password}@{server.host}:{server.port}/{server.database}"
    done = subprocess.run(
        [sys.executable, "-c", START, command],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "project.settings"},
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def open_on(server: Server, database: str, *, scratch: Path) -> dict[str, Any]:
    """A shop that sells, in a new database of this server; one of this name goes. The tables are those of the tests'
    database, which have been migrated once for all. Returns what is found in it."""
    with lobby(server) as cursor:
        drop(cursor, database)
    repository = Repository(scratch)
    repository.make()
    migrated = take_logical(repository, Server.of_the_shop().of(connection.settings_dict["NAME"]))
    restore_all(migrated, server, database)
    made: dict[str, Any] = run("make", server.of(database))
    return made


def migrate() -> None:
    call_command("migrate", verbosity=0)


def make() -> dict[str, Any]:
    shop = Shop.open("Чайная на Солянке 🍵", address="ул. Солянка, «1»\n\tдвор")
    milk = shop.ingredient("Молоко", "ml", stock=10_000, unit_cost="0.08")
    latte = shop.product("Латте с тапиокой 🧋", "350.00", {milk: 200})
    for _number in range(3):
        shop.sell(latte, 2)
    account = SellerAccount.objects.create(
        marketplace="ozon", external_user_id="42", name="Самовар", location=shop.location, credentials={"api_key": "k"}
    )
    ensure_partitions(now=datetime.datetime(2026, 11, 15, tzinfo=datetime.UTC))
    for month in (3, 11, 12):
        SyncRun.objects.create(
            account=account,
            what="orders",
            source="Ozon",
            status="success",
            started_at=datetime.datetime(2026, month, 5, tzinfo=datetime.UTC),
            problems=[{"заказ": "№ 7", "why": "пусто \\u0000 \\ \" '"}],
            counts={"🧋": 3},
        )
    return found()


def sell() -> dict[str, Any]:
    """In the restored shop: nothing is left to migrate, and the next order is taken."""
    call_command("migrate", check_unapplied=True, verbosity=0)
    before = found()
    location = Location.objects.get()
    Shop(location, Category.objects.get()).sell(Product.objects.get(), 1)
    return before


def found() -> dict[str, Any]:
    return {
        "orders": [[order.number, str(order.total)] for order in Order.objects.order_by("id")],
        "stock": [str(level.quantity) for level in StockLevel.objects.order_by("id")],
        "differing": len(levels_that_differ_from_the_ledger()),
        "runs": [[run.started_at.month, run.problems, run.counts] for run in SyncRun.objects.order_by("started_at")],
        "key": [account.credentials for account in SellerAccount.objects.all()],
        "names": [Location.objects.get().name, Location.objects.get().address, Product.objects.get().name],
        "found": [
            product.name for product in Product.objects.filter(words__name=SearchQuery("латте", config="russian"))
        ],
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps({"migrate": migrate, "make": make, "sell": sell}[sys.argv[1]]()))
