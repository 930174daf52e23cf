"""Lines that can't be taken: each is named with its column, and nothing of the file is."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from inventory.exchange.errors import WrongLines
from inventory.models import Category, Ingredient, Option, OptionEffect, Product, RecipeLine
from inventory.services.exchange import export_file
from tests.inventory.spreadsheets import bring_in, csv_file, outcomes, sheet_of, with_sheet, xlsx_file
from tests.shop import Shop

pytestmark = pytest.mark.django_db

NAME_AND_PRICE = (
    '<row r="1"><c r="A1" t="inlineStr"><is><t>name</t></is></c><c r="B1" t="inlineStr"><is><t>price</t></is></c></row>'
)


@pytest.fixture
def bar() -> Shop:
    bar = Shop.open()
    milk = bar.ingredient("Milk", "ml")
    bar.product("Latte", "70.00", {milk: 200})
    size = bar.group("Size")
    bar.option(size, "Large")
    return bar


def faults(subject: str, content: bytes) -> list[tuple[int, str, str]]:
    """(line, column, sentence) of all that is wrong; nothing may have changed."""
    before = everything()
    with pytest.raises(WrongLines) as caught:
        bring_in(subject, content)
    assert everything() == before
    return [(fault.line, fault.column, fault.sentence) for fault in caught.value.faults]


def everything() -> list[Any]:
    models = (Category, Ingredient, Product, RecipeLine, Option, OptionEffect)
    return [list(model.objects.order_by("pk").values()) for model in models]


def fault(subject: str, header: str, line: str) -> tuple[str, str]:
    """(column, sentence) of what is wrong with the only line."""
    ((number, column, sentence),) = faults(subject, csv_file(header, line))
    assert number == 2
    return column, sentence


# --- numbers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("price", "sentence"),
    [
        ("", "The cell is empty. Fill it in."),
        ("dear", "“dear” is not a number. Write it like 12.5."),
        ("1e999999", "“1e999999” is not a number. Write it like 12.5."),
        ("1e2", "“1e2” is not a number. Write it like 12.5."),
        ("NaN", "“NaN” is not a number. Write it like 12.5."),
        ("Infinity", "“Infinity” is not a number. Write it like 12.5."),
        ("0x10", "“0x10” is not a number. Write it like 12.5."),
        ("1_000", "“1_000” is not a number. Write it like 12.5."),
        ("١٢", "“١٢” is not a number. Write it like 12.5."),
        ("9" * 40, f"“{'9' * 40}” is not a number. Write it like 12.5."),
        ("12.345", "“12.345” has too many decimals. Write at most 2 of them."),
        ("-5", "Ensure this value is greater than or equal to 0."),
        ("\N{MINUS SIGN}5", "Ensure this value is greater than or equal to 0."),
        ("99999999999", "Ensure that there are no more than 12 digits in total."),
        ('"1,000"', "“1,000” can be read in two ways. Write 1000 for a thousand, and 1.5 for one and a half."),
        ('"1,000.50"', "“1,000.50” is not a number. Write it like 12.5."),
    ],
)
def test_a_price_that_is_none_is_refused(bar: Shop, price: str, sentence: str) -> None:
    assert fault("products", "name,price", f"Latte,{price}") == ("price", sentence)


@pytest.mark.parametrize(
    ("written", "price"),
    [
        ("75", "75.00"),
        (" 75.5 ", "75.50"),
        ('"12,5"', "12.50"),
        ("1 250.00", "1250.00"),
        ("1\N{NO-BREAK SPACE}250", "1250.00"),
        ("75.00000", "75.00"),
        ("+5", "5.00"),
        ("1'000", "1000.00"),
    ],
)
def test_a_price_is_taken_as_people_write_it(bar: Shop, written: str, price: str) -> None:
    bring_in("products", csv_file("name,price", f"Latte,{written}"))

    assert Product.objects.get().price == Decimal(price)


def test_where_semicolons_part_the_cells_the_comma_is_decimal(bar: Shop) -> None:
    content = csv_file("product;ingredient;quantity", "Latte;Milk;0,125", encoding="utf-8-sig")

    bring_in("recipes", content)

    assert RecipeLine.objects.get().quantity == Decimal("0.125")


def test_numbers_of_a_workbook_are_what_they_look_like(bar: Shop) -> None:
    bring_in(
        "products",
        xlsx_file(("name", "price", "position"), ("Latte", 0.1 + 0.2 + 0.4, 3.0)),
    )

    product = Product.objects.get()
    assert (product.price, product.position) == (Decimal("0.70"), 3)


def test_numbers_stored_as_text_and_texts_stored_as_numbers_are_taken(bar: Shop) -> None:
    report = bring_in("ingredients", xlsx_file(("name", "unit", "shelf_life_hours"), (7.0, "g", "48"), (8, "g", "1.0")))

    assert outcomes(report) == [(2, "new", "7"), (3, "new", "8")]
    assert list(Ingredient.objects.exclude(name="Milk").values_list("name", "shelf_life_hours")) == [
        ("7", 48),
        ("8", 1),
    ]


@pytest.mark.parametrize("hours", ["1.5", "0", "-3", "99999999", "many"])
def test_hours_that_make_no_sense_are_refused(bar: Shop, hours: str) -> None:
    assert fault("ingredients", "name,shelf_life_hours", f"Milk,{hours}")[0] == "shelf_life_hours"


def test_a_number_too_large_for_a_computer_is_refused(bar: Shop) -> None:
    line = '<row r="2"><c r="A2" t="inlineStr"><is><t>Latte</t></is></c><c r="B2"><v>1e999999</v></c></row>'

    assert faults("products", with_sheet(xlsx_file(("name",)), sheet_of(NAME_AND_PRICE + line))) == [
        (2, "price", "B2 holds a number that is too large. Check it.")
    ]


@pytest.mark.parametrize(
    ("quantity", "sentence"),
    [
        ("0", "The quantity must be more than 0."),
        ("-1", "The quantity must be more than 0."),
        ("0.0001", "A quantity has at most three decimals."),
        ("100000000", "The quantity can't be above 99999999."),
    ],
)
def test_a_quantity_that_no_recipe_can_have_is_refused(bar: Shop, quantity: str, sentence: str) -> None:
    assert fault("recipes", "product,ingredient,quantity", f"Latte,Milk,{quantity}") == ("quantity", sentence)


# --- what is no value -------------------------------------------------------------------------------------


def test_a_formula_is_refused_with_its_cell(bar: Shop) -> None:
    content = xlsx_file(("name", "price"), ("Latte", "=30+45"))

    assert faults("products", content) == [
        (2, "price", "B2 holds a formula. Copy the cell and paste its value in its place.")
    ]


def test_what_a_formula_gave_when_the_file_was_saved_is_not_trusted(bar: Shop) -> None:
    line = '<row r="2"><c r="A2" t="inlineStr"><is><t>Latte</t></is></c><c r="B2"><f>1</f><v>75</v></c></row>'

    content = with_sheet(xlsx_file(("name",)), sheet_of(NAME_AND_PRICE + line))
    ((number, column, _sentence),) = faults("products", content)
    assert (number, column) == (2, "price")


def test_errors_and_dates_of_a_spreadsheet_are_no_values(bar: Shop) -> None:
    found = faults("products", xlsx_file(("name", "price"), ("Latte", "#N/A"), ("Tea", date(2026, 5, 1))))

    assert found == [
        (2, "price", "B2 holds the error #N/A. Write the value."),
        (3, "price", "B3 is formatted as a date. Format it as a number or as text, and write the value anew."),
    ]


@pytest.mark.parametrize("word", ["yes", "YES", "true", "TRUE", "1", "да", "Да", "ИСТИНА"])
def test_yes_is_understood(bar: Shop, word: str) -> None:
    Product.objects.update(is_listed=False)

    bring_in("products", csv_file("name,is_listed", f"Latte,{word}"))

    assert Product.objects.get().is_listed


@pytest.mark.parametrize("word", ["no", "No", "false", "FALSE", "0", "нет", "ЛОЖЬ"])
def test_no_is_understood(bar: Shop, word: str) -> None:
    bring_in("products", csv_file("name,is_listed", f"Latte,{word}"))

    assert not Product.objects.get().is_listed


def test_a_workbooks_own_yes_and_no_are_understood(bar: Shop) -> None:
    bring_in("products", xlsx_file(("name", "is_listed"), ("Latte", False)))

    assert not Product.objects.get().is_listed


@pytest.mark.parametrize("word", ["maybe", "2", "-", "on the menu"])
def test_what_is_neither_yes_nor_no_is_refused(bar: Shop, word: str) -> None:
    assert fault("products", "name,is_listed", f"Latte,{word}") == (
        "is_listed",
        f"“{word}” is neither yes nor no. Write one of them.",
    )


# --- names ------------------------------------------------------------------------------------------------


def test_a_name_that_stands_there_twice_is_refused_at_the_second_line(bar: Shop) -> None:
    assert faults("ingredients", csv_file("name,unit", "Oat,ml", "Tea,g", " Oat ,g")) == [
        (4, "name", "“Oat” stands in line 2 already. Keep one of them.")
    ]


def test_an_ingredient_stands_once_in_a_recipe(bar: Shop) -> None:
    assert faults("recipes", csv_file("product,ingredient,quantity", "Latte,Milk,5", "Latte,Milk,6")) == [
        (3, "ingredient", "“Milk” stands in line 2 already. Keep one of them.")
    ]


def test_blanks_around_a_name_do_not_count(bar: Shop) -> None:
    report = bring_in("ingredients", csv_file("name,unit", "\N{NO-BREAK SPACE} Milk\t, ML "))

    assert outcomes(report) == [(2, "unchanged", "Milk")]


def test_a_name_that_differs_only_in_its_letters_case_is_refused(bar: Shop) -> None:
    assert fault("ingredients", "name,unit", "MILK,ml") == (
        "name",
        "“Milk” is there already, written like this. Write it alike, or give this another name.",
    )
    assert fault("recipes", "product,ingredient,quantity", "Latte,milk,5") == (
        "ingredient",
        "“milk” is written “Milk” here. Write it alike.",
    )


def test_a_very_long_name_is_refused(bar: Shop) -> None:
    assert fault("ingredients", "name,unit", f"{'a' * 101},g") == (
        "name",
        "Ensure this value has at most 100 characters (it has 101).",
    )
    assert fault("ingredients", "name,unit", f"{'a' * 40_000},g")[1].startswith("The cell holds more than")


def test_characters_that_are_no_text_are_refused(bar: Shop) -> None:
    header = '<row r="1"><c r="A1" t="inlineStr"><is><t>name</t></is></c></row>'
    line = '<row r="2"><c r="A2" t="inlineStr"><is><t>Mi\x7flk</t></is></c></row>'

    assert faults("ingredients", with_sheet(xlsx_file(("name",)), sheet_of(header + line))) == [
        (2, "name", "The cell holds characters that are no text. Type it anew.")
    ]


@pytest.mark.parametrize(
    ("subject", "header", "line", "column", "sentence"),
    [
        (
            "products",
            "name,category,price",
            "Tea,Nowhere,5",
            "category",
            "There is no category “Nowhere”. Add it first.",
        ),
        (
            "products",
            "name,option_groups",
            'Latte,"Size, Ice"',
            "option_groups",
            "There is no option group “Ice”. Add it first.",
        ),
        (
            "products",
            "name,option_groups",
            'Latte,"Size, Size"',
            "option_groups",
            "“Size” stands there twice. Name it once.",
        ),
        (
            "recipes",
            "product,ingredient,quantity",
            "Mocha,Milk,5",
            "product",
            "There is no product “Mocha”. Add it first.",
        ),
        (
            "recipes",
            "product,ingredient,quantity",
            "Latte,Cocoa,5",
            "ingredient",
            "There is no ingredient “Cocoa”. Add it first.",
        ),
        ("options", "group,name", "Ice,None", "group", "There is no option group “Ice”. Add it first."),
        (
            "option-effects",
            "group,option,kind,ingredient,quantity",
            "Size,Huge,add,Milk,5",
            "option",
            "The group “Size” has no option “Huge”. Add it first.",
        ),
    ],
)
def test_what_does_not_exist_is_named(
    bar: Shop, subject: str, header: str, line: str, column: str, sentence: str
) -> None:
    assert fault(subject, header, line) == (column, sentence)


def test_a_new_record_needs_its_columns_and_a_known_one_does_not(bar: Shop) -> None:
    assert faults("products", csv_file("name,is_listed", "Latte,no", "Tea,yes")) == [
        (3, "category", "This is new and needs a value. Add the column to the file."),
        (3, "price", "This is new and needs a value. Add the column to the file."),
    ]


def test_cells_beside_the_columns_are_refused(bar: Shop) -> None:
    ((number, column, sentence),) = faults("products", csv_file("name,price", "Latte,12,50"))
    assert (number, column) == (2, "")
    assert "more cells than named columns" in sentence


def test_an_unknown_unit_is_refused(bar: Shop) -> None:
    assert fault("ingredients", "name,unit", "Oat,litres") == (
        "unit",
        "“litres” is unknown. Write one of: g, ml, pc.",
    )


# --- all or nothing ---------------------------------------------------------------------------------------


def test_all_that_is_wrong_is_said_at_once_and_nothing_is_taken(bar: Shop) -> None:
    found = faults(
        "products",
        csv_file("name,price,is_listed", "Latte,80,no", "Latte,81,no", ",5,yes", "Tea,-1,perhaps"),
    )

    assert [(number, column) for number, column, _sentence in found] == [
        (3, "name"),
        (4, "name"),
        (4, "category"),
        (5, "is_listed"),
        (5, "category"),
        (5, "price"),
    ]
    assert Product.objects.get().price == 70


def test_many_faults_are_said_in_short(bar: Shop) -> None:
    with pytest.raises(WrongLines) as caught:
        bring_in("ingredients", csv_file("name,unit", *(f"Oat {n},x" for n in range(50))))

    assert len(caught.value.faults) == 50
    assert caught.value.detail.count("\n") == 20
    assert caught.value.detail.endswith("And 30 more.")
    assert export_file(subject="ingredients", kind="csv").content.count(b"\n") == 2
