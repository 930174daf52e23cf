"""Finding products by what people type."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory.models import Category, KnownWord, Product, ProductWords
from inventory.search import edit_distance, find_on_menu, search_products, terms_of
from tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def bar() -> Shop:
    """A menu of five: two of tea, two of coffee, one that is off the menu."""
    shop = Shop.open()
    shop.category = Category.objects.create(name="Milk tea")
    add(shop, "Matcha latte", "Stone-ground green tea, whisked with milk")
    add(shop, "Jasmine bubble tea", "With tapioca pearls")
    shop.category = Category.objects.create(name="Кофе")
    add(shop, "Капучино", "Двойной эспрессо и молочная пена")
    add(shop, "Зелёный латте", "Без кофе, зато с мятой")
    add(shop, "Cappuccino of yesterday", "", is_listed=False)
    return shop


def add(shop: Shop, name: str, description: str = "", **fields: bool) -> Product:
    product = shop.product(name, **fields)
    Product.objects.filter(pk=product.pk).update(description=description)
    return product


def found(text: str) -> list[str]:
    """The names of what the menu finds, the best first."""
    names = dict(Product.objects.values_list("pk", "name"))
    return [names[pk] for pk in find_on_menu(text).product_ids]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("matcha", ["Matcha latte"]),
        ("MATCHA Latte", ["Matcha latte"]),
        ("jasm", ["Jasmine bubble tea"]),
        ("teas", ["Jasmine bubble tea", "Matcha latte"]),
        ("pearl", ["Jasmine bubble tea"]),
        ("whisking", ["Matcha latte"]),
        ("milk jasmine", ["Jasmine bubble tea"]),
        ("кАпУчИнО", ["Капучино"]),
        ("молочной пены", ["Капучино"]),
        ("зеленый", ["Зелёный латте"]),
        ("зелёный", ["Зелёный латте"]),
        ("зеленого", ["Зелёный латте"]),
        ("мятный matcha", []),
        ("Stone-ground", ["Matcha latte"]),
    ],
)
def test_words_are_found_as_they_stand_as_stems_and_as_beginnings(bar: Shop, text: str, names: list[str]) -> None:
    assert found(text) == names


@pytest.mark.parametrize(
    ("text", "names", "instead"),
    [
        ("mathca", ["Matcha latte"], "matcha"),
        ("macha late", ["Matcha latte"], "matcha latte"),
        ("jazmine", ["Jasmine bubble tea"], "jasmine"),
        ("taipoca", ["Jasmine bubble tea"], "tapioca"),
        ("copuchino", [], ""),
        ("капучинно", ["Капучино"], ""),
        ("копучино", ["Капучино"], "капучино"),
        ("капуч", ["Капучино"], ""),
        ("капучч", ["Капучино"], "капучино"),
        ("jasmine tae", ["Jasmine bubble tea"], "jasmine tea"),
        ("xyzzyq", [], ""),
    ],
)
def test_typing_mistakes_are_forgiven_and_told(bar: Shop, text: str, names: list[str], instead: str) -> None:
    result = find_on_menu(text)
    assert found(text) == names
    assert result.instead == instead


def test_the_name_comes_before_the_category_and_that_before_the_description() -> None:
    shop = Shop.open()
    add(shop, "Described", "with mint")
    shop.category = Category.objects.create(name="Mint drinks")
    add(shop, "Shelved")
    shop.category = Category.objects.create(name="Other")
    add(shop, "A long name with mint")
    add(shop, "Mint")
    assert found("mint") == ["Mint", "A long name with mint", "Shelved", "Described"]


def test_only_what_is_listed_is_found_on_the_menu_and_all_by_staff(bar: Shop) -> None:
    assert found("cappuccino") == []
    assert [product.name for product in search_products("cappuccino")] == ["Cappuccino of yesterday"]


@pytest.mark.parametrize(
    "text",
    [
        "'; DROP TABLE inventory_product; --",
        "x" * 10_000,
        "matcha " * 1_500,
        "🧋",
        "🧋🍵 👍🏽",
        "&|!():*",
        "matcha & | ! ( ) :* <->",
        "''''",
        '"""',
        "\\",
        "\0",
        "mat\0cha",
        "%",
        "_",
        "12345678901234567890",
        "\u202e\u200b",
        "İstanbul ß ﬁ",
    ],
)
def test_no_text_breaks_the_search(bar: Shop, text: str) -> None:
    assert set(found(text)) <= {"Matcha latte"}
    assert search_products(text).count() <= 1
    assert Product.objects.count() == 5


def test_operators_are_signs_between_words(bar: Shop) -> None:
    assert found("matcha & (latte | !x) :*") == []
    assert found("(matcha) & 'latte':*") == ["Matcha latte"]


def test_spaces_alone_leave_all_products_and_a_text_without_a_word_none(bar: Shop) -> None:
    assert search_products(" \t\n").count() == 5
    assert search_products("🧋").count() == 0
    assert found("   ") == []


def test_a_long_text_asks_for_its_first_words_only() -> None:
    assert [term.word for term in terms_of("a b c d e f g h i j k")] == list("abcdefgh")
    assert [len(term.word) for term in terms_of("x" * 10_000)] == [40]


def test_the_words_follow_every_way_to_write_a_product(bar: Shop) -> None:
    matcha = Product.objects.get(name="Matcha latte")
    Product.objects.filter(pk=matcha.pk).update(name="Hojicha latte")
    assert (found("matcha"), found("hojicha")) == ([], ["Hojicha latte"])
    matcha.refresh_from_db()
    matcha.description = "Roasted"
    matcha.save()
    assert found("roasted") == ["Hojicha latte"]
    Product.objects.bulk_create(
        [Product(category=matcha.category, name=name, price=1) for name in ("Sencha", "Genmai")]
    )
    assert found("sencha") == ["Sencha"]
    matcha.category = Category.objects.create(name="Specials")
    matcha.save(update_fields=["category"])
    assert found("specials") == ["Hojicha latte"]
    Product.objects.all().delete()
    assert ProductWords.objects.count() == 0


def test_a_renamed_category_is_found_by_its_new_name(bar: Shop) -> None:
    Category.objects.filter(name="Milk tea").update(name="Infusions")
    assert found("infusion") == ["Matcha latte", "Jasmine bubble tea"]
    # "milk" stands in a description too.
    assert found("milk") == ["Matcha latte"]


def test_a_change_that_no_word_hangs_on_writes_no_words(bar: Shop) -> None:
    def written() -> list[tuple[int, int]]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT product_id, ctid::text FROM inventory_productwords ORDER BY product_id")
            return cursor.fetchall()

    before = written()
    product = Product.objects.get(name="Matcha latte")
    product.price = 99
    product.save()
    assert written() == before


def test_a_mistyped_name_that_was_corrected_is_no_dead_end(bar: Shop) -> None:
    product = bar.product("Expresso")
    Product.objects.filter(pk=product.pk).update(name="Espresso")
    assert KnownWord.objects.filter(word="expresso").exists()
    assert found("expresso") == ["Espresso"]


def test_a_whole_sku_or_barcode_finds_its_product(bar: Shop) -> None:
    matcha = Product.objects.get(name="Matcha latte")
    Product.objects.filter(pk=matcha.pk).update(sku="LATTE-07m", barcode="4601234567890")
    assert list(search_products("latte-07M ")) == list(search_products("4601234567890")) == [matcha]
    assert not search_products("460123456789").exists()


def test_a_search_takes_as_many_queries_for_one_product_as_for_many(bar: Shop) -> None:
    def queries(text: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            find_on_menu(text)
        return len(captured)

    few = [queries(text) for text in ("matcha", "mathca", "mathca latte")]
    Product.objects.bulk_create(
        [Product(category=bar.category, name=f"Matcha latte {number}", price=1) for number in range(200)]
    )
    assert [queries(text) for text in ("matcha", "mathca", "mathca latte")] <= few
    assert few == [2, 5, 6]


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [("latte", "latte", 0), ("late", "latte", 1), ("ltate", "latte", 1), ("", "tea", 3), ("кофе", "кафе", 1)],
)
def test_neighbours_that_changed_places_are_one_mistake(one: str, other: str, distance: int) -> None:
    assert edit_distance(one, other) == distance
