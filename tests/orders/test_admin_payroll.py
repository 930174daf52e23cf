"""Payrolls in the admin: begun, filled in, closed, exported."""

import csv
import io
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from openpyxl import load_workbook

from orders.models import Employee, Payroll, PayrollLine
from orders.services.payroll import close_payroll, draft_payroll
from tests.inventory.admin_pages import formset, queries_of, said, signed_in, text_of
from tests.orders.admin_orders import page
from tests.orders.staff import day, employed, paid
from tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def bar() -> Shop:
    return Shop.open()


@pytest.fixture
def kai(bar: Shop) -> Employee:
    employee = employed(bar)
    paid(employee, "120", per="hour")
    return employee


@pytest.fixture
def admin() -> Client:
    return signed_in("admin")


@pytest.fixture
def payroll(bar: Shop, kai: Employee) -> Payroll:
    paid(employed(bar, "=Ann", since="2026-04-21"), "30000", "2026-04-21")
    return draft_payroll(month=day("2026-04-01"), created_by_id=None)


def press(client: Client, payroll: Payroll, verb: str, **fields: Any) -> Any:
    return client.post(page("payroll_verb", payroll.pk, verb), {f"{verb}-{k}": v for k, v in fields.items()})


def filled_in(payroll: Payroll, **kais: Any) -> dict[str, Any]:
    """What the page sends: all lines, with something written into Kai's."""
    rows = []
    for line in PayrollLine.objects.filter(payroll=payroll).select_related("employee").order_by("employee__name"):
        row = {"id": line.pk, "hours": "", "adjustment": "", "adjustment_reason": ""}
        rows.append(row | kais if line.employee.name == "Kai" else row)
    return formset("lines", rows, initial=len(rows))


def test_a_month_is_drafted_filled_in_closed_and_reopened(bar: Shop, kai: Employee, admin: Client) -> None:
    begun = admin.post(page("payroll_new"), {"month": "2026-04"})
    payroll = Payroll.objects.get()
    assert begun["Location"] == page("payroll_change", payroll.pk)
    assert "none yet" in text_of(admin.get(begun["Location"]))

    sent = filled_in(payroll, hours="80,5", adjustment="-660", adjustment_reason="broke the blender")
    assert said(admin.post(page("payroll_fill_in", payroll.pk), sent)) == [
        "The payroll of April 2026 is calculated anew."
    ]
    text = text_of(admin.get(page("payroll_change", payroll.pk)))
    for words in ("฿120 per hour, 30 d", "30 / 30", "80.50", "฿9,660", "−฿660", "broke the blender", "฿9,000"):
        assert words in text

    assert said(press(admin, payroll, "close")) == ["The payroll of April 2026 is closed."]
    assert admin.get(page("payroll_fill_in", payroll.pk))["Location"] == page("payroll_change", payroll.pk)
    assert "is closed. Reopen it first." in text_of(admin.post(page("payroll_fill_in", payroll.pk), sent))
    assert said(press(admin, payroll, "reopen", reason="a bonus")) == ["The payroll of April 2026 is open again."]
    assert "a bonus" in text_of(admin.get(page("payroll_change", payroll.pk)))
    assert press(admin, payroll, "discard")["Location"] == page("payroll_changelist")
    assert not Payroll.objects.exists()


@pytest.mark.parametrize("month", ["2026-13", "2026-00", "", "April", "0000-01", "2999-01", "2026-4\0", "2" * 10_000])
def test_what_is_no_month_that_has_begun_is_refused(bar: Shop, admin: Client, month: str) -> None:
    answer = admin.post(page("payroll_new"), {"month": month})

    assert answer.status_code == 200
    assert answer.context["form"].errors.keys() == {"month"}
    assert not Payroll.objects.exists()


@pytest.mark.parametrize(
    ("kais", "field"),
    [
        ({"hours": "1000"}, "hours"),
        ({"hours": "abc"}, "hours"),
        ({"adjustment": "5"}, "adjustment_reason"),
        ({"adjustment_reason": "x" * 10_000}, "adjustment_reason"),
    ],
)
def test_what_makes_no_sense_is_said_at_its_line(payroll: Payroll, admin: Client, kais: Any, field: str) -> None:
    answer = admin.post(page("payroll_fill_in", payroll.pk), filled_in(payroll, **kais))

    assert [list(form.errors) for form in answer.context["formset"]] == [[], [field]]
    assert not PayrollLine.objects.exclude(adjustment=0, hours=0).exists()


def test_a_line_of_another_payroll_is_refused(payroll: Payroll, admin: Client) -> None:
    other = draft_payroll(month=day("2026-03-01"), created_by_id=None)
    sent = filled_in(payroll) | {"lines-0-id": PayrollLine.objects.filter(payroll=other)[0].pk}

    assert "no such line" in text_of(admin.post(page("payroll_fill_in", payroll.pk), sent))
    for wrong in ("", "x", "9" * 30):
        assert admin.post(page("payroll_fill_in", payroll.pk), sent | {"lines-0-id": wrong}).status_code == 200


def test_a_payroll_is_exported_and_no_name_becomes_a_formula(payroll: Payroll, admin: Client) -> None:
    answer = admin.get(page("payroll_export", payroll.pk), {"format": "csv"})

    assert answer["Content-Disposition"] == 'attachment; filename="payroll-2026-04.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [(row["employee"], row["days_employed"], row["base"], row["total"]) for row in rows] == [
        ("'=Ann", "10", "10000.00", "10000.00"),
        ("Kai", "30", "0.00", "0.00"),
    ]
    book = load_workbook(io.BytesIO(admin.get(page("payroll_export", payroll.pk), {"format": "xlsx"}).content))
    cells = [[cell.value for cell in row] for row in book.worksheets[0].iter_rows()]
    assert cells[0][:3] == ["month", "employee", "position"]
    assert (cells[1][1], Decimal(str(cells[1][10]))) == ("=Ann", Decimal(10_000))
    assert admin.get(page("payroll_export", payroll.pk), {"format": "exe"}).status_code == 404


@pytest.mark.parametrize("role", ["barista", "manager"])
def test_nobody_but_admins_comes_near_a_payroll(payroll: Payroll, role: str) -> None:
    client, pk = signed_in(role), payroll.pk

    for address in (
        page("payroll_changelist"),
        page("payroll_new"),
        page("payroll_change", pk),
        page("payroll_fill_in", pk),
        page("payroll_history", pk),
        f"{page('payroll_export', pk)}?format=csv",
    ):
        assert client.get(address).status_code == 403, address
    for verb in ("recalculate", "close", "discard", "reopen"):
        assert press(client, payroll, verb).status_code == 403
    assert client.post(page("payroll_fill_in", pk), filled_in(payroll, hours="5")).status_code == 403
    assert "Payroll" not in text_of(client.get("/admin/"))


def test_the_list_and_the_page_take_the_same_queries_for_few_and_for_many(
    bar: Shop, payroll: Payroll, admin: Client
) -> None:
    listed, shown = queries_of(admin, page("payroll_changelist")), queries_of(admin, page("payroll_change", payroll.pk))
    for number in range(8):
        paid(employed(bar, f"Kai {number}"), "30000")
    for month in ("2026-01-01", "2026-02-01", "2026-05-01"):
        made = draft_payroll(month=day(month), created_by_id=None)
    close_payroll(payroll_id=made.pk, closed_by_id=None)

    assert queries_of(admin, page("payroll_changelist")) == listed <= 15
    assert queries_of(admin, page("payroll_change", made.pk)) <= shown <= 20
