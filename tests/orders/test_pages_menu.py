"""The menu's page and a product's: what everybody sees, with JavaScript and without."""

import pytest

from inventory.models import Category, Option, Product
from orders.pages.art import COLOURS, art_of
from orders.pages.shelves import MOST_CARDS
from tests.orders.menu_pages import by_htmx, queries_of, said, visitor
from tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def bar() -> Shop:
    shop = Shop.open()
    milk = shop.ingredient("Milk", "ml", stock=1000)
    size, toppings = shop.group("Size", least=1), shop.group("Toppings", most=2, free=1)
    shop.option(size, "M", is_default=True)
    shop.option(size, "L", "15")
    shop.adds(shop.option(toppings, "Pearls", "10"), shop.ingredient("Pearls", stock=1000), 40)
    shop.adds(shop.option(toppings, "Jelly", "12"), shop.ingredient("Jelly", stock=0), 40)
    shop.product("Latte", "70.00", {milk: 200}, groups=[size, toppings])
    shop.product("Water", "20.00")
    return shop


def latte() -> Product:
    return Product.objects.get(name="Latte")


def option(name: str) -> int:
    return Option.objects.get(name=name).pk


def field(name: str) -> str:
    return f"group-{Option.objects.get(name=name).group_id}"


class TestMenu:
    def test_everybody_sees_what_is_listed_by_category_with_prices(self, bar: Shop) -> None:
        bar.product("Secret", is_listed=False)
        Category.objects.create(name="Empty shelf")
        page = visitor().get("/")
        assert page.status_code == 200
        assert [heading in said(page) for heading in (">Tea</h2>", "Latte", "฿70", "Secret", "Empty shelf")] == [
            True,
            True,
            True,
            False,
            False,
        ]

    def test_a_shop_without_products_says_so_kindly(self, db: None) -> None:
        assert "The menu is being written" in said(visitor().get("/"))

    def test_a_shop_that_is_closed_everywhere_shows_its_menu(self, bar: Shop) -> None:
        bar.location.is_active = False
        bar.location.save()
        page = said(visitor().get("/"))
        assert "takes no orders now" in page
        assert "Latte" in page

    def test_one_location_is_not_shown_and_several_are_a_choice_that_is_kept(self, bar: Shop) -> None:
        client = visitor()
        assert "Main Street" not in said(client.get("/"))
        second = Shop.open("Harbour")
        assert "Sold out" not in said(client.get("/"))
        answer = client.post("/place/", {"place": second.location.pk, "next": "/?q=latte"})
        assert (answer.status_code, answer["Location"]) == (302, "/?q=latte")
        page = said(client.get("/"))
        assert page.count("Sold out") == 1
        assert f'<option value="{second.location.pk}" selected>Harbour' in page

    @pytest.mark.parametrize("asked", ["", "0", "-1", "99999999", "9" * 40, "x", "١"])
    def test_a_location_that_is_none_is_no_choice(self, bar: Shop, asked: str) -> None:
        client = visitor()
        assert client.post("/place/", {"place": asked, "next": "https://evil.example/"})["Location"] == "/"
        assert "place" not in client.session

    def test_what_lacks_an_ingredient_is_sold_out_and_still_shown(self, bar: Shop) -> None:
        bar.ingredient("Milk", minimum=5000)
        page = said(visitor().get("/"))
        assert page.count("Sold out") == 1

    def test_a_search_shows_what_it_finds_and_what_it_took_a_mistake_for(self, bar: Shop) -> None:
        page = said(visitor().get("/", {"q": "lattte"}))
        assert "Nothing has “lattte”. This is what “latte” finds:" in page
        assert "Latte" in page
        assert "Water" not in page
        assert "Nothing on the menu has “zzzzzz”" in said(visitor().get("/", {"q": "zzzzzz"}))

    @pytest.mark.parametrize(
        "text", ["'; DROP TABLE", "x" * 10_000, "🧋", "\0", "&|!():*", "<script>alert(1)</script>"]
    )
    def test_no_search_breaks_the_page_or_gets_into_it(self, bar: Shop, text: str) -> None:
        page = visitor().get("/", {"q": text})
        assert page.status_code == 200
        assert "<script>alert" not in said(page)

    def test_htmx_gets_the_products_alone_and_a_browser_the_page(self, bar: Shop) -> None:
        part = visitor().get("/", {"q": "latte"}, headers=by_htmx("shelves"))
        assert said(part).startswith('<div id="shelves">')
        assert "<html" not in said(part)
        assert {"HX-Request", "Cookie", "Accept-Language"} <= set(part["Vary"].split(", "))
        assert "private" in part["Cache-Control"]
        again = visitor().get("/", headers={**by_htmx("shelves"), "HX-History-Restore-Request": "true"})
        assert "<html" in said(again)

    def test_a_long_menu_goes_on_where_it_stopped(self, bar: Shop) -> None:
        sweets = Category.objects.create(name="Cakes", position=9)
        Product.objects.bulk_create(
            [Product(category=sweets, name=f"Cake {number:03}", price=5) for number in range(MOST_CARDS)]
        )
        client = visitor()
        first = said(client.get("/"))
        assert first.count('class="product"') == MOST_CARDS
        last = Product.objects.get(name=f"Cake {MOST_CARDS - 3:03}")
        assert f"?after={last.pk}" in first
        rest = said(client.get("/", {"after": last.pk}, headers=by_htmx("more")))
        assert [f"Cake {number}" in rest for number in range(MOST_CARDS - 3, MOST_CARDS)] == [False, True, True]
        assert "Latte" not in said(client.get("/", {"category": sweets.pk}))

    @pytest.mark.parametrize(
        "asked", ["category=x", "category=99", "after=x", "after=99999999", "category=" + "9" * 30]
    )
    def test_an_address_that_makes_no_sense_is_a_menu_all_the_same(self, bar: Shop, asked: str) -> None:
        assert visitor().get(f"/?{asked}").status_code == 200

    def test_takes_as_many_queries_for_two_products_as_for_a_hundred(self, bar: Shop) -> None:
        client = visitor()
        few = [queries_of(client, path) for path in ("/", "/?q=latte", f"/?category={bar.category.pk}")]
        milk = bar.ingredient("Milk")
        for number in range(40):
            bar.category = Category.objects.create(name=f"Shelf {number}")
            bar.product(f"Latte {number}", "60", {milk: 5}, groups=[latte().option_groups.first()])
        assert [queries_of(client, path) for path in ("/", "/?q=latte", f"/?category={bar.category.pk}")] == few
        assert few == [3, 5, 3]


class TestProduct:
    def test_shows_its_questions_with_the_defaults_chosen(self, bar: Shop) -> None:
        page = said(visitor().get(f"/menu/{latte().pk}/"))
        assert f'value="{option("M")}" checked' in page
        assert f'value="{option("L")}" required' in page
        assert f'value="{option("Jelly")}" disabled' in page
        assert "up to 2, 1 is free" in page
        assert "<strong>฿70</strong>" in page

    @pytest.mark.parametrize("pk", [0, 99999999, 10**30])
    def test_what_is_not_there_is_404(self, bar: Shop, pk: int) -> None:
        assert visitor().get(f"/menu/{pk}/").status_code == 404
        assert visitor().get(f"/menu/{pk}/price/").status_code == 404

    def test_what_is_off_the_menu_is_404_for_everybody(self, bar: Shop) -> None:
        hidden = bar.product("Hidden", is_listed=False)
        assert visitor().get(f"/menu/{hidden.pk}/").status_code == 404
        assert visitor().post(f"/menu/{hidden.pk}/", {"quantity": 1}).status_code == 404

    def test_the_price_follows_the_choice_and_the_quantity(self, bar: Shop) -> None:
        asked = {field("L"): option("L"), field("Pearls"): option("Pearls"), "quantity": 3}
        page = said(visitor().get(f"/menu/{latte().pk}/price/", asked))
        # The cheapest topping is free.
        assert "<strong>฿255</strong>" in page
        assert "3 × ฿85" in page

    def test_without_javascript_the_form_shows_the_price_and_keeps_the_choice(self, bar: Shop) -> None:
        client = visitor()
        asked = {field("L"): option("L"), "quantity": 2, "do": "price"}
        page = said(client.post(f"/menu/{latte().pk}/", asked))
        assert "<strong>฿170</strong>" in page
        assert f'value="{option("L")}" checked' in page
        assert "cart" not in client.session

    def test_what_is_chosen_goes_into_the_cart(self, bar: Shop) -> None:
        client = visitor()
        answer = client.post(f"/menu/{latte().pk}/", {field("L"): option("L"), "quantity": 2})
        assert answer["Location"] == f"/#category-{bar.category.pk}"
        assert client.session["cart"] == [[latte().pk, 2, [option("L")]]]
        assert "Latte is in your cart." in said(client.get("/"))

    def test_htmx_closes_the_sheet_and_counts_the_cart(self, bar: Shop) -> None:
        asked = {field("L"): option("L"), "quantity": 2}
        answer = visitor().post(f"/menu/{latte().pk}/", asked, headers=by_htmx("sheet-content"))
        assert answer["HX-Trigger"] == "put-into-cart"
        assert 'id="cart-count" class="count" hx-swap-oob="true">2<' in said(answer)
        assert "Latte is in your cart." in said(answer)

    @pytest.mark.parametrize(
        ("asked", "sentence"),
        [
            ({"quantity": "1"}, "Size: choose at least 1, not 0."),
            ({"size": "M", "quantity": "0"}, "The quantity must be a whole number from 1 to 1000."),
            ({"size": "M", "quantity": "1001"}, "The quantity must be a whole number from 1 to 1000."),
            ({"size": "M", "quantity": "1.5"}, "The quantity must be a whole number from 1 to 1000."),
            ({"size": "M", "quantity": "many"}, "The quantity must be a whole number from 1 to 1000."),
            ({"size": "M", "jelly": True}, "Sold out: Jelly. Choose something else."),
            ({"size": "999999"}, "Latte has no option 999999."),
            ({"size": "x"}, "One of the options is not offered any more."),
        ],
    )
    def test_a_wrong_choice_is_told_and_puts_nothing_into_the_cart(self, bar: Shop, asked: dict, sentence: str) -> None:
        client = visitor()
        form = {"quantity": asked.get("quantity", "1")}
        if "size" in asked:
            form[field("M")] = option("M") if asked["size"] == "M" else asked["size"]
        if "jelly" in asked:
            form[field("Jelly")] = option("Jelly")
        answer = client.post(f"/menu/{latte().pk}/", form)
        assert answer.status_code == 400
        assert sentence in said(answer)
        assert "cart" not in client.session

    def test_what_is_sold_out_is_not_put_into_the_cart(self, bar: Shop) -> None:
        bar.ingredient("Milk", minimum=5000)
        client = visitor()
        answer = client.post(f"/menu/{latte().pk}/", {field("M"): option("M"), "quantity": 1})
        assert "Latte is sold out now." in said(answer)
        assert "cart" not in client.session

    def test_takes_as_many_queries_for_two_options_as_for_forty(self, bar: Shop) -> None:
        path = f"/menu/{latte().pk}/"
        few = queries_of(visitor(), path)
        toppings = Option.objects.get(name="Pearls").group
        for number in range(40):
            bar.adds(bar.option(toppings, f"Topping {number}", 5), bar.ingredient(f"Thing {number}", stock=100), 5)
        assert queries_of(visitor(), path) == few == 6


class TestPictures:
    def test_a_product_with_a_picture_shows_it_with_its_size(self, bar: Shop) -> None:
        Product.objects.filter(name="Water").update(image="products/water.jpg")
        assert '<img src="/media/products/water.jpg" alt="" width="400" height="400"' in said(visitor().get("/"))

    @pytest.mark.parametrize(
        ("name", "category", "colour", "layers"),
        [
            ("Matcha Latte", "Tea Latte", "matcha", ("cup", "milk", "ice", "leaf", "glass")),
            ("Golden Bubble Milk Tea", "Chewy Tea", "milk", ("cup", "milk", "pearls", "glass")),
            ("Plum Green Tea", "Flavored Tea", "plum", ("cup", "ice", "leaf", "glass")),
            ("Капучино", "Кофе", "coffee", ("mug",)),
            ("Шоколадный торт", "Десерты", "cocoa", ("plate",)),
        ],
    )
    def test_without_one_a_drink_is_drawn_by_what_it_is_called(self, name, category, colour, layers) -> None:
        art = art_of(name, category)
        assert art.colour == colour
        assert art.layers == tuple(layer for layer in layers if layer != "ice" or "milk" not in layers)

    def test_a_name_that_says_nothing_gets_its_categorys_colour(self) -> None:
        assert art_of("Xyz", "Qwerty") == art_of("Abc", "Qwerty")
        assert art_of("🧋", "🧋").colour in dict(COLOURS)
