"""A recipe is edited, and cost and margin follow before anything is saved; the script reckons as the server does."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page, expect

from inventory.admin.product_costs import costing_data
from inventory.costs import Figures, option_figures, recipe_figures, usual_figures
from inventory.menu import MenuEffect, MenuGroup, MenuOption, MenuProduct, MenuRecipeLine
from inventory.models import Ingredient, Location, Product
from tests.journeys.conftest import OpenPage, sign_in
from tests.shop import Shop
from users.models import User

pytestmark = pytest.mark.journey

GAP = "\N{NO-BREAK SPACE}"


# --- as a person sees it ------------------------------------------------------------------------------------


def figures(page: Page, line: str) -> dict[str, str]:
    """What a line of the page's tables says."""
    cells = page.locator(f'[data-figures="{line}"] [data-cell]')
    return {cell.get_attribute("data-cell") or "": cell.inner_text() for cell in cells.all()}


@pytest.fixture
def latte(tea_bar: Location) -> Product:
    """200 ml of milk at 0.05 baht, 30 g of pearls at 0.0333, a cup for 1.90; a size, and pudding of unknown cost."""
    shop = Shop(tea_bar, Product.objects.first().category)  # type: ignore[union-attr]
    milk = shop.ingredient("Goat milk", "ml", stock=1000, unit_cost="0.05")
    pearls = shop.ingredient("Black pearls", "g", stock=1000, unit_cost="0.0333")
    cup = shop.ingredient("Paper cup", "pc", stock=1000, unit_cost="1.9")
    pudding = shop.ingredient("Rice pudding", "g", stock=1000)
    size = shop.group("Cup size")
    shop.option(size, "Small", is_default=True)
    shop.scales(shop.option(size, "Huge", 20), "1.5")
    shop.adds(shop.option(size, "With pudding", 15), pudding, 50)
    return shop.product("Goat latte", "70", {milk: 200, pearls: 30, cup: 1}, scales=[milk], groups=[size])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("width", [1280, 360])
def test_cost_and_margin_follow_the_recipe_before_it_is_saved(
    open_page: OpenPage, manager: User, latte: Product, width: int
) -> None:
    page = open_page(width)
    sign_in(page, manager)
    page.goto(f"/admin/inventory/product/{latte.pk}/change/")
    by_the_server = page.evaluate("document.querySelector('#product-costs table').innerText")

    # The script comes to what the server has written.
    page.locator("#id_price").press("End")
    page.locator("#id_price").press_sequentially(" ")
    assert page.evaluate("document.querySelector('#product-costs table').innerText") == by_the_server
    expect(page.locator('[data-figures="recipe"] [data-cell="cost"]')).to_have_text("฿12.90")

    # More milk, in the first line: 250 ml.
    page.locator("#id_recipe_lines-0-quantity").fill("250")
    assert figures(page, "recipe") == {
        "price": "฿70",
        "cost": "฿15.40",
        "margin": "฿54.60",
        "margin_percent": f"78{GAP}%",
        "food_cost": f"22{GAP}%",
    }
    expect(page.locator("tr:has(#id_recipe_lines-0-quantity) [data-line-cost]")).to_have_text("฿12.50")
    huge = f"option-{latte.option_groups.get().options.get(name='Huge').pk}"
    assert figures(page, huge)["cost_change"] == "+฿6.25"

    # The milk no longer scales, and the price falls below the cost.
    page.locator("#id_recipe_lines-0-scales").dispatch_event("click")
    page.locator("#id_price").fill("12,50")
    assert figures(page, huge)["cost_change"] == "—"
    assert figures(page, "recipe")["margin"] == "−฿2.90"
    expect(page.locator('[data-figures="recipe"] [data-cell="margin"]')).to_have_class("sv-level sv-level-low")
    page.locator("#id_price").fill("70")

    # Another line: pudding, whose cost nobody knows.
    page.get_by_text("Add another Recipe line").click()
    row = page.locator("tr:has([name='recipe_lines-3-quantity'])")
    page.locator("#id_recipe_lines-3-ingredient").select_option(label="Rice pudding, g", force=True)
    row.locator("[name='recipe_lines-3-quantity']").fill("40")
    assert figures(page, "recipe")["cost"] == "at least ฿15.40"
    expect(page.locator("#product-costs [data-unknown]")).to_have_text("Cost not known: Rice pudding.")
    expect(row.locator("[data-line-cost]")).to_have_text("not known")

    # What the server would refuse has no cost at all.
    for nonsense in ("", "-5", "0", "1,000", "0.0001", "much"):
        row.locator("[name='recipe_lines-3-quantity']").fill(nonsense)
        assert figures(page, "recipe")["cost"] == "—", nonsense
    row.locator("[name='recipe_lines-3-quantity']").fill("1 000,5")
    assert figures(page, "recipe")["cost"] == "at least ฿15.40"

    # A line that is taken out no longer counts.
    page.locator("#id_recipe_lines-1-DELETE").dispatch_event("click")
    assert figures(page, "recipe")["cost"] == "at least ฿14.40"

    assert list(latte.recipe_lines.values_list("quantity", "scales")) == [
        (Decimal(200), True),
        (Decimal(30), False),
        (Decimal(1), False),
    ]
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.django_db(transaction=True)
def test_a_new_drink_is_reckoned_before_it_exists(open_page: OpenPage, manager: User, latte: Product) -> None:
    page = open_page()
    sign_in(page, manager)
    page.goto("/admin/inventory/product/add/")
    page.locator("#id_price").fill("50")
    page.get_by_text("Add another Recipe line").click()
    milk = Ingredient.objects.get(name="Goat milk")
    page.locator("#id_recipe_lines-0-ingredient").select_option(str(milk.pk), force=True)
    page.locator("[name='recipe_lines-0-quantity']").fill("100")

    assert figures(page, "recipe") == {
        "price": "฿50",
        "cost": "฿5",
        "margin": "฿45",
        "margin_percent": f"90{GAP}%",
        "food_cost": f"10{GAP}%",
    }
    assert not Product.objects.filter(price=50).exists()


# --- the script and the server -------------------------------------------------------------------------------

RECKON = """
(cases) => cases.map((data) => {
    const costs = Costing.readCosts(data.costs);
    const product = {
        price: Exact.of(data.price),
        recipe: Costing.readRecipe(data.recipe),
        groups: Costing.readGroups(data.groups),
    };
    const written = (figures) => ({
        price: Exact.text(figures.price),
        cost: Exact.text(figures.cost.amount),
        unknown: [...figures.cost.unknown].sort((one, other) => one - other),
        food_cost: figures.foodCost && Exact.text(figures.foodCost),
        margin_percent: figures.marginPercent && Exact.text(figures.marginPercent),
    });
    return {
        recipe: written(Costing.recipeFigures(product, costs)),
        usual: written(Costing.usualFigures(product, costs)),
        options: Costing.optionFigures(product, costs).map((one) => ({
            ...written(one.figures),
            change: Exact.text(one.change.amount),
            change_unknown: [...one.change.unknown].sort((left, right) => left - right),
        })),
    };
})
"""


@pytest.fixture(scope="module")
def reckoning_page(browser: Browser) -> Iterator[Page]:
    """A page with the two scripts and nothing else."""
    page = browser.new_page()
    for name in ("exact.js", "costing.js"):
        page.add_script_tag(path=Path(django_settings.BASE_DIR) / "static" / "samovar" / name)
    yield page
    page.close()


INGREDIENTS = st.integers(1, 6)
FACTORS = st.decimals("0", "1000", places=4)
QUANTITIES = st.decimals("0.001", "99999999.999", places=3)
SMALL = st.decimals("0.001", "500", places=3)
NONE = st.none()
EFFECTS = st.one_of(
    st.builds(MenuEffect, st.just("replace"), INGREDIENTS, INGREDIENTS, NONE, NONE),
    st.builds(MenuEffect, st.just("scale"), st.one_of(NONE, INGREDIENTS), NONE, FACTORS, NONE),
    st.builds(MenuEffect, st.just("add"), INGREDIENTS, NONE, NONE, SMALL),
)
LINES = st.builds(MenuRecipeLine, INGREDIENTS, st.one_of(SMALL, QUANTITIES), st.booleans())
OPTIONS = st.builds(
    MenuOption,
    id=st.just(0),
    name=st.just(""),
    price_delta=st.decimals("-100", "100", places=2),
    is_default=st.booleans(),
    is_available=st.booleans(),
    effects=st.lists(EFFECTS, max_size=3).map(tuple),
)
PRICES = st.one_of(st.just(Decimal("0.00")), st.decimals("0.01", "9999999999.99", places=2))


@st.composite
def products(draw: Any) -> MenuProduct:
    groups = []
    for place in range(draw(st.integers(0, 2))):
        options = {
            number: MenuOption(number, one.name, one.price_delta, one.is_default, one.is_available, one.effects)
            for number, one in enumerate(draw(st.lists(OPTIONS, max_size=3)), start=place * 10 + 1)
        }
        groups.append(MenuGroup(place, "", 0, 9, draw(st.integers(0, 2)), options))
    recipe = draw(st.lists(LINES, max_size=4, unique_by=lambda line: line.ingredient_id))
    return MenuProduct(1, "", draw(PRICES), True, tuple(recipe), tuple(groups))


CASES = st.tuples(products(), st.dictionaries(INGREDIENTS, st.decimals("0.000001", "99999999.999999", places=6)))


def written(one: Figures) -> dict[str, Any]:
    return {
        "price": one.price,
        "cost": one.cost.amount,
        "unknown": sorted(one.cost.unknown),
        "food_cost": one.food_cost_percent,
        "margin_percent": one.margin_percent,
    }


def by_the_server(product: MenuProduct, costs: dict[int, Decimal]) -> dict[str, Any]:
    return {
        "recipe": written(recipe_figures(product, costs)),
        "usual": written(usual_figures(product, costs)),
        "options": [
            {**written(one.figures), "change": one.change.amount, "change_unknown": sorted(one.change.unknown)}
            for one in option_figures(product, costs)
        ],
    }


def as_numbers(value: Any) -> Any:
    """What the script has written, with its numbers as numbers again."""
    if isinstance(value, dict):
        return {name: as_numbers(one) for name, one in value.items()}
    if isinstance(value, list):
        return [as_numbers(one) for one in value]
    return Decimal(value) if isinstance(value, str) else value


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cases=st.lists(CASES, min_size=5, max_size=20))
def test_the_script_reckons_to_the_last_decimal_as_the_server_does(
    reckoning_page: Page, cases: list[tuple[MenuProduct, dict[int, Decimal]]]
) -> None:
    found = reckoning_page.evaluate(RECKON, [costing_data(product, costs) for product, costs in cases])

    assert as_numbers(found) == [by_the_server(product, costs) for product, costs in cases]
