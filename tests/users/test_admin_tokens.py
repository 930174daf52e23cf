"""The page of one's own API tokens."""

import re
from datetime import timedelta

import pytest
from rest_framework.test import APIClient

from users.models import ApiToken, User
from users.services import tokens

pytestmark = pytest.mark.django_db

LIST, ADD = "/admin/users/apitoken/", "/admin/users/apitoken/add/"


@pytest.fixture
def vera(person) -> User:
    return person("barista", email="vera@example.com")


@pytest.fixture
def counter(client, vera):
    """The admin, as Vera sees it."""
    client.force_login(vera)
    return client


def test_a_new_token_is_shown_once_and_works(counter, vera):
    answer = counter.post(ADD, {"name": "Till 2", "days": "7"})

    (secret,) = re.findall(r"\b[0-9a-f]{64}\b", answer.content.decode())
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    me = APIClient().get("/api/v1/users/me/", headers={"Authorization": f"Token {secret}"})
    assert me.json()["email"] == "vera@example.com"
    token = ApiToken.objects.get()
    assert (token.user, token.name) == (vera, "Till 2")
    assert abs(token.expires_at - token.created_at - timedelta(days=7)) < timedelta(minutes=1)

    assert secret not in counter.get(LIST).content.decode()
    assert secret not in str(counter.session.items())
    assert all(secret not in cookie.value for cookie in counter.cookies.values())


@pytest.mark.parametrize(
    ("posted", "field"),
    [
        ({"name": "", "days": "7"}, "name"),
        ({"name": "   ", "days": "7"}, "name"),
        ({"name": "x" * 101, "days": "7"}, "name"),
        ({"name": "Till", "days": "100000"}, "days"),
        ({"name": "Till"}, "days"),
    ],
)
def test_a_mistake_is_said_at_its_field(counter, posted, field):
    answer = counter.post(ADD, posted)

    assert list(answer.context["adminform"].form.errors) == [field]
    assert not ApiToken.objects.exists()


def test_people_see_only_their_own_tokens(counter, vera, person):
    boris = person("admin", email="boris@example.com")
    mine = tokens.issue_token(user=vera, name="Mine")
    theirs = tokens.issue_token(user=boris, name="Theirs")

    assert list(counter.get(LIST).context["cl"].result_list) == [mine.record]
    assert counter.get(f"{LIST}{mine.record.pk}/change/").status_code == 200
    # Django's answer for what isn't there: back home with a message.
    assert counter.get(f"{LIST}{theirs.record.pk}/change/").headers["Location"] == "/admin/"


def test_ticked_tokens_are_revoked(counter, vera):
    till, script = (tokens.issue_token(user=vera, name=name).record for name in ("Till", "Script"))

    answer = counter.post(LIST, {"action": "revoke", "_selected_action": [till.pk]}, follow=True)

    assert [str(message) for message in answer.context["messages"]] == ["1 token is revoked."]
    assert list(ApiToken.objects.all()) == [script]


def test_a_hand_made_post_does_not_revoke_the_token_of_another(counter, vera, person):
    tokens.issue_token(user=vera, name="Mine")
    theirs = tokens.issue_token(user=person("admin", email="boris@example.com"), name="Theirs").record

    counter.post(LIST, {"action": "revoke", "_selected_action": [theirs.pk]})

    assert ApiToken.objects.filter(pk=theirs.pk).exists()


def test_a_token_cannot_be_edited_or_deleted_past_the_service(counter, vera):
    token = tokens.issue_token(user=vera, name="Till").record

    assert counter.post(f"{LIST}{token.pk}/change/", {"name": "X", "days": "7"}).status_code == 403
    assert counter.post(f"{LIST}{token.pk}/delete/", {"post": "yes"}).status_code == 403
    assert ApiToken.objects.get().name == "Till"


def test_a_customer_has_no_such_page(client, person):
    client.force_login(person("customer"))

    assert client.get(ADD).headers["Location"].startswith("/admin/login/")
