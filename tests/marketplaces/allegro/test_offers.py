"""Stock and quantities on Allegro, and the session with it."""

import pytest

from marketplaces.choices import Scheme
from marketplaces.clients.allegro_offers import is_ean
from marketplaces.clients.base import PushResult, QuantityChange
from tests.marketplaces.allegro.seller import client

pytestmark = pytest.mark.django_db


# --- stock --------------------------------------------------------------------------------------------


def test_the_offers_are_the_stock_and_a_barcode_is_told_from_a_number_of_the_sellers(standin, account):
    standin.allegro.offer(sku="222", pieces=4, name="Cup", article="CUP-1")
    standin.allegro.offer(sku="333", pieces=0, name="Straw", article="4006381333931")
    standin.misbehave("/fulfillment/stock", status=403, body={"errors": []})

    pages = list(client(account).stock_pages())

    assert [(page.source, len(page.rows), page.is_last) for page in pages] == [
        ("fulfillment", 0, True),
        ("offers", 3, True),
    ]
    assert "403" in pages[0].problems[0].reason
    rows = {row.sku: (row.name, row.barcode, row.present, row.stock_type) for row in pages[1].rows}
    assert rows["222"] == ("Cup (CUP-1)", "", 4, Scheme.FBS)
    assert rows["333"] == ("Straw", "4006381333931", 0, Scheme.FBS)


def test_allegros_own_warehouse_is_counted_once(standin, account):
    store = standin.allegro.warehouse("one", scheme="FBO")
    standin.allegro.offer(sku="444", pieces={store: 9}, name="Jar")

    rows = [row for page in client(account).stock_pages() for row in page.rows]

    assert [(row.source, row.stock_type, row.present) for row in rows if row.sku == "444"] == [
        ("fulfillment", Scheme.FBO, 9)
    ]


def test_a_row_without_stock_is_left_out_and_listed(standin, account):
    standin.allegro.offer(sku="222", pieces=4)
    standin.misbehave("/sale/offers", drop="offers.stock")

    (page,) = [page for page in client(account).stock_pages() if page.source == "offers"]

    assert list(page.rows) == []
    assert {problem.item for problem in page.problems} == {"111", "222"}
    assert "stock.available" in page.problems[0].reason


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("4006381333931", True), ("4006381333930", False), ("12345670", True), ("CUP-1", False), ("١٢٣٤٥٦٧٠", False)],
)
def test_a_barcode_is_known_by_its_check_digit(text, is_one):
    assert is_ean(text) is is_one


# --- quantities ---------------------------------------------------------------------------------------


def change(sku, quantity):
    return QuantityChange(sku=sku, quantity=quantity)


def test_quantities_are_grouped_by_value_and_what_shows_already_is_not_written(standin, account):
    for sku in ("222", "333", "444"):
        standin.allegro.offer(sku=sku, pieces=1)

    results = client(account).set_quantities([change("111", 10), *(change(sku, 7) for sku in ("222", "333", "444"))])

    assert results == [PushResult(sku, is_taken=True) for sku in ("111", "222", "333", "444")]
    assert [standin.allegro.shown(sku) for sku in ("111", "222", "333", "444")] == [10, 7, 7, 7]
    assert len(standin.calls("quantity-change-commands/[^/]+$", "PUT")) == 1
    shown = client(account).quantities([change("111", 0), change("222", 0), change("999", 0)])
    assert shown == {"111": 10, "222": 7}


def test_zero_ends_the_offer_and_stock_brings_it_back(standin, account):
    allegro = client(account)

    assert allegro.set_quantities([change("111", 0)]) == [PushResult("111", is_taken=True)]
    assert standin.allegro.is_ended("111")
    assert allegro.quantities([change("111", 0)]) == {"111": 0}

    assert allegro.set_quantities([change("111", 3)]) == [PushResult("111", is_taken=True)]
    assert not standin.allegro.is_ended("111")
    assert allegro.quantities([change("111", 3)]) == {"111": 3}
    assert not standin.calls("quantity-change-commands")


@pytest.mark.parametrize(("reason", "pieces"), [("USER", 5), ("ADMIN", 0)])
def test_an_offer_that_somebody_ended_is_not_brought_back(standin, account, reason, pieces):
    standin.allegro.seller.offers["111"].is_ended = True
    standin.allegro.seller.offers["111"].stock[standin.allegro.warehouse_id].present = pieces
    standin.misbehave("product-offers/111$", put={"publication.endedBy": reason})

    (result,) = client(account).set_quantities([change("111", 3)])

    assert not result.is_taken
    assert reason in result.reason
    assert standin.allegro.is_ended("111")
    assert not standin.calls("product-offers", "PATCH")


def test_what_allegro_has_not_done_yet_is_asked_for_with_patience_and_then_later(standin, account, pauses):
    standin.allegro.offer(sku="222", pieces=1)
    standin.settle(3600)

    many, zero, unknown = client(account).set_quantities([change("222", 5), change("111", 0), change("999", 1)])

    assert not many.is_taken
    assert not zero.is_taken
    assert many.retry_after == zero.retry_after == 60
    assert (unknown.is_taken, unknown.retry_after) == (False, None)
    assert 10 < sum(pauses) < 60


def test_a_command_that_failed_for_one_offer_says_why(standin, account):
    standin.allegro.offer(sku="222", pieces=1)
    standin.misbehave(
        "/tasks$",
        put={
            "tasks.status": "FAIL",
            "tasks.errors": [{"code": "X", "message": "no", "userMessage": "The offer is odd."}],
        },
    )

    results = client(account).set_quantities([change("222", 5), change("111", 0)])

    assert [(one.is_taken, one.reason) for one in results] == [(False, "The offer is odd."), (True, "")]


def test_a_lost_answer_to_a_command_is_no_second_command(standin, account):
    standin.allegro.offer(sku="222", pieces=1)
    standin.misbehave("quantity-change-commands/[^/]+$", cut="middle", is_applied=True)

    (result,) = client(account).set_quantities([change("222", 5)])

    assert result.is_taken
    paths = {call.path for call in standin.calls("quantity-change-commands/[^/]+$", "PUT")}
    assert len(paths) == 1
    assert standin.allegro.shown("222") == 5


# --- the session --------------------------------------------------------------------------------------


def test_calls_say_who_we_are_and_what_we_understand(standin, account, settings):
    assert client(account).test() == standin.allegro.seller.name

    headers = standin.calls("/me")[0].request.headers
    assert headers["user-agent"] == settings.MARKETPLACE_USER_AGENT
    assert headers["accept"] == "application/vnd.allegro.public.v1+json"


def test_a_token_that_is_not_taken_any_more_is_refreshed_once_for_all_calls(standin, account):
    ids = standin.allegro.orders(4, ("111", 1))
    allegro = client(account)
    allegro.test()
    standin.advance(1)
    standin.allegro.expire_tokens()
    standin.advance(1)

    found = allegro.orders(ids)

    assert [order.external_id for order in found.values()] == ids
    assert len(standin.calls("/auth/oauth/token")) == 1
