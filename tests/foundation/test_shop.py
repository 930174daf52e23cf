"""The shop's own settings: one row, read without a query, and what may be changed in it."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from foundation import shop as memory
from foundation.checks import new_shop
from foundation.currencies import check_currency, decimals_of
from foundation.errors import InvalidInput
from foundation.models import Shop
from foundation.money import money
from foundation.services.shop import keep_shop
from foundation.shop import current_shop, forget_shop
from tests.shop import Shop as TeaBar

pytestmark = pytest.mark.django_db

SETTINGS = {"name": "Tea & Co", "currency": "PLN", "time_zone": "Europe/Warsaw", "phone_region": "PL"}


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    forget_shop()
    yield
    forget_shop()


def test_a_shop_without_a_row_is_what_the_environment_says(settings: Any) -> None:
    settings.CURRENCY, settings.PHONE_REGION, settings.TIME_ZONE = "EUR", "DE", "Europe/Berlin"

    shop = current_shop()

    assert (shop.currency, shop.phone_region, shop.time_zone) == ("EUR", "DE", "Europe/Berlin")
    assert not shop.is_set_up
    assert not shop.is_demo


def test_the_row_comes_before_the_environment(settings: Any) -> None:
    settings.CURRENCY = "EUR"
    keep_shop(**SETTINGS)
    forget_shop()

    assert money("12.50") == "12.50\xa0zł"
    assert current_shop().name == "Tea & Co"
    assert current_shop().is_set_up


def test_it_is_read_with_one_query_and_then_with_none() -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        for _number in range(100):
            current_shop()

    assert len(queries) == 1


def test_a_change_of_another_process_shows_after_a_few_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(memory, "monotonic", lambda: now)
    keep_shop(**SETTINGS)
    assert current_shop().name == "Tea & Co"
    Shop.objects.update(name="Coffee & Co")

    assert current_shop().name == "Tea & Co"
    now += memory.MEMORY + 0.1
    assert current_shop().name == "Coffee & Co"


def test_who_changes_it_sees_the_change_at_once(django_capture_on_commit_callbacks: Any) -> None:
    current_shop()
    with django_capture_on_commit_callbacks(execute=True):
        keep_shop(**SETTINGS)

    assert current_shop().name == "Tea & Co"


def test_while_the_database_is_away_it_is_what_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    keep_shop(**SETTINGS)
    current_shop()
    monkeypatch.setattr(memory, "MEMORY", -1.0)
    forget = current_shop()

    def away() -> None:
        raise DatabaseError

    monkeypatch.setattr(memory.Shop.objects, "first", away)
    assert current_shop() == forget


def test_there_is_one_shop() -> None:
    keep_shop(**SETTINGS)
    keep_shop(**{**SETTINGS, "name": "Coffee & Co"})
    assert [shop.name for shop in Shop.objects.all()] == ["Coffee & Co"]

    with pytest.raises(IntegrityError), transaction.atomic():
        Shop.objects.create(id=2, **SETTINGS)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("name", ""),
        ("name", "x" * 10_000),
        ("currency", "XXX"),
        ("currency", "BHD"),
        ("currency", ""),
        ("currency", "'; DROP TABLE foundation_shop"),
        ("time_zone", "Mars/Olympus"),
        ("time_zone", "localtime"),
        ("phone_region", "ZZ"),
        ("phone_region", "🍵"),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_field(field: str, wrong: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        keep_shop(**{**SETTINGS, field: wrong})

    assert list(refused.value.errors) == [field]
    assert not Shop.objects.exists()


def test_the_currency_stays_once_something_was_sold_and_the_rest_may_change() -> None:
    keep_shop(**SETTINGS)
    bar = TeaBar.open()
    bar.sell(bar.product("Tea"))

    with pytest.raises(InvalidInput, match="sold in PLN already"):
        keep_shop(**{**SETTINGS, "currency": "EUR"})
    keep_shop(**{**SETTINGS, "name": "Coffee & Co", "time_zone": "UTC"})

    assert Shop.objects.values_list("name", "currency", "time_zone").get() == ("Coffee & Co", "PLN", "UTC")


def test_a_shop_that_sold_before_it_had_a_row_keeps_the_currency_of_the_environment() -> None:
    bar = TeaBar.open()
    bar.sell(bar.product("Tea"))

    with pytest.raises(InvalidInput):
        keep_shop(**SETTINGS)
    assert not Shop.objects.exists()


def test_a_currency_knows_its_decimals() -> None:
    assert [decimals_of(code) for code in ("THB", "JPY", "PLN", "ISK")] == [2, 0, 2, 0]
    with pytest.raises(ValidationError, match="three decimals"):
        check_currency("KWD")


def test_a_wrong_variable_stops_the_start_with_its_name(settings: Any) -> None:
    assert new_shop(None) == []
    settings.CURRENCY, settings.PHONE_REGION = "Baht", "Thailand"

    assert [(error.id, error.msg.partition(":")[0]) for error in new_shop(None)] == [
        ("foundation.E002", "CURRENCY"),
        ("foundation.E002", "PHONE_REGION"),
    ]
