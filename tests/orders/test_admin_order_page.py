"""The page of one order: what was sold, what happened, what it took from the stock; and its buttons."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django_fsm import get_all_FIELD_transitions

from inventory.models import StockMovement
from orders.admin.verbs import ORDER_VERBS
from orders.models import CancelledItem, Order, OrderEvent, OrderItem
from orders.pricing import OrderLine
from orders.services.transitions import complete_order, prepare_order, ready_order
from tests.inventory.admin_pages import queries_of, said, signed_in, text_of, token_in
from tests.orders.admin_orders import page, verb
from tests.shop import NOBODY, Shop, assert_levels_are_what_the_ledger_sums_to, user_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def bar() -> Shop:
    return Shop.open()


@pytest.fixture
def order(bar: Shop) -> Order:
    """Two lattes with oat milk, and a tea."""
    milk, oats, leaves = (bar.ingredient(name, "ml", stock=2000) for name in ("Milk", "Oat milk", "Tea leaves"))
    kinds = bar.group("Milk")
    oat = bar.replaces(bar.option(kinds, "Oat", "15.00"), milk, oats)
    latte = bar.product("Latte", "70.00", {milk: 200}, groups=[kinds])
    tea = bar.product("Tea", "40.00", {leaves: 5})
    order = bar.sell(latte, 2, [oat])
    bar.edit(order, *lines_of(order), OrderLine(tea.pk, 1))
    return Order.objects.get(pk=order.pk)


def lines_of(order: Order) -> list[OrderLine]:
    return [
        OrderLine(item.product_id, item.quantity, tuple(option["id"] for option in item.options))
        for item in order.items.all()
    ]


def part(item: OrderItem, **fields: Any) -> dict[str, Any]:
    """What the form to cancel a part of a line sends."""
    sent = {"item": item.pk, "quantity": 1, "reason": "", "restock": "restock", **fields}
    return {f"cancel_item-{name}": value for name, value in sent.items()}


def address(order: Order) -> str:
    return page("order_change", order.pk)


def test_the_page_tells_the_whole_order(order: Order) -> None:
    text = text_of(signed_in("manager").get(address(order)))

    for words in (f"#{order.number}", "pending", "฿210", "Latte", "Oat +฿15", "฿85", "Tea", "Placed", "Edited"):
        assert words.lower() in text.lower()
    for words in ("Oat milk 400 ml", "Tea leaves 5 ml"):
        assert words in text
    assert "Came back" not in text


def test_the_page_tells_what_came_back_and_what_was_wasted(bar: Shop, order: Order) -> None:
    bar.cancel_part(order, 1, reason="Spilled", restock=False)
    bar.cancel_part(order, 1, reason="Changed their mind", restock=True)

    text = text_of(signed_in("manager").get(address(order)))

    assert "Oat milk 400 ml 200 ml 200 ml" in text, "left, came back, wasted"
    assert "1 cancelled" in text
    assert "written off · Spilled" in text
    assert "returned to stock · Changed their mind" in text


def test_who_may_not_see_the_ledger_does_not_see_it_on_the_order(order: Order) -> None:
    client, seller = Client(), user_of("barista")
    group = seller.groups.get()
    group.permissions.remove(group.permissions.get(codename="view_stockmovement"))
    client.force_login(seller)

    assert "Left the stock" not in text_of(client.get(address(order)))


def test_the_page_takes_the_same_queries_for_1_line_and_for_30(bar: Shop) -> None:
    milk = bar.ingredient("Milk", "ml", stock=100_000)
    products = [bar.product(f"Latte {number}", "70.00", {milk: 200}) for number in range(30)]
    client = signed_in("manager")
    small, large = bar.place(OrderLine(products[0].pk, 1)), bar.place(*(OrderLine(one.pk, 1) for one in products))

    assert queries_of(client, address(small)) == queries_of(client, address(large)) <= 20


def test_an_order_takes_no_post_on_its_page(order: Order) -> None:
    client = signed_in("admin")

    assert client.post(address(order), {"status": "completed", "total": "0"}).status_code == 405
    assert Order.objects.get(pk=order.pk).status == Order.Status.PENDING


@pytest.mark.parametrize("unknown", ["9" * 30, "0", "x", "-1"])
def test_an_unknown_order_leads_back_with_a_sentence(unknown: str) -> None:
    response = signed_in("manager").get(page("order_change", unknown))

    assert response.status_code == 302
    assert "doesn’t exist" in said(response)[0]


def test_the_buttons_of_an_order_are_those_of_its_status(order: Order) -> None:
    client = signed_in("barista")

    def buttons() -> list[str]:
        return [button.verb.name for button in client.get(address(order)).context["verb_buttons"]]

    assert buttons() == ["prepare", "complete", "cancel"]
    prepare_order(order_id=order.pk, actor=NOBODY)
    assert buttons() == ["ready", "complete", "cancel"]
    ready_order(order_id=order.pk, actor=NOBODY)
    assert buttons() == ["complete", "cancel"]
    complete_order(order_id=order.pk, actor=NOBODY, allow_unpaid=True)
    assert buttons() == []


def test_an_order_goes_its_way_by_its_buttons(bar: Shop, order: Order) -> None:
    client = signed_in("barista")
    bar.pay(order)
    for name, status in (("prepare", "preparing"), ("ready", "ready"), ("complete", "completed")):
        response = client.post(verb(order, name))
        assert response.status_code == 302
        assert Order.objects.get(pk=order.pk).status == status

    events = order.events.values_list("kind", "from_status", "to_status", "door", "created_by__email")
    assert list(events)[-1] == ("complete", "ready", "completed", "admin", "barista@shop.example")


def test_a_button_asks_for_the_permission_of_its_transition(order: Order) -> None:
    transitions = get_all_FIELD_transitions(order, Order._meta.get_field("status"))
    permissions = {one.name: one.permission for one in transitions}

    assert {one.name: one.permission for one in ORDER_VERBS} == permissions


@pytest.mark.parametrize("name", ["prepare", "ready", "complete", "cancel", "cancel_item"])
@pytest.mark.parametrize("role", ["customer", "looker"])
def test_a_hand_made_post_without_the_permission_changes_nothing(order: Order, name: str, role: str) -> None:
    client = Client()
    person = user_of("customer" if role == "customer" else "barista", "eve@shop.example")
    if role == "looker":
        group = person.groups.get()
        group.permissions.remove(*group.permissions.filter(codename__in=["advance_order", "cancel_order"]))
    client.force_login(person)
    sent = {**part(order.items.get(name="Latte")), "cancel-restock": "restock"}

    response = client.post(verb(order, name), sent)

    assert response.status_code == (302 if role == "customer" else 403)
    assert Order.objects.get(pk=order.pk).status == Order.Status.PENDING
    assert order.events.count() == 2
    assert not CancelledItem.objects.exists()


def test_a_look_at_a_verb_does_nothing(order: Order) -> None:
    client = signed_in("barista")

    assert client.get(verb(order, "prepare")).status_code == 302
    assert client.get(verb(order, "cancel")).status_code == 200
    assert Order.objects.get(pk=order.pk).status == Order.Status.PENDING


def test_who_was_slower_is_told_and_nothing_changes(order: Order) -> None:
    client = signed_in("barista")
    prepare_order(order_id=order.pk, actor=NOBODY)

    response = client.post(verb(order, "prepare"))

    assert said(response) == [f"Order #{order.number} is preparing. This is possible only while it is pending."]
    assert order.events.filter(kind=OrderEvent.Kind.PREPARED).count() == 1


def test_cancelling_asks_why_and_returns_the_ingredients(bar: Shop, order: Order) -> None:
    client = signed_in("barista")
    client.post(verb(order, "cancel"), {"cancel-reason": "No show", "cancel-restock": "restock"})

    order = Order.objects.get(pk=order.pk)
    assert (order.status, order.total) == ("cancelled", Decimal("0.00"))
    event = order.events.last()
    assert event is not None
    assert (event.reason, event.details["restock"], event.door) == ("No show", True, "admin")
    assert bar.quantity(bar.ingredient("Oat milk")) == 2000
    assert_levels_are_what_the_ledger_sums_to()


def test_a_wasted_order_gives_nothing_back(bar: Shop, order: Order) -> None:
    signed_in("barista").post(verb(order, "cancel"), {"cancel-reason": "", "cancel-restock": "waste"})

    assert Order.objects.get(pk=order.pk).status == "cancelled"
    assert bar.quantity(bar.ingredient("Oat milk")) == 1600
    assert StockMovement.objects.filter(reason="write_off").count() == 2


def test_what_has_been_begun_is_offered_as_waste(order: Order) -> None:
    client = signed_in("barista")
    assert client.get(verb(order, "cancel")).context["button"].form["restock"].value() == "restock"
    prepare_order(order_id=order.pk, actor=NOBODY)

    form = client.get(verb(order, "cancel")).context["button"].form

    assert form["restock"].value() == "waste"


@pytest.mark.parametrize(
    "said_about_it", [{"cancel-restock": ""}, {"cancel-restock": "x"}, {"cancel-reason": "x" * 301}]
)
def test_a_cancellation_that_is_not_right_is_asked_again(order: Order, said_about_it: dict[str, str]) -> None:
    response = signed_in("barista").post(verb(order, "cancel"), {"cancel-restock": "restock", **said_about_it})

    assert response.status_code == 200
    assert Order.objects.get(pk=order.pk).status == Order.Status.PENDING


def test_a_part_of_a_line_is_cancelled(bar: Shop, order: Order) -> None:
    item = order.items.get(name="Latte")

    response = signed_in("barista").post(verb(order, "cancel_item"), part(item, reason="Too sweet", restock="waste"))

    assert response.status_code == 302
    item.refresh_from_db()
    assert (item.cancelled_quantity, item.total) == (1, Decimal("85.00"))
    assert Order.objects.get(pk=order.pk).total == Decimal("125.00")
    record = CancelledItem.objects.get()
    assert (record.quantity, record.reason, record.is_restocked) == (1, "Too sweet", False)
    assert bar.quantity(bar.ingredient("Oat milk")) == 1600


@pytest.mark.parametrize("quantity", ["3", "0", "-1", "2.5", "", "9" * 30])
def test_more_than_there_is_can_not_be_cancelled(order: Order, quantity: str) -> None:
    item = order.items.get(name="Latte")

    response = signed_in("barista").post(verb(order, "cancel_item"), part(item, quantity=quantity))

    assert response.status_code == 200
    assert response.context["button"].form.errors["quantity"]
    assert not CancelledItem.objects.exists()


def test_a_line_of_another_order_can_not_be_cancelled_here(bar: Shop, order: Order) -> None:
    other = bar.sell(bar.product("Cake")).items.get()

    response = signed_in("barista").post(verb(order, "cancel_item"), part(other))

    assert response.context["button"].form.errors["item"]
    assert not CancelledItem.objects.exists()


def test_a_form_that_is_sent_twice_cancels_one_part(order: Order) -> None:
    client, item = signed_in("barista"), order.items.get(name="Latte")
    token = token_in(client.get(verb(order, "cancel_item")))

    for _time in range(2):
        assert client.post(verb(order, "cancel_item"), {**part(item), "once": token}).status_code == 302

    item.refresh_from_db()
    assert item.cancelled_quantity == 1


def test_the_history_of_an_order_stands_on_its_page(order: Order) -> None:
    assert signed_in("manager").get(page("order_history", order.pk)).url == address(order)


def test_the_next_step_in_the_list_comes_back_to_the_list(order: Order) -> None:
    came_from = f"http://testserver{page('order_changelist')}?active=yes"

    response = signed_in("barista").post(f"{verb(order, 'prepare')}?next=list", headers={"referer": came_from})

    assert response.url == came_from
    assert Order.objects.get(pk=order.pk).status == "preparing"
