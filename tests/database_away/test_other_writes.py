"""Not only orders: any write under a key is done once, wherever its connection breaks."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from pytest_django import Settings

from inventory.models import StockDocument
from orders.models import Order, Payment
from tests.backups.cluster import Cluster
from tests.database_away.bar import Bar
from tests.database_away.meanwhile import sent_away_before, statements_of
from tests.shop import assert_levels_are_what_the_ledger_sums_to

pytestmark = pytest.mark.slow


@pytest.fixture
def bar(away: Cluster, settings: Settings) -> Bar:
    settings.DATABASE_PATIENCE = 30
    return Bar()


def interrupted_everywhere(prepare: Callable[[], tuple[str, Any]], bar: Bar, check: Callable[[Any], None]) -> int:
    """Does the write once for each of its statements, with the connection broken just there. `prepare` makes what it
    is about and says what to post; `check` gets each answer. Returns how many there were."""

    def post(number: int) -> Any:
        path, body = prepared[number]
        return bar.till.call("post", path, body, **{"Idempotency-Key": f"{path}-{number}"})

    prepared = [prepare()]
    count = statements_of(lambda: check(post(0)))
    prepared += [prepare() for _number in range(count)]
    for number in range(1, count + 1):
        with sent_away_before(number):
            answer = post(number)
        assert answer.status_code // 100 == 2, (number, answer.content)
        check(answer)
    assert_levels_are_what_the_ledger_sums_to()
    return count


def test_a_cancellation_gives_back_once(bar: Bar) -> None:
    def prepare() -> tuple[str, Any]:
        return f"orders/{bar.order().json()['id']}/cancel/", {"reason": "Spilled"}

    def check(answer: Any) -> None:
        assert answer.json()["status"] == "cancelled"

    interrupted_everywhere(prepare, bar, check)
    assert bar.shop.quantity(bar.milk) == 10_000


def test_a_payment_is_taken_once(bar: Bar) -> None:
    def prepare() -> tuple[str, Any]:
        return "payments/", {"order": bar.order().json()["id"], "method": "card", "amount": "70.00"}

    count = interrupted_everywhere(prepare, bar, lambda answer: None)
    paid = Payment.objects.filter(order__location=bar.shop.location)
    assert sorted(paid.values_list("amount", flat=True)) == [Decimal("70.00")] * (count + 1)


def test_a_list_of_orders_is_cancelled_once_and_each_of_them(bar: Bar) -> None:
    def prepare() -> tuple[str, Any]:
        return "orders/batch/cancel/", {"ids": [bar.order().json()["id"] for _ in range(2)], "reason": "Closed early"}

    def check(answer: Any) -> None:
        assert [one["ok"] for one in answer.json()["results"]] == [True, True]

    count = interrupted_everywhere(prepare, bar, check)
    of_the_bar = Order.objects.filter(location=bar.shop.location)
    assert set(of_the_bar.values_list("status", flat=True)) == {"cancelled"}
    assert of_the_bar.count() == 2 * (count + 1)
    assert bar.shop.quantity(bar.milk) == 10_000


def test_stock_is_received_once(bar: Bar) -> None:
    def prepare() -> tuple[str, Any]:
        line = {"ingredient": bar.milk.pk, "quantity": "100", "unit_cost": "0.08"}
        return "stock/receive/", {"location": bar.shop.location.pk, "lines": [line]}

    before = StockDocument.objects.count()
    count = interrupted_everywhere(prepare, bar, lambda answer: None)
    assert StockDocument.objects.count() == before + count + 1
    assert bar.shop.quantity(bar.milk) == 10_000 + 100 * (count + 1)
