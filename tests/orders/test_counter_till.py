"""The till at the counter: where a browser stands, its shift, its cash."""

from decimal import Decimal

import pytest

from orders.models import CashMovement, Shift
from tests.orders.counter import Counter, cash
from tests.orders.money import open_till
from tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def tea_bar() -> Shop:
    return Shop.open()


def test_a_shift_is_opened_its_cash_moved_and_counted(tea_bar: Shop) -> None:
    counter, tea = Counter.of(tea_bar), tea_bar.product("Tea", "60.00")
    here = {"location": tea_bar.location.pk, "till": "Bar"}

    shift = counter.send("shift/open/", {**here, "opening_float": "500"}).json()["shift"]
    assert counter.browser.get("/counter/shift/", here).json()["shift"] == shift
    counter.sell(tea, tenders=[cash("60.00", "100.00")], shift=shift["id"])
    counter.send("shift/cash/", {"shift": shift["id"], "amount": "100", "is_out": True, "reason": "ice"})
    counter.send("shift/cash/", {"shift": shift["id"], "amount": "20.50", "reason": "coins"})
    closed = counter.send("shift/close/", {"shift": shift["id"], "counted": "480.00"}).json()

    assert closed["shift"] is None
    assert closed["closed"] == {
        "expected": "480.50",
        "counted": "480.00",
        "difference": "-0.50",
        "methods": [["Cash", "60.00"]],
    }
    assert list(CashMovement.objects.values_list("amount", "reason")) == [
        (Decimal(-100), "ice"),
        (Decimal("20.50"), "coins"),
    ]
    assert Shift.objects.get().closed_by == counter.user


def test_a_second_tap_moves_no_cash_twice(tea_bar: Shop) -> None:
    shift, counter = open_till(tea_bar), Counter.of(tea_bar)
    body = {"shift": shift.pk, "amount": "20", "reason": "coins"}

    counter.send("shift/cash/", body, once="one tap")
    counter.send("shift/cash/", body, once="one tap")

    assert CashMovement.objects.count() == 1


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("open", {"till": "1", "opening_float": "100"}, 409),
        ("open", {"till": "2", "opening_float": "a hundred"}, 400),
        ("open", {"till": "2", "opening_float": "-1"}, 400),
        ("close", {"counted": ""}, 400),
        ("close", {"shift": 999_999, "counted": "1"}, 404),
        ("cash", {"amount": "100.01", "is_out": True, "reason": "ice"}, 400),
        ("cash", {"amount": "5", "reason": ""}, 400),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    tea_bar: Shop, path: str, body: dict[str, object], status: int
) -> None:
    shift, counter = open_till(tea_bar), Counter.of(tea_bar)

    answer = counter.send(f"shift/{path}/", {"shift": shift.pk, "location": tea_bar.location.pk, **body})

    assert (answer.status_code, answer.json()["detail"] != "") == (status, True), answer.json()
    assert Shift.objects.get().is_open
    assert not CashMovement.objects.exists()


def test_a_browser_remembers_where_it_stands(tea_bar: Shop) -> None:
    riverside = Shop.open("Riverside")
    shift, counter = open_till(riverside, "Bar"), Counter.of(tea_bar)

    assert counter.send("till/", {"location": riverside.location.pk, "till": " Bar "}).json()["shift"]["id"] == shift.pk
    data = counter.browser.get("/counter/").context["counter_data"]
    assert (data["location"], data["till"], data["shift"]["id"]) == (riverside.location.pk, "Bar", shift.pk)

    counter.browser.cookies["counter_till"] = "forged"
    assert counter.browser.get("/counter/").context["counter_data"]["location"] == tea_bar.location.pk
    assert counter.send("till/", {"location": riverside.location.pk, "till": "x" * 41}).status_code == 400
