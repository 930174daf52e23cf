"""`place_order` in one process, in turns with the same SQL in plain psycopg2."""

import random
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from benchmarks.catalogue import Menu
from benchmarks.offers import POINTS_OF_AN_ORDER, Offers, cheaper
from benchmarks.replay import Recording, connect, record
from orders.models import Order, OrderEvent
from orders.pricing import OrderLine
from orders.services.actor import Actor
from orders.services.place import place_order

TILL = Actor(None, OrderEvent.Door.COMMAND)
CARTS = 100


def rate(call: Callable[[Any], object], arguments: Sequence[Any], seconds: float) -> float:
    """Calls per second, for about so many seconds."""
    number, started = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - started) < seconds:
        call(arguments[number % len(arguments)])
        number += 1
    return number / elapsed


def sell(menu: Menu, lines: Sequence[OrderLine]) -> Order:
    return place_order(location=menu.location, lines=lines, actor=TILL)


def sell_for_less(offers: Offers, cart: Sequence[OrderLine]) -> Order:
    """The same with a promotion, a promo code and points."""
    return place_order(
        location=offers.menu.location,
        lines=cart,
        actor=TILL,
        customer_id=next(offers.customers),
        promo_code=offers.code,
        redeem_points=POINTS_OF_AN_ORDER,
    )


def start_ids_high() -> None:
    """Lets orders and their lines count from a number that nothing else has: see `benchmarks.replay.record`."""
    with connection.cursor() as cursor:
        for table in ("orders_order", "orders_orderitem"):
            start = 10**9 if table == "orders_order" else 2 * 10**9
            cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [table, start])


def recordings(menu: Menu, *, lines: int) -> list[Recording]:
    return [record(lambda cart: sell(menu, cart), cart) for cart in menu.orders(CARTS, lines=lines)]


def queries(menu: Menu, *, lines: int) -> int:
    """The number of statements of one order, BEGIN and COMMIT not counted."""
    return statements(lambda: sell(menu, menu.lines(lines, random.Random(1))))


def statements(call: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as captured:
        call()
    return sum(one["sql"] not in ("BEGIN", "COMMIT") for one in captured)


def measure_for_less(menu: Menu, *, lines: int, rounds: int, seconds: float) -> tuple[float, int]:
    """Orders per second and statements of an order that a promotion, a code and points make cheaper."""
    with cheaper(menu) as offers:
        number = statements(lambda: sell_for_less(offers, menu.lines(lines, random.Random(1))))
        carts = menu.orders(CARTS, lines=lines)
        rate(lambda cart: sell_for_less(offers, cart), carts, 0.5)
        return median(rate(lambda cart: sell_for_less(offers, cart), carts, seconds) for _ in range(rounds)), number


def measure(menu: Menu, url: str, *, lines: int, rounds: int, seconds: float) -> tuple[float, float, float]:
    """Orders per second: by the service, by the same SQL, and the median of the rounds' ratios."""
    carts, recorded = menu.orders(CARTS, lines=lines), recordings(menu, lines=lines)
    plain = connect(url)
    service_rates, plain_rates = [], []
    try:
        for turn in range(rounds + 1):
            # The first round only warms up both.
            length = seconds if turn else 0.5
            plain_rate = rate(lambda one: one.play(plain), recorded, length)
            service_rate = rate(lambda cart: sell(menu, cart), carts, length)
            if turn:
                plain_rates.append(plain_rate)
                service_rates.append(service_rate)
    finally:
        plain.close()
    ratios = [one / other for one, other in zip(service_rates, plain_rates, strict=True)]
    return median(service_rates), median(plain_rates), median(ratios)
