"""auth/token/, auth/logout/ and users/me/."""

import pytest
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from rest_framework.test import APIClient

from tests.users.conftest import PASSWORD
from users.models import ApiToken, User
from users.services import accounts, tokens

pytestmark = pytest.mark.django_db

TOKEN, LOGOUT, ME = "/api/v1/auth/token/", "/api/v1/auth/logout/", "/api/v1/users/me/"
WRONG = "The e-mail or the password is wrong, or the account is switched off. Check both and try again."


@pytest.fixture
def vera(person) -> User:
    return person("barista", email="vera@example.com", name="Vera")


def sign_in(**body):
    return APIClient().post(TOKEN, body, format="json")


def signed_in(secret: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {secret}")
    return client


def test_email_and_password_give_a_token_that_works_and_says_when_it_expires(vera):
    answer = sign_in(email="Vera@example.com", password=PASSWORD)

    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"token", "expires_at"}
    assert parse_datetime(body["expires_at"]) == ApiToken.objects.get().expires_at
    assert "no-store" in answer.headers["Cache-Control"]
    assert signed_in(body["token"]).get(ME).json()["id"] == vera.pk


def test_signing_in_over_the_api_is_seen_in_the_list_of_people(vera):
    before = timezone.now()

    sign_in(email="vera@example.com", password=PASSWORD)

    assert User.objects.get(pk=vera.pk).last_login >= before


def test_a_customer_signs_in_to_the_api_too(person):
    person("customer", email="c@example.com")

    assert sign_in(email="c@example.com", password=PASSWORD).status_code == 200


@pytest.mark.parametrize(("email", "password"), [("vera@example.com", "wrong"), ("nobody@example.com", PASSWORD)])
def test_a_wrong_password_and_an_unknown_email_get_the_same_answer(vera, email, password):
    answer = sign_in(email=email, password=password)

    assert answer.status_code == 400
    assert answer.json() == {"type": "invalid", "detail": WRONG, "errors": {"non_field_errors": [WRONG]}}
    assert not ApiToken.objects.exists()


def test_an_inactive_account_gets_the_same_answer_as_a_wrong_password(vera):
    User.objects.filter(pk=vera.pk).update(is_active=False)

    assert sign_in(email="vera@example.com", password=PASSWORD).json()["detail"] == WRONG
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"email", "password"}),
        ({"email": "vera@example.com"}, {"password"}),
        ({"email": "vera", "password": "x"}, {"email"}),
        ({"email": "a" * 250 + "@example.com", "password": "x"}, {"email"}),
        ({"email": ["vera@example.com"], "password": {"x": 1}}, {"email", "password"}),
        ({"email": "vera@example.com", "password": "x" * 5000}, {"password"}),
        ({"email": "vera@example.com", "password": "a\u0000b"}, {"password"}),
        ({"email": "vera@example.com", "password": None}, {"password"}),
    ],
)
def test_bad_input_is_named_at_its_field(vera, body, fields):
    answer = sign_in(**body)

    assert answer.status_code == 400
    assert (answer.json()["type"], set(answer.json()["errors"])) == ("invalid", fields)
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '"x"', "email=vera"])
def test_what_is_not_a_json_object_is_refused(vera, body):
    answer = APIClient().post(TOKEN, body, content_type="application/json")

    assert (answer.status_code, answer.json()["type"]) == (400, "invalid")


def test_too_many_attempts_are_throttled_with_the_time_to_wait(vera, settings):
    settings.SIGN_IN_RATE = "2/day"
    for _attempt in range(2):
        assert sign_in(email="vera@example.com", password="wrong").status_code == 400

    answer = sign_in(email="vera@example.com", password=PASSWORD)

    assert answer.status_code == 429
    seconds = int(answer.headers["Retry-After"])
    assert 0 < seconds <= 86400
    assert answer.json()["type"] == "throttled"
    assert answer.json()["detail"].startswith("Too many attempts to sign in. Try again in ")
    assert not ApiToken.objects.exists()


def test_an_address_that_somebody_claims_in_a_header_is_not_believed(vera, settings):
    settings.SIGN_IN_RATE = "2/day"
    statuses = [
        APIClient()
        .post(
            TOKEN,
            {"email": f"{number}@example.com", "password": "x"},
            format="json",
            headers={"X-Forwarded-For": f"192.0.2.{number}"},
        )
        .status_code
        for number in range(3)
    ]

    assert statuses == [400, 400, 429]


def test_signing_out_revokes_the_token_of_the_request_only(vera):
    till, script = (tokens.issue_token(user=vera, name=name).secret for name in ("Till", "Script"))

    assert signed_in(till).post(LOGOUT).status_code == 204

    assert signed_in(till).get(ME).status_code == 401
    assert signed_in(till).post(LOGOUT).status_code == 401
    assert signed_in(script).get(ME).status_code == 200


def test_only_a_token_can_sign_out(client, vera):
    client.force_login(vera)

    assert client.post(LOGOUT).status_code == 401


def test_me_says_who_i_am_and_what_i_may_do(vera):
    accounts.update_user(user_id=vera.pk, email=vera.email, name="Vera", role="barista", is_active=True, language="ru")
    secret = tokens.issue_token(user=vera, name="Till").secret

    body = signed_in(secret).get(ME).json()

    permissions = body.pop("permissions")
    assert body == {"id": vera.pk, "email": "vera@example.com", "name": "Vera", "role": "barista", "language": "ru"}
    assert permissions == sorted(permissions)
    assert "users.add_apitoken" in permissions
    assert "users.change_user" not in permissions


def test_me_works_with_the_admins_session_too(client, vera):
    client.force_login(vera)

    assert client.get(ME).json()["email"] == "vera@example.com"


@pytest.mark.parametrize(("method", "path"), [("get", ME), ("post", LOGOUT)])
def test_a_stranger_is_asked_to_sign_in(method, path):
    answer = getattr(APIClient(), method)(path)

    assert (answer.status_code, answer.json()["type"]) == (401, "not_authenticated")


@pytest.mark.parametrize(("method", "path"), [("get", TOKEN), ("get", LOGOUT), ("post", ME), ("delete", ME)])
def test_a_wrong_verb_is_405(vera, method, path):
    client = signed_in(tokens.issue_token(user=vera, name="Till").secret)

    assert getattr(client, method)(path).status_code == 405


def test_the_schema_describes_the_doors_and_the_token(client, boss):
    client.force_login(boss)
    schema = client.get("/api/schema/?format=json").json()

    assert schema["components"]["securitySchemes"]["token"]["name"] == "Authorization"
    assert set(schema["paths"]["/api/v1/auth/token/"]["post"]["responses"]) == {"200", "400", "401", "429"}
    credentials = schema["components"]["schemas"]["CredentialsRequest"]
    assert (set(credentials["properties"]), set(credentials["required"])) == (
        {"email", "password", "code"},
        {"email", "password"},
    )
    assert {"/api/v1/auth/logout/", "/api/v1/users/me/"} <= set(schema["paths"])
