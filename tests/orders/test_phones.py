"""Telephone numbers: one number, however it is written."""

import pytest

from foundation.errors import InvalidInput
from foundation.shop import CurrentShop, remember_shop
from orders.models import Customer
from orders.phones import e164, normalised_phone, shown_phone
from orders.services.customer_records import find_or_add_customer
from tests.orders.migrating import forwards_of

ANN = "+447700900123"
SPELLINGS = [
    "+44 7700 900123",
    "+44 (0)7700 900-123",
    "0044 7700 900123",
    "07700 900123",
    "(07700) 900 123",
    "tel:+44-7700-900123",
    "+44\N{NO-BREAK SPACE}7700\N{NO-BREAK SPACE}900123",
    "＋４４ ７７００ ９００１２３",
    "+44 7700\N{NON-BREAKING HYPHEN}900\N{EN DASH}123",
    "07700/900.123",
]


@pytest.fixture(autouse=True)
def a_british_shop() -> None:
    remember_shop(CurrentShop("Tea", "GBP", "Europe/London", "GB"))


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_number_is_the_same_number_however_it_is_written(spelling: str) -> None:
    assert normalised_phone(spelling) == ANN


@pytest.mark.django_db
def test_a_phone_in_ten_spellings_is_one_customer() -> None:
    found = {find_or_add_customer(phone=spelling, name="Ann").pk for spelling in SPELLINGS}

    assert len(found) == 1
    assert Customer.objects.values_list("phone", flat=True).get() == ANN
    for spelling in SPELLINGS:
        assert Customer.objects.search(spelling).count() == 1, spelling


@pytest.mark.django_db
@pytest.mark.parametrize("part", ["900123", "7700 9001", "00 900", "+44 77", "0 7700"])
def test_a_customer_is_found_by_a_part_of_the_digits(part: str) -> None:
    find_or_add_customer(phone=ANN, name="Ann")

    assert Customer.objects.search(part).count() == 1


@pytest.mark.parametrize(
    "text",
    [
        "900123",  # within a town only
        "+44 7700 900123 ext. 5",
        "+44 7700 900123x5",
        "+44 7700 900123, 5",
        "12",
        "+",
        "++44 7700 900123",
        "hello",
        "+44 7700 900123" * 9,
        "٧" * 40,
        "☎️",
        "'; DROP TABLE orders_customer",
    ],
)
def test_what_is_no_number_is_refused_at_the_field_and_told_how_to_write_one(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"country code, as in \+44") as refused:
        normalised_phone(text)
    assert set(refused.value.errors) == {"phone"}


def test_numbers_kept_free_for_fiction_are_numbers() -> None:
    assert e164("+1 202 555 0104", "TH") == "+12025550104"
    assert e164("+44 7700 900101", "TH") == "+447700900101"


def test_a_number_without_its_country_is_one_of_the_shops() -> None:
    assert e164("081 234 5678", "TH") == "+66812345678"
    assert e164("8 916 123-45-67", "RU") == "+79161234567"
    assert e164("001 44 7700 900123", "TH") == ANN  # as one dials abroad in Thailand


def test_no_number_at_all_is_none() -> None:
    assert normalised_phone(" \N{NO-BREAK SPACE}") == ""


def test_people_read_it_as_the_world_writes_it() -> None:
    assert shown_phone(ANN) == "+44 7700 900123"
    assert shown_phone("ask Bob") == "ask Bob"
    assert shown_phone("") == ""


@pytest.mark.django_db
def test_the_migration_writes_what_it_can_read_anew_and_leaves_the_rest(caplog: pytest.LogCaptureFixture) -> None:
    for phone in ["07700 900123", "ask Bob", "", "+12025550104", "0044 7700 900124"]:
        Customer.objects.create(name="Ann", phone=phone)

    forwards_of("0008_customers", "normalise_phones")

    assert list(Customer.objects.order_by("pk").values_list("phone", flat=True)) == [
        "+667700900123",  # The shop has no row: the region is that of the environment.
        "ask Bob",
        "",
        "+12025550104",
        "+447700900124",
    ]
    assert "1 customers have a phone that is no telephone number" in caplog.text
