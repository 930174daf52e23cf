"""The cart: kept in the session, priced anew each time it is looked at."""

import pytest

from inventory.models import Option, Product
from orders.pages.session_cart import CART, Cart, CartIsFull, read_line
from tests.orders.menu_pages import by_htmx, guest, queries_of, said, visitor
from tests.shop import Shop, user_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def bar() -> Shop:
    shop = Shop.open()
    milk = shop.ingredient("Milk", "ml", stock=1000)
    toppings = shop.group("Toppings", most=2)
    shop.adds(shop.option(toppings, "Pearls", "10"), shop.ingredient("Pearls", stock=1000), 40)
    shop.product("Latte", "70.00", {milk: 200}, groups=[toppings])
    shop.product("Water", "20.00")
    return shop


def pk(name: str) -> int:
    return Product.objects.get(name=name).pk


def pearls() -> int:
    return Option.objects.get(name="Pearls").pk


def fill(client, *lines: list) -> None:
    """Puts lines into somebody's cart: [product, quantity, [options]]."""
    session = client.session
    session[CART] = list(lines)
    session.save()


class TestLines:
    def test_the_same_drink_with_the_same_options_is_one_line(self) -> None:
        session: dict = {}
        Cart(session).add(product_id=1, quantity=2, option_ids=[7, 3])
        Cart(session).add(product_id=1, quantity=1, option_ids=[3, 7, 3])
        Cart(session).add(product_id=1, quantity=1, option_ids=[3])
        assert session == {CART: [[1, 3, [3, 7]], [1, 1, [3]]]}
        assert Cart(session).count == 4

    def test_a_line_holds_up_to_a_thousand(self) -> None:
        session: dict = {}
        Cart(session).add(product_id=1, quantity=700, option_ids=[])
        assert Cart(session).add(product_id=1, quantity=700, option_ids=[]).quantity == 1000

    def test_a_cart_holds_up_to_two_hundred_lines(self) -> None:
        session: dict = {CART: [[number, 1, []] for number in range(1, 201)]}
        with pytest.raises(CartIsFull, match="up to 200 lines"):
            Cart(session).add(product_id=201, quantity=1, option_ids=[])
        assert Cart(session).add(product_id=200, quantity=1, option_ids=[]).quantity == 2
        assert len(session[CART]) == 200

    @pytest.mark.parametrize(
        "entry", [None, 5, "1", [], [1, 2], [1, 0, []], [1, 1001, []], ["1", 1, []], [1, 1, ["x"]], [1, 1, [1] * 101]]
    )
    def test_what_makes_no_sense_in_a_session_is_left_out(self, entry: object) -> None:
        assert read_line(entry) is None
        assert Cart({CART: [entry, [1, 1, []]]}).count == 1
        assert Cart({CART: entry}).count == 0


class TestPage:
    def test_an_empty_cart_points_to_the_menu(self, bar: Shop) -> None:
        assert "Nothing is in your cart yet." in said(visitor().get("/cart/"))

    def test_shows_lines_with_options_and_prices_of_now(self, bar: Shop) -> None:
        client = visitor()
        fill(client, [pk("Latte"), 2, [pearls()]], [pk("Water"), 1, []])
        page = said(client.get("/cart/"))
        assert all(text in page for text in ("Latte", "Pearls", "฿160", "Water", "฿180"))
        Product.objects.filter(name="Latte").update(price=80)
        page = client.get("/cart/")
        assert "฿200" in said(page)
        assert "no-store" in page["Cache-Control"]

    def test_quantities_are_changed_and_zero_takes_a_line_out(self, bar: Shop) -> None:
        client = visitor()
        fill(client, [pk("Latte"), 2, []], [pk("Water"), 1, []])
        answer = client.post("/cart/", {f"quantity-{pk('Latte')}": "5", f"quantity-{pk('Water')}": "0"})
        assert answer.status_code == 200
        assert client.session[CART] == [[pk("Latte"), 5, []]]

    @pytest.mark.parametrize("number", ["-1", "1001", "x", "1.5", "", "9" * 400])
    def test_a_quantity_that_is_none_is_told_and_changes_nothing(self, bar: Shop, number: str) -> None:
        client = visitor()
        fill(client, [pk("Water"), 2, []])
        page = said(client.post("/cart/", {f"quantity-{pk('Water')}": number}))
        assert "The quantity must be a whole number from 1 to 1000." in page
        assert client.session[CART] == [[pk("Water"), 2, []]]

    def test_a_line_that_another_tab_took_out_is_told(self, bar: Shop) -> None:
        client = visitor()
        fill(client, [pk("Water"), 2, []])
        assert "not in your cart any more" in said(client.post("/cart/", {"quantity-999": "1"}))
        assert client.session[CART] == [[pk("Water"), 2, []]]

    def test_one_tap_takes_a_line_out_and_htmx_gets_the_number_too(self, bar: Shop) -> None:
        client = visitor()
        fill(client, [pk("Latte"), 2, []], [pk("Water"), 1, []])
        part = said(client.post("/cart/", {"remove": str(pk("Latte"))}, headers=by_htmx("cart-body")))
        assert part.startswith('<div id="cart-body"')
        assert 'id="cart-count" class="count" hx-swap-oob="true">1<' in part
        assert client.session[CART] == [[pk("Water"), 1, []]]

    @pytest.mark.parametrize("fate", ["unlisted", "deleted", "sold out", "option gone", "option off the product"])
    def test_what_can_not_be_ordered_now_is_told_and_taken_out_by_one_tap(self, bar: Shop, fate: str) -> None:
        client = guest()
        fill(client, [pk("Latte"), 1, [pearls()]], [pk("Water"), 1, []])
        latte = Product.objects.get(name="Latte")
        sentence = {
            "unlisted": "This is not on the menu any more.",
            "deleted": "This is not on the menu any more.",
            "sold out": "Sold out now.",
            "option gone": "Sold out: Pearls.",
            "option off the product": "Its options have changed.",
        }[fate]
        if fate == "unlisted":
            Product.objects.filter(pk=latte.pk).update(is_listed=False)
        elif fate == "deleted":
            latte.recipe_lines.all().delete()
            latte.delete()
        elif fate == "sold out":
            bar.ingredient("Milk", minimum=5000)
        elif fate == "option gone":
            Option.objects.filter(pk=pearls()).update(is_available=False)
        else:
            latte.group_links.all().delete()
        page = said(client.get("/cart/"))
        assert sentence in page
        assert "data-once disabled" in page
        page = said(client.post("/cart/", {"remove_gone": "1"}))
        assert client.session[CART] == [[pk("Water"), 1, []]]
        assert "Order for ฿20" in page
        assert "data-once disabled" not in page

    def test_more_than_the_stock_holds_is_told_at_its_line(self, bar: Shop) -> None:
        client = guest()
        fill(client, [pk("Latte"), 6, []])
        page = said(client.get("/cart/"))
        assert "There is not enough left for so many. Take fewer." in page
        assert "data-once disabled" in page

    def test_who_has_not_signed_in_is_led_there_and_back(self, bar: Shop) -> None:
        client = visitor()
        fill(client, [pk("Water"), 1, []])
        assert 'href="/accounts/login/?next=/cart/"' in said(client.get("/cart/"))

    def test_the_cart_outlives_the_sign_in(self, bar: Shop) -> None:
        client = visitor()
        fill(client, [pk("Water"), 3, []])
        before = client.session.session_key
        client.force_login(user_of("customer"))
        assert client.session.session_key != before
        assert client.session[CART] == [[pk("Water"), 3, []]]

    def test_takes_as_many_queries_for_one_line_as_for_fifty(self, bar: Shop) -> None:
        few, many = guest(), guest("other@shop.example")
        fill(few, [pk("Latte"), 1, [pearls()]])
        drinks = [
            bar.product(f"Drink {number}", "60", {bar.ingredient(f"Tea {number}", stock=100): 5})
            for number in range(49)
        ]
        fill(many, [pk("Latte"), 1, [pearls()]], *([drink.pk, 1, []] for drink in drinks))
        assert queries_of(few, "/cart/") == queries_of(many, "/cart/") <= 20
