"""The admin's sign-in form."""

import pytest

from tests.users.conftest import PASSWORD
from users.models import SignInCount, User

pytestmark = pytest.mark.django_db

LOGIN = "/admin/login/?next=/admin/password_change/"
WRONG = "The e-mail or the password is wrong, or this account may not enter here. Check both and try again."


@pytest.fixture
def vera(person) -> User:
    return person("barista", email="vera@example.com")


def sign_in(client, username="vera@example.com", password=PASSWORD, **headers):
    return client.post(LOGIN, {"username": username, "password": password}, headers=headers)


def sentences(answer) -> list[str]:
    return list(answer.context["form"].non_field_errors())


def test_the_form_asks_for_an_email_in_the_field_that_django_calls_username(client):
    form = client.get(LOGIN).context["form"]

    assert list(form.fields) == ["username", "password"]
    assert form["username"].label == "E-mail"


def test_email_and_password_open_the_page_that_was_asked_for(client, vera):
    answer = sign_in(client, "Vera@Example.com")

    assert answer.headers["Location"] == "/admin/password_change/"
    assert client.get("/admin/password_change/").status_code == 200
    assert User.objects.get(pk=vera.pk).last_login is not None


@pytest.mark.parametrize("asked", ["", "?next=", "?next=https://evil.example/", "?next=//evil.example/admin/"])
def test_who_asked_for_no_page_of_the_shop_lands_on_the_admins_home(client, vera, asked):
    answer = client.post(f"/admin/login/{asked}", {"username": vera.email, "password": PASSWORD})

    assert answer.headers["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("vera@example.com", "wrong"),
        ("nobody@example.com", PASSWORD),
        ("gone@example.com", PASSWORD),
        ("customer@example.com", PASSWORD),
        ("not an e-mail", PASSWORD),
    ],
)
def test_every_refusal_says_the_same(client, vera, person, username, password):
    person("customer")
    person("manager", email="gone@example.com")
    User.objects.filter(email="gone@example.com").update(is_active=False)

    answer = sign_in(client, username, password)

    assert (answer.status_code, sentences(answer)) == (200, [WRONG])
    assert "_auth_user_id" not in client.session


def test_the_limit_is_the_same_as_the_apis(client, vera, settings):
    settings.SIGN_IN_RATE = "2/day"
    for _attempt in range(2):
        client.post("/api/v1/auth/token/", {"email": vera.email, "password": "wrong"}, content_type="application/json")

    answer = sign_in(client)

    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 86400
    assert sentences(answer)[0].startswith("Too many attempts to sign in. Try again in ")
    assert "_auth_user_id" not in client.session


def test_an_empty_form_is_no_attempt(client):
    answer = client.post(LOGIN, {"username": "", "password": ""})

    assert set(answer.context["form"].errors) == {"username", "password"}
    assert not SignInCount.objects.exists()


def test_the_api_form_and_the_admin_open_by_the_same_session(client, vera):
    sign_in(client)

    assert client.get("/api/v1/users/me/").json()["email"] == "vera@example.com"


def test_the_page_bears_the_shops_sign_and_name(client):
    page = client.get(LOGIN).content.decode()

    assert "<title> Sign in | Samovar</title>" in page
    assert "samovar/favicon.svg" in page
    assert "<h1>Samovar</h1>" in page
    assert "Return to site" not in page


def test_whoever_has_signed_in_but_may_not_enter_is_told_so(client, person):
    client.force_login(person("customer", name="Tom <b>"))

    page = client.get(LOGIN).content.decode()

    assert "You are signed in as Tom &lt;b&gt;, who may not enter here. Sign in with another account." in page


def test_a_refusal_is_said_once(client, vera):
    page = sign_in(client, password="wrong").content.decode()

    assert page.count(WRONG) == 1
    assert "Please correct" not in page
