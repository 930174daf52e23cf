"""Large batches run in the background, part by part."""

import datetime

import pytest
from django.utils import timezone

from orders import tasks
from orders.models import BatchRun, Order
from orders.services import batch
from orders.services.batch import run_batch_part, start_batch
from tests.shop import NOBODY, Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def three_orders(monkeypatch: pytest.MonkeyPatch) -> list[Order]:
    monkeypatch.setattr(batch, "PART", 2)
    shop = Shop.open()
    tea = shop.product("Tea")
    return [shop.sell(tea) for _ in range(3)]


def test_a_batch_is_done_in_parts_and_counts_what_could_not_be_done(three_orders: list[Order]) -> None:
    ids = [order.pk for order in three_orders]
    batch.cancel_orders(order_ids=ids[:1], actor=NOBODY)
    run = start_batch(verb=BatchRun.Verb.COMPLETE, order_ids=[*reversed(ids), ids[0]], actor=NOBODY, allow_unpaid=True)

    assert run_batch_part(run_id=run.pk) is True
    run.refresh_from_db()
    assert (run.total, run.done, run.succeeded, run.finished_at) == (3, 2, 1, None)
    assert run.failures[0]["id"] == ids[0]
    assert run.failures[0]["error"]["type"] == "wrong_status"

    assert run_batch_part(run_id=run.pk) is False
    run.refresh_from_db()
    assert (run.done, run.succeeded) == (3, 2)
    assert run.finished_at is not None
    assert list(Order.objects.order_by("pk").values_list("status", flat=True)) == [
        "cancelled",
        "completed",
        "completed",
    ]


def test_a_part_that_runs_again_after_the_end_changes_nothing(three_orders: list[Order]) -> None:
    run = start_batch(verb=BatchRun.Verb.CANCEL, order_ids=[three_orders[0].pk], actor=NOBODY, reason="closing")
    run_batch_part(run_id=run.pk)
    run.refresh_from_db()
    finished = run.finished_at

    assert run_batch_part(run_id=run.pk) is False

    run.refresh_from_db()
    assert (run.done, run.failures, run.finished_at) == (1, [], finished)
    assert three_orders[0].events.filter(kind="cancel").count() == 1


def test_a_batch_whose_message_was_lost_is_carried_on(
    three_orders: list[Order], monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []
    monkeypatch.setattr(tasks.run_batch, "delay", called.append)
    lost = start_batch(verb=BatchRun.Verb.COMPLETE, order_ids=[three_orders[0].pk], actor=NOBODY)
    start_batch(verb=BatchRun.Verb.COMPLETE, order_ids=[three_orders[1].pk], actor=NOBODY)
    BatchRun.objects.filter(pk=lost.pk).update(updated_at=timezone.now() - datetime.timedelta(minutes=3))

    tasks.carry_on_stalled_batches()

    assert called == [str(lost.pk)]
