"""Every page of accounts with every role: who sees it, who is asked to sign in, who is sent on.

The routes are taken from the URLconf: one of accounts/ without a row here fails the test, so that nobody opens a
door by forgetting it.
"""

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.shop import user_of

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

ROLES = ("customer", "barista", "manager", "admin")
SHOWN, MISSING, METHOD = "200", "404", "405"
SIGN_IN = "302 /accounts/login/"
PASSWORD_FIRST = "302 /accounts/reauthenticate/"
PROFILE = "302 /profile/"
TO_SHOP = "302 /"

# The route: an address of it, the answer to GET for a stranger, and for whoever has signed in. None of these pages
# knows roles; whoever has signed in sees their own account.
GET: dict[str, tuple[str, str, str]] = {
    "accounts/login/": ("/accounts/login/", SHOWN, PROFILE),
    "accounts/logout/": ("/accounts/logout/", SIGN_IN, SHOWN),
    "accounts/signup/": ("/accounts/signup/", SHOWN, PROFILE),
    "accounts/confirm-email/": ("/accounts/confirm-email/", SHOWN, SHOWN),
    "accounts/^confirm-email/(?P<key>[-:\\w]+)/$": ("/accounts/confirm-email/MQ:x:y/", MISSING, MISSING),
    "accounts/email/": ("/accounts/email/", SIGN_IN, SHOWN),
    "accounts/reauthenticate/": ("/accounts/reauthenticate/", SIGN_IN, SHOWN),
    "accounts/password/change/": ("/accounts/password/change/", SIGN_IN, SHOWN),
    "accounts/password/reset/": ("/accounts/password/reset/", SHOWN, SHOWN),
    "accounts/password/reset/done/": ("/accounts/password/reset/done/", SHOWN, SHOWN),
    "accounts/password/reset/key/done/": ("/accounts/password/reset/key/done/", SHOWN, SHOWN),
    "accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": (
        "/accounts/password/reset/key/1-x-y/",
        SHOWN,
        SHOWN,
    ),
    "accounts/2fa/": ("/accounts/2fa/", SIGN_IN, SHOWN),
    "accounts/2fa/authenticate/": ("/accounts/2fa/authenticate/", SIGN_IN, PROFILE),
    "accounts/2fa/reauthenticate/": ("/accounts/2fa/reauthenticate/", SIGN_IN, PASSWORD_FIRST),
    "accounts/2fa/totp/activate/": ("/accounts/2fa/totp/activate/", SIGN_IN, PASSWORD_FIRST),
    "accounts/2fa/totp/deactivate/": ("/accounts/2fa/totp/deactivate/", SIGN_IN, PASSWORD_FIRST),
    "accounts/2fa/recovery-codes/": ("/accounts/2fa/recovery-codes/", SIGN_IN, MISSING),
    "accounts/2fa/recovery-codes/generate/": ("/accounts/2fa/recovery-codes/generate/", SIGN_IN, PASSWORD_FIRST),
    "accounts/2fa/recovery-codes/download/": ("/accounts/2fa/recovery-codes/download/", SIGN_IN, MISSING),
}
# The answers to a POST with nothing in it, where they differ from those to GET.
POST: dict[str, tuple[str, str]] = {
    "accounts/logout/": (TO_SHOP, TO_SHOP),
    "accounts/confirm-email/": (METHOD, METHOD),
    "accounts/password/reset/done/": (METHOD, METHOD),
    "accounts/password/reset/key/done/": (METHOD, METHOD),
    "accounts/email/": (SIGN_IN, PASSWORD_FIRST),
    "accounts/2fa/": (SIGN_IN, METHOD),
    "accounts/2fa/recovery-codes/": (SIGN_IN, METHOD),
    "accounts/2fa/recovery-codes/download/": (SIGN_IN, MISSING),
}


def routes(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        else:
            yield route


def answer(client: Client, method: str, address: str) -> str:
    response = client.post(address, {}) if method == "POST" else client.get(address)
    place = response.headers.get("Location", "").partition("?")[0]
    return f"{response.status_code} {place}".strip()


def test_every_page_of_accounts_has_its_row() -> None:
    there = {route for route in routes(get_resolver().url_patterns) if route.startswith("accounts/")}

    assert there == set(GET)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_stranger_gets_what_the_table_says(method: str) -> None:
    expected = {
        address: POST[route][0] if method == "POST" and route in POST else stranger
        for route, (address, stranger, _signed_in) in GET.items()
    }

    assert {address: answer(Client(), method, address) for address in expected} == expected


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_whoever_has_signed_in_gets_what_the_table_says(role: str, method: str) -> None:
    user = user_of(role)
    expected = {
        address: POST[route][1] if method == "POST" and route in POST else signed_in
        for route, (address, _stranger, signed_in) in GET.items()
    }
    answers = {}
    for address in expected:
        client = Client()
        client.force_login(user)
        answers[address] = answer(client, method, address)

    assert answers == expected
