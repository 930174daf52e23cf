"""A token that is bound to a seller opens this seller's marketplace data, and nothing else."""

import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from foundation.models import IdempotencyKey
from inventory.models import Location
from marketplaces.models import SellerAccount
from tests.inventory.admin_pages import signed_in, text_of
from tests.marketplaces.people import BoundRest, account_of, everything_of, order_of
from tests.rest import Rest
from users.models import ApiToken

pytestmark = pytest.mark.django_db

# What a bound token opens beside marketplaces/….
ITS_OWN = {"users/me/", "auth/logout/"}
# What nobody needs a token for, and what describes the API.
OPEN_TO_ALL = {"auth/token/"}
LISTS = ("accounts", "orders", "stock", "sync-runs", "operations", "listings")
# What a list's address names.
NAMED = {"accounts": "account", "orders": "order", "operations": "operation", "sync-runs": "run", "listings": "listing"}
BODIES = {"/cancel/": {"reason": "mistake"}, "/sync/": {"what": "orders"}}
KEYS = {"int": "1", "uuid": str(uuid.uuid4()), "str": "x", "slug": "x"}


@pytest.fixture
def mine() -> dict[str, Any]:
    return everything_of("mine")


@pytest.fixture
def theirs() -> dict[str, Any]:
    return everything_of("theirs")


@pytest.fixture
def program() -> BoundRest:
    return BoundRest("mine")


def routes(patterns: Any = None, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every address below /api/v1/ and its view, from the URLconf."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        address = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, address)
        elif isinstance(pattern, URLPattern) and address.startswith("api/v1/"):
            yield address.removeprefix("api/v1/"), pattern.callback


def filled_in(address: str, keys: dict[str, str]) -> str:
    for kind, value in keys.items():
        while f"<{kind}:" in address:
            begin = address.index(f"<{kind}:")
            address = address[:begin] + value + address[address.index(">", begin) + 1 :]
    return address


def methods_of(view: Any) -> list[str]:
    actions = getattr(view, "actions", None)
    if actions:
        return sorted(set(actions) - {"head"})
    return [name for name in ("get", "post", "put", "patch", "delete") if hasattr(view.cls, name)]


def test_everything_but_marketplaces_is_not_there_for_a_bound_token(program: BoundRest) -> None:
    others = [(address, view) for address, view in routes() if not address.startswith("marketplaces/")]
    assert len(others) > 60
    for address, view in others:
        if address in ITS_OWN | OPEN_TO_ALL:
            continue
        for method in methods_of(view):
            answer = program.call(method, filled_in(address, KEYS), {})
            assert answer.status_code == 404, (method, address, answer.status_code)
            assert answer.json()["type"] == "not_found"
    assert program.client.options("/api/v1/products/").status_code == 404


def test_it_knows_who_it_is_and_can_sign_out(program: BoundRest) -> None:
    assert program.get("users/me/")["email"] == "admin-mine@shop.example"
    assert program.client.get("/api/schema/").status_code == 200
    program.post("auth/logout/", status=204)
    assert program.call("get", "users/me/").status_code == 401


def test_lists_show_the_sellers_own_rows_only(program: BoundRest, mine: dict[str, Any], theirs: dict[str, Any]) -> None:
    for name in LISTS:
        found = program.get(f"marketplaces/{name}/")["results"]
        accounts = {row["id"] if name == "accounts" else row["account"] for row in found}
        assert accounts <= {str(mine["account"].pk)}, name
        assert accounts or name == "listings", name
        # Asking for another one's finds nothing; it does not open them.
        assert program.get(f"marketplaces/{name}/", external_user_id="theirs")["results"] == [], name
        if name != "accounts":
            account = str(theirs["account"].pk)
            assert program.get(f"marketplaces/{name}/", account=account)["results"] == [], name


def test_every_address_of_another_seller_is_404(
    program: BoundRest, mine: dict[str, Any], theirs: dict[str, Any]
) -> None:
    """Walks all routes of marketplaces that name a thing, with the other seller's."""
    named = [
        (address.removeprefix("marketplaces/"), view)
        for address, view in routes()
        if address.startswith("marketplaces/") and "<" in address
    ]
    assert len(named) >= 6
    before = list(SellerAccount.objects.order_by("pk").values())
    answers = {}
    for address, view in named:
        thing = str(theirs[NAMED[address.partition("/")[0]]].pk)
        for method in methods_of(view):
            body = next((body for end, body in BODIES.items() if address.endswith(end)), {})
            answer = program.call(method, f"marketplaces/{filled_in(address, {'uuid': thing, 'int': thing})}", body)
            answers[method, address] = answer.status_code, answer.json()["type"]
    assert {door: answer for door, answer in answers.items() if answer != (404, "not_found")} == {}
    assert list(SellerAccount.objects.order_by("pk").values()) == before


def test_its_own_are_there(program: BoundRest, mine: dict[str, Any]) -> None:
    assert program.get(f"marketplaces/accounts/{mine['account'].pk}/")["external_user_id"] == "mine"
    assert program.get(f"marketplaces/orders/{mine['order'].pk}/")["external_id"] == "mine-1"
    assert program.get(f"marketplaces/sync-runs/{mine['run'].pk}/")["processed"] == 1
    assert program.get(f"marketplaces/operations/{mine['operation'].pk}/")["status"] == "pending"


def test_it_adds_accounts_of_its_own_seller_only(program: BoundRest) -> None:
    location = Location.objects.create(name="Main Street")
    body = {"marketplace": "wildberries", "name": "WB", "location": location.pk, "credentials": {"token": "abc"}}

    program.refused(
        "post",
        "marketplaces/accounts/",
        {**body, "external_user_id": "theirs"},
        status=400,
        kind="invalid",
        at="external_user_id",
    )
    assert not SellerAccount.objects.exists()
    assert program.post("marketplaces/accounts/", {**body, "external_user_id": "mine"})["external_user_id"] == "mine"


def test_a_bound_token_has_the_permissions_of_its_person_and_no_more() -> None:
    assert BoundRest("mine", "barista").call("get", "marketplaces/accounts/").status_code == 403
    assert BoundRest("mine", "manager").call("post", "marketplaces/accounts/", {}).status_code == 403


def test_a_token_is_bound_on_the_admins_page_of_ones_own_tokens(mine: dict[str, Any], theirs: dict[str, Any]) -> None:
    manager = signed_in("manager")
    page = reverse("admin:users_apitoken_add")
    assert 'name="external_user_id"' in manager.get(page).content.decode()

    too_long = manager.post(page, {"name": "ERP", "days": "7", "external_user_id": "x" * 101})
    assert list(too_long.context["adminform"].form.errors) == ["external_user_id"]
    assert not ApiToken.objects.exists()
    issued = manager.post(page, {"name": "ERP", "days": "7", "external_user_id": " mine "})

    (secret,) = re.findall(r"\b[0-9a-f]{64}\b", issued.content.decode())
    assert ApiToken.objects.get().external_user_id == "mine"
    assert re.search(r"ERP .* mine", text_of(manager.get(reverse("admin:users_apitoken_changelist"))))
    program = Rest()
    program.client.credentials(HTTP_AUTHORIZATION=f"Token {secret}")
    found = program.get("marketplaces/accounts/")["results"]
    assert [row["id"] for row in found] == [str(mine["account"].pk)]
    assert program.call("get", f"marketplaces/accounts/{theirs['account'].pk}/").status_code == 404
    assert program.call("get", "products/").status_code == 404


def test_an_unbound_token_sees_all_accounts_and_may_ask_for_one_seller(
    mine: dict[str, Any], theirs: dict[str, Any]
) -> None:
    manager = Rest.of("manager")
    assert len(manager.get("marketplaces/accounts/")["results"]) == 2
    for name in LISTS:
        found = manager.get(f"marketplaces/{name}/", external_user_id="theirs")["results"]
        assert {row["id"] if name == "accounts" else row["account"] for row in found} <= {str(theirs["account"].pk)}


def test_the_answer_kept_for_one_seller_is_never_given_to_another() -> None:
    """Two programs of one person use the same key for the same body: each gets an answer of its own."""
    location = Location.objects.create(name="Main Street")
    one = BoundRest("one")
    other = BoundRest("two", user=one.user)
    body = {"marketplace": "wildberries", "name": "WB", "location": location.pk, "external_user_id": "one"}
    one.post("marketplaces/accounts/", body, **{"Idempotency-Key": "k1"})

    answer = other.call("post", "marketplaces/accounts/", body, **{"Idempotency-Key": "k1"})

    assert (answer.status_code, answer.headers.get("Idempotency-Replayed")) == (400, None)
    assert IdempotencyKey.objects.count() == SellerAccount.objects.count() == 1


def test_several_accounts_of_a_seller_are_one_list(program: BoundRest) -> None:
    accounts = [account_of("mine", f"A{n}") for n in range(3)]
    orders = [order_of(accounts[n % 3], f"E-{n}") for n in range(9)]
    order_of(account_of("theirs"), "E-other")

    first = program.get("marketplaces/orders/", page_size=5)
    second = program.get(first["next"])

    assert [row["id"] for row in [*first["results"], *second["results"]]] == [str(one.pk) for one in reversed(orders)]
    assert second["next"] is None
