"""Walking through the admin as a person does: signing in, filling in forms, reading what is said."""

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.contrib.messages import get_messages
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from inventory.models import Ingredient
from tests.shop import user_of
from users.models import User


def signed_in(role: str) -> Client:
    """A client of its own for the person of this role."""
    client = Client()
    client.force_login(User.objects.filter(email=f"{role}@shop.example").first() or user_of(role))
    return client


def text_of(response: HttpResponse) -> str:
    """What the page says, without its tags."""
    content = re.sub(r"(?s)<(script|style|template).*?</\1>", " ", response.content.decode())
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", content))).replace("\N{NO-BREAK SPACE}", " ")


def said(response: HttpResponse) -> list[str]:
    """The messages of the request, those that the next page will show."""
    return [str(message) for message in get_messages(response.wsgi_request)]


def queries_of(client: Client, address: str) -> int:
    """How many queries a page takes; it must be shown. What a process reads once was read before."""
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        response = client.get(address)
    assert response.status_code == 200, address
    return len(captured)


def lines(rows: Iterable[Mapping[str, Any] | tuple[Ingredient | int | str, Any]], **form: Any) -> dict[str, Any]:
    """What a page that moves stock sends: its own fields, and lines of (ingredient, quantity) or of named fields."""
    written = [
        dict(row)
        if isinstance(row, Mapping)
        else {"ingredient": getattr(row[0], "pk", row[0]), "quantity": str(row[1])}
        for row in rows
    ]
    return {**form, **formset("lines", written)}


def formset(prefix: str, rows: Sequence[Mapping[str, Any]], initial: int = 0) -> dict[str, Any]:
    """The fields of a formset with its management form; `initial` rows were there before."""
    data: dict[str, Any] = {
        f"{prefix}-TOTAL_FORMS": len(rows),
        f"{prefix}-INITIAL_FORMS": initial,
        f"{prefix}-MIN_NUM_FORMS": 0,
        f"{prefix}-MAX_NUM_FORMS": 1000,
    }
    for place, row in enumerate(rows):
        data |= {f"{prefix}-{place}-{name}": value for name, value in row.items()}
    return data


def token_in(response: HttpResponse) -> str:
    """The token of the form on the page."""
    found = re.search(r'name="once" value="([0-9a-f]+)"', response.content.decode())
    assert found
    return found[1]


def page(name: str, *args: Any) -> str:
    """The address of a page of the store room's admin: page("product_change", 5)."""
    return reverse(f"admin:inventory_{name}", args=args)


def inline_errors(response: Any, prefix: str) -> list[dict[str, list[str]]]:
    """What is wrong in each row of an inline."""
    [found] = [one.formset for one in response.context["inline_admin_formsets"] if one.formset.prefix == prefix]
    return [dict(form.errors) for form in found.initial_forms + found.extra_forms]
