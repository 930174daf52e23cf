"""What is printed at the counter: labels for the cups, and the receipt."""

import datetime
from decimal import Decimal

import pytest
from django.utils import timezone

from orders.models import Customer, LoyaltyProgram, LoyaltyTier, Order, PromoCode
from orders.queue_selectors import call_number
from orders.services.archive import archive_orders
from orders.services.transitions import complete_order
from tests.orders.counter import Counter
from tests.orders.money import open_till, pay, refund
from tests.shop import NOBODY, Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def tea_bar() -> Shop:
    return Shop.open(address="12 Main Street", time_zone="Asia/Bangkok")


@pytest.fixture
def order(tea_bar: Shop) -> Order:
    """Two large lattes for Ann, with ten percent off, paid in cash."""
    LoyaltyProgram.objects.create(is_active=True)
    LoyaltyTier.objects.create(name="Guest", spending_from=0, points_per_hundred=10)
    PromoCode.objects.create(code="TEN", value=10)
    size = tea_bar.group("Size")
    latte = tea_bar.product("Latte", "85.00", groups=[size])
    large = tea_bar.option(size, "Large", "15.00")
    ann = Customer.objects.create(name="Ann <Lee>")
    at = datetime.datetime(2026, 3, 1, 18, 30, tzinfo=datetime.UTC)
    order = tea_bar.sell(latte, 2, [large], customer_id=ann.pk, comment="no lid", promo_code="ten", at=at)
    open_till(tea_bar)
    pay(order, "180.00", "cash", tendered="500.00", tip="20.00")
    complete_order(order_id=order.pk, actor=NOBODY, at=at)
    return order


def text_of(counter: Counter, order: Order, what: str) -> str:
    answer = counter.browser.get(f"/counter/orders/{order.pk}/{what}/")
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_every_cup_has_its_label(tea_bar: Shop, order: Order) -> None:
    page = text_of(Counter.of(tea_bar), order, "labels")

    assert page.count('class="label"') == 2
    for said in (call_number(order.number), "1 of 2", "2 of 2", "Latte", "Large", "Ann &lt;Lee&gt; · no lid"):
        assert said in page
    assert "data-prints" not in page


def test_the_printers_dialog_opens_only_when_asked(tea_bar: Shop, order: Order) -> None:
    counter = Counter.of(tea_bar)
    assert b"<body data-prints>" in counter.browser.get(f"/counter/orders/{order.pk}/receipt/?print=1").content


def test_the_receipt_tells_all_of_the_money(tea_bar: Shop, order: Order) -> None:
    page = text_of(Counter.of(tea_bar), order, "receipt")

    for said in (
        "Main Street, 12 Main Street",
        # The location's clock.
        f"Order #{order.number} · 2 Mar",
        "2 × Latte<small>Large</small></td><td>฿200",
        "Subtotal</td><td>฿200",
        "TEN</td><td>−฿20",
        "Total</td><td>฿180",
        "Cash<small>฿500 given</small></td><td>฿180",
        "Tip</td><td>฿20",
        "Change</td><td>฿300",
        "Points earned</td><td>18",
        "Points you have</td><td>18",
    ):
        assert said in page, said
    assert "01:30" in page


def test_a_refund_stands_on_the_receipt_and_an_archived_order_prints_the_same(tea_bar: Shop, order: Order) -> None:
    refund(order, "cold", items={order.items.get().pk: 1})
    counter = Counter.of(tea_bar)
    before = text_of(counter, order, "receipt")
    for said in ("1 × Latte<small>taken back</small>", "· cold</small></td><td>−฿90", "Total</td><td>฿90"):
        assert said in before, said
    labels = text_of(counter, order, "labels")

    archive_orders(before=timezone.now() + datetime.timedelta(days=1))

    assert not Order.objects.exists()
    assert text_of(counter, order, "receipt") == before
    assert text_of(counter, order, "labels") == labels
    assert "1 of 1" in labels


def test_what_is_not_there_is_not_printed(tea_bar: Shop) -> None:
    counter = Counter.of(tea_bar)
    assert counter.browser.get("/counter/orders/999999999999999999/receipt/").status_code == 404
    assert counter.browser.get("/counter/orders/9999999999999999999999/labels/").status_code == 404


def test_what_is_still_to_pay_is_said(tea_bar: Shop) -> None:
    unpaid = tea_bar.sell(tea_bar.product("Tea", "60.00"))
    assert unpaid.due == Decimal(60)
    assert "Still to pay</td><td>฿60" in text_of(Counter.of(tea_bar), unpaid, "receipt")
