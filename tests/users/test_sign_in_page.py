"""The public page for signing in, and what it must not do."""

from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import NoReverseMatch, reverse

from tests.users.codes import App
from tests.users.conftest import PASSWORD
from users.models import SignInCount, User
from users.services import accounts

pytestmark = pytest.mark.django_db

LOGIN = "/accounts/login/"
WRONG = "The e-mail or the password is wrong, or the account is switched off. Check both and try again."


@pytest.fixture
def nina(person) -> User:
    return person("customer", email="nina@example.com")


def enter(client: Client, email: str = "nina@example.com", password: str = PASSWORD, query: str = "", **more: Any):
    return client.post(LOGIN + query, {"login": email, "password": password, **more})


def is_in(client: Client) -> bool:
    return client.get("/api/v1/users/me/").status_code == 200


def test_a_customer_lands_on_the_profile_and_staff_may_come_in_too(nina: User, person) -> None:
    person("barista", email="vera@example.com")

    assert enter(Client(), "Nina@Example.com ").headers["Location"] == "/profile/"
    assert enter(Client(), "vera@example.com", next="/admin/").headers["Location"] == "/admin/"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/x",
        "http:evil.example",
        "javascript:alert(1)",
        "/\\evil.example",
        "\thttps://evil.example",
    ],
)
def test_nobody_is_sent_elsewhere_after_signing_in(nina: User, elsewhere: str) -> None:
    by_form = enter(Client(), next=elsewhere)
    client = Client()
    by_address = client.post(LOGIN, {"login": nina.email, "password": PASSWORD}, QUERY_STRING=f"next={elsewhere}")

    assert by_form.headers["Location"] == "/profile/"
    assert by_address.headers["Location"] == "/profile/"


def test_nobody_is_sent_elsewhere_after_the_code_at_the_admin(person) -> None:
    app = App(person("barista", email="vera@example.com"))
    client = Client()
    client.post("/admin/login/?next=https://evil.example/", {"username": "vera@example.com", "password": PASSWORD})

    assert client.post("/accounts/2fa/authenticate/", {"code": app.code()}).headers["Location"] == "/admin/"


@pytest.mark.parametrize(
    ("email", "password"),
    [("nina@example.com", "wrong"), ("nobody@example.com", PASSWORD), ("gone@example.com", PASSWORD)],
)
def test_every_refusal_says_the_same(nina: User, person, client: Client, email: str, password: str) -> None:
    accounts.deactivate_user(user_id=person("manager", email="gone@example.com").pk)

    answer = enter(client, email, password)

    assert (answer.status_code, list(answer.context["form"].non_field_errors())) == (200, [WRONG])
    assert not is_in(client)


def test_the_limit_is_one_for_all_doors(nina: User, client: Client, settings) -> None:
    settings.SIGN_IN_RATE = "3/day"
    client.post("/api/v1/auth/token/", {"email": nina.email, "password": "x"}, content_type="application/json")
    client.post("/admin/login/", {"username": nina.email, "password": "x"})
    enter(client, password="x")

    answer = enter(client)

    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 86400
    assert not is_in(client)


def test_the_session_gets_a_new_key_when_somebody_signs_in(nina: User, person, client: Client) -> None:
    """A key that somebody has planted in this browser opens nothing."""
    client.get(LOGIN)
    session = client.session
    session["planted"] = "yes"
    session.save()
    planted = session.session_key
    client.cookies[django_settings.SESSION_COOKIE_NAME] = planted

    enter(client)

    assert is_in(client)
    assert client.session.session_key != planted
    other = Client()
    other.cookies[django_settings.SESSION_COOKIE_NAME] = planted
    assert not is_in(other)


def test_a_session_ends_when_its_account_is_switched_off(nina: User, client: Client) -> None:
    enter(client)
    accounts.deactivate_user(user_id=nina.pk)

    assert client.get("/accounts/email/").headers["Location"].startswith(LOGIN)


def test_signing_out_takes_a_press_of_a_button(nina: User, client: Client) -> None:
    enter(client)

    assert client.get("/accounts/logout/").status_code == 200
    assert is_in(client)
    assert client.post("/accounts/logout/").headers["Location"] == "/"
    assert not is_in(client)


@pytest.mark.parametrize(
    ("email", "password", "field"),
    [
        ("", "", "login"),
        ("nonsense", PASSWORD, "login"),
        ("a" * 10_000 + "@example.com", PASSWORD, "login"),
        ("nina\0@example.com", PASSWORD, "login"),
        ("😀", PASSWORD, "login"),
        ("nina@example.com", "x" * 10_000, "password"),
        ("nina@example.com", "a\0b", "password"),
    ],
)
def test_bad_input_is_said_at_its_field_and_is_no_attempt(
    client: Client, email: str, password: str, field: str
) -> None:
    answer = enter(client, email, password)

    assert field in answer.context["form"].errors
    assert not SignInCount.objects.exists()


def test_the_forms_are_guarded_against_other_sites(nina: User) -> None:
    strict = Client(enforce_csrf_checks=True)

    for page in (LOGIN, "/accounts/signup/", "/accounts/password/reset/", "/accounts/logout/"):
        assert strict.post(page, {"login": nina.email, "password": PASSWORD}).status_code == 403


def test_who_asks_for_json_gets_the_page_like_everybody(nina: User, client: Client) -> None:
    answer = client.get(LOGIN, headers={"Accept": "application/json", "X-Requested-With": "XMLHttpRequest"})

    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    "name",
    [
        "account_set_password",
        "account_request_login_code",
        "account_confirm_login_code",
        "account_inactive",
        "mfa_list_webauthn",
        "mfa_login_webauthn",
        "mfa_trust",
    ],
)
def test_pages_of_allauth_that_the_shop_does_not_need_are_not_there(name: str) -> None:
    with pytest.raises(NoReverseMatch):
        reverse(name)


def test_the_language_of_the_account_is_spoken_after_signing_in_here(person, client: Client) -> None:
    person("customer", email="vera@example.com", language="ru")

    assert enter(client, "vera@example.com").cookies["django_language"].value == "ru"
