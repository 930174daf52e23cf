"""An import keeps the shop's rules: its services write, and what they refuse stands at the line."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from foundation.errors import InvalidInput
from inventory.exchange.errors import ChangedSincePreview, WrongLines
from inventory.models import Ingredient, Option, OptionEffect, Product, RecipeLine, StockLevel, StockLot, StockMovement
from inventory.services.exchange import export_file, import_file
from tests.inventory.deliveries import Deliveries
from tests.inventory.spreadsheets import bring_in, csv_file, look_at, outcomes
from tests.shop import Shop

pytestmark = pytest.mark.django_db


def refused(subject: str, *lines: str) -> list[tuple[int, str, str]]:
    with pytest.raises(WrongLines) as caught:
        bring_in(subject, csv_file(*lines))
    return [(fault.line, fault.column, fault.sentence) for fault in caught.value.faults]


# --- ingredients ------------------------------------------------------------------------------------------


def test_the_unit_of_what_has_moved_is_fixed() -> None:
    bar = Shop.open()
    bar.ingredient("Milk", "ml", stock=500)
    bar.ingredient("Tea", "g")

    found = refused("ingredients", "name,unit", "Tea,pc", "Milk,g")

    assert found == [
        (
            3,
            "unit",
            "Milk has moved in the stock already: its unit stays ml. Make a new ingredient instead.",
        )
    ]
    assert set(Ingredient.objects.values_list("name", "unit")) == {("Milk", "ml"), ("Tea", "g")}


def test_the_unit_of_what_has_not_moved_can_change() -> None:
    Shop.open().ingredient("Tea", "g")

    report = bring_in("ingredients", csv_file("name,unit", "Tea,pc"))

    assert [(one.column, one.before, one.after) for one in report.lines[0].differences] == [("unit", "g", "pc")]
    assert Ingredient.objects.get().unit == "pc"


def test_an_import_moves_no_stock_and_no_money() -> None:
    bar = Shop.open()
    bar.ingredient("Milk", "ml", stock=500, minimum=100, unit_cost="0.05")
    before = list(StockLevel.objects.values()), StockMovement.objects.count()

    bring_in("ingredients", csv_file("name,unit,tracks_expiry,shelf_life_hours", "Milk,ml,no,72", "Oat,ml,no,"))

    assert (list(StockLevel.objects.values()), StockMovement.objects.count()) == before
    assert Ingredient.objects.get(name="Milk").shelf_life_hours == 72


def test_an_import_that_changes_no_unit_does_not_hold_up_the_ledger() -> None:
    bar = Shop.open()
    bar.ingredient("Milk", "ml", stock=500)

    def locks(*lines: str) -> bool:
        with CaptureQueriesContext(connection) as captured:
            look_at("ingredients", csv_file(*lines))
        return any("LOCK TABLE inventory_stockmovement" in query["sql"] for query in captured)

    assert not locks("name,unit,tracks_expiry,shelf_life_hours", "Milk, ML,Нет,72", "Oat,g,yes,")
    assert locks("name,tracks_expiry", "Milk,yes")


def test_an_ingredient_that_begins_to_have_a_date_keeps_its_stock_in_an_undated_lot() -> None:
    bar = Shop.open()
    milk = bar.ingredient("Milk", "ml", stock=500)

    bring_in("ingredients", csv_file("name,tracks_expiry", "Milk,yes"))

    assert list(StockLot.objects.values_list("ingredient", "expires_at", "quantity")) == [(milk.pk, None, 500)]


# --- products and recipes ---------------------------------------------------------------------------------


def test_only_the_columns_of_the_file_change() -> None:
    bar = Shop.open()
    group = bar.group("Size")
    latte = bar.product("Latte", "70.00", groups=[group])
    Product.objects.filter(pk=latte.pk).update(description="Good", position=4)

    report = bring_in("products", csv_file("name,price", "Latte,75"))

    latte.refresh_from_db()
    assert (latte.price, latte.description, latte.position) == (Decimal("75.00"), "Good", 4)
    assert list(latte.option_groups.all()) == [group]
    assert report.touched == ((latte.pk, False),)


def test_option_groups_are_asked_in_the_order_of_the_cell_and_an_empty_one_asks_nothing() -> None:
    bar = Shop.open()
    size, milk = bar.group("Size"), bar.group("Milk")
    latte = bar.product("Latte", groups=[size, milk])

    report = bring_in("products", csv_file("name,option_groups", 'Latte,"Milk, Size"'))

    assert [(one.before, one.after) for one in report.lines[0].differences] == [("Size, Milk", "Milk, Size")]
    assert [link.group for link in latte.group_links.all()] == [milk, size]

    bring_in("products", csv_file("name,option_groups", "Latte,"))
    assert not latte.group_links.exists()


def test_a_product_that_the_file_does_not_name_stays() -> None:
    bar = Shop.open()
    bar.product("Latte")

    bring_in("products", csv_file("category,name,price", "Tea,Mocha,80"))

    assert set(Product.objects.values_list("name", flat=True)) == {"Latte", "Mocha"}


def test_a_recipe_becomes_what_the_file_says_and_says_what_it_loses() -> None:
    bar = Shop.open()
    milk, tea, ice = bar.ingredient("Milk", "ml"), bar.ingredient("Black tea"), bar.ingredient("Ice")
    latte = bar.product("Latte", recipe={milk: 200, tea: 5})
    other = bar.product("Other", recipe={ice: 9})

    report = bring_in(
        "recipes", csv_file("product,ingredient,quantity,scales", "Latte,Ice,80,yes", "Latte,Milk,200,no")
    )

    assert outcomes(report) == [
        (2, "new", "Latte · Ice"),
        (3, "unchanged", "Latte · Milk"),
        (None, "removed", "Latte · Black tea"),
    ]
    assert list(latte.recipe_lines.values_list("ingredient__name", "quantity", "scales")) == [
        ("Ice", 80, True),
        ("Milk", 200, False),
    ]
    assert other.recipe_lines.count() == 1
    assert report.touched == ((latte.pk, False),)


def test_another_order_of_a_recipe_is_a_change() -> None:
    bar = Shop.open()
    latte = bar.product("Latte", recipe={bar.ingredient("Milk", "ml"): 200, bar.ingredient("Ice"): 5})

    report = bring_in("recipes", csv_file("product,ingredient,quantity", "Latte,Ice,5", "Latte,Milk,200"))

    assert outcomes(report) == [(2, "changed", "Latte · Ice"), (3, "changed", "Latte · Milk")]
    assert [(one.column, one.before, one.after) for one in report.lines[0].differences] == [("order", "2", "1")]
    assert list(latte.recipe_lines.values_list("ingredient__name", flat=True)) == ["Ice", "Milk"]


@pytest.mark.parametrize(
    ("quantity", "unit", "taken"),
    [
        ("0.2", "l", "200.000"),
        ("200", "ml", "200.000"),
        ("200", "", None),
        ("0.0002", "L", "0.200"),
        ("2", "мл", "2.000"),
    ],
)
def test_a_quantity_may_be_in_a_larger_unit(quantity: str, unit: str, taken: str | None) -> None:
    bar = Shop.open()
    bar.product("Latte", recipe={bar.ingredient("Milk", "ml"): 150})
    content = csv_file("product,ingredient,quantity,unit", f"Latte,Milk,{quantity},{unit}")

    if taken is None:
        with pytest.raises(WrongLines):
            bring_in("recipes", content)
    else:
        bring_in("recipes", content)

    assert RecipeLine.objects.get().quantity == Decimal(taken or "150")


def test_a_unit_of_another_kind_and_a_fraction_too_small_are_refused() -> None:
    bar = Shop.open()
    bar.product("Latte", recipe={bar.ingredient("Milk", "ml"): 150})

    assert refused("recipes", "product,ingredient,quantity,unit", "Latte,Milk,5,kg")[0][:2] == (2, "unit")
    assert refused("recipes", "product,ingredient,quantity,unit", "Latte,Milk,0.0000001,l")[0][:2] == (2, "quantity")
    assert refused("recipes", "product,ingredient,quantity,unit", "Latte,Milk,0.000001,ml")[0][:2] == (2, "unit")


def test_a_recipe_with_too_many_lines_is_refused_at_its_first() -> None:
    bar = Shop.open()
    bar.product("Soup")
    for number in range(101):
        bar.ingredient(f"Herb {number}")

    found = refused("recipes", "product,ingredient,quantity", *(f"Soup,Herb {number},1" for number in range(101)))

    assert found == [(2, "", "A recipe has at most 100 lines.")]
    assert not RecipeLine.objects.exists()


# --- options ----------------------------------------------------------------------------------------------


def test_a_group_that_nobody_could_answer_is_refused() -> None:
    bar = Shop.open()
    bar.option(bar.group("Size"), "Large")

    assert refused("option-groups", "name,min_choices,max_choices", "Size,2,2") == [
        (2, "min_choices", "At least 2 must be chosen, but the group has only 1 options.")
    ]
    assert [line[:2] for line in refused("option-groups", "name,max_choices", "Ice,0")] == [(2, "max_choices")]


def test_too_many_defaults_are_refused_with_their_group() -> None:
    bar = Shop.open()
    bar.group("Size")

    found = refused("options", "group,name,is_default", "Size,Large,yes", "Size,Small,yes")

    assert found == [(2, "", "2 options are marked as default, but at most 1 may be chosen.")]
    assert not Option.objects.exists()


def test_options_that_the_file_does_not_name_stay_with_their_effects() -> None:
    bar = Shop.open()
    size = bar.group("Size")
    large = bar.scales(bar.option(size, "Large", "10.00", position=1), "1.4")

    report = bring_in("options", csv_file("group,name,price_delta,position", "Size,Small,-5,0"))

    assert outcomes(report) == [(2, "new", "Size · Small")]
    assert list(size.options.values_list("name", "price_delta", "position")) == [
        ("Small", Decimal("-5.00"), 0),
        ("Large", Decimal("10.00"), 1),
    ]
    assert large.effects.count() == 1


def test_effects_of_an_option_become_those_of_the_file() -> None:
    bar = Shop.open()
    milk, oat = bar.ingredient("Milk", "ml"), bar.ingredient("Oat", "ml")
    group = bar.group("Size")
    large, small = bar.option(group, "Large"), bar.option(group, "Small")
    bar.adds(bar.scales(large, "1.4"), milk, 5)
    bar.scales(small, "0.75")

    report = bring_in(
        "option-effects",
        csv_file(
            "group,option,kind,ingredient,replacement,factor,quantity",
            "Size,Large,scale,,,1.5,",
            "Size,Large,REPLACE,Milk,Oat,,",
        ),
    )

    assert outcomes(report) == [
        (2, "changed", "Size · Large · scale"),
        (3, "new", "Size · Large · replace · Milk"),
        (None, "removed", "Size · Large · add · Milk"),
    ]
    assert list(large.effects.values_list("kind", "ingredient", "replacement", "factor")) == [
        ("scale", None, None, Decimal("1.5")),
        ("replace", milk.pk, oat.pk, None),
    ]
    assert small.effects.get().factor == Decimal("0.75")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("replace,Milk,,,", "“replace” needs an ingredient and a replacement, and nothing else."),
        ("replace,Milk,Milk,,", "Nothing is replaced by itself."),
        ("scale,,,,", "“scale” needs a factor, may name an ingredient, and nothing else."),
        ("scale,,,-1,", "The factor must be from 0 to 1000."),
        ("add,Milk,,,0", "The quantity must be more than 0."),
        ("add,Milk,,,", "“add” needs an ingredient and a quantity, and nothing else."),
    ],
)
def test_an_effect_that_makes_no_sense_is_refused(line: str, sentence: str) -> None:
    bar = Shop.open()
    bar.ingredient("Milk", "ml")
    bar.option(bar.group("Size"), "Large")

    found = refused("option-effects", "group,option,kind,ingredient,replacement,factor,quantity", f"Size,Large,{line}")

    assert found == [(2, "", sentence)]
    assert not OptionEffect.objects.exists()


# --- preview, repetition, size ----------------------------------------------------------------------------


def test_a_preview_says_what_the_import_does_and_changes_nothing() -> None:
    bar = Shop.open()
    bar.product("Latte", "70.00")
    content = csv_file("category,name,price", "Tea,Latte,75", "Tea,Mocha,80")

    seen = look_at("products", content)

    assert outcomes(seen) == [(2, "changed", "Latte"), (3, "new", "Mocha")]
    assert list(Product.objects.values_list("name", "price")) == [("Latte", Decimal("70.00"))]

    done = bring_in("products", content)
    assert (outcomes(done), done.digest) == (outcomes(seen), seen.digest)
    assert not bring_in("products", content).changes


def test_an_import_that_would_do_something_else_than_its_preview_is_refused() -> None:
    bar = Shop.open()
    latte = bar.product("Latte", "70.00")
    content = csv_file("name,price", "Latte,75")
    seen = look_at("products", content)
    Product.objects.update(price="72.00")

    with pytest.raises(ChangedSincePreview):
        import_file(subject="products", file_name="a.csv", content=content, seen_digest=seen.digest)

    latte.refresh_from_db()
    assert latte.price == Decimal("72.00")


def test_what_nobody_expected_is_no_fault_of_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure goes through as it is, and takes everything back."""
    bar = Shop.open()
    bar.product("Latte", "70.00")

    def fail(**kwargs: object) -> None:
        raise RuntimeError("the database is on fire")

    monkeypatch.setattr("inventory.exchange.products.change_product", fail)
    with pytest.raises(RuntimeError, match="on fire"):
        bring_in("products", csv_file("category,name,price", "Tea,Mocha,80", "Tea,Latte,5"))

    assert Product.objects.count() == 1


@pytest.mark.parametrize("subject", ["ingredients", "products", "recipes"])
def test_each_line_takes_the_same_number_of_queries_however_many_there_are(subject: str) -> None:
    bar = Shop.open()
    milk = bar.ingredient("Milk", "ml")
    for number in range(60):
        bar.product(f"Tea {number}")

    def file(first: int, number: int) -> bytes:
        lines = {
            "ingredients": ("name,unit", "Leaf {0},g"),
            "products": ("category,name,price", "Tea,Cup {0},{0}"),
            "recipes": ("product,ingredient,quantity", "Tea {0},Milk,5"),
        }[subject]
        return csv_file(lines[0], *(lines[1].format(first + place) for place in range(number)))

    taken = []
    for first, number in ((0, 10), (10, 40)):
        with CaptureQueriesContext(connection) as captured:
            bring_in(subject, file(first, number))
        taken.append(len(captured))
    assert milk.pk
    few, many = taken
    # 30 lines more of the same; a line takes at most 25 statements, savepoints and locks included.
    assert (many - few) % 30 == 0
    assert (many - few) // 30 <= 25


def test_a_second_import_and_an_export_take_few_queries_whatever_there_is() -> None:
    bar = Shop.open()
    milk = bar.ingredient("Milk", "ml")
    groups = [bar.group("Size"), bar.group("Ice")]
    for number in range(40):
        bar.product(f"Tea {number}", recipe={milk: 5}, groups=groups)

    for subject in ("ingredients", "products", "recipes", "categories", "options", "option-groups"):
        with CaptureQueriesContext(connection) as captured:
            file = export_file(subject=subject, kind="csv")
        assert len(captured) <= 4, subject
        if file.content.count(b"\n") > 1:
            with CaptureQueriesContext(connection) as captured:
                bring_in(subject, file.content)
            lines = file.content.count(b"\n") - 1
            assert len(captured) <= 15 + 2 * lines, subject  # a savepoint for each line, and nothing else


def test_an_unknown_subject_is_a_mistake_of_the_programmer() -> None:
    with pytest.raises(KeyError):
        bring_in("stock", csv_file("name", "Milk"))


def test_the_errors_of_a_file_are_those_of_its_lines() -> None:
    with pytest.raises(InvalidInput) as caught:
        bring_in("ingredients", csv_file("name,unit", "Oat,x", ",g"))

    assert list(caught.value.errors) == ["line 2.unit", "line 3.name"]
    assert caught.value.detail.startswith("Line 2, unit: “x” is unknown.")


def test_the_unit_of_what_a_pack_names_cannot_change() -> None:
    bar = Shop.open()
    Deliveries(bar).pack(bar.ingredient("Tea", "g"), 500)

    assert refused("ingredients", "name,unit", "Tea,pc") == [
        (
            2,
            "unit",
            "Tea is named by packs: its unit stays g. Take it out there first, or make a new ingredient.",
        )
    ]
    assert Ingredient.objects.get().unit == "g"
