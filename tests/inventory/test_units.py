"""The units that people write, exactly or not at all."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.errors import InvalidInput
from inventory.errors import WrongUnit
from inventory.services import lines
from inventory.units import (
    BY_CODE,
    LARGEST_QUANTITY,
    UNITS,
    find_unit,
    nicest,
    parse_quantity,
    times,
    to_base,
    unit_cost,
    units_of,
    value_of,
    written,
)

base_units = st.sampled_from(["g", "ml", "pc"])
# Everything that a level can hold, to the thousandth.
quantities = st.decimals(min_value=0, max_value=LARGEST_QUANTITY, places=3, allow_nan=False, allow_infinity=False)
prices = st.decimals(min_value=0, max_value=Decimal("999999.99"), places=2, allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("text", "base_unit", "quantity"),
    [
        ("250", "g", "250"),
        ("1.5 kg", "g", "1500"),
        ("1,5 кг", "g", "1500"),
        ("1,5КГ.", "g", "1500"),
        ("500 mg", "g", "0.5"),
        ("1 mg", "g", "0.001"),
        ("0,125 kg", "g", "125"),
        ("2 l", "ml", "2000"),
        ("2л", "ml", "2000"),
        ("75 cl", "ml", "750"),
        (".5 l", "ml", "500"),
        ("1 250 ml", "ml", "1250"),
        ("1\N{NO-BREAK SPACE}250,5 ml", "ml", "1250.5"),
        ("1,2345 kg", "g", "1234.5"),
        ("30 pcs", "pc", "30"),
        ("2 dozen", "pc", "24"),
        ("3 шт.", "pc", "3"),
        ("12 × 1 l", "ml", "12000"),
        ("12x1 l", "ml", "12000"),
        ("6 х 0,5 кг", "g", "3000"),
        ("4 * 250", "g", "1000"),
        ("  0 g ", "g", "0"),
    ],
)
def test_a_quantity_is_read_as_people_write_it(text, base_unit, quantity):
    assert parse_quantity(text, base_unit) == Decimal(quantity)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Write a quantity such as 250 g or 1.5 kg."),
        ("kg", "Write a quantity such as 250 g or 1.5 kg."),
        ("12 1 kg", "Write a quantity such as 250 g or 1.5 kg."),
        ("1.2.3", "Write a quantity such as 250 g or 1.5 kg."),
        ("1e9", "Write a quantity such as 250 g or 1.5 kg."),
        ("NaN", "Write a quantity such as 250 g or 1.5 kg."),
        ("9" * 100, "Write a quantity such as 250 g or 1.5 kg."),
        ("-5 g", "The quantity can't be below 0."),
        ("\N{MINUS SIGN}5", "The quantity can't be below 0."),
        ("1,000", "“1,000” can be read in two ways. Write 1000 for a thousand, and 1.5 for one and a half."),
        ("1,000.5", "“1,000.5” can be read in two ways. Write 1000 for a thousand, and 1.5 for one and a half."),
        ("999999999", "The quantity can't be above 99999999."),
        ("999999 kg", "The quantity can't be above 99999999."),
        ("9999 × 9999 kg", "The quantity can't be above 99999999."),
        ("0.0001", "This is finer than a thousandth of 1 g. Write a quantity with fewer decimals."),
        ("0.5 mg", "This is finer than a thousandth of 1 g. Write a quantity with fewer decimals."),
        ("1.0000005 kg", "This is finer than a thousandth of 1 g. Write a quantity with fewer decimals."),
    ],
)
def test_what_is_no_quantity_is_refused_with_a_sentence(text, sentence):
    with pytest.raises(InvalidInput) as refusal:
        parse_quantity(text, "g")

    assert refusal.value.detail == sentence
    assert refusal.value.errors == {"quantity": [sentence]}


@pytest.mark.parametrize(
    ("text", "base_unit", "units"),
    [
        ("1 l", "g", "g, kg, mg"),
        ("2 kg", "ml", "ml, l, cl"),
        ("5 g", "pc", "pc, dozen"),
        ("5 buckets", "g", "g, kg, mg"),
    ],
)
def test_a_unit_of_another_kind_is_refused(text, base_unit, units):
    with pytest.raises(WrongUnit, match=f"is not a unit for this ingredient. Use one of: {units}."):
        parse_quantity(text, base_unit)


@pytest.mark.parametrize("number", ["NaN", "sNaN", "Infinity", "-Infinity", "-1", "1e30", "1e-30", "1e999999"])
def test_a_number_that_is_no_quantity_never_gets_to_the_base_unit(number):
    with pytest.raises(InvalidInput):
        to_base(Decimal(number), "kg", "g")


def test_forty_nines_are_not_rounded_to_a_kilogram():
    with pytest.raises(InvalidInput, match="finer than a thousandth"):
        to_base(Decimal("0." + "9" * 40), "kg", "g")


def test_a_pack_of_12_litres_is_12_000_ml():
    assert times(Decimal(12), to_base(Decimal(1), "l", "ml"), "ml") == 12000
    assert times(Decimal("0.5"), Decimal(12000), "ml") == 6000


@pytest.mark.parametrize(
    ("quantity", "base_unit", "text"),
    [
        ("12000", "ml", "12 l"),
        ("12000.000", "ml", "12 l"),
        ("1250", "g", "1.25 kg"),
        ("1234", "g", "1234 g"),
        ("999", "g", "999 g"),
        ("0.5", "g", "0.5 g"),
        ("24", "pc", "24 pc"),
        ("5000", "pc", "5000 pc"),
        ("0", "ml", "0 ml"),
    ],
)
def test_an_amount_is_shown_in_the_unit_that_reads_best(quantity, base_unit, text):
    assert written(Decimal(quantity), base_unit) == text


def test_units_are_those_of_the_ingredient_and_the_base_unit_stands_first():
    assert [unit.code for unit in units_of("g")] == ["g", "kg", "mg"]
    assert [unit.code for unit in units_of("ml")] == ["ml", "l", "cl"]
    assert [unit.code for unit in units_of("pc")] == ["pc", "dozen"]
    assert len(BY_CODE) == len(UNITS)


def test_what_is_the_most_of_a_line_is_the_most_of_a_quantity():
    assert LARGEST_QUANTITY == lines.LARGEST_QUANTITY


@given(quantities, base_units)
def test_what_is_shown_is_read_back_to_the_last_thousandth(quantity, base_unit):
    assert parse_quantity(written(quantity, base_unit), base_unit) == quantity
    amount = nicest(quantity, base_unit)
    assert amount.quantity * amount.unit.factor == quantity


@given(
    st.decimals(min_value=0, max_value=10**6, allow_nan=False, allow_infinity=False, places=7), st.sampled_from(UNITS)
)
def test_a_conversion_is_exact_or_refused(quantity, unit):
    exact = quantity * unit.factor
    fits = exact == exact.quantize(Decimal("0.001")) and exact <= LARGEST_QUANTITY
    try:
        converted = to_base(quantity, unit.code, unit.base)
    except InvalidInput:
        assert not fits
    else:
        assert fits
        assert converted == exact


@given(
    st.decimals(min_value=Decimal("0.001"), max_value=10**4, places=3, allow_nan=False, allow_infinity=False),
    st.integers(min_value=1, max_value=10**4),
    prices,
)
def test_packs_cost_exactly_packs_times_price(packs, content, price):
    quantity = times(packs, Decimal(content), "g")

    assert value_of(quantity, pack_quantity=Decimal(content), price=price) == packs * price


def test_three_packs_that_do_not_divide_cost_what_was_paid_and_not_a_satang_less():
    # 700 g for 10.00: a gram costs 0.014286, and 2,100 of those would be 30.0006.
    assert unit_cost(pack_quantity=Decimal(700), price=Decimal("10.00")) == Decimal("0.014286")
    assert value_of(Decimal(2100), pack_quantity=Decimal(700), price=Decimal("10.00")) == Decimal("30.000000")


def test_a_part_of_a_pack_costs_its_part():
    assert value_of(Decimal(100), pack_quantity=Decimal(700), price=Decimal("10.00")) == Decimal("1.428571")


def test_a_word_is_found_whatever_its_case():
    assert find_unit(" KG. ", "g").code == "kg"
