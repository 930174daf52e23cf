"""What drinks and options cost, to the last decimal, and what is left of the price."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.cost_selectors import known_costs, with_costs
from inventory.costs import Cost, Figures, OptionFigures, option_figures, own_cost, recipe_figures, usual_figures
from inventory.menu import MenuProduct, load_menu
from inventory.models import Product, StockLevel
from inventory.services.lines import StockLine
from inventory.services.stock import write_off_stock
from tests.shop import Shop

pytestmark = pytest.mark.django_db


def menu_of(product: Product) -> MenuProduct:
    return load_menu([product.pk])[product.pk]


def option_of(product: Product, costs: dict[int, Decimal], name: str) -> OptionFigures:
    [found] = [one for one in option_figures(menu_of(product), costs) if one.option.name == name]
    return found


@pytest.fixture
def bar() -> Shop:
    return Shop.open()


# --- one portion --------------------------------------------------------------------------------------------


def test_a_portion_costs_the_sum_of_its_lines_at_average_cost(bar: Shop) -> None:
    milk = bar.ingredient("Milk", "ml", stock=1000, unit_cost="0.046")
    bar.receive({milk: 1000}, unit_cost="0.050")
    coffee = bar.ingredient("Coffee", "g", stock=100, unit_cost="1.234567")
    latte = bar.product("Latte", "70", {milk: 200, coffee: "18.5"})

    figures = recipe_figures(menu_of(latte), known_costs(location=bar.location))

    assert figures.cost == Cost(Decimal("32.4394895"))  # 200 × 0.048 and 18.5 × 1.234567
    assert figures.cost.is_whole
    assert figures.margin == Decimal("37.5605105")
    assert figures.food_cost_percent == Decimal("46.3")
    assert figures.margin_percent == Decimal("53.7")


def test_an_ingredient_that_nobody_named_a_cost_of_makes_the_cost_at_least_so_much(bar: Shop) -> None:
    milk = bar.ingredient("Milk", "ml", stock=1000, unit_cost="0.05")
    ice = bar.ingredient("Ice", "g", stock=1000)
    cup = bar.ingredient("Cup", "pc")
    latte = bar.product("Latte", "70", {milk: 200, ice: 100, cup: 1})

    figures = recipe_figures(menu_of(latte), known_costs(location=bar.location))

    assert figures.cost == Cost(Decimal("10.00"), frozenset({ice.pk, cup.pk}))
    assert not figures.cost.is_whole


def test_an_empty_level_still_knows_what_its_ingredient_costs(bar: Shop) -> None:
    milk = bar.ingredient("Milk", "ml", stock=1000, unit_cost="0.05")
    write_off_stock(
        location=bar.location, lines=[StockLine(milk.pk, Decimal(1000))], reason="spoilage", created_by_id=None
    )

    assert bar.quantity(milk) == 0
    assert known_costs(location=bar.location) == {milk.pk: Decimal("0.05")}


def test_costs_are_those_of_the_location(bar: Shop) -> None:
    riverside = Shop.open("Riverside")
    milk = bar.ingredient("Milk", "ml", stock=10, unit_cost="0.05")
    riverside.ingredient("Milk", "ml", stock=10, unit_cost="0.08")
    bar.ingredient("Ice", "g", stock=10, unit_cost="0.004")

    assert known_costs(location=riverside.location) == {milk.pk: Decimal("0.08")}
    assert known_costs(location=bar.location, ingredient_ids=[milk.pk]) == {milk.pk: Decimal("0.05")}


@pytest.mark.parametrize(
    ("price", "cost", "margin", "food", "left"),
    [
        ("70", "17.5", "52.5", "25.0", "75.0"),
        ("60", "20", "40", "33.3", "66.7"),
        ("10", "15", "-5", "150.0", "-50.0"),
        ("200", "0.1", "199.9", "0.1", "99.9"),  # 0.05 % goes half up
        ("0", "3", "-3", None, None),
    ],
)
def test_margin_and_food_cost_make_a_hundred_percent(
    price: str, cost: str, margin: str, food: str | None, left: str | None
) -> None:
    figures = Figures(Decimal(price), Cost(Decimal(cost)))

    assert figures.margin == Decimal(margin)
    assert figures.food_cost_percent == (food and Decimal(food))
    assert figures.margin_percent == (left and Decimal(left))


# --- options ------------------------------------------------------------------------------------------------


def test_what_each_option_does_to_cost_and_margin(bar: Shop) -> None:
    milk = bar.ingredient("Milk", "ml", stock=1, unit_cost="0.05")
    oat = bar.ingredient("Oat milk", "ml", stock=1, unit_cost="0.08")
    sugar = bar.ingredient("Sugar", "g", stock=1, unit_cost="0.02")
    pearls = bar.ingredient("Pearls", "g", stock=1, unit_cost="0.05")
    choice = bar.group("Choice")
    bar.replaces(bar.option(choice, "Oat", 15), milk, oat)
    bar.scales(bar.option(choice, "Large", 20), "1.4")
    bar.scales(bar.option(choice, "No sugar"), 0, sugar)
    bar.adds(bar.option(choice, "Pearls", 10), pearls, 30)
    bar.option(choice, "A smile", -5)
    latte = bar.product("Latte", "70", {milk: 200, sugar: 10}, scales=[milk], groups=[choice])
    costs = known_costs(location=bar.location)

    assert recipe_figures(menu_of(latte), costs).cost == Cost(Decimal("10.2"))
    found = {one.option.name: one for one in option_figures(menu_of(latte), costs)}
    assert {name: one.change.amount for name, one in found.items()} == {
        "Oat": Decimal("6"),  # 200 ml dearer by 0.03
        "Large": Decimal("4"),  # 80 ml more of milk; sugar does not scale
        "No sugar": Decimal("-0.2"),
        "Pearls": Decimal("1.5"),
        "A smile": Decimal("0"),
    }
    assert {name: one.figures.margin for name, one in found.items()} == {
        "Oat": Decimal("68.8"),
        "Large": Decimal("75.8"),
        "No sugar": Decimal("60"),
        "Pearls": Decimal("68.3"),
        "A smile": Decimal("54.8"),
    }


def test_an_option_names_what_it_changes_and_nobody_knows_the_cost_of(bar: Shop) -> None:
    milk = bar.ingredient("Milk", "ml", stock=1, unit_cost="0.05")
    oat = bar.ingredient("Oat milk", "ml")
    ice = bar.ingredient("Ice", "g")
    choice = bar.group("Choice")
    bar.replaces(bar.option(choice, "Oat"), milk, oat)
    bar.scales(bar.option(choice, "Large"), 2, milk)
    latte = bar.product("Latte", "70", {milk: 200, ice: 50}, groups=[choice])
    costs = known_costs(location=bar.location)

    oat_milk, large = (option_of(latte, costs, name) for name in ("Oat", "Large"))

    assert oat_milk.change == Cost(Decimal("-10"), frozenset({oat.pk}))
    assert oat_milk.figures.cost == Cost(Decimal(0), frozenset({oat.pk, ice.pk}))
    # The ice is the same with and without it.
    assert large.change == Cost(Decimal("10"))
    assert large.figures.cost == Cost(Decimal("20"), frozenset({ice.pk}))


def test_a_drink_is_usually_sold_with_its_default_options(bar: Shop) -> None:
    milk = bar.ingredient("Milk", "ml", stock=1, unit_cost="0.05")
    pearls = bar.ingredient("Pearls", "g", stock=1, unit_cost="0.1")
    jelly = bar.ingredient("Jelly", "g", stock=1, unit_cost="0.2")
    size, topping = bar.group("Size"), bar.group("Topping", most=3, free=1)
    bar.scales(bar.option(size, "L", 20, is_default=True), "1.5")
    bar.adds(bar.option(topping, "Pearls", 10, is_default=True), pearls, 30)
    bar.adds(bar.option(topping, "Jelly", 12, is_default=True), jelly, 30)
    bar.adds(bar.option(topping, "Sold out", 1, is_default=True, is_available=False), jelly, 500)
    bar.adds(bar.option(topping, "More pearls", 1), pearls, 500)
    latte = bar.product("Latte", "70", {milk: 200}, scales=[milk], groups=[size, topping])

    figures = usual_figures(menu_of(latte), known_costs(location=bar.location))

    assert figures.price == Decimal("102")  # 70 and 20 and 12: the cheaper topping is free
    assert figures.cost == Cost(Decimal("24"))  # 15 of milk, 3 of pearls, 6 of jelly
    assert figures.margin == Decimal("78")


def test_a_price_never_falls_below_nothing(bar: Shop) -> None:
    gift = bar.group("Gift")
    bar.option(gift, "Free today", -100, is_default=True)
    latte = bar.product("Latte", "70", groups=[gift])

    assert usual_figures(menu_of(latte), {}) == Figures(Decimal(0), Cost(Decimal(0)))
    assert option_of(latte, {}, "Free today").figures.price == 0


def test_an_option_has_a_cost_of_its_own_for_what_it_adds(bar: Shop) -> None:
    pearls = bar.ingredient("Pearls", "g", stock=1, unit_cost="0.05")
    straw = bar.ingredient("Straw", "pc")
    topping = bar.group("Topping")
    option = bar.adds(bar.adds(bar.option(topping, "Pearls"), pearls, 30), straw, 1)
    bar.scales(option, 2)
    latte = bar.product("Latte", "70", groups=[topping])
    [effects] = [one.effects for one in menu_of(latte).groups[0].options.values()]

    assert own_cost(effects, known_costs(location=bar.location)) == Cost(Decimal("1.5"), frozenset({straw.pk}))


# --- the same inside a query --------------------------------------------------------------------------------


def test_many_products_are_reckoned_in_the_query_that_reads_them(bar: Shop) -> None:
    milk = bar.ingredient("Milk", "ml", stock=1, unit_cost="0.048333")
    cup = bar.ingredient("Cup", "pc", stock=1, unit_cost="1.9")
    ice = bar.ingredient("Ice", "g", stock=1)
    lid = bar.ingredient("Lid", "pc")
    bar.product("Latte", "70", {milk: "200.125", cup: 1})
    bar.product("Iced latte", "75", {milk: 150, ice: 80, cup: 1, lid: 1})
    bar.product("Air", "10")

    with CaptureQueriesContext(connection) as queries:
        found = {
            one.name: (one.cost, one.unknown_costs)  # type: ignore[attr-defined]
            for one in with_costs(Product.objects.all(), location=bar.location)
        }

    assert len(queries) == 1
    assert found == {
        "Latte": (Decimal("11.572641625"), []),
        "Iced latte": (Decimal("9.149950"), [ice.pk, lid.pk]),
        "Air": (None, []),
    }


def test_without_a_location_nothing_is_reckoned(bar: Shop) -> None:
    milk = bar.ingredient("Milk", "ml", stock=1, unit_cost="0.05")
    bar.product("Latte", "70", {milk: 200})

    latte = with_costs(Product.objects.all(), location=None).get()

    assert (latte.cost, latte.unknown_costs) == (None, [])  # type: ignore[attr-defined]


@settings(max_examples=50)
@given(
    lines=st.lists(
        st.tuples(
            st.decimals("0.001", "99999", places=3),
            st.decimals("0", "9999", places=6),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_the_query_reckons_as_the_pure_functions_do(lines: list[tuple[Decimal, Decimal]]) -> None:
    number = Product.objects.count()
    bar = Shop.open(f"Bar {number}")
    recipe = {bar.ingredient(f"Thing {place}"): quantity for place, (quantity, _cost) in enumerate(lines)}
    product = bar.product(f"Drink {number}", "70", recipe)
    StockLevel.objects.bulk_create(
        StockLevel(location=bar.location, ingredient=one, average_cost=cost)
        for one, (_quantity, cost) in zip(recipe, lines, strict=True)
    )

    figures = recipe_figures(menu_of(product), known_costs(location=bar.location))
    found = with_costs(Product.objects.all(), location=bar.location).get(pk=product.pk)

    assert (found.cost, set(found.unknown_costs)) == (  # type: ignore[attr-defined]
        figures.cost.amount,
        figures.cost.unknown,
    )
