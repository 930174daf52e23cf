"""Promotions and promo codes in orders: when they hold, what the order keeps of them, what is refused and why."""

import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory.models import Product
from orders.errors import PromoCodeRefused
from orders.models import Customer, LoyaltyProgram, Order, PromoCode, PromoRedemption, Promotion
from orders.pricing import OrderLine
from orders.promotion_selectors import promotions_at
from orders.services.points import adjust_points
from orders.services.promo_codes import save_promo_code
from orders.services.promotions import save_promotion
from tests.rest import Rest
from tests.shop import NOBODY, Shop

pytestmark = pytest.mark.django_db

Time = datetime.time
# A Saturday.
SATURDAY = datetime.date(2026, 11, 21)


@pytest.fixture
def bar() -> Shop:
    return Shop.open(time_zone="Asia/Bangkok")


@pytest.fixture
def tea(bar: Shop) -> Product:
    return bar.product("Tea", "60.00")


def promote(name: str = "Happy hour", value: str = "20", **fields: Any) -> Promotion:
    return save_promotion(fields={"name": name, "value": Decimal(value), **fields})


def make_code(code: str = "TEN", value: str = "10", **fields: Any) -> PromoCode:
    return save_promo_code(fields={"code": code, "value": Decimal(value), **fields})


def at(bar: Shop, text: str) -> datetime.datetime:
    """A moment by the clock of the location: "2026-11-21 14:00"."""
    return datetime.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(bar.location.time_zone))


def holds(bar: Shop, moment: datetime.datetime) -> bool:
    return bool(promotions_at(location=bar.location, at=moment))


def ann(points: int = 0) -> Customer:
    customer = Customer.objects.create(name="Ann")
    if points:
        LoyaltyProgram.objects.update_or_create(pk=LoyaltyProgram.ID, defaults={"is_active": True})
        adjust_points(customer_id=customer.pk, points=points, reason="Welcome", actor=NOBODY)
    return customer


def refused(bar: Shop, product: Product, **more: Any) -> str:
    """Why the order is refused; nothing is left of it."""
    before = (Order.objects.count(), PromoRedemption.objects.count())
    with pytest.raises(PromoCodeRefused) as refusal:
        bar.sell(product, **more)
    assert (Order.objects.count(), PromoRedemption.objects.count()) == before
    assert list(refusal.value.errors) == ["promo_code"]
    return refusal.value.detail


# --- when a promotion holds ---------------------------------------------------------------------------


def test_a_happy_hour_begins_and_ends_to_the_second_by_the_clock_of_the_location(bar: Shop) -> None:
    promote(starts_time=Time(14), ends_time=Time(16, 30))

    assert not holds(bar, at(bar, "2026-11-21 13:59:59.999999"))
    assert holds(bar, at(bar, "2026-11-21 14:00"))
    assert holds(bar, at(bar, "2026-11-21 16:29:59.999999"))
    assert not holds(bar, at(bar, "2026-11-21 16:30"))
    # 14:00 in Bangkok is 7:00 in Greenwich; at the same moment it is another hour elsewhere.
    harbour = Shop.open("Harbour", time_zone="Europe/Moscow")
    assert not holds(harbour, at(bar, "2026-11-21 14:00"))
    assert holds(harbour, at(bar, "2026-11-21 18:00"))


def test_a_night_that_begins_on_friday_goes_on_after_midnight_and_saturday_does_not_begin_one(bar: Shop) -> None:
    promote(weekdays=[5], starts_time=Time(22), ends_time=Time(2))

    assert not holds(bar, at(bar, "2026-11-20 01:00"))  # of Thursday's night
    assert holds(bar, at(bar, "2026-11-20 22:00"))
    assert holds(bar, at(bar, "2026-11-21 01:59:59"))
    assert not holds(bar, at(bar, "2026-11-21 02:00"))
    assert not holds(bar, at(bar, "2026-11-21 22:00"))


def test_the_last_night_of_a_promotion_ends_on_the_morning_after_its_last_day(bar: Shop) -> None:
    promote(starts_time=Time(22), ends_time=Time(2), starts_on=SATURDAY, ends_on=SATURDAY)

    assert not holds(bar, at(bar, "2026-11-21 01:00"))
    assert holds(bar, at(bar, "2026-11-21 23:00"))
    assert holds(bar, at(bar, "2026-11-22 01:00"))
    assert not holds(bar, at(bar, "2026-11-22 22:00"))


def test_days_are_the_days_of_the_location(bar: Shop) -> None:
    promote(weekdays=[6], starts_on=SATURDAY, ends_on=SATURDAY)

    assert not holds(bar, at(bar, "2026-11-20 23:59:59"))
    assert holds(bar, at(bar, "2026-11-21 00:00"))
    assert holds(bar, at(bar, "2026-11-21 23:59:59"))
    assert not holds(bar, at(bar, "2026-11-22 00:00"))


def test_the_clock_on_the_wall_counts_when_it_is_put_back_and_forward() -> None:
    bar = Shop.open("Berlin", time_zone="Europe/Berlin")
    promote(starts_time=Time(2), ends_time=Time(3))

    def holds_at(*utc: int) -> bool:
        return holds(bar, datetime.datetime(*utc, tzinfo=datetime.UTC))  # type: ignore[misc,arg-type]

    # In autumn the hour from two to three comes twice, in spring it does not come.
    assert [holds_at(2026, 10, 24, 23, 59), holds_at(2026, 10, 25, 0, 30), holds_at(2026, 10, 25, 1, 30)] == [
        False,
        True,
        True,
    ]
    assert not holds_at(2026, 10, 25, 2, 0)
    assert not any(holds_at(2026, 3, 29, hour, minute) for hour in (0, 1, 2) for minute in (0, 30, 59))


def test_a_promotion_is_for_its_locations_and_one_that_is_switched_off_for_none(bar: Shop) -> None:
    harbour = Shop.open("Harbour")
    here = promote(locations=[bar.location.pk])

    assert holds(bar, at(bar, "2026-11-21 12:00"))
    assert not holds(harbour, at(bar, "2026-11-21 12:00"))
    save_promotion(fields={"is_active": False}, promotion_id=here.pk)
    assert not holds(bar, at(bar, "2026-11-21 12:00"))


def test_a_promotion_or_a_code_whose_only_product_is_gone_takes_nothing_off(bar: Shop, tea: Product) -> None:
    cake = bar.product("Cake", "90.00")
    promote(value="50", products=[cake.pk])
    make_code(products=[cake.pk])
    assert bar.sell(cake).total == 45

    lost = bar.product("Lost")
    promote("Lost", "100", products=[lost.pk])
    make_code("LOST", "100", products=[lost.pk])
    lost.delete()

    assert bar.sell(tea).total == 60
    assert refused(bar, tea, promo_code="LOST") == "LOST is for nothing in this order."


# --- what an order keeps ------------------------------------------------------------------------------


def test_promotion_code_and_points_come_one_after_the_other_and_the_order_keeps_each(bar: Shop, tea: Product) -> None:
    cake = bar.product("Cake", "90.00")
    promote(products=[tea.pk])
    make_code(per_customer_limit=1)
    customer = ann(points=40)

    order = bar.place(
        OrderLine(tea.pk, 2), OrderLine(cake.pk, 1), customer_id=customer.pk, promo_code=" ten ", redeem_points=40
    )

    # 210 − 20 % of 120 = 186; 10 % of it is 18.60; 40 points.
    assert (order.subtotal, order.discount, order.total) == (Decimal(210), Decimal("82.60"), Decimal("127.40"))
    assert [(step["kind"], step["name"], step["amount"]) for step in order.discounts] == [
        ("promotion", "Happy hour", "24.00"),
        ("code", "TEN", "18.60"),
        ("points", "", "40.00"),
    ]
    items = list(order.items.order_by("position"))
    assert [(item.total, item.discount) for item in items] == [
        (Decimal("120.00"), Decimal("54.25")),
        (Decimal("90.00"), Decimal("28.35")),
    ]
    for item in items:
        assert item.discount == sum(Decimal(step["lines"].get(str(item.position), 0)) for step in order.discounts)
    customer.refresh_from_db()
    assert (customer.points, order.points_redeemed) == (0, 40)
    assert PromoCode.objects.get().used_count == 1
    redemption = PromoRedemption.objects.get()
    assert (redemption.order_id, redemption.customer_id, redemption.amount) == (order.pk, customer.pk, Decimal("18.60"))


def test_a_quote_explains_each_step_and_places_nothing(bar: Shop, tea: Product) -> None:
    promote(every=2, value="50", name="Second at half price")
    make_code()
    customer = ann(points=10)

    quote = Rest.of("barista").post(
        "orders/quote/",
        {
            "location": bar.location.pk,
            "customer": customer.pk,
            "promo_code": "ten",
            "redeem_points": 10,
            "items": [{"product": tea.pk, "quantity": 2, "options": []}],
        },
        status=200,
    )

    assert (quote["subtotal"], quote["discount"], quote["total"]) == ("120.00", "49.00", "71.00")
    steps = [(step["kind"], step["name"], step["amount"]) for step in quote["discounts"]]
    assert steps == [("promotion", "Second at half price", "30.00"), ("code", "TEN", "9.00"), ("points", "", "10.00")]
    assert not Order.objects.exists()
    assert PromoCode.objects.get().used_count == 0


def test_an_order_that_was_placed_keeps_what_was_taken_off_when_the_promotion_goes(bar: Shop, tea: Product) -> None:
    promotion = promote()
    order = bar.sell(tea)
    promotion.delete()
    order = Order.objects.get(pk=order.pk)
    assert (order.total, order.discounts[0]["name"]) == (48, "Happy hour")


def test_what_is_free_after_everything_costs_nothing_and_not_less(bar: Shop, tea: Product) -> None:
    promote(value="100")
    customer = ann(points=40)
    order = bar.sell(tea, customer_id=customer.pk, redeem_points=40)
    customer.refresh_from_db()
    assert (order.total, order.points_redeemed, customer.points) == (0, 0, 40)


# --- codes that are refused ---------------------------------------------------------------------------


def test_each_reason_why_a_code_is_refused_is_said_in_a_sentence(bar: Shop, tea: Product) -> None:
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    make_code("OVER", ends_at=now - day)
    make_code("SOON", starts_at=now + day)
    make_code("OFF", is_active=False)
    make_code("CAKES", products=[bar.product("Cake").pk])
    make_code("MUCH", minimum_total=Decimal(100))
    make_code("ONCE", per_customer_limit=1)

    sentences = {code: refused(bar, tea, promo_code=code) for code in ("over", "SOON", "OFF", "CAKES", "MUCH", "ONCE")}

    assert sentences == {
        "over": "OVER has expired.",
        "SOON": "SOON is not valid yet.",
        "OFF": "OFF is not valid any more.",
        "CAKES": "CAKES is for nothing in this order.",
        "MUCH": "MUCH needs ฿100 of what it is for; here it is ฿60.",
        "ONCE": "ONCE is limited for each customer. Say who the customer is.",
    }
    assert refused(bar, tea, promo_code="TEEN") == "There is no promo code TEEN. Check the spelling."
    assert not PromoRedemption.objects.exists()


def test_a_code_holds_from_its_first_moment_to_its_last(bar: Shop, tea: Product) -> None:
    start, end = at(bar, "2026-11-21 12:00"), at(bar, "2026-11-21 13:00")
    make_code(starts_at=start, ends_at=end)
    second = datetime.timedelta(seconds=1)

    assert bar.sell(tea, promo_code="TEN", at=start).discount == 6
    assert bar.sell(tea, promo_code="TEN", at=end - second).discount == 6
    refused(bar, tea, promo_code="TEN", at=start - second)
    refused(bar, tea, promo_code="TEN", at=end)


def test_a_code_is_used_as_often_as_it_may_be_and_a_cancelled_order_gives_its_use_back(bar: Shop, tea: Product) -> None:
    code = make_code(usage_limit=1)
    order = bar.sell(tea, promo_code="TEN")

    assert refused(bar, tea, promo_code="TEN") == "TEN has been used as often as it may be."
    bar.cancel(order)
    code.refresh_from_db()
    assert code.used_count == 0
    assert PromoRedemption.objects.get().released_at is not None
    assert bar.sell(tea, promo_code="TEN").discount == 6


def test_a_customer_uses_a_code_as_often_as_they_may_and_others_do_too(bar: Shop, tea: Product) -> None:
    make_code(per_customer_limit=1)
    first, second = ann(), ann()
    order = bar.sell(tea, promo_code="TEN", customer_id=first.pk)

    assert (
        refused(bar, tea, promo_code="TEN", customer_id=first.pk) == "TEN has been used as often as one customer may."
    )
    assert bar.sell(tea, promo_code="TEN", customer_id=second.pk).discount == 6
    bar.cancel(order)
    assert bar.sell(tea, promo_code="TEN", customer_id=first.pk).discount == 6
    assert PromoCode.objects.get().used_count == 2


def test_a_refused_code_answers_400_at_its_field_and_the_quote_says_the_same(bar: Shop, tea: Product) -> None:
    make_code(is_active=False)
    body = {
        "location": bar.location.pk,
        "promo_code": "TEN",
        "items": [{"product": tea.pk, "quantity": 1, "options": []}],
    }
    barista = Rest.of("barista")
    for path in ("orders/", "orders/quote/"):
        barista.refused("post", path, body, status=400, kind="invalid", at="promo_code")
    assert not Order.objects.exists()


# --- queries ------------------------------------------------------------------------------------------


def test_placing_with_promotion_code_and_points_takes_the_same_few_queries_for_2_20_and_50_lines(bar: Shop) -> None:
    milk = bar.ingredient("Milk", "ml", stock=10**6)
    teas = [bar.product(f"Tea {number}", "60.00", {milk: 10}) for number in range(50)]
    promote(every=2, value="50", products=[one.pk for one in teas])
    promote("Always", "5")
    promote("Elsewhere", "90", locations=[Shop.open("Harbour").location.pk])
    make_code(usage_limit=10, per_customer_limit=5, categories=[bar.category.pk])
    customer = ann(points=300)

    def queries(number: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            order = bar.place(
                *(OrderLine(one.pk, 2) for one in teas[:number]),
                customer_id=customer.pk,
                promo_code="TEN",
                redeem_points=100,
            )
        assert {step["kind"] for step in order.discounts} == {"promotion", "code", "points"}
        return sum(not one["sql"].startswith(("SAVEPOINT", "RELEASE")) for one in captured)

    counted = [queries(number) for number in (2, 20, 50)]

    assert counted == [counted[0]] * 3
    assert counted[0] <= 18
