"""Numbers as the admin shows and reads them."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.utils.translation import override

from foundation.admin.numbers import PlainDecimalField, PlainDecimalInput, change, number, unit_cost, with_unit

GAP = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("1250.000", "1,250"), ("0.500", "0.5"), ("1234567.125", "1,234,567.125"), ("0.000", "0"), ("-3.10", "-3.1")],
)
def test_a_number_has_no_needless_zeros(amount: str, shown: str) -> None:
    assert number(Decimal(amount)) == shown


def test_a_number_follows_the_readers_language() -> None:
    with override("ru"):
        assert number(Decimal("1250.500")) == f"1{GAP}250,5"


def test_a_quantity_has_its_unit_and_a_change_its_sign() -> None:
    assert with_unit(Decimal("12000.000"), "ml") == f"12,000{GAP}ml"
    assert change(Decimal("5.000"), "g") == f"+5{GAP}g"
    assert change(Decimal("-5.250"), "g") == f"−5.25{GAP}g"


def test_a_unit_cost_keeps_its_small_decimals() -> None:
    assert unit_cost(Decimal("0.042500"), "ml") == f"฿0.0425{GAP}/{GAP}ml"


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("250", "250"),
        (" 1 250 ", "1250"),
        ("0,5", "0.5"),
        (",5", "0.5"),
        ("1,25", "1.25"),
        ("1.250", "1.250"),
        ("-1,5", "-1.5"),
        ("12\N{NO-BREAK SPACE}000", "12000"),
    ],
)
def test_a_decimal_is_read_as_people_type_it(typed: str, read: str) -> None:
    assert PlainDecimalField().clean(typed) == Decimal(read)


@pytest.mark.parametrize("typed", ["1,000", "1,2,3", "1,000.5", "1,", ","])
def test_a_comma_that_can_be_misread_is_refused(typed: str) -> None:
    with pytest.raises(ValidationError) as refused:
        PlainDecimalField().clean(typed)
    assert "can be read in two ways" in refused.value.messages[0]


@pytest.mark.parametrize("typed", ["NaN", "inf", "0x10", "1e", "two", "١٢abc"])
def test_what_is_no_number_is_refused(typed: str) -> None:
    with pytest.raises(ValidationError):
        PlainDecimalField().clean(typed)


def test_the_field_shows_a_decimal_without_needless_zeros() -> None:
    assert 'value="250"' in PlainDecimalInput().render("quantity", Decimal("250.000"))
    assert 'value="0.5"' in PlainDecimalInput().render("quantity", Decimal("0.500"))
    assert 'inputmode="decimal"' in PlainDecimalInput().render("quantity", None)


def test_an_unchanged_decimal_counts_as_unchanged() -> None:
    assert not PlainDecimalField().has_changed(Decimal("250.000"), "250")
    assert PlainDecimalField().has_changed(Decimal("250.000"), "251")
