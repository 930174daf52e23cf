"""The new-order page: what its script gets, what it sends, and that bad input changes nothing."""

import json
import threading
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from inventory.models import Option, Product, StockLevel, StockMovement
from orders.models import Customer, Employee, Order, OrderItem, Position
from tests.inventory.admin_pages import queries_of, signed_in, text_of
from tests.orders.admin_orders import cart, line, page, send
from tests.shop import Shop, assert_levels_are_what_the_ledger_sums_to, user_of

ADD, QUOTE = "/admin/orders/order/add/", "/admin/orders/order/quote/"
pytestmark = pytest.mark.django_db


class TeaBar:
    """A location with a latte (200 ml of milk, a size that must be chosen, oat milk) and a cookie."""

    def __init__(self) -> None:
        self.shop = Shop.open()
        self.milk = self.shop.ingredient("Milk", "ml", stock=1000, minimum=100)
        self.oats = self.shop.ingredient("Oat milk", "ml", stock=300)
        self.size = self.shop.group("Size", least=1, most=1)
        self.small = self.shop.option(self.size, "S", is_default=True)
        self.large = self.shop.scales(self.shop.option(self.size, "L", "20.00"), "1.5")
        self.kind = self.shop.group("Milk", most=1)
        self.oat = self.shop.replaces(self.shop.option(self.kind, "Oat", "15.00"), self.milk, self.oats)
        self.latte = self.shop.product(
            "Latte", "70.00", {self.milk: 200}, scales=[self.milk], groups=[self.size, self.kind]
        )
        self.cookie = self.shop.product("Cookie", "35.00")


@pytest.fixture
def bar() -> TeaBar:
    return TeaBar()


@pytest.fixture
def barista() -> Client:
    return signed_in("barista")


@pytest.fixture
def manager() -> Client:
    return signed_in("manager")


def assert_nothing_was_placed(bar: TeaBar) -> None:
    assert not Order.objects.exists()
    assert bar.shop.quantity(bar.milk) == 1000


# --- the page ---


def test_the_page_has_the_menu_with_prices_options_and_reasons(bar: TeaBar, barista: Client) -> None:
    syrup = bar.shop.ingredient("Syrup", "ml", stock=5, minimum=50)
    bar.shop.product("Sweet tea", "50.00", {syrup: 10})
    bar.shop.product("Old tea", "50.00", is_listed=False)

    data = barista.get(ADD).context["page_data"]

    products = {one["name"]: one for one in data["menu"]["products"]}
    assert products["Latte"]["price"] == "70.00"
    assert products["Latte"]["is_available"]
    assert products["Latte"]["groups"] == [bar.size.pk, bar.kind.pk]
    assert (products["Sweet tea"]["is_available"], products["Sweet tea"]["lacking"]) == (False, ["Syrup"])
    assert (products["Old tea"]["is_available"], products["Old tea"]["is_listed"]) == (False, False)
    group = data["menu"]["groups"][bar.size.pk]
    assert (group["min"], group["max"], group["free"]) == (1, 1, 0)
    assert [(one["name"], one["price_delta"], one["is_default"]) for one in group["options"]] == [
        ("S", "0.00", True),
        ("L", "20.00", False),
    ]


def test_the_page_takes_the_same_queries_for_2_and_for_40_products(bar: TeaBar, barista: Client) -> None:
    small = queries_of(barista, ADD)
    for number in range(38):
        bar.shop.product(f"Latte {number}", "70.00", {bar.milk: 10, bar.oats: 5}, groups=[bar.size, bar.kind])

    assert queries_of(barista, ADD) == small <= 20


def test_the_employee_is_the_one_who_signed_in(bar: TeaBar) -> None:
    client, person = Client(), user_of("barista")
    kai = Employee.objects.create(
        name="Kai",
        user=person,
        position=Position.objects.create(name="Barista"),
        location=bar.shop.location,
        hired_on="2026-01-01",
    )
    client.force_login(person)

    assert client.get(ADD).context["employee"] == kai


def test_below_the_minimum_is_offered_to_those_who_may(bar: TeaBar, barista: Client, manager: Client) -> None:
    assert "Sell below the minimum" not in text_of(barista.get(ADD))
    assert "Sell below the minimum" in text_of(manager.get(ADD))


def test_several_locations_can_be_switched(bar: TeaBar, barista: Client) -> None:
    assert "pos-location" not in barista.get(ADD).content.decode()
    station = Shop.open("Station")

    response = barista.get(f"{ADD}?location={station.location.pk}")

    assert response.context["location"] == station.location
    menu = barista.get(f"/admin/orders/order/menu/?location={station.location.pk}").json()
    assert {one["name"]: one["is_available"] for one in menu["products"]} == {"Latte": False, "Cookie": True}


def test_without_an_open_location_there_is_nothing_to_sell_from(bar: TeaBar, barista: Client) -> None:
    bar.shop.location.is_active = False
    bar.shop.location.save()

    assert barista.get(ADD).url == page("order_changelist")


# --- quote ---


def test_a_quote_says_the_price_and_places_nothing(bar: TeaBar, barista: Client) -> None:
    answer = send(barista, QUOTE, cart(line(bar.latte, 2, bar.large, bar.oat), line(bar.cookie)))

    assert answer.status_code == 200
    quote = answer.json()
    assert quote["lines"] == [
        {"unit_price": "105.00", "total": "210.00"},
        {"unit_price": "35.00", "total": "35.00"},
    ]
    assert (quote["total"], quote["is_available"]) == ("245.00", False)
    assert [one["text"] for one in quote["shortages"]] == ["Oat milk: 600 ml needed, 300 there"]
    assert_nothing_was_placed(bar)


def test_a_quote_names_every_ingredient_that_is_missing(bar: TeaBar, barista: Client) -> None:
    quote = send(barista, QUOTE, cart(line(bar.latte, 6, bar.small), line(bar.latte, 2, bar.small, bar.oat))).json()

    assert {one["name"]: (one["needed"], one["available"]) for one in quote["shortages"]} == {
        "Milk": ("1200.000", "1000.000"),
        "Oat milk": ("400.000", "300.000"),
    }


def test_a_quote_takes_the_same_queries_for_1_line_and_for_50(
    bar: TeaBar, barista: Client, django_assert_max_num_queries: Any
) -> None:
    lines = [line(bar.latte, 1, bar.small) for _number in range(4)] + [line(bar.cookie) for _number in range(46)]
    with django_assert_max_num_queries(12):
        assert send(barista, QUOTE, cart(*lines)).json()["total"] == "1890.00"


def test_a_quote_is_asked_by_post(bar: TeaBar, barista: Client) -> None:
    assert barista.get(QUOTE).status_code == 405


# --- placing ---


def test_an_order_is_placed_as_it_was_put_together(bar: TeaBar) -> None:
    client, person = Client(), user_of("barista")
    client.force_login(person)
    ann = Customer.objects.create(name="Ann")
    kai = Employee.objects.create(
        name="Kai", position=Position.objects.create(name="B"), location=bar.shop.location, hired_on="2026-01-01"
    )

    answer = send(
        client,
        ADD,
        cart(
            line(bar.latte, 2, bar.large),
            line(bar.cookie),
            location=bar.shop.location.pk,
            customer=ann.pk,
            employee=kai.pk,
            comment="  To go  ",
        ),
    )

    assert answer.status_code == 200
    order = Order.objects.get()
    assert answer.json()["url"] == page("order_change", order.pk)
    assert (order.total, order.status, order.channel) == (Decimal("215.00"), "pending", "counter")
    assert (order.customer, order.employee, order.comment, order.created_by) == (ann, kai, "To go", person)
    assert bar.shop.quantity(bar.milk) == 400
    event = order.events.get()
    assert (event.kind, event.door, event.created_by) == ("placed", "admin", person)
    assert f"#{order.number} is placed: ฿215." in text_of(client.get(answer.json()["url"]))
    assert_levels_are_what_the_ledger_sums_to()


def test_the_page_that_goes_on_gets_a_new_token_and_says_it_itself(bar: TeaBar, barista: Client) -> None:
    sent = cart(line(bar.cookie), goes_on=True)

    answer = send(barista, ADD, sent).json()

    assert answer["once"] != sent["once"]
    assert answer["message"] not in text_of(barista.get(answer["url"]))


def test_a_double_click_places_one_order(bar: TeaBar, barista: Client) -> None:
    sent = cart(line(bar.latte, 1, bar.small))

    first, second = send(barista, ADD, sent), send(barista, ADD, sent)

    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json()["url"] == second.json()["url"]
    assert Order.objects.count() == 1
    assert bar.shop.quantity(bar.milk) == 800


def test_the_token_of_another_cart_places_nothing_and_says_so(bar: TeaBar, barista: Client) -> None:
    sent = cart(line(bar.latte, 1, bar.small))
    send(barista, ADD, sent)

    answer = send(barista, ADD, {**sent, "items": [line(bar.cookie)]})

    assert answer.status_code == 422
    assert "sent once already" in answer.json()["detail"]
    assert send(barista, ADD, {**cart(line(bar.cookie)), "once": answer.json()["once"]}).status_code == 200
    assert Order.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_the_same_moment_place_one_order() -> None:
    bar, client = TeaBar(), signed_in("barista")
    sent, answers = cart(line(bar.latte, 1, bar.small)), []
    together = threading.Barrier(2)

    def click() -> None:
        mine = Client()
        mine.cookies = client.cookies
        together.wait()
        answers.append(send(mine, ADD, sent).status_code)
        connection.close()

    clicks = [threading.Thread(target=click) for _number in range(2)]
    for one in clicks:
        one.start()
    for one in clicks:
        one.join()

    assert sorted(answers) in ([200, 200], [200, 409])
    assert Order.objects.count() == 1
    assert bar.shop.quantity(bar.milk) == 800


def test_a_shortage_is_refused_with_its_names_and_the_same_token_may_try_again(bar: TeaBar, barista: Client) -> None:
    sent = cart(line(bar.latte, 6, bar.small))

    answer = send(barista, ADD, sent)

    assert answer.status_code == 409
    body = answer.json()
    assert body["type"] == "insufficient_stock"
    assert [one["name"] for one in body["shortages"]] == ["Milk"]
    assert "Milk: 1200 ml needed, 1000 there" in body["detail"]
    assert_nothing_was_placed(bar)
    bar.shop.receive({bar.milk: 500})
    assert send(barista, ADD, sent).status_code == 200


def test_below_the_minimum_sells_who_may(bar: TeaBar, barista: Client, manager: Client) -> None:
    StockLevel.objects.filter(ingredient=bar.milk).update(minimum=5000)
    sent = cart(line(bar.latte, 1, bar.small), sells_below_minimum=True)

    refused = send(barista, ADD, sent)
    assert (refused.status_code, refused.json()["type"]) == (403, "permission_denied")
    assert send(barista, ADD, cart(line(bar.latte, 1, bar.small))).json()["type"] == "unavailable"
    assert_nothing_was_placed(bar)
    assert send(manager, ADD, sent).status_code == 200
    assert not send(manager, QUOTE, cart(line(bar.latte, 1, bar.small))).json()["is_available"]
    assert send(manager, QUOTE, sent).json()["is_available"]


# --- bad input ---


@pytest.mark.parametrize(
    "body",
    ["", "latte", "[]", "7", "null", '"x"', "{", b"\xff\xfe", "[" * 100_000, '{"items": ' + "9" * 5000 + "}"],
    ids=lambda body: str(body)[:12],
)
def test_what_is_no_json_object_is_refused(bar: TeaBar, barista: Client, body: Any) -> None:
    for address in (ADD, QUOTE):
        answer = send(barista, address, body)
        assert (answer.status_code, answer.json()["type"]) == (400, "invalid")
    assert_nothing_was_placed(bar)


def wrong_carts(bar: TeaBar) -> dict[str, tuple[dict[str, Any], str]]:
    """What is wrong, the cart, and where the sentence stands."""
    stranger = Option.objects.create(group=bar.shop.group("Cup"), name="Glass")
    latte = line(bar.latte, 1, bar.small)
    return {
        "no items": (cart(), "items"),
        "items are no list": ({**cart(), "items": "latte"}, "items"),
        "an item is no object": ({**cart(), "items": [7]}, "items[0].product"),
        "an unknown product": (cart(latte, line(987_654)), "items[1].product"),
        "a product of 30 digits": (cart(line(10**29)), "items[0].product"),
        "a product that is a word": (cart({**latte, "product": "latte"}), "items[0].product"),
        "a product that is true": (cart({**latte, "product": True}), "items[0].product"),
        "quantity 0": (cart(line(bar.cookie, 0)), "items[0].quantity"),
        "a negative quantity": (cart(line(bar.cookie, -1)), "items[0].quantity"),
        "1e9 cups": (cart(line(bar.cookie, 10**9)), "items[0].quantity"),
        "2.5 cups": (cart(line(bar.cookie, 2.5)), "items[0].quantity"),
        "cups in words": (cart(line(bar.cookie, "2")), "items[0].quantity"),
        "no quantity": (cart(line(bar.cookie, None)), "items[0].quantity"),
        "no size": (cart(line(bar.latte, 1)), "items[0].options"),
        "two sizes": (cart(line(bar.latte, 1, bar.small, bar.large)), "items[0].options"),
        "an option twice": (cart(line(bar.latte, 1, bar.small, bar.small)), "items[0].options"),
        "another product's option": (cart(line(bar.latte, 1, bar.small, stranger)), "items[0].options"),
        "options that are no list": (cart({**latte, "options": {"size": 1}}), "items[0].options"),
        "options in words": (cart({**latte, "options": ["S"]}), "items[0].options"),
        "5,000 lines": (cart(*[line(bar.cookie)] * 5000), "items"),
        "a million characters of comment": (cart(latte, comment="x" * 1_000_000), "comment"),
        "a comment that is no text": (cart(latte, comment=["x"]), "comment"),
        "a comment with a null": (cart(latte, comment="a\x00b"), "comment"),
        "an unknown customer": (cart(latte, customer=987_654), "customer"),
        "a customer of 30 digits": (cart(latte, customer=10**29), "customer"),
        "an unknown employee": (cart(latte, employee=987_654), "employee"),
        "an unknown location": (cart(latte, location=987_654), "location"),
        "a location in words": (cart(latte, location="Main Street"), "location"),
    }


WRONG = [
    *("no items", "items are no list", "an item is no object", "an unknown product", "a product of 30 digits"),
    *("a product that is a word", "a product that is true", "quantity 0", "a negative quantity", "1e9 cups"),
    *("2.5 cups", "cups in words", "no quantity", "no size", "two sizes", "an option twice"),
    *("another product's option", "options that are no list", "options in words", "5,000 lines"),
    *("a million characters of comment", "a comment that is no text", "a comment with a null"),
    *("an unknown customer", "a customer of 30 digits", "an unknown employee", "an unknown location"),
    "a location in words",
]


def test_every_wrong_cart_is_tried(bar: TeaBar) -> None:
    assert list(wrong_carts(bar)) == WRONG


@pytest.mark.parametrize("what", WRONG)
def test_bad_input_gets_a_sentence_at_its_place(bar: TeaBar, barista: Client, what: str) -> None:
    wrong, place = wrong_carts(bar)[what]

    answer = send(barista, ADD, wrong)

    assert (answer.status_code, answer.json()["type"]) == (400, "invalid"), answer.content[:300]
    assert list(answer.json()["errors"]) == [place]
    assert answer.json()["errors"][place][0]
    assert_nothing_was_placed(bar)


def test_more_than_the_shop_reads_at_once_is_refused(bar: TeaBar, barista: Client) -> None:
    answer = send(barista, ADD, cart(line(bar.cookie), comment="x" * 6_000_000))

    assert answer.status_code == 400
    assert "too much at once" in answer.json()["detail"]
    assert_nothing_was_placed(bar)


def test_a_cart_without_a_token_is_refused(bar: TeaBar, barista: Client) -> None:
    for once in (None, 7, "", "ключ", "x" * 300):
        answer = send(barista, ADD, {**cart(line(bar.cookie)), "once": once})
        assert answer.status_code == 400
    assert_nothing_was_placed(bar)


def test_a_closed_location_sells_nothing(bar: TeaBar, barista: Client) -> None:
    bar.shop.location.is_active = False
    bar.shop.location.save()

    answer = send(barista, ADD, cart(line(bar.cookie), location=bar.shop.location.pk))

    assert (answer.status_code, answer.json()["type"]) == (409, "closed_location")
    assert_nothing_was_placed(bar)


def test_a_delisted_product_is_not_sold(bar: TeaBar, barista: Client) -> None:
    Product.objects.update(is_listed=False)

    answer = send(barista, ADD, cart(line(bar.cookie)))

    assert (answer.status_code, answer.json()["products"][0]["name"]) == (409, "Cookie")
    assert_nothing_was_placed(bar)


def test_several_locations_and_none_named_is_asked_back(bar: TeaBar, barista: Client) -> None:
    Shop.open("Station")

    assert list(send(barista, ADD, cart(line(bar.cookie))).json()["errors"]) == ["location"]
    assert_nothing_was_placed(bar)


# --- editing ---


def edit_page(order: Order) -> str:
    return page("order_edit", order.pk)


def test_the_edit_page_begins_with_the_order(bar: TeaBar, barista: Client) -> None:
    order = bar.shop.sell(bar.latte, 2, [bar.large], comment="Hot")

    response = barista.get(edit_page(order))

    assert response.context["page_data"]["items"] == [line(bar.latte, 2, bar.large)]
    assert "Hot" in response.content.decode()


def test_an_edit_moves_the_stock_by_the_difference(bar: TeaBar, barista: Client) -> None:
    order = bar.shop.sell(bar.latte, 2, [bar.small])

    sent = cart(line(bar.latte, 1, bar.small), line(bar.cookie, 2), comment="No lid")
    assert send(barista, edit_page(order), sent).status_code == 200
    assert send(barista, edit_page(order), sent).status_code == 200

    order = Order.objects.get()
    assert (order.total, order.comment) == (Decimal("140.00"), "No lid")
    assert bar.shop.quantity(bar.milk) == 800
    assert order.events.filter(kind="edited").count() == 1


def test_two_people_who_edit_one_order_do_not_undo_each_others_work(bar: TeaBar, barista: Client) -> None:
    order = bar.shop.sell(bar.latte, 2, [bar.small])
    pages = [barista.get(edit_page(order)).context["page_data"] for _ in range(2)]
    first, second = [cart(*data["items"], line(bar.cookie), seen_event=data["seen_event"]) for data in pages]

    assert send(barista, edit_page(order), first).status_code == 200
    answer = send(barista, edit_page(order), {**second, "comment": "To go"})

    assert (answer.status_code, answer.json()["type"]) == (409, "changed_meanwhile")
    order = Order.objects.get()
    assert (order.items.count(), order.comment) == (2, "")


def test_the_quote_of_an_edit_counts_what_the_order_holds(bar: TeaBar, barista: Client) -> None:
    order = bar.shop.sell(bar.latte, 4, [bar.small])
    quote = page("order_edit_quote", order.pk)

    assert send(barista, quote, cart(line(bar.latte, 5, bar.small))).json()["is_available"]
    missing = send(barista, quote, cart(line(bar.latte, 6, bar.small))).json()["shortages"]
    assert [(one["needed"], one["available"]) for one in missing] == [("400.000", "200.000")]


def test_what_is_being_made_is_not_edited(bar: TeaBar, barista: Client) -> None:
    order = bar.shop.sell(bar.latte, 1, [bar.small])
    Order.objects.update(status="preparing")

    assert barista.get(edit_page(order)).url == page("order_change", order.pk)
    answer = send(barista, edit_page(order), cart(line(bar.cookie)))
    assert (answer.status_code, answer.json()["type"]) == (409, "wrong_status")
    assert OrderItem.objects.get().name == "Latte"


@pytest.mark.parametrize("order_id", [0, 987_654, 10**29])
def test_an_unknown_order_is_not_edited(bar: TeaBar, barista: Client, order_id: int) -> None:
    address = f"/admin/orders/order/{order_id}/edit/"

    assert barista.get(address).status_code == 404
    assert send(barista, address, cart(line(bar.cookie))).status_code == 404
    assert send(barista, f"{address}quote/", cart(line(bar.cookie))).status_code == 404


# --- customers ---


def test_customers_are_found_by_a_part_of_their_name_or_phone(bar: TeaBar, barista: Client) -> None:
    for number in range(20):
        Customer.objects.create(name=f"Ann {number}", phone=f"+66 81 {number:03}")
    Customer.objects.create(name="Bob", phone="555")

    def found(text: str) -> list[str]:
        return [one["name"] for one in barista.get(page("order_customers"), {"q": text}).json()["customers"]]

    assert found("555") == ["Bob"]
    assert len(found("ann")) == 8
    assert found("") == found("\x00") == found("nobody") == []


def test_a_new_customer_is_written_down_on_the_spot(bar: TeaBar, barista: Client) -> None:
    answer = send(barista, page("order_customers"), {"name": "Ann", "phone": "081 234 5678", "email": ""})

    customer = Customer.objects.get()
    assert answer.json() == {"id": customer.pk, "name": "Ann", "phone": "+66 81 234 5678", "email": "", "points": 0}


@pytest.mark.parametrize(
    ("wrong", "place"),
    [({"name": ""}, "name"), ({"name": "Ann", "email": "ann"}, "email"), ({"name": "Ann", "phone": "1" * 31}, "phone")],
)
def test_a_customer_who_is_none_is_refused(bar: TeaBar, barista: Client, wrong: dict[str, str], place: str) -> None:
    answer = send(barista, page("order_customers"), wrong)

    assert (answer.status_code, list(answer.json()["errors"])) == (400, [place])
    assert not Customer.objects.exists()


# --- who may ---


@pytest.mark.parametrize("name", ["order_add", "order_quote", "order_menu", "order_customers"])
def test_who_has_no_role_has_no_page(bar: TeaBar, name: str) -> None:
    client, nobody = Client(), user_of("barista")
    nobody.groups.clear()
    client.force_login(nobody)

    assert client.get(page(name)).status_code in (403, 405)
    assert send(client, page(name), cart(line(bar.cookie))).status_code == 403
    assert_nothing_was_placed(bar)


def test_a_customer_is_sent_to_the_sign_in(bar: TeaBar) -> None:
    client = signed_in("customer")

    assert client.get(ADD).status_code == 302
    assert send(client, ADD, cart(line(bar.cookie))).status_code == 302
    assert_nothing_was_placed(bar)


def test_a_post_from_elsewhere_is_refused(bar: TeaBar) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user_of("manager"))

    assert client.post(ADD, json.dumps(cart(line(bar.cookie))), content_type="application/json").status_code == 403
    assert_nothing_was_placed(bar)
    assert not StockMovement.objects.filter(reason="sale").exists()
