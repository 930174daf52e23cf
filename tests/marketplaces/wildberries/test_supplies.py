"""Taking Wildberries' orders on, and cancelling them."""

import pytest

from marketplaces.clients import access
from marketplaces.clients.access import client_of
from marketplaces.clients.base import MarketplaceClient
from marketplaces.errors import (
    NotFound,
    Refused,
    ServerError,
)
from marketplaces.models import SellerAccount
from tests.marketplaces.standin import Standin
from tests.marketplaces.wildberries.seller import one

pytestmark = pytest.mark.django_db


def supplies(standin: Standin) -> dict[str, list[int]]:
    return {record["id"]: record["orders"] for record in standin.world.shelf("supply").values()}


def test_orders_are_taken_on_by_a_supply_which_is_used_again(standin: Standin, account: SellerAccount) -> None:
    first, second, third = standin.wildberries.orders(3, ("1", 1))
    client = client_of(account)
    read = client.orders([first, second])
    assert client.accept([read[first], read[second]]) == {first: None, second: None}  # type: ignore[list-item]
    assert [standin.wildberries[order_id].status for order_id in (first, second)] == ["confirm", "confirm"]
    # What it knows already is not written again.
    standin.forget_calls()
    assert client.accept([one(client, first)]) == {first: None}
    assert standin.calls(method="PATCH") == []
    # Another process finds the supply by its name.
    access.kept.clear()
    client = client_of(account)
    assert client.accept([one(client, third)]) == {third: None}
    assert list(supplies(standin).values()) == [[int(first), int(second), int(third)]]


def test_an_order_that_was_cancelled_meanwhile_does_not_hold_up_the_others(
    standin: Standin, client: MarketplaceClient
) -> None:
    good, cancelled, confirmed = standin.wildberries.orders(3, ("1", 1))
    read = [one(client, order_id) for order_id in (good, cancelled, confirmed)]
    standin.wildberries.cancel(cancelled)
    standin.wildberries.change(confirmed, status="confirm")
    outcomes = client.accept(read)
    assert {order_id: type(outcome) for order_id, outcome in outcomes.items()} == {
        good: type(None),
        cancelled: Refused,
        confirmed: type(None),
    }
    assert standin.wildberries[good].status == "confirm"


def test_an_order_that_no_supply_takes_is_found_and_the_others_are_taken_on(
    standin: Standin, client: MarketplaceClient
) -> None:
    ids = standin.wildberries.orders(4, ("1", 1))
    read = [one(client, order_id) for order_id in ids]
    no = {"status": 409, "body": {"code": "FailedToAddSupplyOrder", "message": "No.", "data": None}}
    # All four, the four again, then the first half and the first of it.
    standin.misbehave("/supplies/.*/orders", times=4, **no)
    outcomes = client.accept(read)
    assert [type(outcomes[order_id]) for order_id in ids] == [Refused, type(None), type(None), type(None)]


def test_a_supply_that_was_closed_is_replaced(standin: Standin, client: MarketplaceClient) -> None:
    first, second = standin.wildberries.orders(2, ("1", 1))
    client.accept([one(client, first)])
    [supply] = supplies(standin)
    standin.world.shelf("supply")[f"{standin.wildberries.seller.id}|{supply}"]["closed_at"] = 1.0
    assert client.accept([one(client, second)]) == {second: None}
    assert sorted(supplies(standin).values()) == [[int(first)], [int(second)]]


def test_an_answer_that_was_lost_is_looked_up_instead_of_writing_again(
    standin: Standin, client: MarketplaceClient
) -> None:
    order_id = standin.wildberries.order(("1", 1))
    order = one(client, order_id)
    standin.misbehave("/supplies/.*/orders", status=500, is_applied=True)
    assert client.accept([order]) == {order_id: None}
    assert len(standin.calls("/supplies/.*/orders")) == 1


def test_a_fault_while_taking_on_says_so_for_each_order(standin: Standin, client: MarketplaceClient) -> None:
    order_id = standin.wildberries.order(("1", 1))
    order = one(client, order_id)
    standin.misbehave("/supplies/.*/orders", status=500, times=0)
    assert isinstance(client.accept([order])[order_id], ServerError)
    assert standin.wildberries[order_id].status == "new"


def test_an_order_is_cancelled_once_and_a_final_no_is_refused(standin: Standin, client: MarketplaceClient) -> None:
    order_id, sent = standin.wildberries.orders(2, ("1", 1))
    order = one(client, order_id)
    client.roll_back(order, reason="the customer called")
    assert standin.wildberries[order_id].status == "cancel"
    # With what was read before, and with what is read now: it is in order.
    client.roll_back(order, reason="again")
    client.roll_back(one(client, order_id), reason="again")
    assert len(standin.calls("/cancel")) == 2
    standin.wildberries.change(sent, status="complete")
    with pytest.raises(Refused, match="статусов") as caught:
        client.roll_back(one(client, sent), reason="too late")
    assert (caught.value.code, caught.value.status) == ("StatusMismatch", 409)
    standin.wildberries.vanish(order_id)
    with pytest.raises(NotFound):
        client.roll_back(order, reason="gone")
