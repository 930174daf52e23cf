"""Every door of the counter, tried by every role: who gets in, whose POST acts, what all others get.

A page that the table does not name fails the last test of this file.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver

from orders.models import CashMovement, Customer, Employee, OrderEvent, Payment, Position, Shift
from orders.services.pins import set_pin
from orders.services.transitions import prepare_order
from tests.orders.money import open_till, pay
from tests.project.admin_doors import MANAGERS, ROLES, STAFF, Roles
from tests.shop import NOBODY, Shop, user_of

pytestmark = pytest.mark.django_db

Keys = Mapping[str, Any]
Body = Callable[[Keys], dict[str, Any]]
SIGN_IN = "/admin/login/?next="
TRACES = (OrderEvent, Payment, Shift, CashMovement, Customer)
_tokens = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class Door:
    """One request. The roles of `may` get 200, and what they POST changes something if it `acts`; who works here
    without being let do it, and a customer, get 403; who has not signed in is sent to the sign-in or, where a script
    asks, told so."""

    path: str
    may: Roles
    body: Body | None = None
    acts: bool = False
    is_page: bool = False

    def __str__(self) -> str:
        return f"{'GET' if self.body is None else 'POST'} {self.path}"

    def answer_to(self, role: str) -> int:
        if role in self.may:
            return 200
        if role == "anonymous":
            return 302 if self.is_page else 401
        return 403


def asks(path: str, may: Roles = STAFF) -> Door:
    return Door(path=path, may=may)


def deed(path: str, body: Body, may: Roles = STAFF) -> Door:
    return Door(path=path, may=may, body=body, acts=True)


def sale(it: Keys) -> dict[str, Any]:
    return {"location": it["location"], "items": [{"product": it["tea"], "quantity": 1, "options": []}]}


COUNTER = [
    Door(path="counter/", may=STAFF, is_page=True),
    asks("counter/queue/?location={location}"),
    asks("counter/menu/?location={location}"),
    Door(path="counter/quote/", may=STAFF, body=sale),
    deed("counter/sell/", sale),
    deed("counter/sell/", lambda it: sale(it) | {"tenders": [{"method": "card", "amount": "60.00"}]}),
    asks("counter/customers/?q=ann"),
    deed("counter/customers/", lambda it: {"phone": "081 234 5678"}),
    Door(path="counter/till/", may=STAFF, body=lambda it: {"location": it["location"], "till": "2"}),
    asks("counter/shift/?location={location}&till=1"),
    deed("counter/shift/open/", lambda it: {"location": it["location"], "till": "2", "opening_float": "1"}),
    deed("counter/shift/close/", lambda it: {"shift": it["shift"], "counted": "100"}),
    deed("counter/shift/cash/", lambda it: {"shift": it["shift"], "amount": "5", "reason": "coins"}),
    Door(path="counter/seller/", may=STAFF, body=lambda it: {"employee": it["employee"], "pin": "4711"}),
    Door(path="counter/seller/lock/", may=STAFF, body=lambda it: {}),
    deed("counter/orders/{paid}/prepare/", lambda it: {}),
    deed("counter/orders/{preparing}/ready/", lambda it: {}),
    deed("counter/orders/{paid}/complete/", lambda it: {}),
    deed("counter/orders/{unpaid}/complete/", lambda it: {"unpaid": True}, may=MANAGERS),
    deed("counter/orders/{unpaid}/pay/", lambda it: {"tenders": [{"method": "card", "amount": "60.00"}]}),
    Door(path="counter/orders/{paid}/labels/", may=STAFF, is_page=True),
    Door(path="counter/orders/{paid}/receipt/", may=STAFF, is_page=True),
]


@pytest.fixture
def premises() -> dict[str, Any]:
    """A location with a drink, an open till, orders in every state of their way, and somebody with a PIN to come."""
    shop = Shop.open()
    tea = shop.product("Tea", "60.00")
    employee = Employee.objects.create(
        name="Wei", position=Position.objects.create(name="Barista"), location=shop.location, hired_on="2026-01-01"
    )
    paid, preparing, unpaid = (shop.sell(tea) for _order in range(3))
    pay(paid, "60.00")
    prepare_order(order_id=preparing.pk, actor=NOBODY)
    return {
        "location": shop.location.pk,
        "tea": tea.pk,
        "shift": open_till(shop).pk,
        "employee": employee.pk,
        "paid": paid.pk,
        "preparing": preparing.pk,
        "unpaid": unpaid.pk,
    }


def traces() -> list[Any]:
    """Whatever any of the doors could change."""
    return [list(model.objects.order_by("pk").values()) for model in TRACES]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("door", COUNTER, ids=str)
def test_each_door_lets_in_who_may(door: Door, role: str, premises: dict[str, Any]) -> None:
    browser = Client()
    if role != "anonymous":
        browser.force_login(user_of(role))
    path = "/" + door.path.format(**premises)
    if door.path == "counter/seller/":
        set_pin(employee_id=premises["employee"], pin="4711", set_by_id=None)
    before = traces()

    if door.body is None:
        answer = browser.get(path)
    else:
        body = {"once": f"door-{next(_tokens)}", **door.body(premises)}
        answer = browser.post(path, body, content_type="application/json")

    assert answer.status_code == door.answer_to(role), answer.content[:300]
    if answer.status_code == 302:
        assert answer.headers["Location"].startswith(SIGN_IN)
    assert (traces() != before) == (door.acts and role in door.may)


def addresses_of_the_counter() -> Iterator[str]:
    """The names of all addresses of the counter, as the shop knows them."""
    _prefix, resolver = get_resolver().namespace_dict["shop"]
    for name in resolver.reverse_dict:
        if isinstance(name, str) and name.startswith("counter"):
            yield name


def test_the_table_names_every_door(premises: dict[str, Any]) -> None:
    resolver = get_resolver()
    tried = {resolver.resolve("/" + door.path.format(**premises).partition("?")[0]).url_name for door in COUNTER}
    assert tried == set(addresses_of_the_counter())
