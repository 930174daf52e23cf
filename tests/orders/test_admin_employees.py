"""Employees in the admin: their PIN, their salary, what they sell; and who sees what of it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from foundation.models import IdempotencyKey
from orders.models import CounterPin, Employee, Salary
from orders.services.pins import check_pin, set_pin
from orders.services.transitions import complete_order
from tests.inventory.admin_pages import queries_of, said, signed_in, text_of
from tests.orders.admin_orders import page
from tests.orders.staff import day, employed, paid
from tests.shop import NOBODY, Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def bar() -> Shop:
    return Shop.open()


@pytest.fixture
def kai(bar: Shop) -> Employee:
    return employed(bar)


@pytest.fixture
def manager() -> Client:
    return signed_in("manager")


@pytest.fixture
def admin() -> Client:
    return signed_in("admin")


def press(client: Client, employee: Employee, verb: str, once: str = "", **fields: Any) -> Any:
    """Sends a verb's form."""
    data = {f"{verb}-{name}": value for name, value in fields.items()}
    return client.post(page("employee_verb", employee.pk, verb), {**data, **({"once": once} if once else {})})


def sold(bar: Shop, employee: Employee, number: int) -> None:
    tea, _made = bar.category.products.get_or_create(name="Tea", defaults={"price": Decimal(60)})
    for _number in range(number):
        order = bar.sell(tea, employee_id=employee.pk)
        complete_order(order_id=order.pk, actor=NOBODY, allow_unpaid=True)


def test_a_manager_sets_a_pin_that_leaves_no_trace_but_its_hash(kai: Employee, manager: Client) -> None:
    answer = press(manager, kai, "set_pin", pin="2580", again="2580", once="a" * 32)

    assert said(answer) == ["Kai has a new PIN for the counter."]
    assert check_pin(employee_id=kai.pk, pin="2580", address="") == kai
    assert CounterPin.objects.get().set_by_id is not None
    assert [entry.change_message for entry in LogEntry.objects.all()] == ["Set PIN"]
    # Another PIN under the same token is taken for the same form: nothing of it is kept to compare.
    [kept] = IdempotencyKey.objects.values_list("request_digest", flat=True)
    assert press(manager, kai, "set_pin", pin="9999", again="9999", once="a" * 32).status_code == 302
    assert list(IdempotencyKey.objects.values_list("request_digest", flat=True)) == [kept]
    assert "2580" not in manager.get(page("employee_change", kai.pk)).content.decode()


def test_a_pin_that_makes_no_sense_is_refused_and_one_that_is_easy_warned_of(kai: Employee, manager: Client) -> None:
    assert "do not agree" in text_of(press(manager, kai, "set_pin", pin="2580", again="2581"))
    assert "4 to 6 digits" in text_of(press(manager, kai, "set_pin", pin="12ab", again="12ab"))
    assert not CounterPin.objects.exists()

    assert "easily guessed" in said(press(manager, kai, "set_pin", pin="1234", again="1234"))[0]
    assert "Take the PIN away" in text_of(manager.get(page("employee_change", kai.pk)))
    press(manager, kai, "clear_pin")
    assert not CounterPin.objects.exists()


def test_a_barista_sets_no_pin(kai: Employee) -> None:
    barista = signed_in("barista")

    assert press(barista, kai, "set_pin", pin="2580", again="2580").status_code == 403
    assert "Set PIN" not in text_of(barista.get(page("employee_change", kai.pk)))
    assert not CounterPin.objects.exists()


def test_somebody_leaves_and_has_not_left_after_all(kai: Employee, manager: Client) -> None:
    set_pin(employee_id=kai.pk, pin="2580", set_by_id=None)

    press(manager, kai, "let_go", left_on="2026-05-31")
    assert Employee.objects.get().left_on == day("2026-05-31")
    assert "Nobody leaves before they are hired" in text_of(press(manager, kai, "let_go", left_on="2025-05-31"))
    press(manager, kai, "keep")

    assert Employee.objects.get().left_on is None


def test_an_admin_raises_a_salary_and_puts_it_right(kai: Employee, admin: Client) -> None:
    paid(kai, "20000")

    press(admin, kai, "raise", amount="22 500", per="month", valid_from="2026-03-01", note="after a year")
    text = text_of(admin.get(page("employee_change", kai.pk)))
    for words in ("1 Jan 2026", "28 Feb 2026", "฿20,000 per month", "฿22,500 per month", "after a year"):
        assert words in text
    overlap = press(admin, kai, "raise", amount="1", per="month", valid_from="2026-02-01", valid_to="2026-02-05")
    assert "Kai has a salary from 1 Jan 2026 to 28 Feb 2026 already" in text_of(overlap)

    latest = Salary.objects.latest("valid_from")
    form = {"amount": "23000", "per": "month", "valid_from": "2026-03-01", "valid_to": "", "note": ""}
    wrong = admin.post(page("salary_change", latest.pk), {**form, "valid_from": "2026-02-01"})
    assert "never two on one day" in text_of(wrong)
    right = admin.post(page("salary_change", latest.pk), form)
    assert (right.status_code, right["Location"]) == (302, page("employee_change", kai.pk))
    assert [str(one.amount) for one in Salary.objects.order_by("pk")] == ["20000.00", "23000.00"]


def test_no_history_says_what_somebody_earns(kai: Employee, admin: Client) -> None:
    press(admin, kai, "raise", amount="31415.92", per="month", valid_from="2026-03-01", once="b" * 32)
    salary = Salary.objects.get()
    admin.post(
        page("salary_change", salary.pk),
        {"amount": "27182.81", "per": "month", "valid_from": "2026-03-01", "valid_to": "", "note": ""},
    )

    traces = [f"{entry.object_repr} {entry.change_message}" for entry in LogEntry.objects.all()]
    answers = [str(key) for key in IdempotencyKey.objects.values()]
    assert len(traces) == 2
    assert not any(amount in text for text in (*traces, *answers) for amount in ("31415", "31,415", "27182", "27,182"))


@pytest.mark.parametrize("role", ["barista", "manager"])
def test_nobody_but_admins_sees_a_salary_on_any_page_or_asks_for_one_in_an_address(
    bar: Shop, kai: Employee, role: str
) -> None:
    client, salary = signed_in(role), paid(kai, "31415.92")
    sold(bar, kai, 1)

    for address in (
        page("employee_changelist"),
        page("employee_change", kai.pk),
        page("employee_history", kai.pk),
        "/admin/",
        "/admin/search/?s=31415",
        f"{page('employee_changelist')}?q=31415",
    ):
        answer = client.get(address)
        assert answer.status_code == 200, address
        shown = text_of(answer)
        assert "31,415" not in shown, address
        assert "31415.92" not in shown, address
        assert "Salary history" not in shown, address
    for address in (
        page("salary_change", salary.pk),
        page("salary_history", salary.pk),
        page("payroll_changelist"),
        page("employee_verb", kai.pk, "raise"),
    ):
        assert client.get(address).status_code == 403, address
    for question in (
        "salary__amount__gt",
        "salaries__amount__gt",
        "+__amount__gt",
        "payrollline__total__gt",
        "counterpin__hash__startswith",
    ):
        for name in ("employee", "position", "order"):
            assert client.get(page(f"{name}_changelist"), {question: "1"}).status_code in (302, 400, 403), question
        assert client.get(page("order_changelist"), {f"employee__{question}": "1"}).status_code in (302, 400), question


def test_a_managers_page_of_an_employee_says_what_they_sell(bar: Shop, kai: Employee, manager: Client) -> None:
    sold(bar, kai, 2)

    text = text_of(manager.get(page("employee_change", kai.pk)))

    assert "This month 2 2 ฿120 ฿60 —" in text
    assert "Last month 0 0 ฿0 ฿0 —" in text
    assert "This month" not in text_of(signed_in("barista").get(page("employee_change", kai.pk)))


def test_the_report_shows_who_sold_what_where(bar: Shop, kai: Employee, manager: Client) -> None:
    station = Shop.open("Station")
    ann = employed(station, "Ann")
    sold(bar, kai, 3)
    sold(station, ann, 1)

    text = text_of(manager.get(page("employee_sales")))
    assert "Kai 3 3 ฿180 ฿60 —" in text
    assert "Ann 1 1 ฿60 ฿60 —" in text
    there = text_of(manager.get(page("employee_sales"), {"location": station.location.pk}))
    assert "Ann 1 1" in there
    assert "Kai" not in there
    yesterday = (timezone.now() - timedelta(days=2)).date().isoformat()
    before = manager.get(page("employee_sales"), {"first_day": yesterday, "last_day": yesterday})
    assert "Nothing was sold" in text_of(before)


@pytest.mark.parametrize(
    ("asked", "said_so"),
    [
        ({"first_day": "2026-04-02", "last_day": "2026-04-01"}, "The last day is before the first."),
        ({"first_day": "0001-01-01"}, "Give a day of this century."),
        ({"first_day": "yesterday"}, "Enter a valid date."),
        ({"location": "x\x00"}, ""),
        ({"location": "9" * 40}, ""),
    ],
)
def test_a_period_that_makes_no_sense_is_said_so(bar: Shop, manager: Client, asked: Any, said_so: str) -> None:
    answer = manager.get(page("employee_sales"), asked)

    assert answer.status_code == 200
    assert said_so in text_of(answer)


def test_pages_take_the_same_queries_for_few_and_for_many(bar: Shop, kai: Employee, admin: Client) -> None:
    sold(bar, kai, 1)
    paid(kai, "1", "2026-01-01", "2026-01-31")
    report, one = queries_of(admin, page("employee_sales")), queries_of(admin, page("employee_change", kai.pk))
    for number in range(5):
        sold(bar, employed(bar, f"Kai {number}"), 1)
        paid(kai, "1", f"2026-0{number + 2}-01", f"2026-0{number + 2}-20")

    assert queries_of(admin, page("employee_sales")) == report <= 20
    assert queries_of(admin, page("employee_change", kai.pk)) == one <= 25
