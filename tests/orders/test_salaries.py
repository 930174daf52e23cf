"""What people are paid, since when."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from foundation.errors import InvalidInput
from orders.models import Employee, Salary
from orders.services.payroll import close_payroll, draft_payroll
from orders.services.salaries import change_salary, give_salary
from orders.staff_errors import PayrollIsClosed, UnknownEmployee, UnknownSalary
from tests.orders.staff import day, employed, paid
from tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def kai() -> Employee:
    return employed(Shop.open(), since="2026-01-15")


def give(employee: Employee, amount: Any, since: str, until: str = "", per: str = "month") -> Salary:
    return give_salary(
        employee_id=employee.pk,
        amount=Decimal(amount),
        per=per,
        valid_from=day(since),
        valid_to=day(until) if until else None,
        created_by_id=None,
    )


def history(employee: Employee) -> list[tuple[str, str, str]]:
    rows = Salary.objects.filter(employee=employee).order_by("valid_from")
    return [(str(one.amount), str(one.valid_from), str(one.valid_to or "")) for one in rows]


def closed(month: str) -> None:
    payroll = draft_payroll(month=day(month), created_by_id=None)
    close_payroll(payroll_id=payroll.pk, closed_by_id=None)


def test_a_raise_ends_the_running_salary_the_day_before(kai: Employee) -> None:
    give(kai, "20000", "2026-01-15")
    give(kai, "22000", "2026-03-01")

    assert history(kai) == [("20000.00", "2026-01-15", "2026-02-28"), ("22000.00", "2026-03-01", "")]


@pytest.mark.parametrize(
    ("since", "until", "said"),
    [
        ("2026-02-10", "", "from 15 Jan 2026 to 31 Mar 2026"),
        ("2026-01-20", "2026-02-01", "from 15 Jan 2026 to 31 Mar 2026"),
        ("2026-03-31", "2026-04-30", "from 15 Jan 2026 to 31 Mar 2026"),
        ("2026-06-01", "", "from 1 Jun 2026 on"),
        ("2026-04-01", "", "from 1 Jun 2026 on"),
        ("2026-07-01", "2026-07-31", "from 1 Jun 2026 on"),
    ],
)
def test_a_salary_that_overlaps_another_is_refused_with_what_it_overlaps(
    kai: Employee, since: str, until: str, said: str
) -> None:
    paid(kai, "20000", "2026-01-15", "2026-03-31")
    paid(kai, "22000", "2026-06-01")
    before = history(kai)

    with pytest.raises(InvalidInput, match=said) as refused:
        give(kai, "25000", since, until)

    assert set(refused.value.errors) == {"valid_from"}
    assert history(kai) == before


def test_a_salary_fits_between_two_others(kai: Employee) -> None:
    paid(kai, "20000", "2026-01-15", "2026-03-31")
    paid(kai, "22000", "2026-06-01")

    give(kai, "21000", "2026-04-01", "2026-05-31")

    assert [amount for amount, _first, _last in history(kai)] == ["20000.00", "21000.00", "22000.00"]


@pytest.mark.parametrize(
    ("amount", "since", "until", "field"),
    [
        ("0", "2026-02-01", "", "amount"),
        ("-5", "2026-02-01", "", "amount"),
        ("99999999999", "2026-02-01", "", "amount"),
        ("1.005", "2026-02-01", "", "amount"),
        ("1", "2026-02-02", "2026-02-01", "valid_to"),
        ("1", "2026-01-14", "", "valid_from"),
        ("1", "2026-12-01", "", "valid_from"),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_field(
    kai: Employee, amount: str, since: str, until: str, field: str
) -> None:
    Employee.objects.update(left_on=day("2026-11-30"))

    with pytest.raises(InvalidInput) as refused:
        give(kai, amount, since, until)

    assert set(refused.value.errors) == {field}
    assert not Salary.objects.exists()


def test_a_stranger_is_paid_nothing(kai: Employee) -> None:
    kai.pk += 1
    with pytest.raises(UnknownEmployee):
        give(kai, "1", "2026-02-01")
    with pytest.raises(UnknownSalary):
        change_salary(salary_id=1, changes={"note": "?"})


def test_a_salary_is_put_right_and_never_into_another_one(kai: Employee) -> None:
    first = paid(kai, "20000", "2026-01-15", "2026-03-31")
    paid(kai, "22000", "2026-06-01")

    change_salary(salary_id=first.pk, changes={"amount": Decimal("20500"), "valid_to": date(2026, 5, 31)})
    with pytest.raises(InvalidInput, match="from 1 Jun 2026 on"):
        change_salary(salary_id=first.pk, changes={"valid_to": None})

    assert history(kai) == [("20500.00", "2026-01-15", "2026-05-31"), ("22000.00", "2026-06-01", "")]


def test_what_a_closed_payroll_was_computed_from_stays(kai: Employee) -> None:
    salary = give(kai, "20000", "2026-01-15")
    closed("2026-03-01")
    before = history(kai)

    for refused in (
        lambda: give(kai, "22000", "2026-03-31"),
        lambda: give(kai, "22000", "2026-02-10"),
        lambda: change_salary(salary_id=salary.pk, changes={"amount": Decimal("22000")}),
        lambda: change_salary(salary_id=salary.pk, changes={"per": "hour"}),
        lambda: change_salary(salary_id=salary.pk, changes={"valid_to": date(2026, 3, 30)}),
        lambda: change_salary(salary_id=salary.pk, changes={"valid_from": date(2026, 3, 2)}),
    ):
        with pytest.raises(PayrollIsClosed, match="March 2026"):
            refused()

    assert history(kai) == before
    change_salary(salary_id=salary.pk, changes={"note": "as agreed", "valid_from": date(2026, 1, 16)})
    give(kai, "22000", "2026-04-01")
    assert history(kai) == [("20000.00", "2026-01-16", "2026-03-31"), ("22000.00", "2026-04-01", "")]


def test_the_database_itself_takes_no_two_salaries_on_one_day_and_none_of_nothing(kai: Employee) -> None:
    paid(kai, "20000", "2026-01-15", "2026-01-31")
    paid(kai, "20000", "2026-02-01")

    for amount, since, until in (("1", "2026-01-31", "2026-01-31"), ("1", "2027-01-01", ""), ("0", "2026-01-01", "")):
        with pytest.raises(IntegrityError), transaction.atomic():
            paid(kai, amount, since, until)

    other = employed(Shop.open("Station"), "Ann")
    paid(other, "1", "2026-01-31")


def test_a_salary_is_logged_without_its_amount(kai: Employee) -> None:
    assert str(paid(kai, "31415.92", "2026-02-01")) == "Kai, 2026-02-01"
