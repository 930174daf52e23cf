"""What an import makes of a menu file, and that a second one leaves the shop alone."""

import threading
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from inventory import house_recipes as house
from inventory.errors import UnitDiffers
from inventory.house_options import GROUPS
from inventory.menu import load_menu
from inventory.menu_file import MenuRow, read_menu_file
from inventory.models import (
    Category,
    Ingredient,
    Location,
    Option,
    OptionEffect,
    OptionGroup,
    Product,
    ProductOptionGroup,
    RecipeLine,
)
from inventory.recipes import portion
from inventory.selectors import available_products, options_in_stock
from inventory.services.menu_import import PriceChange, import_menu
from orders.pricing import OrderLine
from orders.services.place import place_order
from tests.shop import NOBODY, Shop, assert_levels_are_what_the_ledger_sums_to

DEMO_MENU = Path(__file__).resolve().parents[2] / "demo" / "bubble_tea_menu.csv"
MENU_MODELS = [Category, Product, RecipeLine, Ingredient, OptionGroup, Option, OptionEffect, ProductOptionGroup]


def rows() -> list[MenuRow]:
    return list(read_menu_file(DEMO_MENU).rows)


def row(name: str, price: str = "50.00", category: str = "Milk Tea", **fields) -> MenuRow:
    return MenuRow(
        **{"line": 2, "choose_sweetness": True, "choose_toppings": True, **fields},
        category=category,
        name=name,
        price=Decimal(price),
    )


def dump() -> dict[str, list]:
    """Every row of the menu with its physical place: a row that is written anew moves, even unchanged."""
    tables = {}
    with connection.cursor() as cursor:
        for model in MENU_MODELS:
            cursor.execute(f"SELECT ctid::text, one::text FROM {model._meta.db_table} AS one ORDER BY id")
            tables[model._meta.db_table] = cursor.fetchall()
    return tables


def recipe(name: str) -> dict[str, tuple[Decimal, bool]]:
    lines = RecipeLine.objects.filter(product__name=name).select_related("ingredient")
    return {line.ingredient.name: (line.quantity, line.scales) for line in lines}


def questions(name: str) -> list[str]:
    links = ProductOptionGroup.objects.filter(product__name=name).order_by("position")
    return list(links.values_list("group__name", flat=True))


@pytest.mark.django_db
def test_the_demo_menu_makes_35_drinks_in_7_categories_with_recipes():
    result = import_menu(rows=rows())
    assert len(result.created) == result.total == 35
    assert (result.changed, result.unchanged, result.without_recipe) == ((), (), ())
    assert {model.__name__: model.objects.count() for model in MENU_MODELS} == {
        "Category": 7,
        "Product": 35,
        "RecipeLine": 249,
        "Ingredient": 32,
        "OptionGroup": 5,
        "Option": 17,
        "OptionEffect": 23,
        "ProductOptionGroup": 142,
    }
    assert list(Category.objects.values_list("name", flat=True)) == [
        "Flavored Tea",
        "Chewy Tea",
        "Milk Tea",
        "Tea Latte",
        "Macchiato",
        "Brown Sugar Series",
        "Fresh Milk",
    ]
    assert list(Product.objects.values_list("name", "price")) == [(one.name, one.price) for one in rows()]
    assert not Product.objects.filter(description="").exists()


@pytest.mark.django_db
def test_drinks_are_made_as_the_trade_makes_them():
    import_menu(rows=rows())
    assert recipe("Golden Bubble Milk Tea") == {
        "Black tea, brewed": (200, True),
        "Creamer": (45, True),
        "Golden tapioca pearls": (60, True),
        "Fructose syrup": (25, True),
        "Ice": (130, True),
        "Cup 500 ml": (1, False),
        "Lid": (1, False),
        "Wide straw": (1, False),
    }
    assert recipe("Matcha Macchiato") == {
        "Matcha powder": (6, True),
        "Fresh milk": (190, True),
        "Salted milk foam": (60, True),
        "Fructose syrup": (20, True),
        "Ice": (120, True),
        "Cup 500 ml": (1, False),
        "Sip lid": (1, False),
    }


@pytest.mark.django_db
def test_a_drink_asks_what_the_file_and_its_recipe_say():
    import_menu(rows=rows())
    assert questions("Milk Tea") == ["Size", "Sweetness", "Ice", "Toppings"]
    assert questions("Matcha Latte") == ["Size", "Sweetness", "Ice", "Milk", "Toppings"]
    assert questions("Chocolate Milk") == ["Size", "Ice", "Milk", "Toppings"]
    assert questions("Black Tea Macchiato") == ["Size", "Sweetness", "Ice"]
    assert questions("Grass Jelly Fresh Milk") == ["Size", "Ice", "Milk"]


@pytest.mark.django_db
def test_every_house_drink_of_the_menu_fits_its_cup():
    """Liquids, jelly and ice of a portion, counting 1 g as 1 ml, fill a 500 ml cup without running over."""
    for name, drink in house.DRINKS.items():
        filling = sum(quantity for ingredient, quantity in drink.takes.items() if drink.scales(ingredient))
        assert 380 <= filling <= 500, name
        assert drink.takes["Cup 500 ml"] == 1
        assert ("Wide straw" in drink.takes) == any(
            solid in drink.takes
            for solid in (house.PEARLS, house.GOLDEN_PEARLS, house.GRASS_JELLY, house.COFFEE_JELLY, house.ALOE_VERA)
        )
    assert {name for drink in house.DRINKS.values() for name in drink.takes} | {
        name for group in GROUPS for name in group.ingredients
    } == set(house.UNITS)


@pytest.mark.django_db
def test_a_second_import_changes_nothing():
    out = StringIO()
    call_command("import_menu", str(DEMO_MENU), stdout=out)
    assert out.getvalue() == "35 drinks, 35 new, 0 changed\n"
    before = dump()
    out = StringIO()
    call_command("import_menu", str(DEMO_MENU), stdout=out)
    assert out.getvalue() == "35 drinks, 0 new, 0 changed\n"
    assert dump() == before


@pytest.mark.django_db
def test_a_new_price_is_taken_over_and_nothing_else_moves():
    import_menu(rows=rows())
    before = dump()
    new = [row("MILK TEA", "65.50", category="Elsewhere", choose_toppings=False) if one.name == "Milk Tea" else one
           for one in rows()]  # fmt: skip
    result = import_menu(rows=new)
    assert result.changed == (PriceChange("Milk Tea", Decimal("60.00"), Decimal("65.50")),)
    assert (len(result.created), len(result.unchanged)) == (0, 34)
    milk_tea = Product.objects.get(name="Milk Tea")
    assert milk_tea.price == Decimal("65.50")
    assert milk_tea.category.name == "Milk Tea"
    after = dump()
    changed = set(after["inventory_product"]) - set(before["inventory_product"])
    assert len(changed) == 1
    assert {name: table for name, table in after.items() if name != "inventory_product"} == {
        name: table for name, table in before.items() if name != "inventory_product"
    }


@pytest.mark.django_db
def test_the_command_says_which_prices_it_changed(tmp_path):
    call_command("import_menu", str(DEMO_MENU), stdout=StringIO())
    path = tmp_path / "menu.csv"
    path.write_text(DEMO_MENU.read_text().replace("Milk Tea,Milk Tea,60.00", "Milk Tea,Milk Tea,65"))
    out = StringIO()
    call_command("import_menu", str(path), stdout=out)
    assert out.getvalue() == "Milk Tea: 60.00 → 65.00\n35 drinks, 0 new, 1 changed\n"


@pytest.mark.django_db
def test_what_a_manager_edited_is_kept():
    import_menu(rows=rows())
    drink = Product.objects.get(name="Milk Tea")
    Product.objects.filter(pk=drink.pk).update(
        description="Our own", is_listed=False, category=Category.objects.get(name="Macchiato"), position=99
    )
    RecipeLine.objects.filter(product=drink, ingredient__name="Creamer").update(quantity=70)
    RecipeLine.objects.filter(product=drink, ingredient__name="Ice").delete()
    ProductOptionGroup.objects.filter(product=drink, group__name="Ice").delete()
    OptionGroup.objects.filter(name="Size").update(name="Cup size")
    Option.objects.filter(name="Egg pudding").delete()
    Category.objects.filter(name="Chewy Tea").update(name="Chewy")
    before = dump()
    assert import_menu(rows=rows()).created == ()
    assert dump() == before


@pytest.mark.django_db
def test_a_new_drink_joins_what_is_there():
    import_menu(rows=[row("Milk Tea")])
    group = OptionGroup.objects.get(name="Toppings")
    Option.objects.filter(group=group, name="Aloe vera").delete()
    result = import_menu(rows=[row("Milk Tea"), row("green milk tea", category="MILK TEA"), row("Matcha Latte")])
    assert result.created == ("green milk tea", "Matcha Latte")
    assert list(Category.objects.values_list("name", "products__name").order_by("products__position")) == [
        ("Milk Tea", "Milk Tea"),
        ("Milk Tea", "green milk tea"),
        ("Milk Tea", "Matcha Latte"),
    ]
    assert recipe("green milk tea")["Jasmine green tea, brewed"] == (230, True)
    assert OptionGroup.objects.filter(name="Toppings").count() == 1
    assert not Option.objects.filter(name="Aloe vera").exists()
    assert list(OptionGroup.objects.order_by("position").values_list("name", flat=True)) == [
        "Size",
        "Sweetness",
        "Ice",
        "Toppings",
        "Milk",
    ]


@pytest.mark.django_db
def test_a_drink_that_the_house_does_not_know_comes_without_a_recipe_and_is_named(tmp_path):
    path = tmp_path / "menu.csv"
    header = "category,name,price_from_thb,choose_sweetness,choose_toppings"
    path.write_bytes(f"{header}\nЧаи,Чай с чабрецом,45.00,yes,no\n".encode("cp1251"))
    out = StringIO()
    call_command("import_menu", str(path), stdout=out)
    assert out.getvalue().splitlines() == [
        "The file is not UTF-8 and was read as windows-1251: check the names.",
        "No recipe is known for: Чай с чабрецом. Until you write one, selling it takes nothing from the stock.",
        "1 drink, 1 new, 0 changed",
    ]
    assert recipe("Чай с чабрецом") == {}
    assert questions("Чай с чабрецом") == ["Sweetness"]


@pytest.mark.django_db
def test_an_ingredient_that_is_counted_in_another_unit_stops_the_import():
    Ingredient.objects.create(name="Fresh milk", unit="pc")
    before = dump()
    with pytest.raises(UnitDiffers) as caught:
        import_menu(rows=rows())
    assert caught.value.detail == (
        "“Fresh milk” is counted in pc here, but the recipes of this menu need it in ml. "
        "Give that ingredient another name, then import the menu again."
    )
    assert dump() == before


@pytest.fixture
def stocked(db) -> Shop:
    """The demo menu, with a thousand of everything on the shelf and a minimum of a hundred."""
    import_menu(rows=rows())
    shop = Shop(Location.objects.create(name="Siam Square"), Category.objects.get(name="Milk Tea"))
    for ingredient in Ingredient.objects.all():
        shop.ingredient(ingredient.name, stock=100_000, minimum=100)
    return shop


def default_line(product_id: int, quantity: int = 1) -> OrderLine:
    product = load_menu([product_id])[product_id]
    defaults = [one.id for group in product.groups for one in group.options.values() if one.is_default]
    return OrderLine(product_id, quantity, tuple(defaults))


def test_every_drink_sells_once_with_its_defaults_for_exactly_its_recipe(stocked):
    assert available_products(location=stocked.location).count() == 35
    assert options_in_stock(location=stocked.location).count() == 17
    for product in Product.objects.all():
        before = {one: stocked.quantity(one) for one in Ingredient.objects.all()}
        order = place_order(location=stocked.location, lines=[default_line(product.pk)], actor=NOBODY)
        assert order.total == product.price
        taken = {
            one.name: before[one] - stocked.quantity(one) for one in before if before[one] != stocked.quantity(one)
        }
        assert taken == {name: quantity for name, (quantity, _scales) in recipe(product.name).items()}
        assert taken == house.DRINKS[product.name].takes
    assert_levels_are_what_the_ledger_sums_to()


def test_every_single_choice_resolves_to_a_portion(stocked):
    names = dict(Ingredient.objects.values_list("pk", "name"))
    for product in load_menu(list(Product.objects.values_list("pk", flat=True))).values():
        standard = portion(product)
        for group in product.groups:
            for option in group.options.values():
                takes = {names[pk]: quantity for pk, quantity in portion(product, [option]).items()}
                assert takes, (product.name, option.name)
                assert all(quantity > 0 for quantity in takes.values())
                if option.is_default:
                    assert portion(product, [option]) == standard
                else:
                    # Sweetness alone may leave a drink as it is: one without syrup can't be less sweet.
                    assert portion(product, [option]) != standard, (product.name, option.name)


def test_a_large_oat_latte_with_pearls_takes_exactly_this(stocked):
    product = Product.objects.get(name="Black Tea Latte")
    wanted = {"L", "25 %", "Less ice", "Oat milk", "Tapioca pearls", "Egg pudding"}
    option_ids = tuple(Option.objects.filter(name__in=wanted, group__products=product).values_list("pk", flat=True))
    assert len(option_ids) == 6
    before = {one: stocked.quantity(one) for one in Ingredient.objects.all()}
    order = place_order(location=stocked.location, lines=[OrderLine(product.pk, 2, option_ids)], actor=NOBODY)
    assert order.total == 2 * (70 + 15 + 15 + 10 + 15)
    taken = {one.name: before[one] - stocked.quantity(one) for one in before if before[one] != stocked.quantity(one)}
    assert taken == {
        "Black tea, brewed": 2 * 210,
        "Oat milk": 2 * 182,
        "Fructose syrup": 2 * 7,
        "Ice": 2 * 105,
        "Tapioca pearls": 2 * 50,
        "Egg pudding": 2 * 70,
        "Cup 700 ml": 2,
        "Lid": 2,
        "Wide straw": 2,
    }


@pytest.mark.django_db(transaction=True)
def test_of_two_imports_at_the_same_moment_one_makes_the_menu():
    start = threading.Barrier(2)
    results = []

    def run() -> None:
        start.wait()
        try:
            results.append(import_menu(rows=rows()))
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(len(result.created) for result in results) == [0, 35]
    assert Product.objects.count() == 35
    assert OptionGroup.objects.count() == 5
