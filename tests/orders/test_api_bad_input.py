"""Bad input to orders over REST: a sentence at the field it concerns, and nothing changes."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from inventory.models import Location, Option, Product, StockLevel, StockMovement
from orders.models import CancelledItem, Order, OrderEvent, OrderItem
from tests.rest import Rest
from tests.shop import Shop

pytestmark = pytest.mark.django_db

LONG_ID = int("1" * 30)


@pytest.fixture
def bar() -> Shop:
    return Shop.open()


@pytest.fixture
def barista() -> Rest:
    return Rest.of("barista")


@pytest.fixture
def latte(bar: Shop) -> Product:
    """With a size to be chosen (exactly one of two) and up to two toppings of three."""
    milk = bar.ingredient("Milk", "ml", stock=10_000)
    size, toppings = bar.group("Size", least=1, most=1), bar.group("Toppings", most=2)
    for group, names in ((size, ("Small", "Large")), (toppings, ("Pearls", "Jelly", "Aloe"))):
        for name in names:
            bar.option(group, name)
    return bar.product("Latte", "70.00", {milk: 200}, groups=[size, toppings])


def state() -> Any:
    """All that an order or a change of stock would have left behind."""
    return (
        [model.objects.count() for model in (Order, OrderItem, OrderEvent, CancelledItem, StockMovement)],
        sorted(StockLevel.objects.values_list("location", "ingredient", "quantity")),
        sorted(Order.objects.values_list("pk", "status", "comment", "total")),
    )


@pytest.fixture(autouse=True)
def keep(bar: Shop, latte: Product) -> Iterator[Callable[[], None]]:
    """Nothing changes: neither from the start, nor after the last `keep()` of a test that sells something first."""
    kept = [state()]
    yield lambda: kept.append(state())
    assert state() == kept[-1]


def chosen(*names: str) -> list[int]:
    return [Option.objects.get(name=name).pk for name in names]


def order_of(latte: Product, **line: Any) -> dict[str, Any]:
    return {"items": [{"product": latte.pk, "quantity": 1, "options": chosen("Small"), **line}]}


def refused(barista: Rest, body: Any, at: Any, *, status: int = 400, kind: str = "invalid") -> Any:
    """The order and its quote are refused alike."""
    barista.refused("post", "orders/quote/", body, status=status, kind=kind, at=at)
    return barista.refused("post", "orders/", body, status=status, kind=kind, at=at)


def test_an_unknown_product(barista: Rest, latte: Product) -> None:
    body = {"items": [*order_of(latte)["items"], {"product": 999_999, "quantity": 1}]}
    assert "999999" in refused(barista, body, "items[1].product")["detail"]


@pytest.mark.parametrize("product", [True, None, "", "tea", "1", 1.0, 0, -1, [], {}])
def test_a_product_that_is_no_id(barista: Rest, latte: Product, product: Any) -> None:
    refused(barista, order_of(latte, product=product), "items[0].product")


def test_an_option_of_another_product(barista: Rest, bar: Shop, latte: Product) -> None:
    foreign = bar.option(bar.group("Flowers"), "Rose")
    bar.product("Rose tea", "50.00", groups=[foreign.group])
    answer = refused(barista, order_of(latte, options=[*chosen("Small"), foreign.pk]), "items[0].options")
    assert answer["errors"]["items[0].options"] == [f"Latte has no option {foreign.pk}."]


def test_too_few_options_of_a_group(barista: Rest, latte: Product) -> None:
    answer = refused(barista, order_of(latte, options=[]), "items[0].options")
    assert answer["errors"]["items[0].options"] == ["Size: choose at least 1, not 0."]
    refused(barista, {"items": [{"product": latte.pk, "quantity": 1}]}, "items[0].options")


def test_too_many_options_of_a_group(barista: Rest, latte: Product) -> None:
    options = chosen("Small", "Pearls", "Jelly", "Aloe")
    answer = refused(barista, order_of(latte, options=options), "items[0].options")
    assert answer["errors"]["items[0].options"] == ["Toppings: choose at most 2, not 3."]


def test_an_option_twice(barista: Rest, latte: Product) -> None:
    refused(barista, order_of(latte, options=chosen("Small", "Pearls", "Pearls")), "items[0].options")


@pytest.mark.parametrize("options", ["1", None, 7, {"1": 2}])
def test_options_that_are_no_list(barista: Rest, latte: Product, options: Any) -> None:
    refused(barista, order_of(latte, options=options), "items[0].options")


def test_options_that_are_no_ids(barista: Rest, latte: Product) -> None:
    refused(
        barista,
        order_of(latte, options=[*chosen("Small"), "1", True, 0, 1.5]),
        [f"items[0].options[{place}]" for place in (1, 2, 3, 4)],
    )


def test_thousands_of_options(barista: Rest, latte: Product) -> None:
    refused(barista, order_of(latte, options=list(range(1, 5001))), "items[0].options")


@pytest.mark.parametrize(
    "quantity", [0, -1, -(10**9), 10**9, 1001, 2**62, 1e9, 2.5, 2.0, "2.5", "2", "two", "", True, None, [1], {"n": 1}]
)
def test_a_quantity_that_is_no_whole_number_from_1_to_1000(barista: Rest, latte: Product, quantity: Any) -> None:
    answer = refused(barista, order_of(latte, quantity=quantity), "items[0].quantity")
    if quantity is not None:
        assert answer["detail"] == "The quantity must be a whole number from 1 to 1000."


def test_a_misspelled_field(barista: Rest, latte: Product) -> None:
    line = {"product": latte.pk, "quantiy": 3, "options": chosen("Small")}
    answer = refused(barista, {"items": [line], "coment": "x"}, ["items[0].quantiy", "items[0].quantity", "coment"])
    assert "quantity" in answer["errors"]["items[0].quantiy"][0]


@pytest.mark.parametrize("field", ["promo_code", "redeem_points", "status", "total", "id"])
def test_a_field_that_nobody_sets(barista: Rest, latte: Product, field: str) -> None:
    refused(barista, {**order_of(latte), field: 1}, field)


@pytest.mark.parametrize(
    "text", ["", "{", "no json", "{'items': []}", '{"items": NaN}', "\ufeff{}", '{"a": 1,}', "[1", "\x00"]
)
def test_what_is_no_json(barista: Rest, text: str) -> None:
    for path in ("orders/", "orders/quote/"):
        answer = barista.client.post(f"/api/v1/{path}", text.encode(), content_type="application/json")
        assert answer.status_code == 400, answer.content
        assert answer.json()["type"] == "invalid"
        assert answer.json()["detail"]


def test_bytes_that_are_no_text_and_a_form_instead_of_json(barista: Rest) -> None:
    answer = barista.client.post("/api/v1/orders/", b"\xff\xfe{\x00}", content_type="application/json")
    assert (answer.status_code, answer.json()["type"]) == (400, "invalid")
    answer = barista.client.post("/api/v1/orders/", {"items": "1"}, format="multipart")
    assert (answer.status_code, answer.json()["type"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("body", [[], [1, 2], 7, "order", True, None, [{"items": []}]])
def test_a_body_that_is_no_object(barista: Rest, body: Any) -> None:
    for path in ("orders/", "orders/quote/"):
        answer = barista.client.post(f"/api/v1/{path}", json.dumps(body), content_type="application/json")
        assert (answer.status_code, answer.json()["type"]) == (400, "invalid"), answer.content
        assert list(answer.json()["errors"]) == ["non_field_errors"]


@pytest.mark.parametrize("depth", [40, 400, 900, 2000, 100_000])
def test_deeply_nested_json(barista: Rest, depth: int) -> None:
    for nested in ("[" * depth + "]" * depth, '{"items":' * depth + "1" + "}" * depth):
        for headers in ({}, {"HTTP_IDEMPOTENCY_KEY": f"deep-{depth}-{nested[0]}"}):
            answer = barista.client.post("/api/v1/orders/", nested, content_type="application/json", **headers)
            assert (answer.status_code, answer.json()["type"]) == (400, "invalid"), answer.content[:200]


def test_a_comment_of_a_million_characters(barista: Rest, bar: Shop, latte: Product, keep: Callable[[], None]) -> None:
    answer = refused(barista, {**order_of(latte), "comment": "ё" * 1_000_000}, "comment")
    assert len(json.dumps(answer)) < 1000
    order = bar.sell(latte, options=[Option.objects.get(name="Small")])
    keep()
    long = {"comment": "a" * 1_000_000}
    barista.refused("patch", f"orders/{order.pk}/", long, status=400, kind="invalid", at="comment")
    long = {"reason": "a" * 1_000_000}
    barista.refused("post", f"orders/{order.pk}/cancel/", long, status=400, kind="invalid", at="reason")


def test_a_body_of_six_megabytes(barista: Rest, latte: Product) -> None:
    barista.refused("post", "orders/", {**order_of(latte), "comment": "a" * 6_000_000}, status=413, kind="too_large")


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_characters_that_no_database_holds(
    barista: Rest, bar: Shop, latte: Product, text: str, keep: Callable[[], None]
) -> None:
    def sent(method: str, path: str, body: Any) -> Any:
        content = json.dumps(body)
        answer = getattr(barista.client, method)(f"/api/v1/{path}", content, content_type="application/json")
        return answer.status_code, list(answer.json().get("errors", {}))

    assert sent("post", "orders/", {**order_of(latte), "comment": text}) == (400, ["comment"])
    assert sent("post", "orders/", {**order_of(latte), "channel": text}) == (400, ["channel"])
    assert sent("post", "orders/", {**order_of(latte), text: 1})[0] == 400
    order = bar.sell(latte, options=[Option.objects.get(name="Small")])
    keep()
    assert sent("patch", f"orders/{order.pk}/", {"comment": text}) == (400, ["comment"])
    assert sent("post", f"orders/{order.pk}/cancel/", {"reason": text}) == (400, ["reason"])
    if text.isprintable():
        return
    barista.refused("get", "orders/?search=a%00b", status=400, kind="invalid", at="search")


def test_five_thousand_lines(barista: Rest, latte: Product) -> None:
    answer = refused(barista, {"items": order_of(latte)["items"] * 5000}, "items")
    assert answer["detail"] == "An order takes up to 200 lines. Split it."


def test_no_lines_at_all(barista: Rest) -> None:
    refused(barista, {"items": []}, "items")
    refused(barista, {}, "items")
    refused(barista, {"items": None}, "items")
    refused(barista, {"items": {"product": 1}}, "items")
    refused(barista, {"items": [7]}, "items[0]")


def test_a_closed_location(barista: Rest, latte: Product) -> None:
    closed = Location.objects.create(name="Old Street", is_active=False)
    answer = barista.refused(
        "post", "orders/", {**order_of(latte), "location": closed.pk}, status=409, kind="closed_location"
    )
    assert "Old Street" in answer["detail"]


def test_an_unknown_location_customer_and_employee(barista: Rest, latte: Product) -> None:
    refused(barista, {**order_of(latte), "location": 999_999}, "location")
    refused(barista, {**order_of(latte), "customer": 999_999, "employee": 999_999}, ["customer", "employee"])
    refused(barista, {**order_of(latte), "customer": "1", "employee": True}, ["customer", "employee"])


def test_a_delisted_drink(barista: Rest, latte: Product) -> None:
    Product.objects.update(is_listed=False)
    answer = barista.refused("post", "orders/", order_of(latte), status=409, kind="unavailable")
    assert answer["products"] == [{"id": latte.pk, "name": "Latte"}]


def test_an_option_that_is_switched_off(barista: Rest, latte: Product) -> None:
    Option.objects.filter(name="Small").update(is_available=False)
    answer = barista.refused("post", "orders/", order_of(latte), status=409, kind="unavailable")
    assert [option["name"] for option in answer["options"]] == ["Small"]


def test_ids_of_thirty_digits(barista: Rest, bar: Shop, latte: Product, keep: Callable[[], None]) -> None:
    order = bar.sell(latte, options=[Option.objects.get(name="Small")])
    keep()
    refused(barista, order_of(latte, product=LONG_ID), "items[0].product")
    refused(barista, order_of(latte, options=[LONG_ID]), "items[0].options[0]")
    refused(barista, {**order_of(latte), "location": LONG_ID}, "location")
    refused(barista, {**order_of(latte), "customer": LONG_ID}, "customer")
    for pk in (LONG_ID, 2**63, "9" * 5000):
        for method, path in (
            ("get", f"orders/{pk}/"),
            ("patch", f"orders/{pk}/"),
            ("post", f"orders/{pk}/complete/"),
            ("post", f"orders/{pk}/cancel/"),
            ("get", f"orders/{pk}/events/"),
            ("get", f"products/{pk}/"),
        ):
            barista.refused(method, path, {} if method != "get" else None, status=404, kind="not_found")
        cancel = f"orders/{order.pk}/items/{pk}/cancel/"
        barista.refused("post", cancel, {"quantity": 1}, status=404, kind="not_found")
        for name in ("location", "customer", "employee", "cursor"):
            barista.refused("get", f"orders/?{name}={pk}", status=400, kind="invalid", at=name)
    barista.refused("post", "orders/batch/complete/", {"ids": [LONG_ID]}, status=400, kind="invalid", at="ids[0]")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "eaten"),
        ("active", "maybe"),
        ("channel", "pigeon"),
        ("location", "here"),
        ("customer", "-1"),
        ("employee", "0"),
        ("placed_after", "yesterday"),
        ("placed_before", "2026-13-01"),
        ("page_size", "0"),
        ("page_size", "201"),
        ("page_size", "x"),
        ("cursor", "garbage"),
        ("quantiy", "1"),
    ],
)
def test_a_filter_that_makes_no_sense(barista: Rest, name: str, value: str) -> None:
    barista.refused("get", f"orders/?{name}={value}", status=400, kind="invalid", at=name)


def test_a_cursor_of_another_list(barista: Rest, bar: Shop, latte: Product, keep: Callable[[], None]) -> None:
    for _ in range(2):
        bar.sell(latte, options=[Option.objects.get(name="Small")])
    keep()
    cursor = barista.get("orders/?page_size=1")["next"].split("cursor=")[1].split("&")[0]
    assert barista.get(f"orders/?page_size=1&cursor={cursor}")["results"]
    for path in (f"orders/?status=pending&cursor={cursor}", f"stock-movements/?cursor={cursor}"):
        barista.refused("get", path, status=400, kind="invalid", at="cursor")


def test_an_edit_is_checked_like_an_order(barista: Rest, bar: Shop, latte: Product, keep: Callable[[], None]) -> None:
    order = bar.sell(latte, options=[Option.objects.get(name="Small")])
    keep()
    for body, at in (
        (order_of(latte, quantity="2"), "items[0].quantity"),
        (order_of(latte, product=999_999), "items[0].product"),
        (order_of(latte, options=[]), "items[0].options"),
        ({"items": [{"quantity": 1}]}, "items[0].product"),
        ({"items": [{"product": latte.pk}]}, "items[0].quantity"),
        ({"items": []}, "items"),
        ({"items": None}, "items"),
        ({"location": 1}, "location"),
        ({"customer": 1}, "customer"),
        ({"status": "completed"}, "status"),
    ):
        barista.refused("patch", f"orders/{order.pk}/", body, status=400, kind="invalid", at=at)
    body = order_of(latte, quantity=100)
    barista.refused("patch", f"orders/{order.pk}/", body, status=409, kind="insufficient_stock")


def test_a_cancellation_is_checked(barista: Rest, bar: Shop, latte: Product, keep: Callable[[], None]) -> None:
    order = bar.sell(latte, 2, options=[Option.objects.get(name="Small")])
    keep()
    item = f"orders/{order.pk}/items/{order.items.get().pk}/cancel/"
    for path, body, at in (
        (item, {}, "quantity"),
        (item, {"quantity": 0}, "quantity"),
        (item, {"quantity": 3}, "quantity"),
        (item, {"quantity": "1"}, "quantity"),
        (item, {"quantity": 1, "restok": False}, "restok"),
        (item, {"quantity": 1, "restock": "perhaps"}, "restock"),
        (f"orders/{order.pk}/cancel/", {"restock": "perhaps"}, "restock"),
        (f"orders/{order.pk}/cancel/", {"reason": 5 * ["x"]}, "reason"),
        (f"orders/{order.pk}/cancel/", {"quantity": 1}, "quantity"),
        (f"orders/{order.pk}/prepare/", {"status": "ready"}, "status"),
        (f"orders/{order.pk}/complete/", {"force": True}, "force"),
    ):
        barista.refused("post", path, body, status=400, kind="invalid", at=at)
    for body in ([], 7):
        barista.refused("post", item, body, status=400, kind="invalid", at="non_field_errors")


@pytest.mark.parametrize("key", ["", "k" * 201, "ключ"])
def test_a_malformed_idempotency_key(barista: Rest, latte: Product, key: str) -> None:
    answer = barista.client.post("/api/v1/orders/", order_of(latte), format="json", headers={"Idempotency-Key": key})
    assert answer.status_code == 400, answer.content
    assert list(answer.json()["errors"]) == ["Idempotency-Key"]
