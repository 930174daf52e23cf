"""Signing in, and how often somebody may try: exact counts on a clock of the test's own."""

from contextlib import suppress
from datetime import timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured

from monitoring.models import Alert
from tests.users.conftest import NOON, PASSWORD
from users.errors import SignInRefused, TooManySignIns
from users.models import SignInCount, User
from users.services import accounts
from users.services.sign_in import sign_in
from users.services.sign_in_limit import Rate, count_attempt, forget_old_counts

pytestmark = pytest.mark.django_db

HERE, THERE = "192.0.2.1", "198.51.100.7"


@pytest.fixture(autouse=True)
def three_attempts_a_minute(settings):
    settings.SIGN_IN_RATE = "3/min"


@pytest.fixture
def vera(person) -> User:
    return person("barista", email="vera@example.com")


def try_to_sign_in(email="vera@example.com", password=PASSWORD, address=HERE, now=NOON) -> User:
    return sign_in(email=email, password=password, address=address, now=now)


def test_the_right_password_signs_in_whatever_the_emails_case(vera):
    assert try_to_sign_in("  Vera@EXAMPLE.com ") == vera


@pytest.mark.parametrize(
    ("email", "password"),
    [("vera@example.com", "wrong"), ("nobody@example.com", PASSWORD), ("gone@example.com", PASSWORD)],
)
def test_a_refusal_says_the_same_whatever_was_wrong(vera, person, email, password):
    accounts.deactivate_user(user_id=person("manager", email="gone@example.com").pk)

    with pytest.raises(SignInRefused) as refused:
        try_to_sign_in(email, password)

    assert refused.value.detail == (
        "The e-mail or the password is wrong, or the account is switched off. Check both and try again."
    )


def test_so_many_attempts_are_looked_at_and_the_next_is_not_even_with_the_right_password(vera):
    for _attempt in range(3):
        with pytest.raises(SignInRefused):
            try_to_sign_in(password="wrong")

    with pytest.raises(TooManySignIns) as refused:
        try_to_sign_in()

    assert refused.value.retry_after == 60
    assert refused.value.detail == "Too many attempts to sign in. Try again in 60 seconds."


def test_successful_attempts_count_too(vera):
    for _attempt in range(3):
        assert try_to_sign_in() == vera

    with pytest.raises(TooManySignIns):
        try_to_sign_in()


def test_the_next_window_starts_anew(vera):
    for _attempt in range(3):
        try_to_sign_in()
    with pytest.raises(TooManySignIns) as refused:
        try_to_sign_in(now=NOON + timedelta(seconds=59))
    assert refused.value.retry_after == 1
    assert refused.value.detail == "Too many attempts to sign in. Try again in 1 second."

    assert try_to_sign_in(now=NOON + timedelta(seconds=60)) == vera


def test_one_account_is_guarded_against_guesses_from_many_addresses(vera):
    for number in range(3):
        count_attempt(email="vera@example.com", address=f"192.0.2.{number}", now=NOON)

    with pytest.raises(TooManySignIns):
        count_attempt(email="VERA@example.com", address="192.0.2.99", now=NOON)
    count_attempt(email="boris@example.com", address="192.0.2.99", now=NOON)


def test_one_address_is_limited_over_many_emails(vera):
    for number in range(3):
        count_attempt(email=f"guess{number}@example.com", address=HERE, now=NOON)

    with pytest.raises(TooManySignIns):
        count_attempt(email="guess99@example.com", address=HERE, now=NOON)
    count_attempt(email="guess99@example.com", address=THERE, now=NOON)


def test_all_addresses_of_one_ipv6_network_count_as_one():
    for number in range(3):
        count_attempt(email=f"guess{number}@example.com", address=f"2001:db8:1:2::{number}", now=NOON)

    with pytest.raises(TooManySignIns):
        count_attempt(email="other@example.com", address="2001:db8:1:2:ffff::9", now=NOON)
    count_attempt(email="another@example.com", address="2001:db8:1:3::1", now=NOON)


def test_an_ipv4_address_counts_as_one_in_its_ipv6_form_too():
    for number in range(3):
        count_attempt(email=f"guess{number}@example.com", address=f"::ffff:{HERE}", now=NOON)

    with pytest.raises(TooManySignIns):
        count_attempt(email="other@example.com", address=HERE, now=NOON)


def test_one_attempt_is_one_statement(django_assert_num_queries):
    # Within the savepoint that a test's transaction adds.
    with django_assert_num_queries(3) as captured:
        count_attempt(email="vera@example.com", address=HERE, now=NOON)

    assert [query["sql"].split()[0] for query in captured.captured_queries] == ["SAVEPOINT", "INSERT", "RELEASE"]
    assert sorted(SignInCount.objects.values_list("counted_by", "count")) == [("address", 1), ("email", 1)]


def test_what_was_typed_as_an_email_is_not_kept():
    count_attempt(email="my-secret-password", address=HERE, now=NOON)

    (kept,) = SignInCount.objects.filter(counted_by="email")
    assert "secret" not in kept.key
    assert len(kept.key) == 64


def test_the_first_refusal_of_a_window_tells_the_staff_once(vera):
    for _attempt in range(6):
        with suppress(TooManySignIns):
            count_attempt(email="vera@example.com", address=HERE, now=NOON)

    alerts = Alert.objects.filter(event="users.sign_in_locked").order_by("subject")
    assert [(alert.subject, alert.count, alert.message) for alert in alerts] == [
        (HERE, 1, "Too many attempts to sign in from 192.0.2.1."),
        (
            "vera@example.com",
            1,
            "Too many attempts to sign in as vera@example.com, the last of them from 192.0.2.1.",
        ),
    ]
    assert alerts[0].details == {"address": HERE, "attempts": 3, "seconds": 60}


def test_an_email_that_is_nobodys_is_not_named_to_the_staff():
    for number in range(4):
        with suppress(TooManySignIns):
            count_attempt(email="my-secret-password", address=f"192.0.2.{number}", now=NOON)

    assert not Alert.objects.exists()


def test_old_counts_are_forgotten():
    count_attempt(email="vera@example.com", address=HERE, now=NOON)
    count_attempt(email="vera@example.com", address=HERE, now=NOON + timedelta(days=2))

    assert forget_old_counts(now=NOON + timedelta(days=2, minutes=1)) == 2
    assert set(SignInCount.objects.values_list("window_start", flat=True)) == {NOON + timedelta(days=2)}


@pytest.mark.parametrize(
    ("text", "attempts", "seconds"), [("20/min", 20, 60), ("5/s", 5, 1), ("100/hour", 100, 3600), ("1/d", 1, 86400)]
)
def test_a_rate_is_read(text, attempts, seconds):
    assert Rate.parse(text) == Rate(attempts, seconds)


@pytest.mark.parametrize("text", ["", "20", "0/min", "-1/min", "20/month", "20 / min", "many/min"])
def test_a_rate_that_makes_no_sense_stops_with_its_name(text):
    with pytest.raises(ImproperlyConfigured, match="SIGN_IN_RATE"):
        Rate.parse(text)
