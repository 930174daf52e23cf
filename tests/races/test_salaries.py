"""Two people give one person a raise at the same moment: one of them does, and the closed payroll stays right."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from orders.models import Employee, Payroll, PayrollLine, Salary
from orders.services import salaries
from orders.services.payroll import close_payroll, draft_payroll
from orders.services.salaries import give_salary
from tests.orders.staff import day, employed, paid
from tests.races.threads import PATIENCE, at_once, kinds
from tests.shop import Shop

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kai() -> Employee:
    employee = employed(Shop.open())
    paid(employee, "20000")
    return employee


def raising(kai: Employee, amount: int, since: str = "2026-03-01") -> Callable[[], Salary]:
    return lambda: give_salary(
        employee_id=kai.pk, amount=Decimal(amount), per="month", valid_from=day(since), created_by_id=None
    )


def two_raises(kai: Employee) -> dict[str, int]:
    return kinds(at_once([raising(kai, 22_000), raising(kai, 25_000)]))


@pytest.fixture
def without_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have looked at the salaries before either writes one."""
    both_have_looked = Barrier(2)
    look = salaries.refuse_overlap

    def looked(salary: Salary, **more: Any) -> None:
        look(salary, **more)
        both_have_looked.wait(PATIENCE)

    monkeypatch.setattr(salaries, "lock_employee", lambda employee_id: Employee.objects.get(pk=employee_id))
    monkeypatch.setattr(salaries, "refuse_overlap", looked)


@pytest.fixture
def without_constraint(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(salaries, "check_record", lambda record: None)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'one_salary_at_a_time'")
        definition = cursor.fetchone()[0]
        cursor.execute("ALTER TABLE orders_salary DROP CONSTRAINT one_salary_at_a_time")
    yield
    Salary.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE orders_salary ADD CONSTRAINT one_salary_at_a_time {definition}")


def test_of_two_raises_at_once_one_is_refused_with_a_sentence(kai: Employee) -> None:
    assert two_raises(kai) == {"InvalidInput": 1, "Salary": 1}
    assert Salary.objects.count() == 2


def test_without_the_lock_the_database_refuses_the_second(kai: Employee, without_lock: None) -> None:
    assert two_raises(kai) in ({"IntegrityError": 1, "Salary": 1}, {"InvalidInput": 1, "Salary": 1})
    assert Salary.objects.count() == 2


def test_with_neither_somebody_has_two_salaries_on_one_day(
    kai: Employee, without_lock: None, without_constraint: None
) -> None:
    assert two_raises(kai) == {"Salary": 2}
    assert Salary.objects.filter(valid_from=day("2026-03-01"), valid_to=None).count() == 2


def test_a_raise_and_the_closing_of_its_month_at_once_never_both_pass(kai: Employee) -> None:
    payroll = draft_payroll(month=day("2026-03-01"), created_by_id=None)

    seen = kinds(at_once([raising(kai, 22_000), lambda: close_payroll(payroll_id=payroll.pk, closed_by_id=None)]))

    assert seen in ({"Payroll": 1, "PayrollIsClosed": 1}, {"PayrollOutdated": 1, "Salary": 1})
    assert (Payroll.objects.get().status == "closed") == ("Payroll" in seen)
    assert PayrollLine.objects.get().total == Decimal(20_000)


def test_one_month_drafted_by_many_at_once_is_there_once(kai: Employee) -> None:
    drafts = [lambda: draft_payroll(month=day("2026-03-01"), created_by_id=None)] * 6

    assert kinds(at_once(drafts)) == {"Payroll": 1, "PayrollExists": 5}
    assert PayrollLine.objects.count() == 1
