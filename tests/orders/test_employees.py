"""Who works here, from their first day to their last."""

from datetime import date
from typing import Any

import pytest

from foundation.errors import InvalidInput
from orders.models import Employee, Position
from orders.services.employees import change_employee, hire_employee, keep, let_go
from orders.services.payroll import close_payroll, draft_payroll
from orders.staff_errors import PayrollIsClosed, UnknownEmployee
from tests.orders.staff import day, employed
from tests.shop import Shop, user_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def bar() -> Shop:
    return Shop.open()


def hired(bar: Shop, **more: Any) -> Employee:
    position, _made = Position.objects.get_or_create(name="Cook")
    fields = {"name": "Kai", "position": position, "location": bar.location, "hired_on": day("2026-02-01")}
    return hire_employee(**{**fields, **more})


def closed(bar: Shop, month: str, *, here: bool = True) -> None:
    payroll = draft_payroll(month=day(month), location=bar.location if here else None, created_by_id=None)
    close_payroll(payroll_id=payroll.pk, closed_by_id=None)


def days_of(employee: Employee) -> tuple[date, date | None]:
    return Employee.objects.values_list("hired_on", "left_on").get(pk=employee.pk)


def test_somebody_is_hired_let_go_and_kept_after_all(bar: Shop) -> None:
    kai = hired(bar)

    let_go(employee_id=kai.pk, left_on=day("2026-05-31"))
    assert days_of(kai) == (day("2026-02-01"), day("2026-05-31"))
    keep(employee_id=kai.pk)

    assert days_of(kai) == (day("2026-02-01"), None)


@pytest.mark.parametrize("more", [{"left_on": date(2026, 1, 31)}, {"name": ""}, {"name": "x" * 10_000}])
def test_what_makes_no_sense_is_refused(bar: Shop, more: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        hired(bar, **more)

    assert not Employee.objects.exists()


def test_nobody_leaves_before_their_first_day_or_without_being_here(bar: Shop) -> None:
    kai = hired(bar)

    with pytest.raises(InvalidInput, match="before they are hired"):
        let_go(employee_id=kai.pk, left_on=day("2026-01-31"))
    with pytest.raises(UnknownEmployee):
        let_go(employee_id=kai.pk + 1, left_on=day("2026-05-31"))

    assert days_of(kai) == (day("2026-02-01"), None)


def test_an_account_belongs_to_one_employee(bar: Shop) -> None:
    account = user_of("barista")
    hired(bar, user=account)

    with pytest.raises(InvalidInput):
        hired(bar, name="Ann", user=account)


def test_days_that_a_closed_payroll_was_computed_from_stay(bar: Shop) -> None:
    kai = hired(bar)
    closed(bar, "2026-03-01")

    for changes in ({"left_on": day("2026-03-30")}, {"hired_on": day("2026-03-02")}, {"left_on": day("2026-02-27")}):
        with pytest.raises(PayrollIsClosed, match="March 2026"):
            change_employee(employee_id=kai.pk, changes=changes)
    change_employee(employee_id=kai.pk, changes={"left_on": day("2026-03-31"), "hired_on": day("2026-02-03")})
    change_employee(employee_id=kai.pk, changes={"name": "Kay", "left_on": None})

    assert days_of(kai) == (day("2026-02-03"), None)


@pytest.mark.parametrize("here", [True, False])
def test_who_has_left_before_a_closed_payroll_is_not_put_into_its_month_again(bar: Shop, here: bool) -> None:
    employed(bar, "Ann")
    kai = hired(bar, left_on=day("2026-02-28"))
    closed(bar, "2026-04-01", here=here)

    with pytest.raises(PayrollIsClosed, match="April 2026"):
        keep(employee_id=kai.pk)
    let_go(employee_id=kai.pk, left_on=day("2026-03-31"))

    assert days_of(kai) == (day("2026-02-01"), day("2026-03-31"))
