"""Payments, refunds and shifts over REST."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.models import Payment, Refund, Shift
from tests.orders.money import assert_money_adds_up, now, open_till, pay, refund
from tests.rest import Rest
from tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


@pytest.fixture
def order(shop):
    """Two cups at 60."""
    return shop.sell(shop.product("Cup", "60.00"), 2)


@pytest.fixture
def barista():
    return Rest.of("barista")


@pytest.fixture
def manager():
    return Rest.of("manager")


def test_a_shift_from_opening_to_its_correction(shop, order, barista, manager):
    shift = barista.post("shifts/", {"opening_float": "100.00"})
    assert (shift["location"], shift["till"], shift["is_open"], shift["expected"]) == (
        shop.location.pk,
        "1",
        True,
        "100.00",
    )
    path = f"shifts/{shift['id']}/"
    body = {"order": order.pk, "method": "cash", "amount": "120", "tendered": "150.00", "tip": "10"}
    paid = barista.post("payments/", body)
    assert (paid["amount"], paid["tip"], paid["change"], paid["shift"]) == ("120.00", "10.00", "20.00", shift["id"])
    assert barista.post(f"{path}cash/", {"amount": "-30", "reason": "milk"}, 200)["expected"] == "200.00"
    barista.refused(
        "post", f"{path}cash/", {"amount": "-200.01", "reason": "x"}, status=400, kind="invalid", at="amount"
    )
    report = barista.get(f"{path}report/")
    assert report["methods"] == [
        {
            "method": "cash",
            "payments": 1,
            "amount": "120.00",
            "tips": "10.00",
            "refunds": 0,
            "refunded": "0.00",
            "tips_refunded": "0.00",
        }
    ]
    assert (report["orders"], report["average"], report["cash_out"], report["counted"]) == (1, "120.00", "30.00", None)

    closed = barista.post(f"{path}close/", {"counted": "195", "comment": "short"}, 200)
    assert (closed["is_open"], closed["expected"], closed["difference"]) == (False, "200.00", "-5.00")
    barista.refused("post", f"{path}close/", {"counted": "200"}, status=409, kind="shift_closed")
    correction = {"counted": "200", "reason": "a note stuck"}
    barista.refused("post", f"{path}correct/", correction, status=403, kind="permission_denied")
    corrected = manager.post(f"{path}correct/", correction, 200)
    assert (corrected["counted"], corrected["corrections"][0]["difference"]) == ("195.00", "0.00")
    assert barista.get(f"{path}report/")["difference"] == "0.00"
    assert_money_adds_up()


def test_what_a_payment_may_not_be(shop, order, barista):
    def refused(kind, at=None, status=400, **body):
        body = {"order": order.pk, "method": "card", "amount": "120.00", **body}
        barista.refused("post", "payments/", body, status=status, kind=kind, at=at)

    refused("invalid", at="amount", amount="120.01")
    refused("invalid", at="amount", amount="0")
    refused("invalid", at="amount", amount="")
    refused("invalid", at="tip", tip="-1")
    refused("invalid", at="method", method="gold")
    refused("invalid", at="tendered", method="cash", tendered="100")
    refused("no_open_shift", status=409, method="cash")
    refused("not_found", status=404, order=order.pk + 1000)
    refused("invalid", at="pay", pay="1")
    shop.cancel(order)
    refused("wrong_status", status=409)
    assert not Payment.objects.exists()


def test_a_payment_that_is_sent_twice_is_taken_once(order, barista):
    body = {"order": order.pk, "method": "card", "amount": "60.00"}
    answers = [barista.post("payments/", body, **{"Idempotency-Key": "one"}) for _ in range(2)]
    assert answers[0] == answers[1]
    assert now(order).paid == 60


def test_a_manager_refunds_a_line_and_the_rest(order, barista, manager):
    pay(order, "120", "card", tip="3")
    body = {"order": order.pk, "items": [{"item": order.items.get().pk, "quantity": 1}], "reason": "cold"}
    barista.refused("post", "refunds/", body, status=403, kind="permission_denied")

    made = manager.post("refunds/", {**body, "restock": False})

    assert (made["amount"], made["withheld"], made["restock"], made["reason"]) == ("60.00", "0.00", False, "cold")
    assert made["items"] == [{"item": order.items.get().pk, "quantity": 1, "amount": "60.00"}]
    assert [(one["method"], one["amount"]) for one in made["parts"]] == [("card", "60.00")]
    for wrong, at in (
        ({"items": []}, "items"),
        ({"reason": ""}, "reason"),
        ({"amount": "60.01", "items": None}, "amount"),
    ):
        manager.refused("post", "refunds/", {**body, **wrong}, status=400, kind="invalid", at=at)
    assert manager.post("refunds/", {"order": order.pk, "reason": "all"})["amount"] == "60.00"
    manager.refused("post", "refunds/", body, status=409, kind="wrong_status")
    assert Refund.objects.count() == 2
    assert_money_adds_up()


def test_a_refund_that_is_sent_twice_pays_back_once(order, manager):
    pay(order, "120", "card")
    body = {"order": order.pk, "amount": "10", "reason": "long wait"}
    answers = [manager.post("refunds/", body, **{"Idempotency-Key": "one"}) for _ in range(2)]
    assert answers[0] == answers[1]
    assert now(order).paid == 110


def test_lists_are_narrowed(shop, order, manager):
    shift = open_till(shop)
    other = shop.sell(shop.product("Cake", "10.00"))
    cash, card = pay(order, "60", "cash"), pay(other, "10", "card")
    refund(order, amount="5")

    def found(path, **parameters):
        return [one["id"] for one in manager.get(path, **parameters)["results"]]

    assert found("payments/") == [card.pk, cash.pk]
    assert found("payments/", order=order.pk) == found("payments/", method="cash") == [cash.pk]
    assert found("payments/", shift=shift.pk, created_after=card.created_at.isoformat()) == [card.pk]
    assert found("payments/", created_before=card.created_at.isoformat()) == [cash.pk]
    assert len(found("refunds/", order=order.pk)) == 1
    assert found("refunds/", order=other.pk) == []
    elsewhere = open_till(Shop.open("Elsewhere"))
    Shift.objects.filter(pk=shift.pk).update(closed_at=shift.opened_at, expected=155, counted=155, difference=0)
    assert found("shifts/", open="true") == [elsewhere.pk]
    assert found("shifts/", location=shop.location.pk) == [shift.pk]


def test_lists_take_a_constant_number_of_queries(shop, manager):
    open_till(shop)
    cup = shop.product("Cup", "60.00")

    def one_more():
        order = shop.sell(cup)
        pay(order, "30", "cash")
        pay(order, "30", "card")
        refund(order, amount="40")

    def queries():
        numbers = []
        for path in ("payments/", "refunds/", "shifts/"):
            with CaptureQueriesContext(connection) as captured:
                manager.get(path)
            numbers.append(len(captured))
        return numbers

    one_more()
    queries()
    before = queries()
    for till in range(2, 5):
        open_till(shop, str(till))
    order = shop.sell(cup, 5)
    pay(order, "300", "card")
    for _ in range(3):
        refund(order, items={order.items.get().pk: 1})
    assert queries() == before
    assert max(before) <= 8


def test_an_order_says_what_was_paid(order, barista):
    pay(order, "100", "card")
    shown = barista.get(f"orders/{order.pk}/")
    assert (shown["paid"], shown["withheld"], shown["due"]) == ("100.00", "0.00", "20.00")
    assert shown["items"][0]["discount"] == "0.00"
