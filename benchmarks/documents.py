"""Documents of 500 lines, and a part of the archive: how long each takes, and with how many queries."""

import datetime
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from benchmarks.catalogue import Menu
from inventory.models import Ingredient
from inventory.services.counts import count_lines, post_count, start_count, submit_count
from inventory.services.lines import StockLine
from inventory.services.stock import receive_stock
from orders.models import ArchivedOrder, Order
from orders.services.archive import archive_orders, restore_orders

LINES = 500
Row = tuple[str, str, str, str]


def measure(menu: Menu) -> list[Row]:
    """A receipt, a count, and a thousand orders into the archive and back."""
    ingredients = Ingredient.objects.bulk_create([Ingredient(name=f"Bean {n}", unit="g") for n in range(LINES)])
    ids = [one.pk for one in ingredients]
    lines = [StockLine(pk, Decimal(1000), Decimal("0.5")) for pk in ids]
    rows = [
        measured(
            f"receive {LINES} lines",
            lambda: receive_stock(location=menu.location, lines=lines, created_by_id=None),
        )
    ]
    count = start_count(location=menu.location, ingredient_ids=ids, created_by_id=None)
    # Each line differs from what is on the shelf, so that each becomes a movement.
    count_lines(count_id=count.pk, counted=dict.fromkeys(ids, Decimal(990)), counted_by_id=None)
    submit_count(count_id=count.pk)
    rows.append(measured(f"post a count of {LINES} lines", lambda: post_count(count_id=count.pk, posted_by_id=None)))
    closed = Order.objects.exclude(closed_at=None).order_by("-placed_at")
    before = closed.values_list("placed_at", flat=True).first()
    if before is not None:
        before += datetime.timedelta(days=1)
        rows.append(measured("archive a thousand orders", lambda: archive_orders(before=before)))
        moved = list(ArchivedOrder.objects.values_list("pk", flat=True))
        rows.append(measured("restore them", lambda: restore_orders(order_ids=moved)))
    return rows


def measured(title: str, call: Callable[[], Any]) -> Row:
    started = time.perf_counter()
    with CaptureQueriesContext(connection) as captured:
        call()
    elapsed = time.perf_counter() - started
    queries = sum(one["sql"] not in ("BEGIN", "COMMIT") for one in captured)
    return title, f"{elapsed:.2f} s", "", f"{queries} queries"
