"""employees/…/sales/, salaries/ and payrolls/ over REST."""

import csv
import io
from decimal import Decimal
from typing import Any

import pytest

from orders.models import Employee, Payroll, Position, Salary
from orders.services.payroll import close_payroll, draft_payroll
from orders.services.transitions import complete_order
from tests.orders.staff import day, employed, paid
from tests.rest import Rest
from tests.shop import NOBODY, Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def bar() -> Shop:
    return Shop.open()


@pytest.fixture
def kai(bar: Shop) -> Employee:
    return employed(bar)


@pytest.fixture
def admin() -> Rest:
    return Rest.of("admin")


def test_somebody_is_hired_and_let_go(bar: Shop) -> None:
    manager, cook = Rest.of("manager"), Position.objects.create(name="Cook")
    body = {"name": "Ann", "position": cook.pk, "location": bar.location.pk, "hired_on": "2026-01-01"}

    ann = manager.post("employees/", body)
    assert manager.patch(f"employees/{ann['id']}/", {"left_on": "2026-03-31"})["left_on"] == "2026-03-31"
    manager.refused(
        "patch", f"employees/{ann['id']}/", {"left_on": "2025-03-31"}, status=400, kind="invalid", at="non_field_errors"
    )

    assert set(manager.get(f"employees/{ann['id']}/")) == {
        "id", "name", "position", "position_name", "location", "hired_on", "left_on",
    }  # fmt: skip


def test_a_salary_is_raised_and_put_right(kai: Employee, admin: Rest) -> None:
    body = {"employee": kai.pk, "amount": "20000.00", "valid_from": "2026-01-01"}
    first = admin.post("salaries/", body)
    assert (first["amount"], first["per"], first["valid_to"]) == ("20000.00", "month", None)

    admin.post("salaries/", {**body, "amount": "22000", "valid_from": "2026-03-01", "note": "a year"})
    refused = admin.refused(
        "post", "salaries/", {**body, "valid_from": "2026-02-01"}, status=400, kind="invalid", at="valid_from"
    )
    assert "from 1 Jan 2026 to 28 Feb 2026" in refused["detail"]
    admin.patch(f"salaries/{first['id']}/", {"note": "trial"})

    listed = admin.get("salaries/", employee=kai.pk)["results"]
    assert sorted((one["amount"], one["valid_to"], one["note"]) for one in listed) == [
        ("20000.00", "2026-02-28", "trial"),
        ("22000.00", None, "a year"),
    ]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"amount": "0"}, "amount"),
        ({"amount": 1.5}, ""),
        ({"amount": "1e20"}, "amount"),
        ({"per": "year"}, "per"),
        ({"valid_from": "2026-02-30"}, "valid_from"),
        ({"note": "x" * 10_000}, "note"),
        ({"note": "a\0b"}, "note"),
        ({"employee": 0}, "employee"),
        ({"created_by": 1}, "created_by"),
    ],
)
def test_a_salary_that_makes_no_sense_is_refused_at_its_field(
    kai: Employee, admin: Rest, wrong: dict[str, Any], field: str
) -> None:
    body = {"employee": kai.pk, "amount": "20000.00", "valid_from": "2026-01-01", **wrong}
    if not field:
        assert admin.post("salaries/", body)["amount"] == "1.50"
        return
    admin.refused("post", "salaries/", body, status=400, kind="invalid", at=field)

    assert not Salary.objects.exists()


def test_a_month_is_drafted_filled_in_closed_and_exported(bar: Shop, kai: Employee, admin: Rest) -> None:
    paid(kai, "120", per="hour")

    payroll = admin.post("payrolls/", {"month": "2026-04"})
    address, [line] = f"payrolls/{payroll['id']}/", payroll["lines"]
    assert (payroll["month"], payroll["location"], payroll["status"], payroll["total"]) == (
        "2026-04",
        None,
        "draft",
        "0.00",
    )
    part = {"first": "2026-04-01", "last": "2026-04-30", "days": 30, "amount": "120.00", "per": "hour"}
    assert (line["employee_name"], line["days_employed"], line["parts"]) == ("Kai", 30, [part])

    entry = {"id": line["id"], "hours": "80.5", "adjustment": "-660", "adjustment_reason": "broke the blender"}
    filled = admin.patch(f"{address}lines/", {"lines": [entry]})
    assert (filled["total"], filled["lines"][0]["base"], filled["people"]) == ("9000.00", "9660.00", 1)
    admin.refused("post", "payrolls/", {"month": "2026-04"}, status=409, kind="exists")
    assert admin.post(f"{address}recalculate/", {}, status=200)["total"] == "9000.00"
    assert admin.post(f"{address}close/", {}, status=200)["status"] == "closed"
    for method, path, body in (
        ("patch", f"{address}lines/", {"lines": [entry]}),
        ("post", f"{address}recalculate/", {}),
        ("post", f"{address}close/", {}),
        ("delete", address, None),
    ):
        admin.refused(method, path, body, status=409, kind="wrong_status")
    admin.refused(
        "post",
        "salaries/",
        {"employee": kai.pk, "amount": "130", "per": "hour", "valid_from": "2026-04-15"},
        status=409,
        kind="payroll_closed",
    )

    file = admin.call("get", f"{address}export/?kind=csv")
    assert [row["total"] for row in csv.DictReader(io.StringIO(file.content.decode("utf-8-sig")))] == ["9000.00"]
    assert admin.call("get", f"{address}export/?kind=xlsx").content.startswith(b"PK")
    admin.refused("get", f"{address}export/?kind=exe", status=400, kind="invalid", at="kind")
    admin.refused("post", f"{address}reopen/", {"reason": "x" * 10_000}, status=400, kind="invalid", at="reason")
    assert admin.post(f"{address}reopen/", {"reason": "a bonus"}, status=200)["reopen_reason"] == "a bonus"
    admin.delete(address)
    assert admin.get("payrolls/")["results"] == []


@pytest.mark.parametrize("month", ["2026-13", "2026-1", "2026-04-01", "0000-01", "2999-01", 202604, None, ""])
def test_what_is_no_month_that_has_begun_is_refused(bar: Shop, admin: Rest, month: Any) -> None:
    admin.refused("post", "payrolls/", {"month": month}, status=400, kind="invalid", at="month")

    assert not Payroll.objects.exists()


@pytest.mark.parametrize(
    ("entry", "at"),
    [
        ({"hours": "1000"}, "lines[0].hours"),
        ({"hours": "123456"}, "lines[0].hours"),
        ({"hours": ""}, "lines[0].hours"),
        ({"adjustment": "5"}, "lines[0].adjustment_reason"),
        ({"adjustment_reason": "x" * 10_000}, "lines[0].adjustment_reason"),
        ({"id": 10**9}, "lines[0].id"),
        ({"base": "5"}, "lines[0].base"),
    ],
)
def test_a_line_that_makes_no_sense_is_refused_at_its_field(
    kai: Employee, admin: Rest, entry: dict[str, Any], at: str
) -> None:
    paid(kai, "120", per="hour")
    payroll = draft_payroll(month=day("2026-04-01"), created_by_id=None)
    body = {"lines": [{"id": payroll.lines.get().pk, **entry}]}

    admin.refused("patch", f"payrolls/{payroll.pk}/lines/", body, status=400, kind="invalid", at=at)


def test_what_an_employee_sold_is_told_by_days(bar: Shop, kai: Employee) -> None:
    manager, tea = Rest.of("manager"), bar.product("Tea")
    for number in (1, 2):
        complete_order(order_id=bar.sell(tea, number, employee_id=kai.pk).pk, actor=NOBODY, allow_unpaid=True)

    address = f"employees/{kai.pk}/sales/"
    sales = manager.get(address)
    assert (sales["orders"], sales["items"], sales["revenue"], sales["average"]) == (2, 3, "180.00", "90.00")
    assert sales["first_day"].endswith("-01")
    earlier = manager.get(address, **{"from": "2020-01-01", "to": "2020-01-31"})
    assert (earlier["orders"], earlier["revenue"]) == (0, "0.00")
    for asked, at in (("from=x", "from"), ("from=2026-02-01&to=2026-01-01", "to"), ("from=0001-01-01", "from")):
        manager.refused("get", f"{address}?{asked}", status=400, kind="invalid", at=at)
    manager.refused("get", f"{address}?since=2026-01-01", status=400, kind="invalid", at="since")
    manager.refused("get", f"employees/{kai.pk + 1}/sales/", status=404, kind="not_found")


@pytest.mark.parametrize("role", ["barista", "manager"])
def test_nobody_but_admins_learns_what_somebody_is_paid(bar: Shop, kai: Employee, role: str) -> None:
    salary = paid(kai, "31415.92")
    payroll = draft_payroll(month=day("2026-04-01"), created_by_id=None)
    close_payroll(payroll_id=payroll.pk, closed_by_id=None)
    rest = Rest.of(role)

    for path in (
        "salaries/",
        f"salaries/?employee={kai.pk}",
        f"salaries/{salary.pk}/",
        "payrolls/",
        f"payrolls/{payroll.pk}/",
        f"payrolls/{payroll.pk}/export/",
    ):
        rest.refused("get", path, status=403, kind="permission_denied")
    for path in ("employees/", f"employees/{kai.pk}/"):
        assert "31415" not in rest.call("get", path).content.decode()
    for question in ("salary__amount__gt=1", "ordering=salary__amount", "salaries__amount=31415.92"):
        assert rest.call("get", f"employees/?{question}").status_code == 400
    assert Decimal(Salary.objects.get().amount) == Decimal("31415.92")
