"""A shop in which people sell without a pause: a program of its own, against the database of DATABASE_URL.

It sells until its input is closed, and writes a line for each order that the database has acknowledged. Whoever is
turned away, because the database is gone or changes its place, comes again.
"""

import datetime
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import Error, connection

from backups.engine.server import Server
from foundation.errors import Refusal
from inventory.models import Category, Ingredient, Location, Product
from orders.models import Order
from orders.services.cancel import cancel_order
from tests.backups.cluster import wait_until
from tests.shop import NOBODY, Shop

ROOT = Path(__file__).resolve().parents[2]
START = "import django, runpy; django.setup(); runpy.run_module('tests.backups.live_shop', run_name='__main__')"
SELLERS = 3
# Each seller cancels every so many of their orders, so that stock comes back too.
CANCELLED = 5


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """An order that its seller knows to be sold, and when they knew; `begun`: when they had asked for it."""

    number: int
    begun: datetime.datetime
    at: datetime.datetime


class Sellers:
    """The running program, seen from the test."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.acknowledged: list[Acknowledged] = []
        self.turned_away: list[str] = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            said = json.loads(line)
            if "why" in said:
                self.turned_away.append(said["why"])
                continue
            begun, at = (datetime.datetime.fromisoformat(said[name]) for name in ("begun", "at"))
            self.acknowledged.append(Acknowledged(said["number"], begun, at))

    def sell(self, number: int) -> None:
        """Waits until they have sold so many more."""
        enough = len(self.acknowledged) + number
        wait_until(lambda: len(self.acknowledged) >= enough or self.process.poll() is not None, seconds=120)
        assert self.process.poll() is None, "the sellers have gone home"

    def stop(self) -> None:
        """Everybody ends the order that they are at."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        assert self.process.wait(60) == 0
        self.reader.join(60)


@contextmanager
def selling(server: Server) -> Iterator[Sellers]:
    """People sell in the shop of this database meanwhile, which `real_shop` has made; each has sold something when the
    block begins."""
    url = f"postgres://{server.user}:{server.password}@{server.host}:{server.port}/{server.database}"
    with subprocess.Popen(
        [sys.executable, "-c", START],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "project.settings", "LOG_LEVEL": "CRITICAL"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        sellers = Sellers(process)
        try:
            sellers.sell(SELLERS * 2)
            yield sellers
        finally:
            if process.poll() is None:
                sellers.stop()


# --- the program ----------------------------------------------------------------------------------------


def say(**values: Any) -> None:
    sys.stdout.write(json.dumps(values, default=str) + "\n")
    sys.stdout.flush()


def sell_until(is_over: threading.Event, lock: threading.Lock, seller: int) -> None:
    shop = Shop(Location.objects.get(), Category.objects.get())
    product = Product.objects.get()
    count = 0
    while not is_over.is_set():
        begun = datetime.datetime.now(datetime.UTC)
        try:
            order = shop.sell(product, 1 + count % 3, comment=f"продавец {seller} 🧋")
            at = datetime.datetime.now(datetime.UTC)
            with lock:
                say(number=order.number, begun=begun, at=at)
            count += 1
            if count % CANCELLED == 0:
                cancel_order(order_id=order.pk, actor=NOBODY)
            else:
                shop.pay(order)
        except (Error, Refusal, Order.DoesNotExist) as error:
            # The database went away, or is another one in which that order never was.
            connection.close()
            with lock:
                say(why=f"{type(error).__name__}: {str(error).strip()[:200]}")
            is_over.wait(0.05)
    connection.close()


def main() -> None:
    shop = Shop(Location.objects.get(), Category.objects.get())
    shop.receive({Ingredient.objects.get(): 9_000_000})
    connection.close()
    is_over, lock = threading.Event(), threading.Lock()
    sellers = [threading.Thread(target=sell_until, args=(is_over, lock, number)) for number in range(SELLERS)]
    for seller in sellers:
        seller.start()
    sys.stdin.read()
    is_over.set()
    for seller in sellers:
        seller.join()


if __name__ == "__main__":
    main()
