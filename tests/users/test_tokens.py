"""API tokens: hashed, expiring, revocable."""

import hashlib
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from foundation.errors import InvalidInput
from tests.users.conftest import NOON
from users.errors import SignInRefused, TokenMissing
from users.models import ApiToken, User
from users.services import accounts, tokens
from users.tasks import forget_expired_tokens

pytestmark = pytest.mark.django_db

REFUSAL = {
    "type": "authentication_failed",
    "detail": "This token is unknown, has expired, or its account is switched off. Sign in again for a new one.",
}


@pytest.fixture
def vera(person) -> User:
    return person("barista", email="vera@example.com")


def ask_with(secret: str):
    return APIClient().get("/api/v1/users/me/", headers={"Authorization": f"Token {secret}"})


def test_a_token_opens_the_door(vera):
    issued = tokens.issue_token(user=vera, name="Till 2")

    answer = ask_with(issued.secret)

    assert answer.status_code == 200
    assert answer.json()["email"] == "vera@example.com"


def test_the_database_holds_the_digest_and_nowhere_the_token(vera):
    issued = tokens.issue_token(user=vera, name="Till 2")

    assert len(issued.secret) == 64
    assert ApiToken.objects.get().digest == hashlib.sha512(issued.secret.encode()).hexdigest()
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(t)::text FROM users_apitoken AS t")
        (row,) = cursor.fetchone()
    assert issued.secret not in row
    # What is kept readable is its beginning only.
    assert issued.secret[:15] in row
    assert issued.secret[:16] not in row


def test_neither_the_token_nor_its_digest_is_in_what_a_log_would_print(vera):
    issued = tokens.issue_token(user=vera, name="Till 2")

    assert issued.secret not in repr(issued) + str(issued) + repr(issued.record)
    assert issued.record.digest not in repr(issued) + str(issued.record)


def test_a_token_expires_after_the_shops_days_or_those_asked_for(vera, settings):
    settings.API_TOKEN_DAYS = 30

    usual = tokens.issue_token(user=vera, name="Till", now=NOON)
    short = tokens.issue_token(user=vera, name="Script", days=1, now=NOON)

    assert usual.record.expires_at == NOON + timedelta(days=30)
    assert short.record.expires_at == NOON + timedelta(days=1)


def test_an_expired_token_is_refused(vera):
    a_day_ago = timezone.now() - timedelta(days=1, seconds=1)
    issued = tokens.issue_token(user=vera, name="Till", days=1, now=a_day_ago)

    answer = ask_with(issued.secret)

    assert (answer.status_code, answer.json()) == (401, REFUSAL)
    assert answer.headers["WWW-Authenticate"] == "Token"


def test_the_token_of_an_inactive_user_is_refused(vera):
    issued = tokens.issue_token(user=vera, name="Till")
    # Behind the service's back, which would have deleted the token.
    User.objects.update(is_active=False)

    answer = ask_with(issued.secret)

    assert (answer.status_code, answer.json()) == (401, REFUSAL)


@pytest.mark.parametrize("secret", ["", "x", "0" * 64, "1" * 100_000, "two parts", "\u00e9" * 8])
def test_what_is_no_token_is_refused(vera, secret):
    tokens.issue_token(user=vera, name="Till")

    assert ask_with(secret).status_code == 401


def test_bytes_that_are_no_text_are_refused(vera):
    answer = APIClient().get("/api/v1/users/me/", HTTP_AUTHORIZATION=b"Token \xff\xfe")

    assert (answer.status_code, answer.json()) == (401, REFUSAL)


def test_a_request_with_a_token_asks_one_query_for_it_however_many_the_user_has(vera, django_assert_num_queries):
    issued = tokens.issue_token(user=vera, name="Till")
    for number in range(20):
        tokens.issue_token(user=vera, name=f"Till {number}")

    # The token with its user; the user's role; own and group permissions.
    with django_assert_num_queries(4):
        ask_with(issued.secret)


@pytest.mark.parametrize(
    ("name", "days", "errors"),
    [
        ("  ", 30, {"name": ["Say what will use the token, for example “Till 2”."]}),
        ("x" * 101, 30, {"name": ["Use at most 100 characters."]}),
        ("Till", 0, {"days": ["Choose from 1 to 366 days."]}),
        ("Till", 367, {"days": ["Choose from 1 to 366 days."]}),
    ],
)
def test_a_token_without_a_name_or_with_an_endless_life_is_not_issued(vera, name, days, errors):
    with pytest.raises(InvalidInput) as refused:
        tokens.issue_token(user=vera, name=name, days=days)

    assert refused.value.errors == errors
    assert not ApiToken.objects.exists()


def test_no_token_is_issued_when_the_password_has_changed_since_it_was_checked(vera):
    checked = User.objects.get(pk=vera.pk)
    accounts.set_password(user_id=vera.pk, password="Another-kettle-7")

    with pytest.raises(SignInRefused):
        tokens.issue_token(user=checked, name="Till")

    assert not ApiToken.objects.exists()


def test_no_token_is_issued_when_the_account_has_been_deactivated_meanwhile(vera):
    checked = User.objects.get(pk=vera.pk)
    accounts.deactivate_user(user_id=vera.pk)

    with pytest.raises(SignInRefused):
        tokens.issue_token(user=checked, name="Till")

    assert not ApiToken.objects.exists()


def test_a_revoked_token_is_refused_and_the_others_stay(vera):
    till, script = (tokens.issue_token(user=vera, name=name) for name in ("Till", "Script"))

    tokens.revoke_token(user=vera, token_id=till.record.pk)

    assert ask_with(till.secret).status_code == 401
    assert ask_with(script.secret).status_code == 200


def test_nobody_revokes_the_token_of_another(vera, person):
    boris = person("manager")
    till = tokens.issue_token(user=vera, name="Till")
    mine = tokens.issue_token(user=boris, name="Mine")

    with pytest.raises(TokenMissing):
        tokens.revoke_tokens(user=boris, token_ids=[mine.record.pk, till.record.pk])

    assert ApiToken.objects.count() == 2


def test_the_task_forgets_expired_tokens_only(vera):
    tokens.issue_token(user=vera, name="Old", days=1, now=timezone.now() - timedelta(days=2))
    tokens.issue_token(user=vera, name="New")

    assert forget_expired_tokens() == 1
    assert forget_expired_tokens() == 0
    assert [token.name for token in ApiToken.objects.all()] == ["New"]
