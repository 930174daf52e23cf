"""Orders over REST: from the quote to the ledger."""

from decimal import Decimal
from typing import Any

import pytest

from inventory.models import DefaultLocation, Location, Product
from orders.api.orders import OrderViewSet
from orders.models import Customer, Employee, Order, OrderEvent, Position
from tests.rest import Rest
from tests.shop import Shop, assert_levels_are_what_the_ledger_sums_to
from users.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def bar() -> Shop:
    return Shop.open()


@pytest.fixture
def barista() -> Rest:
    return Rest.of("barista")


@pytest.fixture
def latte(bar: Shop) -> Product:
    milk = bar.ingredient("Milk", "ml", stock=2000)
    return bar.product("Latte", "70.00", {milk: 200})


def line(product: Product, quantity: Any = 1, options: Any = ()) -> dict[str, Any]:
    return {"product": product.pk, "quantity": quantity, "options": [option.pk for option in options]}


def one_of(product: Product, **more: Any) -> dict[str, Any]:
    return {"items": [line(product)], **more}


def test_an_order_is_quoted_placed_completed_and_found_in_the_ledger(bar: Shop, barista: Rest) -> None:
    milk, pearls = bar.ingredient("Milk", "ml", stock=1000), bar.ingredient("Pearls", "g", stock=500)
    toppings = bar.group("Toppings", most=2)
    with_pearls = bar.adds(bar.option(toppings, "Tapioca", "15.00"), pearls, 50)
    latte = bar.product("Latte", "70.00", {milk: 200}, groups=[toppings])
    body = {"items": [line(latte, 2, [with_pearls])], "comment": "Window seat"}

    quote = barista.post("orders/quote/", body, status=200)
    assert quote == {
        "currency": "THB",
        "location": bar.location.pk,
        "subtotal": "170.00",
        "discount": "0.00",
        "total": "170.00",
        "discounts": [],
        "items": [
            {
                "product": latte.pk,
                "name": "Latte",
                "unit_price": "85.00",
                "quantity": 2,
                "options": [{"id": with_pearls.pk, "group": "Toppings", "name": "Tapioca", "price_delta": "15.00"}],
                "total": "170.00",
            }
        ],
        "is_available": True,
        "shortages": [],
        "corrections": [],
        "unavailable": [],
    }
    assert not Order.objects.exists()

    order = barista.post("orders/", body)
    placed = Order.objects.get()
    item = placed.items.get()
    assert {
        name: order[name] for name in ("id", "number", "status", "location", "channel", "customer", "employee")
    } == {
        "id": placed.pk,
        "number": placed.number,
        "status": "pending",
        "location": bar.location.pk,
        "channel": "api",
        "customer": None,
        "employee": None,
    }
    assert [order[name] for name in ("subtotal", "discount", "total", "currency")] == [
        "170.00",
        "0.00",
        "170.00",
        "THB",
    ]
    assert (order["comment"], order["closed_at"], order["created_by"]) == ("Window seat", None, barista.user.pk)
    assert order["items"] == [
        {
            "id": item.pk,
            "product": latte.pk,
            "name": "Latte",
            "unit_price": "85.00",
            "quantity": 2,
            "cancelled_quantity": 0,
            "options": [{"id": with_pearls.pk, "group": "Toppings", "name": "Tapioca", "price_delta": "15.00"}],
            "total": "170.00",
            "discount": "0.00",
        }
    ]
    bar.pay(Order.objects.get(pk=order["id"]))
    for verb, status in (("prepare", "preparing"), ("ready", "ready"), ("complete", "completed")):
        assert barista.post(f"orders/{order['id']}/{verb}/", status=200)["status"] == status
    assert barista.get(f"orders/{order['id']}/")["closed_at"] is not None

    moves = barista.get("stock-movements/", document_type="order", document_id=order["id"])["results"]
    assert {(move["ingredient"], move["delta"], move["reason"], move["line_id"]) for move in moves} == {
        (milk.pk, "-400.000", "sale", str(item.pk)),
        (pearls.pk, "-100.000", "sale", str(item.pk)),
    }
    events = barista.get(f"orders/{order['id']}/events/")["results"]
    assert [(one["kind"], one["from_status"], one["to_status"], one["door"]) for one in events] == [
        ("placed", "", "pending", "api"),
        ("pay", "pending", "pending", "command"),
        ("prepare", "pending", "preparing", "api"),
        ("ready", "preparing", "ready", "api"),
        ("complete", "ready", "completed", "api"),
    ]
    assert {one["created_by"] for one in events if one["kind"] != "pay"} == {barista.user.pk}
    assert_levels_are_what_the_ledger_sums_to()


def test_a_repeated_key_places_one_order_and_another_body_is_refused(latte: Product, barista: Rest) -> None:
    first = barista.post("orders/", one_of(latte), **{"Idempotency-Key": "till-1"})
    assert barista.post("orders/", one_of(latte), **{"Idempotency-Key": "till-1"}) == first
    other = barista.call("post", "orders/", {"items": [line(latte, 2)]}, **{"Idempotency-Key": "till-1"})
    assert (other.status_code, other.json()["type"]) == (422, "idempotency_mismatch")
    assert Order.objects.count() == 1


def test_a_refused_order_leaves_its_key_free(bar: Shop, barista: Rest) -> None:
    milk = bar.ingredient("Milk", "ml", stock=100)
    latte = bar.product("Latte", "70.00", {milk: 200})
    barista.post("orders/", one_of(latte), status=409, **{"Idempotency-Key": "till-1"})
    bar.receive({milk: 200})
    barista.post("orders/", one_of(latte), status=201, **{"Idempotency-Key": "till-1"})


def test_a_part_and_then_the_rest_come_back_to_the_shelf(bar: Shop, latte: Product, barista: Rest) -> None:
    order = barista.post("orders/", {"items": [line(latte, 3)]})
    item = order["items"][0]["id"]
    part = barista.post(
        f"orders/{order['id']}/items/{item}/cancel/", {"quantity": 1, "reason": "one too many"}, status=200
    )
    assert (part["status"], part["total"]) == ("pending", "140.00")
    assert (part["items"][0]["quantity"], part["items"][0]["cancelled_quantity"]) == (3, 1)
    waste = barista.post(f"orders/{order['id']}/cancel/", {"restock": False}, status=200)
    assert (waste["status"], waste["total"], waste["items"][0]["cancelled_quantity"]) == ("cancelled", "0.00", 3)
    milk = latte.recipe_lines.get().ingredient
    assert bar.ledger(milk) == [
        ("receipt", Decimal(2000)),
        ("sale", Decimal(-600)),
        ("cancellation", Decimal(200)),
        ("cancellation", Decimal(400)),
        ("write_off", Decimal(-400)),
    ]


def test_a_cancellation_needs_no_body(latte: Product, barista: Rest) -> None:
    order = barista.post("orders/", one_of(latte))
    answer = barista.client.post(f"/api/v1/orders/{order['id']}/cancel/", b"", content_type="application/json")
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")


def test_a_completed_order_is_neither_cancelled_nor_edited(bar: Shop, latte: Product, barista: Rest) -> None:
    order = bar.sell(latte)
    bar.pay(order)
    barista.post(f"orders/{order.pk}/complete/", status=200)
    before = bar.ledger(latte.recipe_lines.get().ingredient)
    for method, path, body in (
        ("post", f"orders/{order.pk}/cancel/", {}),
        ("post", f"orders/{order.pk}/prepare/", None),
        ("post", f"orders/{order.pk}/items/{order.items.get().pk}/cancel/", {"quantity": 1}),
        ("patch", f"orders/{order.pk}/", {"items": [line(latte, 5)]}),
        ("patch", f"orders/{order.pk}/", {"comment": "late"}),
    ):
        answer = barista.refused(method, path, body, status=409, kind="wrong_status")
        assert answer["status"] == "completed"
    assert bar.ledger(latte.recipe_lines.get().ingredient) == before
    assert Order.objects.get().comment == ""
    assert order.items.get().quantity == 1


def test_a_pending_order_is_edited_by_the_difference(bar: Shop, latte: Product, barista: Rest) -> None:
    order = bar.sell(latte, 2)
    edited = barista.patch(f"orders/{order.pk}/", {"items": [line(latte, 5)], "comment": "for five"})
    assert (edited["total"], edited["comment"], edited["items"][0]["quantity"]) == ("350.00", "for five", 5)
    assert bar.quantity(latte.recipe_lines.get().ingredient) == Decimal(1000)
    assert barista.patch(f"orders/{order.pk}/", {"comment": "for six"})["items"] == edited["items"]
    assert barista.patch(f"orders/{order.pk}/", {})["comment"] == "for six"


def test_a_shortage_names_both_ingredients(bar: Shop, barista: Rest) -> None:
    milk, tea = bar.ingredient("Milk", "ml", stock=300), bar.ingredient("Tea", "g", stock=15)
    latte = bar.product("Latte", "70.00", {milk: 200, tea: 10})
    answer = barista.refused("post", "orders/", {"items": [line(latte, 2)]}, status=409, kind="insufficient_stock")
    assert answer["shortages"] == [
        {
            "ingredient": milk.pk,
            "name": "Milk",
            "needed": "400.000",
            "available": "300.000",
            "unit": "ml",
            "expired": "0.000",
        },
        {
            "ingredient": tea.pk,
            "name": "Tea",
            "needed": "20.000",
            "available": "15.000",
            "unit": "g",
            "expired": "0.000",
        },
    ]
    assert not Order.objects.exists()
    quote = barista.post("orders/quote/", {"items": [line(latte, 2)]}, status=200)
    assert quote["shortages"] == answer["shortages"]
    assert not quote["is_available"]


def test_a_quote_names_what_is_off_the_menu(bar: Shop, barista: Rest) -> None:
    group = bar.group("Ice", most=1)
    crushed = bar.option(group, "Crushed", is_available=False)
    tea = bar.product("Tea", "50.00", groups=[group], is_listed=False)
    quote = barista.post("orders/quote/", {"items": [line(tea, 1, [crushed])]}, status=200)
    assert quote["unavailable"] == [
        {"kind": "product", "id": tea.pk, "name": "Tea"},
        {"kind": "option", "id": crushed.pk, "name": "Crushed"},
    ]
    assert not quote["is_available"]


def test_staff_name_customer_employee_channel_and_location(latte: Product, bar: Shop, barista: Rest) -> None:
    Location.objects.create(name="Elsewhere")
    customer = Customer.objects.create(name="Anna")
    employee = Employee.objects.create(
        name="Boris", position=Position.objects.create(name="Barista"), location=bar.location, hired_on="2026-01-01"
    )
    order = barista.post(
        "orders/",
        one_of(latte, location=bar.location.pk, customer=customer.pk, employee=employee.pk, channel="counter"),
    )
    assert (order["customer"], order["employee"], order["channel"]) == (customer.pk, employee.pk, "counter")
    assert order["location"] == bar.location.pk


def test_a_sale_is_not_disguised_as_an_import(latte: Product, barista: Rest) -> None:
    barista.refused("post", "orders/", one_of(latte, channel="import"), status=400, kind="invalid", at="channel")
    assert not Order.objects.exists()


def test_with_several_locations_the_default_one_is_meant(latte: Product, bar: Shop, barista: Rest) -> None:
    Location.objects.create(name="Elsewhere")
    barista.refused("post", "orders/", one_of(latte), status=400, kind="invalid", at="location")
    DefaultLocation.objects.create(user=barista.user, location=bar.location)
    assert barista.post("orders/", one_of(latte))["location"] == bar.location.pk


def test_only_who_may_sells_below_the_minimum_and_only_when_asked(bar: Shop, barista: Rest) -> None:
    milk = bar.ingredient("Milk", "ml", stock=500, minimum=600)
    latte = bar.product("Latte", "70.00", {milk: 200})
    manager = Rest.of("manager")
    barista.refused("post", "orders/", one_of(latte), status=409, kind="unavailable")
    manager.refused("post", "orders/", one_of(latte), status=409, kind="unavailable")
    below = one_of(latte, allow_below_minimum=True)
    barista.refused("post", "orders/", below, status=403, kind="permission_denied")
    barista.refused("post", "orders/quote/", below, status=403, kind="permission_denied")
    assert not Order.objects.exists()
    assert manager.post("orders/quote/", below, status=200)["is_available"]
    order = manager.post("orders/", below)
    edit = {"items": [line(latte, 2)], "allow_below_minimum": True}
    barista.refused("patch", f"orders/{order['id']}/", edit, status=403, kind="permission_denied")
    assert bar.quantity(milk) == Decimal(300)
    assert manager.patch(f"orders/{order['id']}/", edit)["total"] == "140.00"
    assert bar.quantity(milk) == Decimal(100)


def test_the_permissions_of_the_verbs_are_those_of_the_transitions(latte: Product, bar: Shop) -> None:
    transitions = {one.name: one.permission for one in bar.sell(latte).get_all_status_transitions()}
    assert set(transitions) == {"prepare", "ready", "complete", "cancel"}
    assert {name: OrderViewSet.action_permissions[name] for name in transitions} == transitions


def test_an_unknown_order_and_an_unknown_line_are_not_found(latte: Product, bar: Shop, barista: Rest) -> None:
    order = bar.sell(latte)
    for method, path, body in (
        ("get", "orders/99999999/", None),
        ("get", "orders/99999999/events/", None),
        ("patch", "orders/99999999/", {"comment": "x"}),
        ("post", "orders/99999999/complete/", None),
        ("post", "orders/99999999/cancel/", None),
        ("post", f"orders/{order.pk}/items/99999999/cancel/", {"quantity": 1}),
        ("get", "orders/batches/00000000-0000-0000-0000-000000000000/", None),
    ):
        barista.refused(method, path, body, status=404, kind="not_found")


class TestCustomers:
    """What a customer may do."""

    def test_places_their_own_order_and_becomes_a_customer_by_it(self, latte: Product) -> None:
        anna = Rest.of("customer")
        assert anna.post("orders/quote/", one_of(latte), status=200)["total"] == "70.00"
        assert not Customer.objects.exists()
        order = anna.post("orders/", one_of(latte, comment="less ice"))
        customer = Customer.objects.get()
        assert (customer.user, customer.email) == (anna.user, anna.user.email)
        assert (order["customer"], order["channel"], order["employee"]) == (customer.pk, "web", None)
        anna.post("orders/", one_of(latte))
        assert Customer.objects.count() == 1

    @pytest.mark.parametrize("field", ["customer", "employee", "channel", "allow_below_minimum"])
    def test_says_nothing_of_customer_employee_channel_and_minimum(self, latte: Product, field: str) -> None:
        value = {"customer": 1, "employee": 1, "channel": "counter", "allow_below_minimum": True}[field]
        Rest.of("customer").refused(
            "post", "orders/", one_of(latte, **{field: value}), status=400, kind="invalid", at=field
        )
        assert not Order.objects.exists()

    def test_sees_their_own_orders_and_no_others(self, latte: Product, bar: Shop) -> None:
        foreign = bar.sell(latte, customer_id=Customer.objects.create(name="Boris").pk)
        anna = Rest.of("customer")
        own = anna.post("orders/", one_of(latte))
        assert [one["id"] for one in anna.get("orders/")["results"]] == [own["id"]]
        assert [one["kind"] for one in anna.get(f"orders/{own['id']}/events/")["results"]] == ["placed"]
        anna.refused("get", f"orders/{foreign.pk}/", status=404, kind="not_found")
        anna.refused("get", f"orders/{foreign.pk}/events/", status=404, kind="not_found")

    def test_neither_advances_nor_cancels_nor_edits_even_their_own(self, latte: Product) -> None:
        anna = Rest.of("customer")
        own = anna.post("orders/", one_of(latte))
        for verb in ("prepare", "ready", "complete", "cancel", f"items/{own['items'][0]['id']}/cancel"):
            anna.refused("post", f"orders/{own['id']}/{verb}/", {}, status=403, kind="permission_denied")
        anna.refused("patch", f"orders/{own['id']}/", {"comment": "x"}, status=403, kind="permission_denied")
        anna.refused("post", "orders/batch/cancel/", {"ids": [own["id"]]}, status=403, kind="permission_denied")
        assert Order.objects.get().status == "pending"
        assert OrderEvent.objects.count() == 1


def test_a_user_without_a_role_places_and_sees_nothing(latte: Product) -> None:
    nobody = Rest(User.objects.create_user("nobody@shop.example", "correct horse battery"))
    nobody.refused("get", "orders/", status=403, kind="permission_denied")
    nobody.refused("post", "orders/", one_of(latte), status=403, kind="permission_denied")
    assert not Order.objects.exists()
