"""Lists of orders and people over REST: filters, pages, and as many queries for thirty rows as for three."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inventory.models import Location
from orders.models import Customer, Employee, Order, Position
from orders.pricing import OrderLine
from orders.services.place import place_order
from tests.rest import Rest
from tests.shop import NOBODY, Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def bar() -> Shop:
    return Shop.open()


@pytest.fixture
def barista() -> Rest:
    return Rest.of("barista")


def ids(page: Any) -> list[int]:
    return [row["id"] for row in page["results"]]


def queries(call: Callable[[], Any]) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        call()
    return len(captured)


def test_orders_are_filtered(bar: Shop, barista: Rest) -> None:
    tea = bar.product("Tea")
    anna = Customer.objects.create(name="Anna Smirnova", phone="+79161234567", email="anna@example.com")
    boris = Employee.objects.create(
        name="Boris", position=Position.objects.create(name="Barista"), location=bar.location, hired_on="2026-01-01"
    )
    elsewhere = Shop.open("Elsewhere")
    now = timezone.now()
    old = bar.sell(tea, at=now - datetime.timedelta(days=10), channel="counter")
    hers = bar.sell(tea, customer_id=anna.pk, channel="web")
    his = bar.sell(tea, employee_id=boris.pk, channel="api")
    far = elsewhere.sell(tea, channel="api")
    bar.pay(his)
    barista.post(f"orders/{his.pk}/complete/", status=200)
    barista.post(f"orders/{far.pk}/cancel/", status=200)

    def found(**parameters: Any) -> list[int]:
        return ids(barista.get("orders/", **parameters))

    assert found() == [far.pk, his.pk, hers.pk, old.pk]
    assert found(status="completed") == [his.pk]
    assert found(status=["completed", "cancelled"]) == [far.pk, his.pk]
    assert found(active="true") == [hers.pk, old.pk]
    assert found(active="false") == [far.pk, his.pk]
    assert found(location=elsewhere.location.pk) == [far.pk]
    assert found(location=999_999) == []
    assert found(channel="api") == [far.pk, his.pk]
    assert found(customer=anna.pk) == [hers.pk]
    assert found(employee=boris.pk) == [his.pk]
    yesterday = (now - datetime.timedelta(days=1)).isoformat()
    assert found(placed_after=yesterday) == [far.pk, his.pk, hers.pk]
    assert found(placed_before=yesterday) == [old.pk]
    assert found(placed_before=old.placed_at.isoformat()) == []
    assert found(placed_after=old.placed_at.isoformat()) == [far.pk, his.pk, hers.pk, old.pk]
    assert found(search=f"#{hers.number}") == [hers.pk]
    assert found(search="smirn") == [hers.pk]
    assert found(search="9161234567") == [hers.pk]
    assert found(search="nobody") == []
    assert found(placed_after="0001-01-01T00:00:00+14:00", placed_before="9999-12-31T23:59:59-14:00") == found()


def test_orders_are_read_page_by_page_and_back(bar: Shop, barista: Rest) -> None:
    tea = bar.product("Tea")
    placed = [bar.sell(tea).pk for _ in range(5)]
    first = barista.get("orders/", page_size=2)
    assert (ids(first), first["previous"]) == (placed[:2:-1], None)
    newer = bar.sell(tea).pk
    second = barista.get(first["next"])
    third = barista.get(second["next"])
    assert (ids(second), ids(third), third["next"]) == ([placed[2], placed[1]], [placed[0]], None)
    assert ids(barista.get(second["previous"])) == ids(first)
    assert ids(barista.get("orders/", page_size=1)) == [newer]


def test_a_list_takes_as_many_queries_for_thirty_rows_as_for_three(bar: Shop, barista: Rest) -> None:
    milk = bar.ingredient("Milk", "ml", stock=100_000)
    drinks = [bar.product(f"Drink {number}", "60.00", {milk: 10}) for number in range(3)]
    position = Position.objects.create(name="Barista")

    def fill(start: int, end: int) -> None:
        for number in range(start, end):
            customer = Customer.objects.create(name=f"Customer {number}")
            employee = Employee.objects.create(
                name=f"Employee {number}", position=position, location=bar.location, hired_on="2026-01-01"
            )
            Position.objects.create(name=f"Position {number}")
            place_order(
                location=bar.location,
                lines=[OrderLine(drink.pk, 2) for drink in drinks],
                actor=NOBODY,
                customer_id=customer.pk,
                employee_id=employee.pk,
            )

    expected = {"orders/": 5, "customers/": 5, "employees/": 4, "positions/": 4}
    fill(0, 3)
    few = {path: queries(lambda path=path: barista.get(path)) for path in expected}
    fill(3, 30)
    many = {path: queries(lambda path=path: barista.get(path)) for path in expected}
    assert few == many == expected
    assert len(ids(barista.get("orders/"))) == 30


def test_placing_over_http_takes_a_constant_number_of_queries(bar: Shop, barista: Rest) -> None:
    milk = bar.ingredient("Milk", "ml", stock=100_000)
    group = bar.group("Toppings", most=1)
    pearls = bar.adds(bar.option(group, "Pearls"), bar.ingredient("Pearls", stock=100_000), 10)
    drinks = [bar.product(f"Drink {number}", "60.00", {milk: 10}, groups=[group]) for number in range(50)]

    def body(number: int) -> dict[str, Any]:
        return {"items": [{"product": one.pk, "quantity": 2, "options": [pearls.pk]} for one in drinks[:number]]}

    # The token, the permissions (2), the location (2), the eight of the service between BEGIN and COMMIT (here a
    # savepoint and its release), the lines of the answer.
    assert queries(lambda: barista.post("orders/", body(1))) == 16
    assert queries(lambda: barista.post("orders/", body(50))) == 16
    # With a key: its lock, the look for it, its row, and a transaction around the service's own.
    assert queries(lambda: barista.post("orders/", body(1), **{"Idempotency-Key": "1"})) == 21
    assert queries(lambda: barista.post("orders/", body(50), **{"Idempotency-Key": "50"})) == 21
    assert Order.objects.count() == 4


def test_people_are_written_and_found(bar: Shop, barista: Rest) -> None:
    anna = barista.post(
        "customers/", {"name": "Anna", "phone": "+7 916 123-45-67", "email": "a@b.example", "consent": True}
    )
    assert {**anna, "created_at": None} == {
        "id": Customer.objects.get().pk,
        "name": "Anna",
        "phone": "+79161234567",
        "email": "a@b.example",
        "birthday": None,
        "consent": True,
        "notes": "",
        "points": 0,
        "tier": None,
        "merged_into": None,
        "erased_at": None,
        "created_at": None,
    }
    changed = barista.patch(f"customers/{anna['id']}/", {"birthday": "1990-02-28", "notes": "soy milk"})
    assert (changed["birthday"], changed["notes"], changed["name"]) == ("1990-02-28", "soy milk", "Anna")
    barista.post("customers/", {"name": "Boris"})
    assert ids(barista.get("customers/", search="anna")) == [anna["id"]]
    assert ids(barista.get("customers/", phone="+7 916 123-45-67")) == [anna["id"]]
    barista.refused("delete", f"customers/{anna['id']}/", status=405, kind="method_not_allowed")

    manager = Rest.of("manager")
    position = manager.post("positions/", {"name": "Barista"})
    boris = manager.post(
        "employees/",
        {"name": "Boris", "position": position["id"], "location": bar.location.pk, "hired_on": "2026-01-01"},
    )
    assert (boris["position_name"], boris["left_on"]) == ("Barista", None)
    assert ids(barista.get("employees/", working="true", location=bar.location.pk)) == [boris["id"]]
    assert manager.patch(f"employees/{boris['id']}/", {"left_on": "2026-05-01"})["left_on"] == "2026-05-01"
    assert ids(barista.get("employees/", working="true")) == []
    manager.refused("delete", f"positions/{position['id']}/", status=409, kind="in_use")
    manager.delete(f"positions/{manager.post('positions/', {'name': 'Cook'})['id']}/")


def test_people_that_make_no_sense_are_refused(bar: Shop) -> None:
    manager = Rest.of("manager")
    position = Position.objects.create(name="Barista")
    right = {"name": "Boris", "position": position.pk, "location": bar.location.pk, "hired_on": "2026-02-01"}
    for body, at in (
        ({}, ["name", "position", "location", "hired_on"]),
        ({**right, "position": 999_999}, "position"),
        ({**right, "position": str(position.pk)}, "position"),
        ({**right, "location": 10**30}, "location"),
        ({**right, "hired_on": "yesterday"}, "hired_on"),
        ({**right, "name": " "}, "name"),
        ({**right, "salary": 1}, "salary"),
        ({**right, "left_on": "2026-01-31"}, "non_field_errors"),
    ):
        manager.refused("post", "employees/", body, status=400, kind="invalid", at=at)
    manager.refused("post", "positions/", {"name": "Barista"}, status=400, kind="invalid", at="name")
    for body, at in (
        ({"name": "Anna", "email": "no address"}, "email"),
        ({"name": "A" * 151}, "name"),
        ({"name": "Anna", "notes": "a" * 1_000_000}, "notes"),
        ({"name": "Anna", "birthday": "2026-02-30"}, "birthday"),
        ({"name": "Anna", "points": 100}, "points"),
        ({"name": "Anna", "id": 5}, "id"),
    ):
        manager.refused("post", "customers/", body, status=400, kind="invalid", at=at)
    assert not Employee.objects.exists()
    assert not Customer.objects.exists()
    assert Location.objects.count() == Position.objects.count() == 1
