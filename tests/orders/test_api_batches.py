"""Many orders at once over REST."""

from typing import Any

import pytest

from orders.models import BatchRun, Order, OrderEvent
from orders.tasks import run_batch
from tests.rest import Rest
from tests.shop import Shop, assert_levels_are_what_the_ledger_sums_to

pytestmark = pytest.mark.django_db


@pytest.fixture
def bar() -> Shop:
    return Shop.open()


@pytest.fixture
def barista() -> Rest:
    return Rest.of("barista")


def orders_of(bar: Shop, number: int) -> list[int]:
    milk = bar.ingredient("Milk", "ml", stock=10_000)
    latte = bar.product("Latte", "70.00", {milk: 200})
    placed = [bar.sell(latte) for _ in range(number)]
    return [order.pk for order in placed]


def paid_orders_of(bar: Shop, number: int) -> list[int]:
    ids = orders_of(bar, number)
    for order in Order.objects.filter(pk__in=ids):
        bar.pay(order)
    return ids


def test_a_batch_says_of_each_order_what_became_of_it(bar: Shop, barista: Rest) -> None:
    first, second, third = orders_of(bar, 3)
    barista.post(f"orders/{second}/cancel/", status=200)
    for order in Order.objects.filter(pk__in=[first, third]):
        bar.pay(order)
    answer = barista.post("orders/batch/complete/", {"ids": [third, 99_999_999, second, first, first]}, status=200)
    results = {one["id"]: one for one in answer["results"]}
    assert len(answer["results"]) == 4
    assert results[first] == {"id": first, "ok": True}
    assert results[third] == {"id": third, "ok": True}
    assert (results[second]["ok"], results[second]["error"]["type"]) == (False, "wrong_status")
    assert (results[99_999_999]["ok"], results[99_999_999]["error"]["type"]) == (False, "not_found")
    assert sorted(Order.objects.values_list("pk", "status")) == [
        (first, "completed"),
        (second, "cancelled"),
        (third, "completed"),
    ]
    assert OrderEvent.objects.filter(kind="complete", door="api", created_by=barista.user).count() == 2


def test_a_batch_cancels_with_reason_and_waste(bar: Shop, barista: Rest) -> None:
    ids = orders_of(bar, 2)
    body = {"ids": ids, "reason": "power cut", "restock": False}
    assert all(one["ok"] for one in barista.post("orders/batch/cancel/", body, status=200)["results"])
    assert set(OrderEvent.objects.filter(kind="cancel").values_list("reason", flat=True)) == {"power cut"}
    assert bar.quantity(bar.ingredient("Milk")) == 10_000 - 400
    assert_levels_are_what_the_ledger_sums_to()


def test_more_than_a_thousand_run_in_the_background(
    bar: Shop, barista: Rest, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed_over: list[str] = []
    monkeypatch.setattr(run_batch, "delay", handed_over.append)
    real = paid_orders_of(bar, 3)
    ids = [*real, *range(10_000_000, 10_001_000)]
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        answer = barista.post("orders/batch/complete/", {"ids": ids}, status=202)
    assert len(callbacks) == 1
    assert handed_over == [answer["batch"]]
    assert (answer["verb"], answer["total"], answer["done"], answer["finished_at"]) == ("complete", 1003, 0, None)
    assert set(Order.objects.values_list("status", flat=True)) == {"pending"}

    path = f"orders/batches/{answer['batch']}/"
    run_batch(answer["batch"])
    half = barista.get(path)
    assert (half["done"], half["finished_at"]) == (1000, None)
    run_batch(answer["batch"])
    done = barista.get(path)
    assert (done["done"], done["succeeded"], len(done["failures"])) == (1003, 3, 1000)
    assert done["failures"][0]["error"]["type"] == "not_found"
    assert done["finished_at"] is not None
    assert set(Order.objects.values_list("status", flat=True)) == {"completed"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "evening"}])
def test_a_broker_that_is_away_does_not_refuse_the_batch(
    barista: Rest, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(run_id: str) -> None:
        raise ConnectionError("no broker")

    monkeypatch.setattr(run_batch, "delay", unreachable)
    answer = barista.post("orders/batch/complete/", {"ids": list(range(1, 1002))}, status=202, **headers)
    assert str(BatchRun.objects.get().pk) == answer["batch"]


def test_a_repeated_key_starts_one_background_batch(bar: Shop, barista: Rest) -> None:
    ids = list(range(1, 1002))
    first = barista.post("orders/batch/cancel/", {"ids": ids}, status=202, **{"Idempotency-Key": "evening"})
    assert barista.post("orders/batch/cancel/", {"ids": ids}, status=202, **{"Idempotency-Key": "evening"}) == first
    assert BatchRun.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({}, "ids"),
        ({"ids": []}, "ids"),
        ({"ids": None}, "ids"),
        ({"ids": "1,2"}, "ids"),
        ({"ids": [1, "2"]}, "ids[1]"),
        ({"ids": [True]}, "ids[0]"),
        ({"ids": [0]}, "ids[0]"),
        ({"ids": [1], "reson": "x"}, "reson"),
        ({"ids": list(range(1, 100_002))}, "ids"),
        ([1, 2], "non_field_errors"),
    ],
)
def test_a_batch_that_makes_no_sense(bar: Shop, barista: Rest, body: Any, at: str) -> None:
    orders_of(bar, 1)
    for verb in ("complete", "cancel"):
        barista.refused("post", f"orders/batch/{verb}/", body, status=400, kind="invalid", at=at)
    assert Order.objects.get().status == "pending"
    assert not BatchRun.objects.exists()


def test_a_hundred_thousand_wrong_ids_are_not_named_one_by_one(barista: Rest) -> None:
    body = {"ids": ["x"] * 100_000}
    answer = barista.call("post", "orders/batch/complete/", body)
    assert answer.status_code == 400
    assert len(answer.json()["errors"]) == 20
