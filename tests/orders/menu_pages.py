"""What the tests of the public pages share: a browser without JavaScript, and htmx asking for a part."""

from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.shop import user_of
from users.models import User


def visitor(user: User | None = None) -> Client:
    """Somebody's browser; signed in or not."""
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


def guest(email: str = "guest@shop.example") -> Client:
    """A customer who has signed in."""
    return visitor(user_of("customer", email))


def said(answer: Any) -> str:
    """The page's text, tags and all, in one line of single spaces."""
    return " ".join(answer.content.decode().split())


def by_htmx(target: str = "") -> dict[str, str]:
    """The headers with which htmx asks for the element `target`."""
    return {"HX-Request": "true", "HX-Target": target}


def queries_of(client: Client, path: str, **more: Any) -> int:
    """How many queries a page takes, once the session and the content types are known."""
    assert client.get(path, **more).status_code == 200
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path, **more).status_code == 200
    return len(captured)
