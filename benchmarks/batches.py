"""Completing and cancelling a thousand orders at once."""

import functools
import time
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from benchmarks.catalogue import Menu
from benchmarks.placing import TILL, sell
from orders.services.batch import cancel_orders, complete_orders

ORDERS = 1000


def measure(menu: Menu) -> list[tuple[str, float, int]]:
    """(what, seconds, queries) of each batch."""
    return [
        measured(menu, "complete 1,000 orders", functools.partial(complete_orders, allow_unpaid=True)),
        measured(menu, "cancel 1,000 orders with return to stock", cancel_orders),
    ]


def measured(menu: Menu, title: str, verb: Callable[..., Any]) -> tuple[str, float, int]:
    ids = [sell(menu, cart).pk for cart in menu.orders(ORDERS, lines=2)]
    started = time.perf_counter()
    with CaptureQueriesContext(connection) as captured:
        results = verb(order_ids=ids, actor=TILL)
    elapsed = time.perf_counter() - started
    if any(result.refusal for result in results):
        raise RuntimeError("an order of the batch was refused")
    return title, elapsed, sum(one["sql"] not in ("BEGIN", "COMMIT") for one in captured)
