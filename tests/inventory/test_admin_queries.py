"""The admin's lists take the same number of queries whatever is in them."""

import pytest

from inventory.models import Category, Product, StockDocument, StockMovement
from tests.inventory.admin_pages import page, queries_of, signed_in
from tests.shop import Shop

pytestmark = pytest.mark.django_db

LISTS = (
    "category_changelist",
    "product_changelist",
    "optiongroup_changelist",
    "ingredient_changelist",
    "stocklevel_changelist",
    "stocklevel_low",
    "stockmovement_changelist",
    "stockdocument_changelist",
    "location_changelist",
)


def fill(shops: list[Shop], first: int, last: int) -> None:
    """Things numbered from `first` to `last`, each with all that hangs on it."""
    for number in range(first, last):
        milk = shops[0].ingredient(f"Milk {number}", "ml")
        group = shops[0].group(f"Group {number}")
        shops[0].adds(shops[0].option(group, "More"), milk, 5)
        latte = shops[0].product(f"Latte {number}", "70", {milk: 5}, groups=[group])
        Product.objects.filter(pk=latte.pk).update(category=Category.objects.create(name=f"Shelf {number}"))
        for shop in shops:
            shop.ingredient(f"Milk {number}", "ml", stock=100, minimum=500 if number % 2 else 10)
        if number % 2 == 0:
            shops[0].sell(latte)


@pytest.mark.parametrize("role", ["barista", "manager"])
def test_lists_take_as_many_queries_for_thirty_as_for_three(role: str) -> None:
    shops = [Shop.open("Main Street"), Shop.open("Riverside")]
    client = signed_in(role)
    fill(shops, 0, 3)
    few = {name: queries_of(client, page(name)) for name in LISTS}
    fill(shops, 3, 30)
    many = {name: queries_of(client, page(name)) for name in LISTS}

    assert many == few
    assert max(few.values()) <= 20, few


def test_the_list_of_locations_takes_as_many_queries_for_thirty_as_for_three() -> None:
    client = signed_in("manager")
    counts = []
    for number in (3, 30):
        for place in range(number):
            shop = Shop.open(f"Shop {number} {place}")
            shop.ingredient("Milk", "ml", stock=1, minimum=5)
        counts.append(queries_of(client, page("location_changelist")))
    assert counts[0] == counts[1]


def test_the_page_of_a_product_takes_as_many_queries_for_thirty_lines_as_for_three() -> None:
    shop = Shop.open()
    client = signed_in("manager")
    counts = []
    for lines in (3, 30):
        milks = [shop.ingredient(f"Milk {place}", "ml", stock=5) for place in range(lines)]
        groups = []
        for place in range(lines):
            group = shop.group(f"Group {lines} {place}")
            shop.adds(shop.option(group, "More"), milks[0], 5)
            groups.append(group)
        latte = shop.product(f"Latte {lines}", "70", dict.fromkeys(milks, 5), groups=groups)
        counts.append(queries_of(client, page("product_change", latte.pk)))
    assert counts[0] == counts[1]
    assert counts[0] <= 35, counts


def test_the_page_of_an_option_group_takes_as_many_queries_for_thirty_options_as_for_three() -> None:
    shop = Shop.open()
    milk = shop.ingredient("Milk", "ml")
    client = signed_in("manager")
    counts = []
    for number in (3, 30):
        group = shop.group(f"Group {number}", most=99)
        for place in range(number):
            option = shop.option(group, f"Option {place}")
            shop.adds(option, milk, 5)
            shop.scales(option, 2)
        counts.append(queries_of(client, page("optiongroup_change", group.pk)))
        effects = shop.option(group, "All")
        for _ in range(number):
            shop.adds(effects, milk, 5)
        counts.append(queries_of(client, page("option_change", effects.pk)))
    assert counts[0] == counts[2]
    assert counts[1] == counts[3]


def test_the_page_of_an_ingredient_takes_as_many_queries_for_thirty_movements_as_for_three() -> None:
    shop = Shop.open()
    milk = shop.ingredient("Milk", "ml")
    latte = shop.product("Latte", "70", {milk: 1})
    client = signed_in("manager")
    counts = []
    for number in (2, 28):
        for _ in range(number):
            shop.receive({milk: 1})
        shop.sell(latte)
        counts.append(queries_of(client, page("ingredient_change", milk.pk)))
    assert StockMovement.objects.count() == 32
    assert counts[0] == counts[1]


def test_the_page_of_a_document_takes_as_many_queries_for_thirty_lines_as_for_three() -> None:
    shop = Shop.open()
    client = signed_in("barista")
    counts = []
    for number in (3, 30):
        shop.receive({shop.ingredient(f"Milk {place}", "ml"): 5 for place in range(number)})
        counts.append(queries_of(client, page("stockdocument_change", StockDocument.objects.latest("pk").pk)))
    assert counts[0] == counts[1]
