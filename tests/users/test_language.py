"""The interface speaks the language of whoever signed in."""

import pytest

from tests.users.conftest import PASSWORD
from users.services import tokens

pytestmark = pytest.mark.django_db

PAGE = "/admin/password_change/"


def sign_in(client, user):
    return client.post("/admin/login/", {"username": user.email, "password": PASSWORD})


def test_signing_in_sets_the_language_of_the_account(client, person):
    answer = sign_in(client, person("barista", language="ru"))

    assert answer.cookies["django_language"].value == "ru"
    assert client.get(PAGE).headers["Content-Language"] == "ru"


def test_the_next_person_at_the_same_till_gets_their_own_language(client, person):
    sign_in(client, person("barista", language="ru"))
    client.post("/admin/logout/")

    sign_in(client, person("manager", language="en"))

    assert client.get(PAGE).headers["Content-Language"] == "en"


def test_without_the_cookie_the_account_decides_and_not_the_browser(client, person):
    client.force_login(person("barista", language="ru"))

    assert client.get(PAGE, headers={"Accept-Language": "en"}).headers["Content-Language"] == "ru"


def test_a_language_picked_in_the_menu_stays_until_the_next_sign_in(client, person):
    sign_in(client, person("barista", language="ru"))

    client.post("/i18n/setlang/", {"language": "en", "next": PAGE})

    assert client.get(PAGE).headers["Content-Language"] == "en"


def test_an_account_without_a_language_leaves_the_choice_to_the_browser(client, person):
    answer = sign_in(client, person("barista"))

    assert "django_language" not in answer.cookies
    assert client.get(PAGE, headers={"Accept-Language": "ru"}).headers["Content-Language"] == "ru"


def test_a_failed_sign_in_sets_no_language(client, person):
    user = person("barista", language="ru")

    answer = client.post("/admin/login/", {"username": user.email, "password": "wrong"})

    assert "django_language" not in answer.cookies


def test_a_program_with_a_token_is_given_no_cookie(client, person):
    secret = tokens.issue_token(user=person("barista", language="ru"), name="Till").secret

    answer = client.post("/api/v1/auth/logout/", headers={"Authorization": f"Token {secret}"})

    assert answer.status_code == 204
    assert not answer.cookies
