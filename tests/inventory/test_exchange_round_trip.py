"""What is exported and imported again is what it was: over itself, and in an empty shop."""

from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from openpyxl import load_workbook

from inventory.exchange.columns import as_list, listed
from inventory.exchange.formulas import as_meant, for_csv, for_workbook
from inventory.exchange.subjects import SUBJECTS
from inventory.models import Category, Ingredient, OptionGroup, Product
from inventory.services.exchange import FORMATS, export_file
from tests.inventory.spreadsheets import bring_in, look_at, rows_in
from tests.shop import Shop

# What the shop's forms take for a name: one line of text, no blanks around it, no control characters.
LETTERS = st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="\ufffe\uffff")
NAMES = st.text(LETTERS, min_size=1, max_size=40).map(str.strip).filter(bool)
FORMULAS = st.tuples(st.text("'", max_size=2), st.sampled_from("=+-@＝"), NAMES).map("".join)
NASTY = st.one_of(
    NAMES, FORMULAS, st.sampled_from(["1.0", "007", "#N/A", "TRUE", "12,5", 'a "b", c', "a;b", "_x000D_"])
)
PRICES = st.decimals(min_value=0, max_value="9999999999.99", places=2)
QUANTITIES = st.decimals(min_value="0.001", max_value="99999999", places=3)


def everything(kind: str) -> dict[str, bytes]:
    return {subject: export_file(subject=subject, kind=kind).content for subject in SUBJECTS}


def empty_the_shop() -> None:
    for model in (Product, OptionGroup, Ingredient, Category):
        model.objects.all().delete()


def tea_bar() -> None:
    bar = Shop.open()
    milk, oat, pearls = bar.ingredient("Milk", "ml"), bar.ingredient("=Oat", "ml"), bar.ingredient('"Pearls", black')
    Ingredient.objects.filter(pk=milk.pk).update(tracks_expiry=True, shelf_life_hours=72)
    size, kinds = bar.group("Size", least=1), bar.group("Milk, which", most=3, free=1)
    bar.scales(bar.option(size, "Large", "10.00", position=5), "1.4")
    bar.scales(bar.option(size, "Small", "-5.00", is_available=False), "0.75", milk)
    oats = bar.option(kinds, "Oat", is_default=True)
    bar.replaces(oats, milk, oat)
    bar.adds(bar.adds(oats, pearls, "5.125"), pearls, "5.125")
    latte = bar.product("Latte", "70.00", {pearls: 30, milk: "200.5"}, scales=[milk], groups=[kinds, size])
    described = {"description": "Milk, tea;\r\n\t“good”", "sku": "007-L", "barcode": "0460"}
    Product.objects.filter(pk=latte.pk).update(position=3, **described)
    bar.product("-20 % tea", "0.00", is_listed=False)


@pytest.mark.django_db
@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("subject", SUBJECTS)
def test_importing_what_was_exported_changes_nothing_and_says_so(kind: str, subject: str) -> None:
    tea_bar()

    report = bring_in(subject, export_file(subject=subject, kind=kind).content)

    assert report.lines
    assert not report.changes
    assert not report.touched


@pytest.mark.django_db
@pytest.mark.parametrize("kind", FORMATS)
def test_an_empty_shop_becomes_the_one_that_was_exported(kind: str) -> None:
    tea_bar()
    before, files = everything("csv"), everything(kind)
    empty_the_shop()

    for subject, content in files.items():
        report = bring_in(subject, content)
        assert {line.outcome.value for line in report.lines} == {"new"}

    assert everything("csv") == before


@pytest.mark.django_db
def test_a_file_has_the_columns_of_the_fields_and_a_line_for_each_record() -> None:
    tea_bar()

    text = {subject: content.decode("utf-8-sig").splitlines() for subject, content in everything("csv").items()}

    assert text["ingredients"] == [
        "name,unit,tracks_expiry,shelf_life_hours",
        '"""Pearls"", black",g,no,',
        "'=Oat,ml,no,",
        "Milk,ml,yes,72",
    ]
    assert text["recipes"] == [
        "product,ingredient,quantity,unit,scales",
        'Latte,"""Pearls"", black",30,g,no',
        "Latte,Milk,200.5,ml,yes",
    ]
    assert text["option-effects"] == [
        "group,option,kind,ingredient,replacement,factor,quantity",
        '"Milk, which",Oat,replace,Milk,\'=Oat,,',
        '"Milk, which",Oat,add,"""Pearls"", black",,,5.125',
        '"Milk, which",Oat,add,"""Pearls"", black",,,5.125',
        "Size,Small,scale,Milk,,0.75,",
        "Size,Large,scale,,,1.4,",
    ]
    assert text["products"][0] == "category,name,price,sku,barcode,description,is_listed,position,option_groups"
    assert text["options"][1] == '"Milk, which",Oat,0.00,yes,yes,0'


@pytest.mark.django_db
def test_no_cell_of_a_file_is_a_formula() -> None:
    bar = Shop.open()
    for start in ("=1+1", "+1", "-1", "@sum", "'=1", "＝1"):
        bar.ingredient(start)

    cells = [row[0] for row in rows_in(export_file(subject="ingredients", kind="xlsx").content)[1:]]
    lines = export_file(subject="ingredients", kind="csv").content.decode("utf-8-sig").splitlines()[1:]

    assert sorted(cells) == sorted(["=1+1", "+1", "-1", "@sum", "''=1", "＝1"])
    assert {line[0] for line in lines} == {"'"}


@pytest.mark.django_db
def test_texts_of_a_workbook_are_text_for_whoever_edits_them_too() -> None:
    Shop.open().ingredient("=1+1")
    workbook = export_file(subject="ingredients", kind="xlsx").content

    cell = load_workbook(BytesIO(workbook)).worksheets[0]["A2"]
    assert (cell.value, cell.data_type, cell.quotePrefix) == ("=1+1", "s", True)


@given(st.text())
def test_escaping_is_undone_whatever_the_text_is(text: str) -> None:
    assert as_meant(for_csv(text)) == text
    assert as_meant(for_workbook(text)) == text


@given(st.lists(NASTY, max_size=6))
def test_names_in_a_cell_are_read_back(names: list[str]) -> None:
    assert listed(as_list(names)) == names


class AnyShop(TestCase):
    """Shops that nobody would open."""

    @settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
    @given(
        kind=st.sampled_from(list(FORMATS)),
        ingredients=st.lists(NASTY, min_size=1, max_size=4, unique=True),
        products=st.lists(st.tuples(NASTY, PRICES, QUANTITIES), min_size=1, max_size=4, unique_by=lambda one: one[0]),
        groups=st.lists(NASTY, max_size=3, unique=True),
        description=st.text(LETTERS | st.just("\n"), max_size=80),
    )
    def test_any_shop_is_the_same_after_it_has_been_exported_and_imported(
        self, kind: str, ingredients: list[str], products: list[Any], groups: list[str], description: str
    ) -> None:
        bar = Shop.open()
        kept = [bar.ingredient(name) for name in ingredients]
        asked = [bar.group(name) for name in groups]
        for name, price, quantity in products:
            product = bar.product(name, price, {kept[0]: Decimal(quantity)}, groups=asked)
            Product.objects.filter(pk=product.pk).update(description=description.strip())
        before, files = everything("csv"), everything(kind)

        filled = [subject for subject in SUBJECTS if before[subject].count(b"\n") > 1]

        for subject in filled:
            assert not look_at(subject, files[subject]).changes
        empty_the_shop()
        for subject in filled:
            bring_in(subject, files[subject])

        assert everything("csv") == before
