"""The client of Ozon against the stand-in, which remembers what was written to it. Everything that is said is compared
with the published specifications when a test ends."""

import pytest

from marketplaces.choices import Marketplace, OrderState, Scheme
from marketplaces.clients.access import client_of
from marketplaces.clients.base import MarketplaceClient, QuantityChange, RemoteOrder
from marketplaces.errors import MarketplaceError, NotAuthorised, Refused, Timeout
from marketplaces.models import SellerAccount
from tests.marketplaces.ozon_answers import no_waiting
from tests.marketplaces.standin import Standin

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    return no_waiting(monkeypatch)


@pytest.fixture
def account(standin: Standin) -> SellerAccount:
    standin.ozon.offer(sku="OOLONG", pieces=10, name="Улун", barcode="4601234567890")
    return SellerAccount(marketplace=Marketplace.OZON, name="Tea", credentials=standin.ozon.keys)


@pytest.fixture
def client(account: SellerAccount) -> MarketplaceClient:
    return client_of(account)


def all_orders(client: MarketplaceClient) -> dict[str, RemoteOrder]:
    pages = client.order_pages(cursors={}, since=None)
    return {order.external_id: order for page in pages for order in page.orders}


def now(client: MarketplaceClient, number: str) -> RemoteOrder:
    order = client.orders([number])[number]
    assert order is not None
    return order


def test_an_order_goes_from_the_list_to_packed(standin: Standin, client: MarketplaceClient) -> None:
    number = standin.ozon.order(("OOLONG", 2))
    found = all_orders(client)[number]
    assert (found.state, found.scheme, [(line.sku, line.quantity) for line in found.lines]) == (
        OrderState.READY,
        Scheme.FBS,
        [("OOLONG", 2)],
    )
    # Read again it looks the same: that is no new revision.
    assert now(client, number) == found
    assert client.accept([found]) == {number: None}
    assert standin.ozon[number].status == "awaiting_deliver"
    assert now(client, number).state == OrderState.PROCESSING
    # Once more with what was read before: it is looked up, not believed.
    assert client.accept([found]) == {number: None}


def test_a_batch_is_packed_whatever_happens_to_one_of_them(standin: Standin, client: MarketplaceClient) -> None:
    numbers = standin.ozon.orders(20, ("OOLONG", 1))
    orders = [order for order in client.orders(numbers).values() if order]
    standin.ozon.fail_to_ship(numbers[3])
    standin.ozon.cancel(numbers[7])
    standin.ozon.vanish(numbers[11])
    ended = client.accept(orders)
    wrong = {number: error.code for number, error in ended.items() if error is not None}
    assert {number: code for number, code in wrong.items() if number != numbers[11]} == {
        numbers[3]: "ship_failed",
        numbers[7]: "cancelled",
    }
    assert set(wrong) == {numbers[3], numbers[7], numbers[11]}
    assert sum(standin.ozon[number].status == "awaiting_deliver" for number in numbers) == 17


def test_a_pack_whose_answer_was_lost_is_found_done(standin: Standin, client: MarketplaceClient) -> None:
    number = standin.ozon.order(("OOLONG", 1))
    order = now(client, number)
    standin.misbehave("/posting/fbs/ship", cut="before", is_applied=True)
    assert client.accept([order]) == {number: None}
    assert len(standin.calls("/posting/fbs/ship")) == 1


def test_an_order_is_cancelled_once_and_never_when_it_is_on_its_way(
    standin: Standin, client: MarketplaceClient
) -> None:
    number, sent = standin.ozon.orders(2, ("OOLONG", 1))
    order = now(client, number)
    client.roll_back(order, reason="The milk is sour")
    assert (standin.ozon[number].status, now(client, number).state) == ("cancelled", OrderState.CANCELLED)
    client.roll_back(order, reason="The milk is sour")
    standin.ozon.change(sent, status="delivering")
    with pytest.raises(Refused):
        client.roll_back(now(client, sent), reason="Too late")
    assert standin.ozon[sent].status == "delivering"


def test_a_quantity_is_written_and_read_back_without_what_is_reserved(
    standin: Standin, client: MarketplaceClient
) -> None:
    standin.ozon.order(("OOLONG", 3))
    change = QuantityChange(sku="OOLONG", quantity=4, warehouse_id=standin.ozon.warehouse_id)
    assert [result.is_taken for result in client.set_quantities([change])] == [True]
    assert client.quantities([change]) == {"OOLONG": 4}
    assert standin.ozon.shown("OOLONG") == 4


def test_a_pair_that_was_written_just_now_has_to_rest(standin: Standin, client: MarketplaceClient) -> None:
    standin.limits(on=True)
    change = QuantityChange(sku="OOLONG", quantity=4, warehouse_id=standin.ozon.warehouse_id)
    assert client.set_quantities([change])[0].is_taken
    [refused] = client.set_quantities([QuantityChange("OOLONG", 5, change.warehouse_id)])
    assert (refused.is_taken, refused.retry_after) == (False, 30.0)
    standin.advance(31)
    assert client.set_quantities([QuantityChange("OOLONG", 5, change.warehouse_id)])[0].is_taken


def test_the_stock_comes_with_its_names(standin: Standin, client: MarketplaceClient) -> None:
    standin.ozon.order(("OOLONG", 3))
    rows = [row for page in client.stock_pages() for row in page.rows if row.sku == "OOLONG" and row.source == "fbs"]
    figures = [(row.present, row.reserved, row.warehouse_id, row.name, row.barcode) for row in rows]
    assert figures == [(10, 3, standin.ozon.warehouse_id, "Улун", "4601234567890")]


@pytest.mark.parametrize("fault", [{"status": 500}, {"html": True}, {"truncate": True}, {"cut": "middle"}])
def test_a_list_is_asked_again_when_its_answer_is_broken(
    standin: Standin, client: MarketplaceClient, fault: dict[str, object]
) -> None:
    number = standin.ozon.order(("OOLONG", 1))
    standin.misbehave("/v4/posting/fbs/list", times=2, **fault)
    assert list(all_orders(client)) == [number]


def test_a_key_that_ends_in_the_middle_is_said_and_no_order_is_taken_for_gone(
    standin: Standin, client: MarketplaceClient
) -> None:
    number = standin.ozon.order(("OOLONG", 1))
    order = now(client, number)
    standin.misbehave("/ozon/", times=0, status=403, body={"code": 7, "message": "Api-key is deactivated"})
    with pytest.raises(NotAuthorised):
        client.orders([number])
    with pytest.raises(MarketplaceError):
        client.accept([order])
    with pytest.raises(NotAuthorised):
        client.test()


def test_a_cancel_without_an_answer_is_not_sent_again(
    standin: Standin, client: MarketplaceClient, account: SellerAccount
) -> None:
    number = standin.ozon.order(("OOLONG", 1))
    standin.misbehave("/v2/posting/fbs/cancel$", delay=3, times=0)
    with pytest.raises(Timeout):
        client_of(account, read_timeout=1).roll_back(now(client, number), reason="late")
    assert len(standin.calls("/v2/posting/fbs/cancel$")) == 1
