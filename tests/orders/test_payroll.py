"""The pay of a month: drafted, filled in, closed, reopened."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import InternalError, transaction

from foundation.errors import InvalidInput
from orders.models import Payroll, PayrollLine
from orders.services.payroll import (
    LineEntry,
    close_payroll,
    discard_payroll,
    draft_payroll,
    fill_in_payroll,
    recalculate_payroll,
    reopen_payroll,
)
from orders.services.salaries import give_salary
from orders.staff_errors import PayrollExists, PayrollOutdated, UnknownPayroll, WrongPayrollStatus
from tests.orders.staff import day, employed, paid
from tests.shop import Shop

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 5, 3, tzinfo=UTC)


@pytest.fixture
def bar() -> Shop:
    return Shop.open()


def drafted(bar: Shop | None = None, month: str = "2026-04-01") -> Payroll:
    return draft_payroll(month=day(month), location=bar.location if bar else None, created_by_id=None, at=NOW)


def line(payroll: Payroll, name: str = "Kai") -> PayrollLine:
    return PayrollLine.objects.get(payroll=payroll, employee__name=name)


def figures(payroll: Payroll) -> dict[str, tuple[int, str, str]]:
    """{name: (days employed, base, total)}"""
    return {
        one.employee.name: (one.days_employed, str(one.base), str(one.total))
        for one in PayrollLine.objects.filter(payroll=payroll).select_related("employee")
    }


def fill(payroll: Payroll, name: str = "Kai", **what: Any) -> Payroll:
    return fill_in_payroll(payroll_id=payroll.pk, entries=[LineEntry(line(payroll, name).pk, **what)])


def everything() -> list[Any]:
    return [list(Payroll.objects.order_by("pk").values()), list(PayrollLine.objects.order_by("pk").values())]


def test_a_month_pays_everybody_who_worked_in_it_for_the_days_they_did(bar: Shop) -> None:
    paid(employed(bar, "Ann", since="2025-01-01"), "30000", "2025-01-01")
    paid(employed(bar, "Bob", since="2026-04-21"), "30000", "2026-04-21")
    paid(employed(bar, "Eve", since="2025-01-01", until="2026-04-01"), "30000", "2025-01-01")
    employed(bar, "Gone", since="2025-01-01", until="2026-03-31")
    employed(bar, "Later", since="2026-05-01")
    employed(bar, "Unpaid", since="2025-01-01")
    kai = employed(bar, "Kai", since="2025-01-01")
    paid(kai, "20000", "2025-01-01", "2026-04-10")
    paid(kai, "25000", "2026-04-11")

    assert figures(drafted()) == {
        "Ann": (30, "30000.00", "30000.00"),
        "Bob": (10, "10000.00", "10000.00"),
        "Eve": (1, "1000.00", "1000.00"),
        "Kai": (30, "23333.33", "23333.33"),
        "Unpaid": (30, "0.00", "0.00"),
    }


def test_nobody_is_paid_twice_for_a_month(bar: Shop) -> None:
    station = Shop.open("Station")
    kai, ann = employed(bar), employed(station, "Ann")
    assert set(figures(drafted(bar))) == {"Kai"}
    kai.location = station.location
    kai.save()

    assert set(figures(drafted(station))) == {"Ann"}
    employed(Shop.open("Harbour"), "Zoe")
    assert set(figures(drafted())) == {"Zoe"}
    with pytest.raises(PayrollExists, match="April 2026"):
        drafted(bar)
    with pytest.raises(PayrollExists):
        drafted()
    assert PayrollLine.objects.filter(employee=ann).count() == 1


@pytest.mark.parametrize("month", ["2026-06-01", "1999-12-01", "9999-12-31"])
def test_a_month_that_has_not_begun_has_no_payroll(bar: Shop, month: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        drafted(month=month)

    assert set(refused.value.errors) == {"month"}
    assert not Payroll.objects.exists()


def test_hours_and_adjustments_are_written_in_and_stay_when_it_is_calculated_anew(bar: Shop) -> None:
    paid(employed(bar), "120", per="hour")
    payroll = drafted()

    fill(payroll, hours=Decimal("80.5"), adjustment=Decimal(-660), adjustment_reason=" broke the blender ")
    assert figures(payroll) == {"Kai": (30, "9660.00", "9000.00")}
    fill(payroll, hours=Decimal(100))
    paid(employed(bar, "Ann"), "30000")
    recalculate_payroll(payroll_id=payroll.pk)

    assert figures(payroll) == {"Ann": (30, "30000.00", "30000.00"), "Kai": (30, "12000.00", "11340.00")}
    assert line(payroll).adjustment_reason == "broke the blender"


@pytest.mark.parametrize(
    ("what", "field"),
    [
        ({"hours": Decimal(1000)}, "hours"),
        ({"hours": Decimal(-1)}, "hours"),
        ({"adjustment": Decimal(5)}, "adjustment_reason"),
        ({"adjustment": Decimal(5), "adjustment_reason": "  "}, "adjustment_reason"),
        ({"adjustment": Decimal("-0.01"), "adjustment_reason": "late"}, "adjustment"),
        ({"adjustment": Decimal("9999999999.99"), "adjustment_reason": "x", "hours": Decimal(1)}, "adjustment"),
        ({"adjustment_reason": "x" * 10_000}, "adjustment_reason"),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_line_and_field(bar: Shop, what: dict[str, Any], field: str) -> None:
    paid(employed(bar), "120", per="hour")
    payroll = drafted()
    before = everything()

    with pytest.raises(InvalidInput) as refused:
        fill(payroll, **what)

    assert set(refused.value.errors) == {f"lines[0].{field}"}
    assert everything() == before


def test_hours_of_somebody_who_is_paid_by_the_month_are_refused(bar: Shop) -> None:
    paid(employed(bar), "30000")
    payroll = drafted()

    with pytest.raises(InvalidInput, match="Nothing is paid by the hour"):
        fill(payroll, hours=Decimal(1))
    with pytest.raises(InvalidInput, match="no such line"):
        fill_in_payroll(payroll_id=payroll.pk, entries=[LineEntry(0)])


def test_a_lower_salary_that_an_adjustment_eats_up_is_said_with_the_name(bar: Shop) -> None:
    kai = employed(bar)
    salary = paid(kai, "30000")
    payroll = drafted()
    fill(payroll, adjustment=Decimal(-20000), adjustment_reason="paid in advance")
    salary.amount = Decimal(10000)
    salary.save()

    with pytest.raises(InvalidInput, match="Kai: It takes off more than is earned"):
        recalculate_payroll(payroll_id=payroll.pk)


def test_a_closed_payroll_changes_no_more_by_any_way(bar: Shop) -> None:
    paid(employed(bar), "120", per="hour")
    payroll = drafted()
    fill(payroll, hours=Decimal(100))
    close_payroll(payroll_id=payroll.pk, closed_by_id=None, at=NOW)
    before = everything()

    for refused in (
        lambda: fill(payroll, hours=Decimal(10)),
        lambda: recalculate_payroll(payroll_id=payroll.pk),
        lambda: close_payroll(payroll_id=payroll.pk, closed_by_id=None),
        lambda: discard_payroll(payroll_id=payroll.pk),
    ):
        with pytest.raises(WrongPayrollStatus, match="April 2026 is closed"):
            refused()
    kept = line(payroll)
    for forbidden in (
        lambda: PayrollLine.objects.update(adjustment_reason="by hand"),
        lambda: PayrollLine.objects.all().delete(),
        lambda: PayrollLine.objects.create(
            payroll=payroll, month=payroll.month, employee=employed(bar, "Ann"), days_employed=1, days_in_month=30
        ),
    ):
        with pytest.raises(InternalError, match="closed"), transaction.atomic():
            forbidden()

    assert everything() == before
    assert (kept.total, Payroll.objects.get().closed_at) == (Decimal("12000.00"), NOW)


def test_nobody_closes_figures_that_have_changed_since_they_were_shown(bar: Shop) -> None:
    kai = employed(bar)
    paid(kai, "30000")
    payroll = drafted()
    give_salary(
        employee_id=kai.pk, amount=Decimal(36000), per="month", valid_from=day("2026-04-16"), created_by_id=None
    )

    with pytest.raises(PayrollOutdated):
        close_payroll(payroll_id=payroll.pk, closed_by_id=None)
    recalculate_payroll(payroll_id=payroll.pk)
    employed(bar, "Ann")
    with pytest.raises(PayrollOutdated):
        close_payroll(payroll_id=payroll.pk, closed_by_id=None)
    recalculate_payroll(payroll_id=payroll.pk)

    assert close_payroll(payroll_id=payroll.pk, closed_by_id=None).status == "closed"
    assert figures(payroll)["Kai"] == (30, "33000.00", "33000.00")


def test_a_payroll_without_anybody_is_not_closed_but_discarded(bar: Shop) -> None:
    payroll = drafted()

    with pytest.raises(InvalidInput, match="Nobody"):
        close_payroll(payroll_id=payroll.pk, closed_by_id=None)
    discard_payroll(payroll_id=payroll.pk)

    assert not Payroll.objects.exists()
    with pytest.raises(UnknownPayroll):
        recalculate_payroll(payroll_id=payroll.pk)


def test_a_closed_payroll_is_reopened_for_a_reason_and_closed_again(bar: Shop) -> None:
    paid(employed(bar), "30000")
    payroll = drafted()
    close_payroll(payroll_id=payroll.pk, closed_by_id=None)

    for reason, field in (("  ", "reason"), ("x" * 10_000, "reason")):
        with pytest.raises(InvalidInput) as refused:
            reopen_payroll(payroll_id=payroll.pk, reason=reason, reopened_by_id=None)
        assert set(refused.value.errors) == {field}
    reopen_payroll(payroll_id=payroll.pk, reason="a bonus was forgotten", reopened_by_id=None)
    fill(payroll, adjustment=Decimal(500), adjustment_reason="bonus")
    close_payroll(payroll_id=payroll.pk, closed_by_id=None)

    with pytest.raises(WrongPayrollStatus):
        discard_payroll(payroll_id=payroll.pk)
    assert figures(payroll)["Kai"] == (30, "30000.00", "30500.00")
    assert Payroll.objects.get().reopen_reason == "a bonus was forgotten"


def test_who_has_left_after_all_goes_unless_something_is_to_be_paid(bar: Shop) -> None:
    kai, ann = employed(bar), employed(bar, "Ann")
    payroll = drafted()
    fill(payroll, "Ann", adjustment=Decimal(700), adjustment_reason="last tips")
    for one in (kai, ann):
        one.left_on = day("2026-03-31")
        one.save()

    recalculate_payroll(payroll_id=payroll.pk)

    assert figures(payroll) == {"Ann": (0, "0.00", "700.00")}
    assert close_payroll(payroll_id=payroll.pk, closed_by_id=None).status == "closed"


def test_a_payroll_takes_the_same_queries_for_2_and_for_20(bar: Shop, django_assert_max_num_queries: Any) -> None:
    for number in range(20):
        paid(employed(bar, f"Kai {number}"), "30000")

    with django_assert_max_num_queries(12):
        payroll = drafted()
    with django_assert_max_num_queries(14):
        fill(payroll, "Kai 3", adjustment=Decimal(1), adjustment_reason="x")
    with django_assert_max_num_queries(12):
        close_payroll(payroll_id=payroll.pk, closed_by_id=None)
