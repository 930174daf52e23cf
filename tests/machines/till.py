"""What people do with money: sell with codes and points, take payments, pay back, open and close tills."""

import datetime
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from foundation.errors import Refusal
from orders.errors import NotEnoughPoints, PromoCodeRefused
from orders.models import (
    Customer,
    LoyaltyEntry,
    LoyaltyProgram,
    LoyaltyTier,
    Order,
    Payment,
    PromoCode,
    PromoRedemption,
    Promotion,
    RefundPart,
    Shift,
)
from orders.pricing import OrderLine
from orders.services.batch import cancel_orders, complete_orders
from orders.services.cancel import cancel_item, cancel_order
from orders.services.edit import edit_order
from orders.services.payments import take_payment
from orders.services.place import place_order
from orders.services.points import adjust_points, expire_points
from orders.services.refunds import refund_order
from orders.services.shifts import close_shift, correct_shift, move_cash, open_shift
from orders.services.transitions import complete_order, prepare_order
from tests.machines import money_model
from tests.shop import NOBODY, Shop

NOON = datetime.datetime(2026, 3, 14, 12, tzinfo=datetime.UTC)
ZERO = Decimal("0.00")

orders = Bundle("orders")

lines = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4)), min_size=1, max_size=3)
someone = st.sampled_from([None, 0, 0, 1])
codes = st.sampled_from(["", "", "TEN", "FIFTY", "ONCE", "GONE"])
few_points = st.sampled_from([0, 0, 1, 5, 13, 60])
methods = st.sampled_from(["cash", "cash", "card", "transfer"])
cents = st.integers(1, 20_000).map(lambda number: Decimal(number) / 100)
parts = st.sampled_from(["all", "all", "half", "cent", "more"])
till_names = st.sampled_from(["1", "2"])


class Till(RuleBasedStateMachine):
    """One location with two tills, three products, two customers, three codes and two promotions."""

    @initialize(target=orders)
    def open(self) -> Any:
        self.now = NOON
        self.clock = pytest.MonkeyPatch()
        self.clock.setattr(timezone, "now", lambda: self.now)
        self.example = transaction.atomic()
        self.example.__enter__()
        self.shop = Shop.open()
        milk = self.shop.ingredient("Milk", "ml", stock=100_000)
        self.products = [
            self.shop.product("Latte", "70.00", {milk: 200}),
            self.shop.product("Tea", "33.33", {milk: 20}),
            self.shop.product("Pearls", "9.99", {milk: 1}),
        ]
        Promotion.objects.create(name="Second at half price", value=50, every=2)
        happy = Promotion.objects.create(name="Happy tea", value=10)
        happy.products.add(self.products[1])
        PromoCode.objects.create(code="TEN", value=10, per_customer_limit=2)
        PromoCode.objects.create(code="FIFTY", kind="amount", value=50, minimum_total=60)
        PromoCode.objects.create(code="ONCE", value=100, usage_limit=1)
        LoyaltyProgram.objects.create(is_active=True, point_value=Decimal("1.50"), points_days=30)
        LoyaltyTier.objects.create(name="Guest", spending_from=0, points_per_hundred=5)
        LoyaltyTier.objects.create(name="Regular", spending_from=300, points_per_hundred=12)
        self.customers = [Customer.objects.create(name=name) for name in ("Ann", "Boris")]
        # What is in each till, counted by hand: {shift: cash}.
        self.cash: dict[int, Decimal] = {}
        adjust_points(customer_id=self.customers[0].pk, points=20, reason="Welcome", actor=NOBODY)
        self.open_till("1", Decimal(100))
        return multiple(self.place([(0, 2), (1, 1)], 0, "TEN", 5), self.place([(1, 3)], None, "", 0))

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.example.__exit__(None, None, None)
        self.clock.undo()

    # --- trying ---------------------------------------------------------------------------------------

    def attempt(self, call: Callable[[], Any]) -> Any:
        """Does something; if it is refused, nothing has changed, and the refusal is returned."""
        before = money_model.fingerprint()
        refusal: Refusal
        try:
            return call()
        except Refusal as error:
            refusal = error
        assert money_model.fingerprint() == before, f"{refusal!r} changed something"
        return refusal

    def cash_of_parts(self, call: Callable[[], Any]) -> Any:
        """Does something that may pay cash back, and takes it out of the tills that it names."""
        known = set(RefundPart.objects.values_list("pk", flat=True))
        done = self.attempt(call)
        for part in RefundPart.objects.exclude(pk__in=known).select_related("payment"):
            if part.payment.method == "cash":
                self.cash[part.shift_id] -= part.amount + part.tip
        return done

    def points(self, customer: int) -> int:
        return Customer.objects.get(pk=self.customers[customer].pk).points

    # --- orders ---------------------------------------------------------------------------------------

    @rule(target=orders, wanted=lines, customer=someone, code=codes, points=few_points)
    def place(self, wanted: list, customer: int | None, code: str, points: int) -> Any:
        before = [self.points(0), self.points(1)]
        order = self.attempt(
            lambda: place_order(
                location=self.shop.location,
                lines=[OrderLine(self.products[product].pk, quantity) for product, quantity in wanted],
                actor=NOBODY,
                customer_id=None if customer is None else self.customers[customer].pk,
                promo_code=code,
                redeem_points=points,
            )
        )
        if points and customer is not None and points > before[customer] and code != "GONE":
            assert isinstance(order, (NotEnoughPoints, PromoCodeRefused))
        if code == "GONE":
            assert isinstance(order, PromoCodeRefused)
        if isinstance(order, Refusal):
            return multiple()
        if customer is not None:
            assert self.points(customer) == before[customer] - order.points_redeemed
        assert order.points_redeemed <= points
        return order.pk

    @rule(order=orders, wanted=lines, code=st.sampled_from([None, None, "", "TEN", "FIFTY"]), points=few_points)
    def edit(self, order: int, wanted: list, code: str | None, points: int) -> None:
        self.attempt(
            lambda: edit_order(
                order_id=order,
                actor=NOBODY,
                lines=[OrderLine(self.products[product].pk, quantity) for product, quantity in wanted],
                promo_code=code,
                redeem_points=points or None,
            )
        )

    @rule(order=orders)
    def prepare(self, order: int) -> None:
        self.attempt(lambda: prepare_order(order_id=order, actor=NOBODY))

    @rule(order=orders, line=st.integers(0, 2), quantity=st.integers(1, 3), may=st.booleans())
    def cancel_a_part(self, order: int, line: int, quantity: int, may: bool) -> None:
        items = list(Order.objects.get(pk=order).items.all())
        self.cash_of_parts(
            lambda: cancel_item(
                order_id=order,
                item_id=items[line % len(items)].pk,
                quantity=quantity,
                actor=NOBODY,
                may_refund=may,
            )
        )

    @rule(order=orders, may=st.sampled_from([True, True, False]))
    def cancel(self, order: int, may: bool) -> None:
        done = self.cash_of_parts(lambda: cancel_order(order_id=order, actor=NOBODY, may_refund=may))
        if not isinstance(done, Refusal):
            self.leaves_nothing(order)

    def leaves_nothing(self, order: int) -> None:
        """A cancelled order leaves customer, code and cash as they were."""
        entries = LoyaltyEntry.objects.filter(order_id=order)
        assert sum(entries.values_list("points", flat=True)) == 0
        assert not PromoRedemption.objects.filter(order_id=order, released_at=None).exists()
        came = sum((one.amount + one.tip for one in Payment.objects.filter(order_id=order)), ZERO)
        went = sum((one.amount + one.tip for one in RefundPart.objects.filter(refund__order_id=order)), ZERO)
        assert came == went

    @rule(order=orders, unpaid=st.sampled_from([False, False, True]))
    def complete(self, order: int, unpaid: bool) -> None:
        due = Order.objects.get(pk=order).due
        done = self.attempt(lambda: complete_order(order_id=order, actor=NOBODY, allow_unpaid=unpaid))
        if not isinstance(done, Refusal):
            assert unpaid or not due

    @rule(chosen=st.lists(orders, min_size=1, max_size=4, unique=True), cancels=st.booleans(), may=st.booleans())
    def batch(self, chosen: list[int], cancels: bool, may: bool) -> None:
        if not cancels:
            self.attempt(lambda: complete_orders(order_ids=chosen, actor=NOBODY, allow_unpaid=may))
            return
        results = self.cash_of_parts(lambda: cancel_orders(order_ids=chosen, actor=NOBODY, may_refund=may))
        for result in results:
            if result.refusal is None:
                self.leaves_nothing(result.order_id)

    # --- money ----------------------------------------------------------------------------------------

    @rule(
        order=orders,
        method=methods,
        part=parts,
        tip=st.sampled_from([0, 0, 5]),
        handed=st.sampled_from([None, 0, 7]),
    )
    def pay(self, order: int, method: str, part: str, tip: int, handed: int | None) -> None:
        due = Order.objects.get(pk=order).due
        amount = {"all": due, "half": (due / 2).quantize(ZERO), "cent": Decimal("0.01"), "more": due + 1}[part]
        cash = method == "cash" and handed is not None
        payment = self.attempt(
            lambda: take_payment(
                order_id=order,
                method=method,
                amount=amount,
                tip=Decimal(tip),
                tendered=amount + tip + (handed or 0) if cash else None,
                actor=NOBODY,
            )
        )
        if isinstance(payment, Refusal):
            return
        assert part != "more"
        if method == "cash":
            assert payment.change == ((handed or 0) if cash else 0)
            self.cash[payment.shift_id] += amount + tip

    @rule(order=orders, line=st.integers(0, 2), quantity=st.integers(1, 3), restock=st.booleans())
    def refund_a_part(self, order: int, line: int, quantity: int, restock: bool) -> None:
        items = list(Order.objects.get(pk=order).items.all())
        wanted = {items[line % len(items)].pk: quantity}
        self.refund(order, items=wanted, restock=restock)

    @rule(order=orders)
    def refund_all(self, order: int) -> None:
        self.refund(order)

    @rule(order=orders, amount=cents)
    def refund_some_money(self, order: int, amount: Decimal) -> None:
        self.refund(order, amount=amount)

    def refund(self, order: int, **what: Any) -> None:
        paid = Order.objects.get(pk=order).paid
        done = self.cash_of_parts(lambda: refund_order(order_id=order, actor=NOBODY, reason="Cold", **what))
        if not isinstance(done, Refusal):
            assert done.amount <= paid
            assert Order.objects.get(pk=order).paid == paid - done.amount

    # --- tills and points -----------------------------------------------------------------------------

    @rule(till=till_names, opening=st.sampled_from([0, 50]).map(Decimal))
    def open_till(self, till: str, opening: Decimal) -> None:
        shift = self.attempt(
            lambda: open_shift(location=self.shop.location, till=till, opening_float=opening, actor=NOBODY)
        )
        if isinstance(shift, Shift):
            self.cash[shift.pk] = opening

    @rule(which=st.integers(0, 3), short=st.sampled_from([0, 0, 3]).map(Decimal))
    def close_till(self, which: int, short: Decimal) -> None:
        """Always possible while it is open, whatever the orders are like."""
        shift_id = list(self.cash)[which % len(self.cash)]
        was_open = Shift.objects.get(pk=shift_id).is_open
        counted = max(self.cash[shift_id] - short, ZERO)
        shift = self.attempt(lambda: close_shift(shift_id=shift_id, counted=counted, actor=NOBODY))
        assert isinstance(shift, Shift) == was_open
        if isinstance(shift, Shift):
            assert (shift.expected, shift.difference) == (self.cash[shift_id], counted - self.cash[shift_id])

    @rule(which=st.integers(0, 3))
    def correct(self, which: int) -> None:
        shift_id = list(self.cash)[which % len(self.cash)]
        self.attempt(lambda: correct_shift(shift_id=shift_id, counted=Decimal(1), reason="Counted again", actor=NOBODY))

    @rule(which=st.integers(0, 3), amount=st.sampled_from([-30, -1, 20]).map(Decimal))
    def put_or_take(self, which: int, amount: Decimal) -> None:
        shift_id = list(self.cash)[which % len(self.cash)]
        moved = self.attempt(lambda: move_cash(shift_id=shift_id, amount=amount, reason="Change", actor=NOBODY))
        if not isinstance(moved, Refusal):
            self.cash[shift_id] += amount

    @rule(customer=st.integers(0, 1), points=st.sampled_from([-40, -5, 1, 25]))
    def adjust(self, customer: int, points: int) -> None:
        before = self.points(customer)
        done = self.attempt(
            lambda: adjust_points(
                customer_id=self.customers[customer].pk, points=points, reason="Because", actor=NOBODY
            )
        )
        assert isinstance(done, Refusal) == (before + points < 0)
        assert self.points(customer) == (before if isinstance(done, Refusal) else before + points)

    @rule(days=st.sampled_from([1, 10, 31]))
    def let_time_pass(self, days: int) -> None:
        self.now += datetime.timedelta(days=days)
        expire_points(now=self.now)
        before = money_model.fingerprint()
        expire_points(now=self.now)
        assert money_model.fingerprint() == before, "what had expired expired again"

    # --- what holds -------------------------------------------------------------------------------------

    @invariant()
    def every_sum_is_right(self) -> None:
        if not hasattr(self, "cash"):
            return
        assert money_model.rows(money_model.WRONG_BALANCES) == []
        assert money_model.rows(money_model.WRONG_REDEMPTIONS) == []
        assert money_model.rows(money_model.WRONG_CODES) == []
        assert money_model.rows(money_model.WRONG_ORDERS) == []

    @invariant()
    def every_till_holds_what_was_put_into_it(self) -> None:
        if hasattr(self, "cash"):
            assert money_model.cash_by_shift() == self.cash
