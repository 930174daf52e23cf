"""Stock operations over REST and in the admin."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from inventory.documents import name_documents
from inventory.models import Product, StockMovement
from marketplaces.errors import Refused
from marketplaces.models import StockOperation
from tests.marketplaces.selling import Market, advance, market_offering, the_operation
from tests.rest import Rest
from tests.shop import Shop, user_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("open_markets")]
API = "/api/v1/marketplaces/operations/"


@pytest.fixture
def market(shop: Shop, coffee: Product) -> Market:
    return market_offering(shop, {"COFFEE": coffee}, external_user_id="one")


@pytest.fixture
def manager() -> Rest:
    return Rest(user_of("manager"))


def completed(market: Market, name: str) -> StockOperation:
    market.order(name, {"COFFEE": 1})
    market.sync(name)
    advance()
    return the_operation(name)


def failed(market: Market, name: str) -> StockOperation:
    market.fail("accept", error=Refused("Not allowed.", status=422))
    operation = completed(market, name)
    assert operation.status == "failed"
    return operation


def test_an_operation_says_all_that_is_known_of_it(market: Market, manager: Rest) -> None:
    operation = completed(market, "A")
    body = manager.get(f"{API}{operation.pk}/")
    assert body["id"] == str(operation.pk)
    assert (body["account"], body["order"], body["order_number"]) == (
        str(market.account.pk),
        str(operation.order_id),
        "A",
    )
    assert (body["status"], body["kind"], body["attempts"], body["next_attempt_at"]) == ("completed", "sale", 0, None)
    assert body["deduction_id"] == str(operation.pk)
    assert (body["rollback_operations"], body["adjusts"], body["retry_of"], body["successor"]) == ([], None, None, None)
    (line,) = body["lines"]
    assert (line["sku"], line["quantity"], line["portions"]) == ("COFFEE", 1, 1)

    log = manager.get(f"{API}{operation.pk}/log/")["results"]
    assert log[0]["action"] == "operation_created"
    assert [entry["to_status"] for entry in log if entry["action"] == "status_transition"] == [
        "processing",
        "stock_deducted",
        "completed",
    ]
    manager.refused("get", f"{API}{uuid4()}/log/", status=404, kind="not_found")


def test_lists_are_narrowed_and_take_few_queries(
    market: Market, manager: Rest, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    first = completed(market, "A")
    between = timezone.now()
    second = failed(market, "B")

    def ids(query: str) -> list[str]:
        with django_assert_max_num_queries(8):
            return [row["id"] for row in manager.get(f"{API}?{query}")["results"]]

    assert ids("") == [str(second.pk), str(first.pk)]
    assert ids("status=failed") == ids(f"order={second.order_id}") == [str(second.pk)]
    assert ids("kind=adjustment") == ids(f"account={uuid4()}") == []
    assert ids(f"created_after={between.isoformat().replace('+', '%2B')}") == [str(second.pk)]
    assert ids(f"created_before={between.isoformat().replace('+', '%2B')}") == [str(first.pk)]
    manager.refused("get", f"{API}?status=gone", status=400, kind="invalid", at="status")


def test_cancelling_and_trying_again_over_rest(market: Market, manager: Rest) -> None:
    done, lost = completed(market, "A"), failed(market, "B")
    cancel = f"{API}{done.pk}/cancel/"
    manager.refused("post", cancel, {"reason": ""}, status=400, kind="invalid", at="reason")
    asked = manager.post(cancel, {"reason": "sold out"}, 202)
    assert manager.user is not None
    assert (asked["cancellation_reason"], asked["cancelled_by"]) == ("sold out", manager.user.pk)
    manager.refused("post", cancel, {"reason": "sold out"}, status=409, kind="in_progress")
    manager.refused("post", f"{API}{lost.pk}/cancel/", {"reason": "x"}, status=409, kind="wrong_status")

    successor = manager.post(f"{API}{lost.pk}/retry/", {})
    assert successor["retry_of"] == str(lost.pk)
    assert manager.get(f"{API}{lost.pk}/")["successor"] == successor["id"]
    manager.refused("post", f"{API}{lost.pk}/retry/", {}, status=409, kind="wrong_status")
    manager.refused("post", f"{API}{uuid4()}/retry/", {}, status=404, kind="not_found")
    advance()
    assert the_operation("A").status == "cancelled"
    assert the_operation("B").status == "completed"


def test_batches_answer_for_each_operation(market: Market, manager: Rest) -> None:
    done, lost, unknown = completed(market, "A"), failed(market, "B"), uuid4()
    ids = [str(done.pk), str(lost.pk), str(unknown)]
    results = manager.post(f"{API}batch/retry/", {"ids": ids}, 200)["results"]
    assert [(one["ok"], one.get("error", {}).get("type")) for one in results] == [
        (False, "wrong_status"),
        (True, None),
        (False, "not_found"),
    ]
    assert results[1]["successor"] == str(the_operation("B").pk)
    results = manager.post(f"{API}batch/cancel/", {"ids": ids, "reason": "closing"}, 200)["results"]
    assert [one["ok"] for one in results] == [True, False, False]
    for body in ({"ids": [], "reason": "x"}, {"ids": ["nonsense"], "reason": "x"}, {"ids": ids}):
        manager.refused("post", f"{API}batch/cancel/", body, status=400, kind="invalid")


def test_the_ledger_names_the_order_and_leads_to_its_operation(market: Market) -> None:
    operation = completed(market, "A")
    (named,) = name_documents(StockMovement.objects.filter(document_type="stock_operation")).values()
    assert named.name == "Ozon A"
    assert named.url == reverse("admin:marketplaces_stockoperation_change", args=[operation.pk])


def test_the_admin_shows_the_timeline_and_acts(
    market: Market, client: Client, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    client.force_login(user_of("manager"))
    done, lost = completed(market, "A"), failed(market, "B")
    root = reverse("admin:marketplaces_stockoperation_changelist")
    with django_assert_max_num_queries(25):
        assert client.get(root, {"q": "A"}).content.count(b'class="mp-id"') == 1
    with django_assert_max_num_queries(25):
        page = client.get(f"{root}{lost.pk}/change/").content.decode()
    assert "mp-timeline" in page
    assert "Not allowed." in page
    assert "Try again" in page

    client.post(f"{root}{lost.pk}/verb/retry/")
    client.post(f"{root}{done.pk}/verb/cancel/", {"cancel-reason": "sold out"})
    advance()
    assert (the_operation("A").status, the_operation("B").status) == ("cancelled", "completed")
    # Once more, on all of them: an answer for each.
    chosen = {"_selected_action": [str(done.pk), str(the_operation("B").pk)], "action": "cancel_selected"}
    assert b"Cancel 2 operations" in client.post(root, chosen).content
    told = client.post(root, {**chosen, "confirmed": "1", "reason": "closing"}).content.decode()
    assert "1 operation stayed as it was" in told
    advance()
    assert the_operation("B").status == "cancelled"
    page = client.get(f"{root}{done.pk}/change/").content.decode()
    assert "Put right by:" in page
