"""Payments, refunds and shifts in the admin."""

from decimal import Decimal
from typing import Any

import pytest

from orders.models import CashMovement, Order, Payment, Refund, Shift
from orders.services.shifts import close_shift, correct_shift
from orders.services.transitions import complete_order
from tests.inventory.admin_pages import queries_of, said, signed_in, text_of, token_in
from tests.orders.admin_orders import page, verb
from tests.orders.money import assert_money_adds_up, now, open_till, pay, refund
from tests.shop import NOBODY, Shop

pytestmark = pytest.mark.django_db
MOST_QUERIES = 25


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


@pytest.fixture
def order(shop: Shop) -> Order:
    """Two cups at 60."""
    return shop.sell(shop.product("Cup", "60.00"), 2)


def fields(name: str, **sent: Any) -> dict[str, Any]:
    return {f"{name}-{field}": value for field, value in sent.items()}


def told(response: Any) -> str:
    """The messages of the request."""
    return " ".join(said(response))


def test_cash_is_taken_and_the_change_is_said(shop: Shop, order: Order) -> None:
    shift, client = open_till(shop), signed_in("barista")
    sent = fields("pay", method="cash", amount="100", tip="5", tendered="150", reference="")

    assert "฿100 paid" in told(client.post(verb(order, "pay"), sent))

    payment = Payment.objects.get()
    assert (payment.amount, payment.change, payment.shift) == (100, 45, shift)
    text = text_of(client.get(page("order_change", order.pk)))
    for words in ("฿20 to pay", "฿150 handed over, ฿45 change", "and ฿5 tip", "Take payment"):
        assert words in text
    assert "Refund" not in text.split("History")[0].split("Payments")[-1]


def test_a_payment_form_that_is_sent_twice_takes_one(order: Order) -> None:
    client = signed_in("barista")
    once = token_in(client.get(verb(order, "pay")))
    sent = {**fields("pay", method="card", amount="60", tendered="99", reference="17"), "once": once}
    for _ in range(2):
        client.post(verb(order, "pay"), sent)
    assert now(order).paid == 60


def test_what_is_wrong_with_a_payment_stands_at_its_field(shop: Shop, order: Order) -> None:
    client = signed_in("barista")
    assert "No till is open" in text_of(client.get(verb(order, "pay")))
    answer = client.post(verb(order, "pay"), fields("pay", method="card", amount="120.01"))
    assert "Only ฿120 is still to be paid" in text_of(answer)
    answer = client.post(verb(order, "pay"), fields("pay", method="cash", amount="120"))
    assert "No till is open" in told(answer)
    assert not Payment.objects.exists()


def test_with_two_tills_the_form_asks_which(shop: Shop, order: Order) -> None:
    _first, bar = open_till(shop), open_till(shop, "Bar")
    client = signed_in("barista")
    assert "Till Bar" in text_of(client.get(verb(order, "pay")))
    client.post(verb(order, "pay"), fields("pay", method="cash", amount="120", shift=str(bar.pk)))
    assert Payment.objects.get().shift == bar


def test_a_manager_refunds_a_line_then_goodwill_then_the_rest(order: Order) -> None:
    pay(order, "120", "card")
    complete_order(order_id=order.pk, actor=NOBODY)
    client, item = signed_in("manager"), order.items.get()
    address = verb(order, "refund")

    common = {"reason": "cold", "restock": "waste"}
    answer = client.post(address, fields("refund", what="lines", **common))
    assert "how many of which line" in text_of(answer)
    answer = client.post(address, fields("refund", what="amount", **common))
    assert "how much goes back" in text_of(answer)
    assert not Refund.objects.exists()
    answer = client.post(address, fields("refund", what="lines", **{f"line_{item.pk}": "1"}, amount="99", **common))
    assert "฿60" in told(answer)
    client.post(address, fields("refund", what="amount", amount="10", **{f"line_{item.pk}": "1"}, **common))
    client.post(address, fields("refund", what="all", **common))

    assert list(Refund.objects.order_by("pk").values_list("amount", flat=True)) == [60, 10, 50]
    assert now(order).paid == 0
    text = text_of(client.get(page("order_change", order.pk)))
    assert "−฿60" in text
    assert "Take payment" not in text
    assert_money_adds_up()


def test_a_barista_opens_a_till_moves_cash_and_closes_it(shop: Shop) -> None:
    client = signed_in("barista")
    client.post(page("shift_open"), {"till": "1", "opening_float": "100"})
    shift = Shift.objects.get()
    assert shift.opened_by is not None
    assert "is open already" in text_of(client.post(page("shift_open"), {"till": "1", "opening_float": "1"}))

    cash = page("shift_verb", shift.pk, "cash")
    answer = client.post(cash, fields("cash", way="out", amount="100.01", reason="milk"))
    assert "Only ฿100 is in the till" in text_of(answer)
    client.post(cash, fields("cash", way="out", amount="30", reason="milk"))
    client.post(cash, fields("cash", way="in", amount="5", reason="found"))
    assert list(CashMovement.objects.values_list("amount", flat=True)) == [-30, 5]

    close = page("shift_verb", shift.pk, "close")
    assert "฿75 should be in the till" in text_of(client.get(close))
    client.post(close, fields("close", counted="70", comment="short"))
    assert "closed already" in told(client.post(close, fields("close", counted="75")))
    shift.refresh_from_db()
    assert (shift.counted, shift.difference) == (70, -5)
    assert client.get(page("shift_verb", shift.pk, "correct")).status_code == 403

    manager = signed_in("manager")
    manager.post(page("shift_verb", shift.pk, "correct"), fields("correct", counted="75", reason="a note stuck"))
    text = text_of(manager.get(page("shift_change", shift.pk)))
    for words in ("When it was closed, ฿70 was counted: a difference of −฿5", "a note stuck", "milk"):
        assert words in text


def test_lists_are_found_by_order_and_narrowed(shop: Shop, order: Order) -> None:
    open_till(shop)
    cake = shop.sell(shop.product("Cake", "77.00"))
    pay(order, "120", "cash")
    pay(cake, "77", "card")
    refund(cake, "dry", amount="7")
    manager = signed_in("manager")

    def shown(name: str, **query: Any) -> str:
        answer = manager.get(page(f"{name}_changelist"), query)
        assert answer.status_code == 200
        return text_of(answer)

    assert "฿120" in shown("payment")
    for query in ({"q": f"#{cake.number}"}, {"method": "card"}):
        text = shown("payment", **query)
        assert "฿77" in text
        assert "฿120" not in text
    assert "฿120" in shown("payment", period="today")
    assert "฿120" not in shown("payment", period="yesterday")
    assert "0 payments" in shown("payment", q="x'; DROP")
    assert "dry" in shown("refund", period="today")
    assert "1 shift" in shown("shift", open="yes", period="today")
    assert "0 shifts" in shown("shift", open="no")


def test_pages_take_no_more_queries_for_more_money(shop: Shop, order: Order) -> None:
    first = open_till(shop)
    big = shop.sell(shop.product("Cake", "10.00"), 100)
    for number in range(6):
        pay(big, "20", "cash" if number % 2 else "card", shift_id=first.pk)
        refund(big, amount="5", shift_id=first.pk)
        Shop.open(f"Branch {number}")
    pay(order, "20", "cash")
    refund(order, amount="5")
    for number in range(4):
        closed = open_till(shop, f"Till {number}")
        close_shift(shift_id=closed.pk, counted=Decimal(90), actor=NOBODY)
        correct_shift(shift_id=closed.pk, counted=Decimal(95), reason="again", actor=NOBODY)
    manager = signed_in("manager")
    addresses = [
        page("order_change", big.pk),
        page("shift_change", first.pk),
        page("shift_changelist"),
        page("payment_changelist"),
        page("refund_changelist"),
        page("payment_change", Payment.objects.order_by("pk")[0].pk),
        page("refund_change", Refund.objects.order_by("pk")[0].pk),
        page("shift_open"),
        verb(big, "refund"),
    ]
    numbers = {address: queries_of(manager, address) for address in addresses}
    assert max(numbers.values()) <= MOST_QUERIES, numbers
    assert queries_of(manager, page("order_change", order.pk)) == numbers[page("order_change", big.pk)]
