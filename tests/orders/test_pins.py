"""The PIN by which somebody says at the counter that it is them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from foundation.errors import InvalidInput, Missing
from monitoring.models import Alert
from orders.models import CounterPin, Employee, WrongPins
from orders.services.pins import check_pin, clear_pin, forget_old_wrong_pins, has_pin, set_pin
from orders.staff_errors import HasLeft, NoPin, TooManyPins, UnknownEmployee, WrongPin
from tests.orders.staff import day, employed
from tests.shop import Shop

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
TILL = "192.0.2.7"


@pytest.fixture
def kai() -> Employee:
    employee = employed(Shop.open())
    set_pin(employee_id=employee.pk, pin="2580", set_by_id=None)
    return employee


def tried(employee: Employee, pin: str, *, now: datetime = NOON, address: str = TILL) -> Employee | None:
    """Who the counter takes them for; None for a wrong PIN."""
    try:
        return check_pin(employee_id=employee.pk, pin=pin, address=address, now=now)
    except WrongPin:
        return None


def test_the_right_pin_says_who_it_is_and_a_wrong_one_nothing(kai: Employee) -> None:
    assert tried(kai, "2580") == kai
    assert [tried(kai, pin) for pin in ("2581", "", "25800", "²⁵⁸⁰")] == [None] * 4


def test_a_pin_is_kept_as_a_hash_only(kai: Employee) -> None:
    kept = CounterPin.objects.get()

    assert "2580" not in kept.hash
    assert kept.hash.startswith("md5$")  # the tests' quick hasher
    assert "hash" not in {field.name for field in Employee._meta.get_fields()}


@pytest.mark.parametrize("pin", ["", "123", "1234567", "12a4", "١٢٣٤", "12 34", "-123", "9" * 10_000])
def test_what_is_not_four_to_six_digits_is_no_pin(kai: Employee, pin: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        set_pin(employee_id=kai.pk, pin=pin, set_by_id=None)

    assert set(refused.value.errors) == {"pin"}
    assert tried(kai, "2580") == kai


@pytest.mark.parametrize(("pin", "is_easy"), [("1234", True), ("0000", True), ("987654", True), ("4711", False)])
def test_a_pin_that_many_would_try_is_taken_with_a_warning(kai: Employee, pin: str, is_easy: bool) -> None:
    assert set_pin(employee_id=kai.pk, pin=pin, set_by_id=None) is is_easy
    assert tried(kai, pin) == kai
    assert tried(kai, "2580") is None


def test_after_five_wrong_ones_even_the_right_one_waits_and_the_staff_are_told(kai: Employee) -> None:
    assert [tried(kai, "0000") for _number in range(5)] == [None] * 5

    with pytest.raises(TooManyPins) as refused:
        tried(kai, "2580", now=NOON + timedelta(seconds=20), address="192.0.2.8")

    assert refused.value.retry_after == 40
    assert tried(kai, "2580", now=NOON + timedelta(minutes=1)) == kai
    alert = Alert.objects.get(event="orders.pin_locked")
    assert alert.message == "5 wrong PINs in a row for Kai, the last one from 192.0.2.7."


def test_each_round_of_wrong_ones_waits_longer_and_a_right_one_ends_it(kai: Employee) -> None:
    now, waits = NOON, []
    for _round in range(5):
        for _number in range(5):
            assert tried(kai, "0000", now=now, address=f"192.0.2.{_round}") is None
        with pytest.raises(TooManyPins) as refused:
            tried(kai, "2580", now=now)
        waits.append(refused.value.retry_after)
        now += timedelta(seconds=refused.value.retry_after)

    assert waits == [60, 300, 1800, 3600, 3600]
    assert tried(kai, "2580", now=now) == kai
    assert not WrongPins.objects.filter(counted_by="employee", number__gt=0).exists()


def test_one_till_that_tries_one_pin_on_everybody_waits_too(kai: Employee) -> None:
    bar = Shop.open("Station")
    for number in range(20):
        mate = employed(bar, f"Mate {number}")
        set_pin(employee_id=mate.pk, pin="7391", set_by_id=None)
        assert tried(mate, "1234") is None

    with pytest.raises(TooManyPins):
        tried(kai, "2580")
    assert tried(kai, "2580", address="192.0.2.8") == kai


def test_who_has_left_has_no_pin_and_is_an_unknown_nobody_is_let_in(kai: Employee) -> None:
    with pytest.raises(UnknownEmployee):
        check_pin(employee_id=kai.pk + 1, pin="2580", address=TILL)
    with pytest.raises(Missing):
        set_pin(employee_id=kai.pk + 1, pin="2580", set_by_id=None)

    kai.left_on = day("2026-11-21")
    kai.save()
    assert tried(kai, "2580", now=NOON) == kai  # the last day is worked
    with pytest.raises(HasLeft):
        tried(kai, "2580", now=NOON + timedelta(days=1))
    with pytest.raises(HasLeft):
        set_pin(employee_id=kai.pk, pin="2580", set_by_id=None, now=NOON + timedelta(days=1))

    clear_pin(employee_id=kai.pk)
    assert not has_pin(kai.pk)
    with pytest.raises(NoPin):
        tried(kai, "2580")


def test_a_new_pin_forgets_the_wrong_ones(kai: Employee) -> None:
    for _number in range(5):
        tried(kai, "0000")

    set_pin(employee_id=kai.pk, pin="9630", set_by_id=None)

    assert tried(kai, "9630") == kai


def test_old_counts_are_forgotten(kai: Employee) -> None:
    tried(kai, "0000")
    assert forget_old_wrong_pins(now=NOON + timedelta(days=1)) == 0
    assert forget_old_wrong_pins(now=NOON + timedelta(days=3)) == 2


def test_a_check_takes_the_same_few_queries_right_or_wrong(kai: Employee, django_assert_max_num_queries: Any) -> None:
    for pin in ("2580", "0000"):
        with django_assert_max_num_queries(10):
            tried(kai, pin)
