"""Points that move without an order: adjusted by staff, expired by time."""

import datetime
from collections.abc import Iterator
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Sum
from django.db.utils import InternalError
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.errors import InvalidInput
from orders.errors import AdjustmentLimit, CustomerGone, NotEnoughPoints, UnknownCustomer
from orders.loyalty_selectors import points_expiring
from orders.models import Customer, LoyaltyEntry, LoyaltyProgram, OrderEvent
from orders.services import points as service
from orders.services.actor import Actor
from orders.services.loyalty import write_entries
from orders.services.points import adjust_points, expire_points
from tests.races.threads import at_once, kinds
from tests.shop import NOBODY, user_of

NOW = timezone.now().replace(microsecond=0)
DAY = datetime.timedelta(days=1)
Kind = LoyaltyEntry.Kind


def ann(**fields: Any) -> Customer:
    return Customer.objects.create(name="Ann", **fields)


def enter(customer: Customer, kind: str, points: int, **fields: Any) -> None:
    write_entries([LoyaltyEntry(customer_id=customer.pk, kind=kind, points=points, **fields)])


def ledger(customer: Customer) -> list[tuple[str, int]]:
    return list(LoyaltyEntry.objects.filter(customer=customer).order_by("pk").values_list("kind", "points"))


def balance(customer: Customer) -> int:
    """The balance, which is what the ledger sums to."""
    points = Customer.objects.values_list("points", flat=True).get(pk=customer.pk)
    assert points == sum(points for _kind, points in ledger(customer))
    return points


def adjust(customer: Customer, points: int, **more: Any) -> LoyaltyEntry:
    return adjust_points(customer_id=customer.pk, points=points, **{"reason": "a spilt cup", "actor": NOBODY, **more})


@pytest.mark.django_db
def test_points_are_given_and_taken_with_a_reason() -> None:
    LoyaltyProgram.objects.create(points_days=30)
    customer, barista = ann(), user_of("barista")

    given = adjust(customer, 20, actor=Actor(barista.pk, OrderEvent.Door.ADMIN), at=NOW)
    taken = adjust(customer, -5, reason=" counted twice ", at=NOW)

    assert (given.expires_at, given.created_by_id) == (NOW + 30 * DAY, barista.pk)
    assert (taken.expires_at, taken.reason) == (None, "counted twice")
    assert balance(customer) == 15


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("points", "reason", "field"),
    [(0, "why", "points"), (10**7, "why", "points"), (5, "  ", "reason"), (5, "x" * 301, "reason")],
)
def test_an_adjustment_of_nothing_or_without_a_reason_is_refused(points: int, reason: str, field: str) -> None:
    customer = ann()

    with pytest.raises(InvalidInput) as refused:
        adjust(customer, points, reason=reason)

    assert set(refused.value.errors) == {field}
    assert ledger(customer) == []


@pytest.mark.django_db
def test_the_balance_can_not_go_below_zero() -> None:
    customer = ann()
    adjust(customer, 10)

    with pytest.raises(NotEnoughPoints, match="10 points, not 11"):
        adjust(customer, -11)

    assert balance(customer) == 10


@pytest.mark.django_db
def test_nothing_is_given_to_nobody_or_to_who_was_merged_or_erased() -> None:
    into = ann()

    with pytest.raises(UnknownCustomer):
        adjust_points(customer_id=0, points=1, reason="why", actor=NOBODY)
    for gone in (ann(merged_into=into), ann(erased_at=NOW)):
        with pytest.raises(CustomerGone):
            adjust(gone, 1)
    assert not LoyaltyEntry.objects.exists()


@pytest.mark.django_db
def test_a_limit_holds_for_a_customer_and_a_day_however_it_is_split() -> None:
    customer, other = ann(), ann()
    kai, lin = (Actor(user_of("barista", f"{name}@shop.example").pk, "admin") for name in ("kai", "lin"))
    adjust(customer, 30, actor=kai, limit=50, at=NOW)
    adjust(customer, -15, actor=kai, limit=50, at=NOW)

    with pytest.raises(AdjustmentLimit, match="50 points of a customer within a day, and have adjusted 45"):
        adjust(customer, 6, actor=kai, limit=50, at=NOW + datetime.timedelta(hours=23))
    with pytest.raises(AdjustmentLimit):
        adjust(other, 51, actor=kai, limit=50, at=NOW)
    assert balance(customer) == 15

    adjust(customer, 5, actor=kai, limit=50, at=NOW)
    adjust(customer, 50, actor=lin, limit=50, at=NOW)
    adjust(other, 50, actor=kai, limit=50, at=NOW)
    adjust(customer, 50, actor=kai, limit=50, at=NOW + DAY)
    adjust(customer, 5000, actor=kai, at=NOW)


@pytest.mark.django_db
def test_the_ledger_can_not_be_changed_or_deleted() -> None:
    adjust(ann(), 10)

    for write in (lambda: LoyaltyEntry.objects.update(points=20), LoyaltyEntry.objects.all().delete):
        with pytest.raises(InternalError, match="loyalty_append_only"), transaction.atomic():
            write()


@pytest.mark.django_db(transaction=True)
def test_two_tills_that_take_the_last_points_at_once_take_them_once() -> None:
    customer = ann()
    adjust(customer, 10)

    outcomes = at_once([lambda: adjust(customer, -10)] * 6)

    assert kinds(outcomes) == {"LoyaltyEntry": 1, "NotEnoughPoints": 5}
    assert balance(customer) == 0


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_both_tills_believe_that_the_points_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counterproof: both have read a balance of 10; only the database's CHECK stops the second, as a failure."""
    customer = ann()
    adjust(customer, 10)
    monkeypatch.setattr(service, "lock_customer", lambda pk: Customer.objects.get(pk=pk))
    read = Barrier(2)

    def write(entries: list[LoyaltyEntry]) -> None:
        read.wait(30)
        write_entries(entries)

    monkeypatch.setattr(service, "write_entries", write)

    assert kinds(at_once([lambda: adjust(customer, -10)] * 2)) == {"IntegrityError": 1, "LoyaltyEntry": 1}


@pytest.mark.django_db(transaction=True)
def test_a_limit_holds_for_somebody_who_presses_everywhere_at_once() -> None:
    customer, actor = ann(), Actor(user_of("barista").pk, "admin")

    outcomes = at_once([lambda: adjust(customer, 30, actor=actor, limit=50)] * 4)

    assert kinds(outcomes) == {"AdjustmentLimit": 3, "LoyaltyEntry": 1}
    assert balance(customer) == 30


@pytest.mark.django_db
def test_points_expire_once_and_only_those_that_nobody_spent() -> None:
    customer = ann()
    enter(customer, Kind.EARNED, 100, expires_at=NOW)
    enter(customer, Kind.EARNED, 40, expires_at=NOW + 10 * DAY)
    enter(customer, Kind.REDEEMED, -30)

    assert points_expiring(customer, NOW - DAY) == 0
    assert points_expiring(customer, NOW) == 70
    assert points_expiring(customer, NOW + 10 * DAY) == 110
    assert expire_points(now=NOW) == 70
    assert expire_points(now=NOW) == 0
    assert balance(customer) == 40
    assert expire_points(now=NOW + 10 * DAY) == 40
    assert ledger(customer)[3:] == [("expired", -70), ("expired", -40)]


@pytest.mark.django_db
def test_what_never_expires_is_not_taken_and_does_not_shield_what_does() -> None:
    """Points earned while the programme had no expiry, beside such that have one."""
    customer = ann()
    enter(customer, Kind.EARNED, 100)
    enter(customer, Kind.ADJUSTED, 10, reason="a gift")
    enter(customer, Kind.EARNED, 50, expires_at=NOW)
    enter(customer, Kind.REDEEMED, -20)

    assert expire_points(now=NOW) == 30
    assert balance(customer) == 110


@pytest.mark.django_db
def test_a_refunded_order_whose_points_were_spent_leaves_the_rest_to_expire_in_its_time() -> None:
    """The refund withholds money for them: one line takes them back, another says that they were bought."""
    customer = ann()
    enter(customer, Kind.EARNED, 100, order_id=1, expires_at=NOW)
    enter(customer, Kind.REDEEMED, -100, order_id=2)
    back = {"customer_id": customer.pk, "order_id": 1, "expires_at": NOW, "reverses": Kind.EARNED}
    bought = {"customer_id": customer.pk, "order_id": 1, "reason": "kept from the refund"}
    write_entries(
        [
            LoyaltyEntry(kind=Kind.REVERSED, points=-100, **back),
            LoyaltyEntry(kind=Kind.ADJUSTED, points=100, **bought),
        ]
    )
    enter(customer, Kind.EARNED, 50, order_id=3, expires_at=NOW + DAY)

    assert expire_points(now=NOW) == 0
    assert expire_points(now=NOW + DAY) == 50


@pytest.mark.django_db
def test_the_nightly_task_takes_the_same_queries_for_1_customer_and_for_40() -> None:
    def night(customers: int) -> int:
        for _number in range(customers):
            enter(ann(), Kind.EARNED, 10, expires_at=NOW)
        with CaptureQueriesContext(connection) as captured:
            assert expire_points(now=NOW) == 10 * customers
        return len(captured)

    assert night(1) == night(40) <= 8


@pytest.mark.django_db
def test_a_night_that_was_cut_short_is_finished_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    customers = [ann() for _number in range(5)]
    for customer in customers:
        enter(customer, Kind.EARNED, 10, expires_at=NOW)
    monkeypatch.setattr(service, "PART", 2)
    parts = iter([True, False])

    def killed(entries: list[LoyaltyEntry]) -> None:
        if not next(parts):
            raise KeyboardInterrupt
        write_entries(entries)

    with monkeypatch.context() as patched:
        patched.setattr(service, "write_entries", killed)
        with pytest.raises(KeyboardInterrupt):
            expire_points(now=NOW)
    assert Customer.objects.aggregate(sum=Sum("points"))["sum"] == 30

    assert expire_points(now=NOW) == 30
    assert [balance(customer) for customer in customers] == [0] * 5


class Lots:
    """The naive way: each credit is a lot, spending eats what expires first, what is over is thrown away."""

    def __init__(self) -> None:
        self.lots: list[list[int]] = []  # [day of expiry, points left]

    @property
    def balance(self) -> int:
        return sum(points for _day, points in self.lots)

    def credit(self, points: int, expires_on: int) -> None:
        self.lots.append([expires_on, points])
        self.lots.sort()

    def spend(self, points: int) -> None:
        for lot in self.lots:
            eaten = min(lot[1], points)
            lot[1] -= eaten
            points -= eaten

    def expire(self, today: int) -> int:
        gone = sum(points for day, points in self.lots if day <= today)
        self.lots = [lot for lot in self.lots if lot[0] > today]
        return gone


steps = st.lists(
    st.tuples(st.sampled_from(["earn", "give", "redeem", "take", "night"]), st.integers(1, 60), st.integers(1, 12)),
    max_size=25,
)


def live(history: list[tuple[str, int, int]], *, life: int | None) -> Iterator[tuple[int, int]]:
    """What happens to a customer, by the service and by the naive model; (expired so far, by the model) every night.

    Points live for `life` days; with None for as many as the history says, so that later ones may expire sooner.
    """
    Customer.objects.update(points=0)  # of the example before
    customer, lots, today, gone, gone_naively = ann(), Lots(), 0, 0, 0
    for what, points, days in history:
        if what in ("earn", "give"):
            kind, lasts = Kind.EARNED if what == "earn" else Kind.ADJUSTED, life or days
            enter(customer, kind, points, expires_at=NOW + (today + lasts) * DAY)
            lots.credit(points, today + lasts)
        elif what in ("redeem", "take"):
            points = min(points, lots.balance)
            if points:
                enter(customer, Kind.REDEEMED if what == "redeem" else Kind.ADJUSTED, -points)
                lots.spend(points)
        else:
            for _night in range(days):
                today += 1
                soon = points_expiring(customer, NOW + today * DAY)
                assert soon == expire_points(now=NOW + today * DAY)
                gone += soon
                gone_naively += lots.expire(today)
                yield gone, gone_naively
        assert balance(customer) == lots.balance + gone_naively - gone


@pytest.mark.django_db
@settings(max_examples=30)
@given(steps, st.integers(1, 8))
def test_expiry_by_sums_is_first_in_first_out(history: list[tuple[str, int, int]], life: int) -> None:
    for gone, gone_naively in live(history, life=life):
        assert gone == gone_naively


@pytest.mark.django_db
@settings(max_examples=30)
@given(steps)
def test_points_that_came_later_and_expire_sooner_live_longer_never_shorter(
    history: list[tuple[str, int, int]],
) -> None:
    """When the programme's days are cut: what was spent before they came may count against them."""
    for gone, gone_naively in live(history, life=None):
        assert gone <= gone_naively
