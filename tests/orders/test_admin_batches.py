"""Completing and cancelling many orders from their list, at once and in the background."""

import re
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from orders.admin import batch_actions
from orders.models import BatchRun, CancelledItem, Order
from orders.services import batch
from orders.services.actor import Actor
from orders.services.batch import run_batch_part, start_batch
from orders.services.transitions import complete_order
from orders.tasks import run_batch
from tests.inventory.admin_pages import queries_of, said, signed_in, text_of
from tests.orders.admin_orders import page
from tests.shop import NOBODY, Shop, assert_levels_are_what_the_ledger_sums_to, user_of

LIST = "/admin/orders/order/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def bar() -> Shop:
    return Shop.open()


@pytest.fixture
def orders(bar: Shop) -> list[Order]:
    """Four orders of a latte each; the last one is completed already."""
    milk = bar.ingredient("Milk", "ml", stock=10_000)
    latte = bar.product("Latte", "70.00", {milk: 100})
    placed = [bar.sell(latte) for _number in range(4)]
    complete_order(order_id=placed[-1].pk, actor=NOBODY, allow_unpaid=True)
    return placed


@pytest.fixture
def paid(bar: Shop, orders: list[Order]) -> list[Order]:
    """The same, all of them paid."""
    for order in orders:
        bar.pay(order)
    return orders


@pytest.fixture
def barista() -> Client:
    return signed_in("barista")


def chosen(action: str, orders: list[Order], **more: Any) -> dict[str, Any]:
    return {"action": action, "_selected_action": [order.pk for order in orders], **more}


def statuses(orders: list[Order]) -> list[str]:
    by_id = dict(Order.objects.values_list("pk", "status"))
    return [by_id[order.pk] for order in orders]


def sent_back(content: str) -> dict[str, str]:
    """What the page that asks about a cancellation would send, without its visible fields."""
    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', content)
    return {name: value for name, value in hidden if name != "csrfmiddlewaretoken"}


def test_chosen_orders_are_completed(paid: list[Order], orders: list[Order], barista: Client) -> None:
    response = barista.post(LIST, chosen("complete_selected", orders[:2]))

    assert response.url == LIST
    assert said(response) == ["2 orders are completed."]
    assert statuses(orders) == ["completed", "completed", "pending", "completed"]


def test_those_that_could_not_be_done_are_named_with_the_reason(
    paid: list[Order], orders: list[Order], barista: Client
) -> None:
    response = barista.post(LIST, chosen("complete_selected", orders))

    text = text_of(response)
    assert "3 orders are completed." in text
    assert "1 order stayed as it was" in text
    assert f"Order #{orders[3].number} is completed. This is possible only while it is" in text
    assert statuses(orders) == ["completed"] * 4


def test_cancelling_asks_first_and_changes_nothing_yet(orders: list[Order], barista: Client) -> None:
    response = barista.post(LIST, chosen("cancel_selected", orders[:3]))

    assert "Cancel 3 orders" in text_of(response)
    assert statuses(orders) == ["pending", "pending", "pending", "completed"]


def test_chosen_orders_are_cancelled_with_reason_and_return(bar: Shop, orders: list[Order], barista: Client) -> None:
    asked = barista.post(LIST, chosen("cancel_selected", orders[:3]))

    response = barista.post(LIST, {**sent_back(asked.content.decode()), "reason": "Power cut", "restock": "restock"})

    assert said(response) == ["3 orders are cancelled."]
    assert statuses(orders) == ["cancelled", "cancelled", "cancelled", "completed"]
    assert set(CancelledItem.objects.values_list("reason", "is_restocked")) == {("Power cut", True)}
    assert bar.quantity(bar.ingredient("Milk")) == 9900
    assert_levels_are_what_the_ledger_sums_to()


def test_chosen_orders_are_cancelled_as_waste(bar: Shop, orders: list[Order], barista: Client) -> None:
    asked = barista.post(LIST, chosen("cancel_selected", orders[:2]))

    barista.post(LIST, {**sent_back(asked.content.decode()), "reason": "", "restock": "waste"})

    assert bar.quantity(bar.ingredient("Milk")) == 9600


def test_a_cancellation_without_an_answer_is_asked_again(orders: list[Order], barista: Client) -> None:
    asked = sent_back(barista.post(LIST, chosen("cancel_selected", orders[:2])).content.decode())

    for answers in ({}, {"restock": "x"}, {"restock": "waste", "reason": "x" * 301}):
        assert barista.post(LIST, {**asked, **answers}).status_code == 200
    assert statuses(orders) == ["pending", "pending", "pending", "completed"]


def test_orders_placed_after_the_question_are_not_meant(
    bar: Shop, orders: list[Order], barista: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_actions, "PART", 2)
    monkeypatch.setattr(run_batch, "delay", lambda run_id: None)
    address = f"{LIST}?active=yes"
    asked = barista.post(address, chosen("cancel_selected", orders[:1], select_across="1"))
    assert "Cancel 3 orders" in text_of(asked)
    late = bar.sell(bar.product("Tea"))

    barista.post(address, {**sent_back(asked.content.decode()), "reason": "", "restock": "restock"})

    assert BatchRun.objects.get().order_ids == [order.pk for order in orders[:3]]
    assert statuses([late]) == ["pending"]


@pytest.mark.parametrize("action", ["complete_selected", "cancel_selected"])
def test_who_may_not_do_it_to_one_may_not_do_it_to_many(orders: list[Order], action: str) -> None:
    client, looker = Client(), user_of("barista")
    group = looker.groups.get()
    group.permissions.remove(*group.permissions.filter(codename__in=["advance_order", "cancel_order"]))
    client.force_login(looker)

    client.post(LIST, chosen(action, orders, confirmed="1", restock="restock", ids=str(orders[0].pk)))

    assert statuses(orders) == ["pending", "pending", "pending", "completed"]


@pytest.mark.parametrize("wrong", ["x", "9" * 30, "-1", ""])
def test_ids_that_are_none_are_refused(orders: list[Order], barista: Client, wrong: str) -> None:
    response = barista.post(LIST, {"action": "complete_selected", "_selected_action": [orders[0].pk, wrong]})

    assert "Choose them anew" in said(response)[0]
    assert statuses(orders) == ["pending", "pending", "pending", "completed"]


def test_nothing_chosen_does_nothing(orders: list[Order], barista: Client) -> None:
    nothing = f"{LIST}?status=cancelled"
    for action in ("complete_selected", "cancel_selected"):
        barista.post(LIST, {"action": action, "index": "0"})
        response = barista.post(nothing, chosen(action, orders[:1], select_across="1"))
        assert "Choose at least one order." in said(response)

    assert statuses(orders) == ["pending", "pending", "pending", "completed"]


# --- in the background ---


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Parts of two orders, and the messages that would go to the worker."""
    messages: list[str] = []
    monkeypatch.setattr(batch_actions, "PART", 2)
    monkeypatch.setattr(batch, "PART", 2)
    monkeypatch.setattr(run_batch, "delay", messages.append)
    return messages


def test_a_large_batch_goes_on_in_the_background(
    orders: list[Order], barista: Client, small_parts: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        response = barista.post(LIST, chosen("complete_selected", orders, select_across="1"))

    run = BatchRun.objects.get()
    assert response.url == page("batchrun_change", run.pk)
    assert small_parts == [str(run.pk)]
    assert (run.verb, run.order_ids) == ("complete", [order.pk for order in orders])
    assert statuses(orders)[0] == "pending", "nothing is done before the task runs"


def test_a_broker_that_is_down_loses_no_batch(
    orders: list[Order],
    barista: Client,
    small_parts: list[str],
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    def unreachable(run_id: str) -> None:
        raise ConnectionError("no broker")

    monkeypatch.setattr(run_batch, "delay", unreachable)
    with django_capture_on_commit_callbacks(execute=True):
        response = barista.post(LIST, chosen("complete_selected", orders, select_across="1"))

    assert response.status_code == 302
    assert BatchRun.objects.count() == 1


def test_the_progress_page_shows_how_far_it_is_and_what_failed(
    paid: list[Order], orders: list[Order], barista: Client, small_parts: list[str]
) -> None:
    actor = Actor(user_of("manager").pk, "admin")
    run = start_batch(verb="complete", order_ids=[order.pk for order in orders], actor=actor)
    progress = page("batchrun_progress", run.pk)

    assert barista.get(page("batchrun_change", run.pk)).status_code == 200
    run_batch_part(run_id=run.pk)
    half = barista.get(progress).json()
    assert (half["done"], half["total"], half["failed"], half["is_finished"]) == (2, 4, 0, False)
    run_batch_part(run_id=run.pk)
    whole = barista.get(progress).json()

    assert (whole["done"], whole["succeeded"], whole["failed"], whole["is_finished"]) == (4, 3, 1, True)
    assert whole["failures"] == [
        {
            "order": f"#{orders[3].number}",
            "url": page("order_change", orders[3].pk),
            "detail": f"Order #{orders[3].number} is completed. "
            "This is possible only while it is pending, preparing, ready.",
        }
    ]


def test_the_list_of_batches_takes_the_same_queries_for_1_and_for_10(orders: list[Order], barista: Client) -> None:
    ids = [order.pk for order in orders]
    start_batch(verb="complete", order_ids=ids, actor=NOBODY)
    few = queries_of(barista, page("batchrun_changelist"))
    for _number in range(9):
        start_batch(verb="cancel", order_ids=ids, actor=NOBODY, reason="Power cut")

    assert queries_of(barista, page("batchrun_changelist")) == few
    assert "0 / 4" in text_of(barista.get(page("batchrun_changelist")))


def test_a_batch_is_only_looked_at(orders: list[Order]) -> None:
    client = signed_in("admin")
    run = start_batch(verb="complete", order_ids=[orders[0].pk], actor=NOBODY)

    assert client.get(page("batchrun_add")).status_code == 403
    assert client.post(page("batchrun_delete", run.pk), {"post": "yes"}).status_code == 403
    assert client.post(page("batchrun_change", run.pk), {"done": "1"}).status_code == 405
    assert client.get(page("batchrun_progress", uuid4())).status_code == 404
    assert client.get(page("batchrun_change", uuid4())).status_code == 302


def test_who_has_no_role_sees_no_batch(orders: list[Order]) -> None:
    client, nobody = Client(), user_of("barista")
    nobody.groups.clear()
    client.force_login(nobody)
    run = start_batch(verb="complete", order_ids=[orders[0].pk], actor=NOBODY)

    assert client.get(page("batchrun_change", run.pk)).status_code == 403
    assert client.get(page("batchrun_progress", run.pk)).status_code == 403
