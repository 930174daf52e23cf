"""Amounts and moments as people read them."""

import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone, translation

from foundation import moments
from foundation.money import money


@pytest.mark.parametrize(
    ("currency", "language", "amount", "text"),
    [
        ("THB", "en", "1234.50", "฿1,234.50"),
        ("THB", "en", "60.00", "฿60"),
        ("THB", "en", "-5", "−฿5"),
        ("PLN", "en", "0.1", "0.10\xa0zł"),
        ("RUB", "ru", "1234567.89", "1\xa0234\xa0567,89\xa0₽"),
        ("CHF", "en", "12", "12\xa0CHF"),
    ],
)
def test_an_amount_is_written_as_its_currency_is(
    settings: Any, currency: str, language: str, amount: str, text: str
) -> None:
    settings.CURRENCY = currency
    with translation.override(language):
        assert money(Decimal(amount)) == text


def test_a_currency_without_decimals_has_none(settings: Any) -> None:
    settings.CURRENCY = "JPY"

    assert money(Decimal("1234.50")) == "¥1,235"


def test_a_moment_is_that_of_the_place() -> None:
    year = timezone.now().year
    assert moments.day_and_time(datetime.datetime(year, 1, 1, 20, 30, tzinfo=datetime.UTC), "Asia/Bangkok") == (
        "2 Jan, 03:30"
    )
    assert moments.day_and_time(datetime.datetime(2020, 5, 1, 8, 0, tzinfo=datetime.UTC), "UTC") == "1 May 2020, 08:00"


@pytest.mark.parametrize(
    ("minutes", "text"),
    [(-5, "0 min"), (0, "0 min"), (59, "59 min"), (60, "1 h 0 min"), (1439, "23 h 59 min"), (1440, "1 d")],
)
def test_a_length_of_time_is_said_in_its_largest_units(minutes: int, text: str) -> None:
    assert moments.span(datetime.timedelta(minutes=minutes)) == text
