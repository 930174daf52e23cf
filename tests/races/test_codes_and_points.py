"""The last use of a code and the last points: whoever comes first gets them, and nobody twice.

Each guard is taken out once, so that the test is seen to catch the fault that it is there to prevent.
"""

from decimal import Decimal
from threading import Barrier
from typing import Any

import pytest
from django.db.models import Sum

from inventory.models import Product
from orders.models import Customer, LoyaltyEntry, LoyaltyProgram, Order, PromoCode, PromoRedemption
from orders.services import code_uses, place
from orders.services.points import adjust_points
from orders.services.promo_codes import save_promo_code
from tests.races.threads import PATIENCE, at_once, kinds
from tests.shop import NOBODY, Shop

pytestmark = pytest.mark.django_db(transaction=True)

TILLS = 12


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


@pytest.fixture
def tea(shop: Shop) -> Product:
    return shop.product("Tea", "60.00")


def make_code(**limits: int) -> PromoCode:
    return save_promo_code(fields={"code": "TEN", "value": Decimal(10), **limits})


def customers(number: int) -> list[Customer]:
    return [Customer.objects.create(name=f"Ann {n}") for n in range(number)]


def with_points(points: int) -> Customer:
    LoyaltyProgram.objects.create(is_active=True)
    (customer,) = customers(1)
    adjust_points(customer_id=customer.pk, points=points, reason="Welcome", actor=NOBODY)
    return customer


def uses() -> int:
    """How many orders carry the code; its own count says the same."""
    number = PromoRedemption.objects.filter(released_at=None).count()
    assert PromoCode.objects.get().used_count == number
    return number


def everybody_meets(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, barrier: Barrier) -> None:
    """Lets all threads come together before any of them goes on to `name`: after the check, before the write."""
    real = getattr(module, name)

    def after_all_have_checked(*args: Any, **kwargs: Any) -> Any:
        barrier.wait(PATIENCE)
        return real(*args, **kwargs)

    monkeypatch.setattr(module, name, after_all_have_checked)


def without_the_lock(text: str, *, customer_id: int | None, at: Any) -> PromoCode:
    return code_uses.usable_code(text, customer_id=customer_id, at=at)


def test_of_twelve_tills_that_use_the_last_of_a_code_one_does(shop, tea):
    make_code(usage_limit=1)
    people = customers(TILLS)

    outcomes = at_once([lambda one=one: shop.sell(tea, promo_code="TEN", customer_id=one.pk) for one in people])

    assert kinds(outcomes) == {"Order": 1, "PromoCodeRefused": TILLS - 1}
    assert uses() == Order.objects.count() == 1
    assert {str(one) for one in outcomes if not isinstance(one, Order)} == {"TEN has been used as often as it may be."}


def test_without_the_lock_only_the_databases_own_rule_stops_the_second(shop, tea, monkeypatch):
    """Counterproof: both have seen that one use is left. The CHECK constraint lets no count pass its limit, but who
    runs into it gets a failure instead of a sentence."""
    make_code(usage_limit=1)
    everybody_meets(monkeypatch, place, "use_code", Barrier(2))
    monkeypatch.setattr(place, "lock_usable_code", without_the_lock)

    outcomes = at_once([lambda: shop.sell(tea, promo_code="TEN")] * 2)

    assert kinds(outcomes) == {"IntegrityError": 1, "Order": 1}
    assert uses() == Order.objects.count() == 1


def test_a_customer_at_twelve_tills_uses_a_code_as_often_as_one_may(shop, tea):
    make_code(per_customer_limit=2)
    (ann,) = customers(1)

    outcomes = at_once([lambda: shop.sell(tea, promo_code="TEN", customer_id=ann.pk)] * TILLS)

    assert kinds(outcomes) == {"Order": 2, "PromoCodeRefused": TILLS - 2}
    assert uses() == 2


def test_without_the_lock_a_customer_uses_a_code_twice_that_is_for_once(shop, tea, monkeypatch):
    """Counterproof: no constraint can count a customer's uses; the lock of the code is the only guard."""
    make_code(per_customer_limit=1)
    (ann,) = customers(1)
    monkeypatch.setattr(place, "lock_usable_code", without_the_lock)
    # The customer's own row is locked by whoever comes first: both have checked the code before.
    everybody_meets(monkeypatch, place, "buyer", Barrier(2))

    outcomes = at_once([lambda: shop.sell(tea, promo_code="TEN", customer_id=ann.pk)] * 2)

    assert kinds(outcomes) == {"Order": 2}
    assert uses() == 2


def test_sales_and_cancellations_at_once_end_in_a_count_that_is_true(shop, tea):
    make_code(usage_limit=4)
    first = [shop.sell(tea, promo_code="TEN") for _ in range(4)]

    at_once(
        [
            *(lambda order=order: shop.cancel(order) for order in first[:2]),
            *(lambda: shop.sell(tea, promo_code="TEN") for _ in range(6)),
        ]
    )

    assert 2 <= uses() <= 4
    active = Order.objects.exclude(status="cancelled").count()
    assert uses() == active


def test_a_limit_that_is_lowered_while_tills_sell_is_never_below_the_uses(shop, tea):
    code = make_code(usage_limit=10)

    outcomes = at_once(
        [
            *(lambda: shop.sell(tea, promo_code="TEN") for _ in range(6)),
            lambda: save_promo_code(fields={"usage_limit": 3}, promo_code_id=code.pk),
        ]
    )

    assert set(kinds(outcomes)) <= {"Order", "PromoCode", "PromoCodeRefused", "InvalidInput"}
    code.refresh_from_db()
    assert uses() <= code.usage_limit


def test_of_twelve_tills_that_redeem_the_same_points_as_many_do_as_there_are_points_for(shop, tea):
    ann = with_points(100)

    outcomes = at_once([lambda: shop.sell(tea, customer_id=ann.pk, redeem_points=40)] * TILLS)

    assert kinds(outcomes) == {"NotEnoughPoints": TILLS - 2, "Order": 2}
    ann.refresh_from_db()
    assert ann.points == LoyaltyEntry.objects.aggregate(sum=Sum("points"))["sum"] == 20


def test_without_the_lock_the_same_points_are_seen_twice_and_the_database_fails_the_second(shop, tea, monkeypatch):
    """Counterproof: both tills have read 40 points. The balance can't fall below 0, so that the second sale breaks
    instead of being refused."""
    ann = with_points(40)
    barrier = Barrier(2)

    def read_only(customer_id: int) -> Customer:
        customer = Customer.objects.get(pk=customer_id)
        barrier.wait(PATIENCE)
        return customer

    monkeypatch.setattr(place, "lock_customer", read_only)

    outcomes = at_once([lambda: shop.sell(tea, customer_id=ann.pk, redeem_points=40)] * 2)

    assert kinds(outcomes) == {"IntegrityError": 1, "Order": 1}
    ann.refresh_from_db()
    assert ann.points == 0
    assert Order.objects.count() == 1


def test_two_customers_with_one_code_and_their_points_do_not_lock_each_other_out(shop, tea):
    make_code()
    LoyaltyProgram.objects.create(is_active=True)
    people = customers(2)
    for one in people:
        adjust_points(customer_id=one.pk, points=100, reason="Welcome", actor=NOBODY)

    outcomes = at_once(
        [
            lambda one=one: shop.cancel(shop.sell(tea, promo_code="TEN", customer_id=one.pk, redeem_points=10))
            for one in people
        ]
        * 4
    )

    assert kinds(outcomes) == {"Order": 8}
    assert uses() == 0
    assert set(Customer.objects.values_list("points", flat=True)) == {100}
