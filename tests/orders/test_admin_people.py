"""Customers, employees and positions in the admin."""

from decimal import Decimal

import pytest
from django.test import Client

from orders.models import Customer, Employee, Position
from orders.services.transitions import complete_order
from tests.inventory.admin_pages import queries_of, signed_in, text_of
from tests.orders.admin_orders import page
from tests.shop import NOBODY, Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def bar() -> Shop:
    return Shop.open()


@pytest.fixture
def barista() -> Client:
    return signed_in("barista")


@pytest.fixture
def manager() -> Client:
    return signed_in("manager")


def customer_with_orders(bar: Shop, name: str = "Ann Lee", orders: int = 3) -> Customer:
    """Completed orders of 60 each but for the last one, which is cancelled."""
    customer = Customer.objects.create(name=name, phone="+66 81 234 5678", email="ann@tea.example")
    tea, _ = bar.category.products.get_or_create(name="Tea", defaults={"price": Decimal("60.00")})
    for number in range(orders):
        order = bar.sell(tea, customer_id=customer.pk)
        if number == orders - 1:
            bar.cancel(order)
        else:
            complete_order(order_id=order.pk, actor=NOBODY, allow_unpaid=True)
    return customer


def test_the_list_of_customers_shows_contacts_orders_and_money(bar: Shop, barista: Client) -> None:
    customer = customer_with_orders(bar)

    response = barista.get(page("customer_changelist"))

    for words in ("Ann Lee", "+66 81 234 5678", "ann@tea.example", "฿120"):
        assert words in text_of(response)
    assert f'href="/admin/orders/order/?customer={customer.pk}">2</a>' in response.content.decode()


def test_the_list_of_customers_takes_the_same_queries_for_3_and_for_30(bar: Shop, barista: Client) -> None:
    for number in range(3):
        customer_with_orders(bar, f"Ann {number}", orders=2)
    few = queries_of(barista, page("customer_changelist"))
    for number in range(27):
        customer_with_orders(bar, f"Bob {number}", orders=2)

    assert queries_of(barista, page("customer_changelist")) == few <= 12


@pytest.mark.parametrize("text", ["ann", "234 5678", "ann@tea"])
def test_customers_are_searched_by_name_phone_and_email(bar: Shop, barista: Client, text: str) -> None:
    customer_with_orders(bar)
    Customer.objects.create(name="Bob")

    results = barista.get(page("customer_changelist"), {"q": text}).context["cl"].result_list

    assert [one.name for one in results] == ["Ann Lee"]


def test_the_page_of_a_customer_shows_what_they_bought(bar: Shop, barista: Client) -> None:
    customer = customer_with_orders(bar, orders=4)

    text = text_of(barista.get(page("customer_change", customer.pk)))

    assert "3 orders ฿180 spent ฿60 average check" in text
    assert text.count("1 × Tea") == 4


def test_the_page_of_a_customer_takes_the_same_queries_for_2_and_for_30_orders(bar: Shop, barista: Client) -> None:
    few, many = customer_with_orders(bar, "Ann", 2), customer_with_orders(bar, "Bob", 30)

    assert queries_of(barista, page("customer_change", few.pk)) == queries_of(barista, page("customer_change", many.pk))


def test_a_customer_is_written_down_and_changed(barista: Client) -> None:
    data = {"name": "Ann", "phone": "081 234 5678", "email": "", "birthday": "1990-05-01", "consent": "on", "notes": ""}
    assert barista.post(page("customer_add"), data).status_code == 302
    customer = Customer.objects.get()
    assert (customer.name, customer.phone, customer.consent) == ("Ann", "+66812345678", True)

    assert barista.post(page("customer_change", customer.pk), {**data, "name": "Anna"}).status_code == 302
    customer.refresh_from_db()
    assert customer.name == "Anna"


def test_a_customers_account_is_chosen_by_those_who_see_accounts(bar: Shop, manager: Client) -> None:
    customer = customer_with_orders(bar)

    assert 'name="user"' not in manager.get(page("customer_change", customer.pk)).content.decode()
    assert 'name="user"' in signed_in("admin").get(page("customer_change", customer.pk)).content.decode()


def test_customers_and_employees_are_never_deleted(bar: Shop) -> None:
    client, customer = signed_in("admin"), Customer.objects.create(name="Ann")
    kai = Employee.objects.create(
        name="Kai", position=Position.objects.create(name="Cook"), location=bar.location, hired_on="2026-01-01"
    )

    assert client.post(page("customer_delete", customer.pk), {"post": "yes"}).status_code == 403
    assert client.post(page("employee_delete", kai.pk), {"post": "yes"}).status_code == 403
    assert Customer.objects.exists()
    assert Employee.objects.exists()


def test_the_list_of_employees_counts_their_orders(bar: Shop, manager: Client) -> None:
    kai = Employee.objects.create(
        name="Kai", position=Position.objects.create(name="Cook"), location=bar.location, hired_on="2026-01-01"
    )
    tea = bar.product("Tea")
    for _number in range(3):
        bar.sell(tea, employee_id=kai.pk)

    response = manager.get(page("employee_changelist"))

    assert f'href="/admin/orders/order/?employee={kai.pk}">3</a>' in response.content.decode()
    assert "Main Street" not in text_of(response)
    Shop.open("Station")
    assert "Main Street" in text_of(manager.get(page("employee_changelist")))


def test_the_list_of_employees_takes_the_same_queries_for_3_and_for_30(bar: Shop, manager: Client) -> None:
    cook = Position.objects.create(name="Cook")

    def hire(number: int) -> None:
        Employee.objects.create(name=f"Kai {number}", position=cook, location=bar.location, hired_on="2026-01-01")

    for number in range(3):
        hire(number)
    few = queries_of(manager, page("employee_changelist"))
    for number in range(27):
        hire(number)

    assert queries_of(manager, page("employee_changelist")) == few


def test_a_manager_hires_and_a_barista_does_not(bar: Shop, manager: Client, barista: Client) -> None:
    cook = Position.objects.create(name="Cook")
    data = {"name": "Kai", "position": cook.pk, "location": bar.location.pk, "hired_on": "2026-05-01", "left_on": ""}

    assert barista.post(page("employee_add"), data).status_code == 403
    assert not Employee.objects.exists()
    assert manager.post(page("employee_add"), data).status_code == 302
    assert Employee.objects.get().name == "Kai"


def test_who_is_hired_where_there_is_one_location_works_there(bar: Shop, manager: Client) -> None:
    cook = Position.objects.create(name="Cook")
    assert 'name="location"' not in manager.get(page("employee_add")).content.decode()

    manager.post(page("employee_add"), {"name": "Kai", "position": cook.pk, "hired_on": "2026-05-01", "left_on": ""})

    assert Employee.objects.get().location == bar.location
    Shop.open("Station")
    assert 'name="location"' in manager.get(page("employee_add")).content.decode()


def test_nobody_leaves_before_they_are_hired(bar: Shop, manager: Client) -> None:
    cook = Position.objects.create(name="Cook")
    data = {"name": "Kai", "position": cook.pk, "location": bar.location.pk, "hired_on": "2026-05-01"}

    response = manager.post(page("employee_add"), {**data, "left_on": "2026-04-30"})

    assert "Nobody leaves before they are hired" in text_of(response)
    assert not Employee.objects.exists()


def test_a_position_that_somebody_has_stays(bar: Shop, manager: Client) -> None:
    cook, waiter = Position.objects.create(name="Cook"), Position.objects.create(name="Waiter")
    Employee.objects.create(name="Kai", position=cook, location=bar.location, hired_on="2026-01-01")

    manager.post(page("position_delete", waiter.pk), {"post": "yes"})
    manager.post(page("position_delete", cook.pk), {"post": "yes"})

    assert list(Position.objects.values_list("name", flat=True)) == ["Cook"]
