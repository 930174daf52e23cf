"""Costs and margins in the admin: the list of products, a product's page, an option group's."""

from typing import Any

import pytest

from inventory.models import DefaultLocation, Product, StockDocument, StockMovement
from tests.inventory.admin_pages import page, queries_of, signed_in, text_of
from tests.shop import Shop
from users.models import User

pytestmark = pytest.mark.django_db

GAP = "\N{NO-BREAK SPACE}"


@pytest.fixture
def bar() -> Shop:
    return Shop.open()


def columns(response: Any) -> list[str]:
    return [str(name) for name in response.context["cl"].list_display]


def figures(response: Any) -> dict[str, tuple[str, ...]]:
    """What the page's tables say: {line: (price, cost, margin, margin in percent, food cost)}."""
    costing = response.context["costing"]
    rows = [*costing["rows"], *(row for group in costing["groups"] for row in group.rows)]
    return {row.title: (row.price, row.cost, row.margin, row.margin_percent, row.food_cost) for row in rows}


# --- the list -----------------------------------------------------------------------------------------------


def test_the_list_says_what_products_cost_and_what_is_left(bar: Shop) -> None:
    milk = bar.ingredient("Milk", "ml", stock=1000, unit_cost="0.048333")
    ice = bar.ingredient("Ice", "g", stock=1000)
    bar.product("Latte", "70", {milk: 200})
    bar.product("Iced latte", "9", {milk: 200, ice: 100})
    bar.product("Ice", "5", {ice: 100})
    bar.product("Air", "10")

    response = signed_in("manager").get(page("product_changelist"))

    shown = text_of(response)
    assert "฿9.67" in shown
    assert "฿60.33 86.2 %" in shown
    assert "at least ฿9.67" in shown
    assert "−฿0.67 −7.4 %" in shown
    assert '<span class="sv-level sv-level-low">−฿0.67' in response.content.decode()
    assert "Cost not known: Ice." in response.content.decode()


def test_the_list_is_sorted_by_cost_and_by_margin(bar: Shop) -> None:
    milk = bar.ingredient("Milk", "ml", stock=1000, unit_cost="0.05")
    for name, price, quantity in (("Cheap", 20, 100), ("Dear", 90, 300), ("Middling", 18, 200)):
        bar.product(name, price, {milk: quantity})
    client = signed_in("manager")
    place = columns(client.get(page("product_changelist"))).index("cost_shown")

    by_cost = client.get(page("product_changelist"), {"o": place}).context["cl"].result_list
    by_margin = client.get(page("product_changelist"), {"o": place + 1}).context["cl"].result_list

    assert [one.name for one in by_cost] == ["Cheap", "Middling", "Dear"]
    assert [one.name for one in by_margin] == ["Middling", "Cheap", "Dear"]


def test_costs_are_not_for_who_does_not_answer_for_the_stock(bar: Shop) -> None:
    milk = bar.ingredient("Milk", "ml", stock=1000, unit_cost="0.05")
    group = bar.group("Extra")
    bar.adds(bar.option(group, "More"), milk, 5)
    latte = bar.product("Latte", "70", {milk: 200}, groups=[group])
    barista = signed_in("barista")

    listed = barista.get(page("product_changelist"))
    one = barista.get(page("product_change", latte.pk))
    options = barista.get(page("optiongroup_change", group.pk))

    assert not {"cost_shown", "margin_shown"} & set(columns(listed))
    assert "costing" not in one.context
    for response in (listed, one, options):
        text = text_of(response).lower()
        assert not [word for word in ("what it costs", "margin", "food cost", "฿10 ", "0.25") if word in text]


def test_sorting_by_a_column_that_somebody_does_not_see_says_nothing(bar: Shop) -> None:
    bar.product("Latte", "70", {bar.ingredient("Milk", "ml", stock=10, unit_cost="0.05"): 200})
    for order in ("1", "9", "99"):
        assert signed_in("barista").get(page("product_changelist"), {"o": order}).status_code == 200


def test_no_page_of_the_store_room_tells_a_barista_what_things_cost(bar: Shop) -> None:
    milk = bar.ingredient("Milk", "ml", stock=1000, unit_cost="0.0625")
    addresses = (
        page("stocklevel_changelist"),
        page("ingredient_change", milk.pk),
        page("stockmovement_change", StockMovement.objects.get().pk),
        page("stockdocument_change", StockDocument.objects.get().pk),
    )
    for address in addresses:
        assert "0.0625" in text_of(signed_in("manager").get(address)), address
        told = text_of(signed_in("barista").get(address)).lower()
        assert not [word for word in ("0.0625", "62.5", "worth", "cost") if word in told], address


# --- one product --------------------------------------------------------------------------------------------


def test_the_page_of_a_product_says_what_it_costs_without_a_script(bar: Shop) -> None:
    milk = bar.ingredient("Milk", "ml", stock=1000, unit_cost="0.05")
    oat = bar.ingredient("Oat milk", "ml", stock=1000, unit_cost="0.08")
    cup = bar.ingredient("Cup", "pc")
    size, kind = bar.group("Size"), bar.group("Milk")
    bar.option(size, "M", is_default=True)
    bar.scales(bar.option(size, "L", 20), "1.5")
    bar.replaces(bar.option(kind, "Oat", 15), milk, oat)
    latte = bar.product("Latte", "70", {milk: 200, cup: 1}, scales=[milk], groups=[size, kind])

    response = signed_in("manager").get(page("product_change", latte.pk))

    plain = ("฿70", "at least ฿10", "at most ฿60", f"at most 85.7{GAP}%", f"at least 14.3{GAP}%")
    assert figures(response) == {
        "By the recipe": plain,
        "With the default options": plain,
        "M": plain,
        "L": ("฿90", "at least ฿15", "at most ฿75", f"at most 83.3{GAP}%", f"at least 16.7{GAP}%"),
        "Oat": ("฿85", "at least ฿16", "at most ฿69", f"at most 81.2{GAP}%", f"at least 18.8{GAP}%"),
    }
    changes = {row.title: row.cost_change for group in response.context["costing"]["groups"] for row in group.rows}
    assert changes == {"M": "—", "L": "+฿5", "Oat": "+฿6"}
    shown = text_of(response)
    assert shown.count("Cost not known: Cup.") == 2
    assert '<span data-line-cost class="sv-level">฿10</span>' in response.content.decode()
    assert '<span data-line-cost class="sv-level">not known</span>' in response.content.decode()


def test_a_product_that_loses_money_says_so_in_red(bar: Shop) -> None:
    milk = bar.ingredient("Milk", "ml", stock=1000, unit_cost="0.5")
    latte = bar.product("Latte", "70", {milk: 200})

    response = signed_in("manager").get(page("product_change", latte.pk))

    assert figures(response)["By the recipe"] == ("฿70", "฿100", "−฿30", f"−42.9{GAP}%", f"142.9{GAP}%")
    assert 'data-cell="margin" class="sv-level sv-level-low"' in response.content.decode()


@pytest.mark.parametrize("has_location", [True, False])
def test_a_new_product_costs_nothing_yet(has_location: bool) -> None:
    if has_location:
        Shop.open()
    response = signed_in("manager").get(page("product_add"))
    assert figures(response) == {"By the recipe": ("฿0", "—", "—", "—", "—")}


def test_costs_are_those_of_the_persons_own_location_or_of_the_one_in_the_address(bar: Shop) -> None:
    riverside = Shop.open("Riverside")
    milk = bar.ingredient("Milk", "ml", stock=1000, unit_cost="0.05")
    riverside.receive({milk: 1000}, unit_cost="0.08")
    latte = bar.product("Latte", "70", {milk: 200})
    client, address = signed_in("manager"), page("product_change", latte.pk)

    def cost(**asked: Any) -> str:
        return figures(client.get(address, asked))["By the recipe"][1]

    assert cost() == "฿10"
    assert cost(location=riverside.location.pk) == "฿16"
    DefaultLocation.objects.create(user=User.objects.get(), location=riverside.location)
    assert cost() == "฿16"
    assert cost(location=bar.location.pk) == "฿10"
    for nonsense in ("999999", "x", "-1", "9" * 40):
        assert cost(location=nonsense) == "฿16"
    listed = client.get(page("product_changelist"), {"location": bar.location.pk, "q": "latte"})
    assert "฿10 " in text_of(listed)
    assert [(one["label"], one["is_on"]) for one in listed.context["cost_places"]] == [
        ("Main Street", True),
        ("Riverside", False),
    ]
    assert f"?location={riverside.location.pk}&q=latte" in [one["url"] for one in listed.context["cost_places"]]


# --- an option group ----------------------------------------------------------------------------------------


def test_an_option_group_says_what_each_option_costs_by_itself(bar: Shop) -> None:
    milk = bar.ingredient("Milk", "ml", stock=1, unit_cost="0.05")
    oat = bar.ingredient("Oat milk", "ml", stock=1, unit_cost="0.08")
    soy = bar.ingredient("Soy milk", "ml")
    pearls = bar.ingredient("Pearls", "g", stock=1, unit_cost="0.05")
    group = bar.group("Extra")
    bar.adds(bar.option(group, "Pearls"), pearls, 30)
    bar.replaces(bar.option(group, "Oat"), milk, oat)
    bar.replaces(bar.option(group, "Cow's"), oat, milk)
    bar.replaces(bar.option(group, "Soy"), milk, soy)
    bar.scales(bar.option(group, "Large"), "1.4")
    bar.adds(bar.scales(bar.option(group, "Both"), 2), pearls, 1)
    bar.option(group, "Nothing")

    response = signed_in("manager").get(page("optiongroup_change", group.pk))

    [inline] = response.context["inline_admin_formsets"]
    told = {form.instance.name: inline.opts.what_it_costs(form.instance) for form in inline.formset.initial_forms}
    assert told == {
        "Pearls": "+฿1.50",
        "Oat": f"+฿0.03{GAP}/{GAP}ml",
        "Cow's": f"−฿0.03{GAP}/{GAP}ml",
        "Soy": "not known",
        "Large": "×1.4",
        "Both": "×2; +฿0.05",
        "Nothing": "—",
    }
    assert "+฿1.50" in text_of(response)


# --- queries ------------------------------------------------------------------------------------------------


def test_the_pages_take_as_many_queries_for_much_as_for_little(bar: Shop) -> None:
    client = signed_in("manager")
    counts = []
    for number in (2, 20):
        for place in range(number):
            Shop.open(f"Bar {number} {place}")
        milks = [bar.ingredient(f"Milk {place}", "ml", stock=5, unit_cost="0.05") for place in range(number)]
        group = bar.group(f"Group {number}", most=99)
        for place, milk in enumerate(milks):
            bar.adds(bar.option(group, f"Option {place}"), milk, 5)
            bar.product(f"Latte {number} {place}", "70", dict.fromkeys(milks, 5), groups=[group])
        latte = Product.objects.latest("pk")
        addresses = (page("product_change", latte.pk), page("optiongroup_change", group.pk), page("product_changelist"))
        counts.append([queries_of(client, address) for address in addresses])
    assert counts[0] == counts[1]
    assert max(counts[0]) <= 24, counts
