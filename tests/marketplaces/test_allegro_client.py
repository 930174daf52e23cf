"""Allegro's client, against the stand-in."""

import datetime
from dataclasses import replace
from decimal import Decimal

import pytest

from marketplaces.choices import OrderState, Scheme
from marketplaces.clients import allegro_journal, http
from marketplaces.clients.allegro_offers import is_ean
from marketplaces.clients.allegro_orders import read_orders, state_of
from marketplaces.clients.base import PushResult, QuantityChange
from marketplaces.errors import NotFound, Outdated, Refused, ServerError
from tests.marketplaces.allegro import allegro_account, client, orders_of, sync
from tests.shop import Shop

pytestmark = pytest.mark.django_db

FULFILMENT = "/fulfillment$"


@pytest.fixture
def pauses(monkeypatch):
    """Nobody waits; how long somebody would have is remembered."""
    waited: list[float] = []
    monkeypatch.setattr(http, "pause", waited.append)
    return waited


@pytest.fixture
def account(standin, pauses):
    standin.allegro.offer(sku="111", pieces=10, name="Pearl tea")
    return allegro_account(Shop.open(), standin.allegro)


# --- what an order is ---------------------------------------------------------------------------------


def test_an_order_is_read_with_its_lines_amounts_and_moments(standin, account):
    form_id = standin.allegro.order(("111", 2))

    found = client(account).orders([form_id])[form_id]

    told = standin.allegro[form_id]
    assert (found.external_id, found.number, found.state) == (form_id, form_id, OrderState.READY)
    assert (found.status, found.fulfilment_status) == ("READY_FOR_PROCESSING", "NEW")
    assert found.revision == f"{told.revision:08x}"
    assert (found.currency, found.total) == (told.currency, Decimal(told.lines[0].price) * 2)
    assert found.placed_at == found.changed_at
    assert found.scheme == Scheme.FBS
    (line,) = found.lines
    assert (line.external_line_id, line.sku, line.quantity, line.name) == (told.lines[0].id, "111", 2, "Pearl tea")
    assert line.price == Decimal(told.lines[0].price)
    assert found.payload["buyer"]["login"]


@pytest.mark.parametrize(
    ("status", "fulfilment", "state"),
    [
        ("BOUGHT", "NEW", OrderState.WAITING),
        ("FILLED_IN", "NEW", OrderState.WAITING),
        ("READY_FOR_PROCESSING", "NEW", OrderState.READY),
        ("READY_FOR_PROCESSING", "", OrderState.READY),
        ("READY_FOR_PROCESSING", "PROCESSING", OrderState.PROCESSING),
        ("READY_FOR_PROCESSING", "READY_FOR_SHIPMENT", OrderState.PROCESSING),
        ("READY_FOR_PROCESSING", "READY_FOR_PICKUP", OrderState.PROCESSING),
        ("READY_FOR_PROCESSING", "SUSPENDED", OrderState.WAITING),
        ("READY_FOR_PROCESSING", "SENT", OrderState.SENT),
        ("READY_FOR_PROCESSING", "PICKED_UP", OrderState.DELIVERED),
        ("READY_FOR_PROCESSING", "RETURNED", OrderState.RETURNED),
        ("READY_FOR_PROCESSING", "CANCELLED", OrderState.CANCELLED),
        # The two are independent: the buyer cancels while it is being packed, …
        ("CANCELLED", "PROCESSING", OrderState.CANCELLED),
        # … and can't take back what has left the shop.
        ("CANCELLED", "SENT", OrderState.SENT),
        ("CANCELLED", "RETURNED", OrderState.RETURNED),
        ("ON_THE_MOON", "NEW", OrderState.UNKNOWN),
        ("READY_FOR_PROCESSING", "TELEPORTED", OrderState.UNKNOWN),
    ],
)
def test_the_two_words_of_an_order_come_to_one_state(status, fulfilment, state):
    assert state_of(status, fulfilment) == state


def form(**changes):
    line = {"id": "l-1", "offer": {"id": "7", "name": "Tea"}, "quantity": 1, "price": {"amount": "9.90"}}
    return {"id": "f-1", "status": "READY_FOR_PROCESSING", "lineItems": [line | changes.pop("line", {})], **changes}


def test_a_form_that_cant_be_read_is_left_out_and_the_rest_goes_on():
    orders, problems = read_orders(
        [
            form(),
            form(id="no-lines", lineItems=None),
            form(id="half", line={"quantity": 1.5}),
            form(id="text", line={"quantity": "3"}),
            form(id="rich", line={"price": {"amount": "1e99"}}),
            "nonsense",
            form(id="moon", status="ON_THE_MOON"),
        ]
    )

    assert [order.external_id for order in orders] == ["f-1", "text", "moon"]
    assert orders[1].lines[0].quantity == 3
    assert [problem.item for problem in problems] == ["no-lines", "half", "rich", "#6", "moon"]
    assert "lineItems" in problems[0].reason
    assert "ON_THE_MOON" in problems[-1].reason


def test_what_allegro_sends_from_its_warehouse_is_not_the_shops_to_send():
    orders, _problems = read_orders(
        [form(fulfillment={"status": "NEW", "provider": {"id": who}}) for who in ("ALLEGRO", "SELLER")]
    )

    assert [order.scheme for order in orders] == [Scheme.FBO, Scheme.FBS]


# --- the journal and the sweep ------------------------------------------------------------------------


def test_the_first_run_sweeps_everything_and_the_next_one_reads_nothing_anew(standin, account):
    ids = standin.allegro.orders(3, ("111", 1))
    cursors = {}

    pages = sync(account, cursors)

    assert [order.external_id for order in orders_of(pages)] == ids
    assert set(cursors) == {"journal", "sweep"}
    standin.forget_calls()
    standin.advance(3600)
    again = sync(account, cursors)
    # What lies within the overlap is looked at again, with one call; nothing is read singly.
    assert {order.external_id for order in orders_of(again)} <= set(ids)
    assert [call.path.removeprefix("/allegro") for call in standin.calls()] == [
        "/order/checkout-forms",
        "/order/events",
    ]


def test_the_journals_cursor_is_the_last_event_processed(standin, account):
    cursors = {}
    sync(account, cursors)
    form_id = standin.allegro.order(("111", 1))

    sync(account, cursors)

    assert cursors["journal"] == str(standin.allegro.seller.events[-1].id)
    assert standin.allegro.seller.events[-1].order == form_id
    assert len(standin.calls("event-stats")) == 1


def test_an_order_whose_events_never_come_is_found_by_the_sweep(standin, account):
    cursors = {}
    sync(account, cursors)
    form_id = standin.allegro.order(("111", 1))
    standin.allegro.seller.events.clear()

    assert [order.external_id for order in orders_of(sync(account, cursors))] == [form_id]


def test_an_order_that_the_sweep_does_not_show_is_found_by_its_event(standin, account):
    """Whether the time of change moves with each change is not promised."""
    form_id = standin.allegro.order(("111", 1))
    cursors = {}
    sync(account, cursors)
    standin.advance(3600)
    standin.allegro.order(("111", 1))
    sync(account, cursors)
    order = standin.allegro[form_id]
    order.fulfilment, order.revision = "SENT", order.revision + 1
    standin.allegro.event(form_id, "FULFILLMENT_STATUS_CHANGED")

    pages = sync(account, cursors)

    (found,) = [order for page in pages if page.source == "journal" for order in page.orders]
    assert (found.external_id, found.state) == (form_id, OrderState.SENT)
    assert len(standin.calls(f"{form_id}$")) == 1


def test_events_twice_and_out_of_order_read_an_order_once(standin, account):
    cursors = {}
    sync(account, cursors)
    form_id = standin.allegro.order(("111", 1))
    for word in ("READY_FOR_PROCESSING", "BOUGHT", "READY_FOR_PROCESSING"):
        standin.allegro.event(form_id, word, at=standin.world.clock.now() + 60)

    pages = sync(account, cursors)

    assert [order.external_id for order in orders_of(pages)] == [form_id]
    assert len(standin.calls(f"{form_id}$")) <= 1


def test_an_order_that_an_event_names_and_that_is_gone_has_vanished(standin, account):
    cursors = {}
    sync(account, cursors)
    form_id, other = standin.allegro.orders(2, ("111", 1))
    standin.allegro.vanish(form_id)

    pages = sync(account, cursors)

    assert [order.external_id for order in orders_of(pages)] == [other]
    assert [vanished for page in pages for vanished in page.vanished] == [form_id]


def test_orders_paid_together_come_as_a_new_one_with_the_same_lines(standin, account):
    old = standin.allegro.order(("111", 1), status="FILLED_IN")
    cursors = {}
    sync(account, cursors)
    line_id = standin.allegro[old].lines[0].id
    new = standin.allegro.pay_together(old)

    pages = sync(account, cursors)

    (found,) = orders_of(pages)
    assert found.external_id == new
    assert [line.external_line_id for line in found.lines] == [line_id]


def test_since_a_moment_everything_is_read_again_and_no_cursor_goes_back(standin, account):
    start = datetime.datetime.fromtimestamp(standin.world.clock.now(), datetime.UTC)
    standin.advance(100)
    ids = standin.allegro.orders(2, ("111", 1))
    standin.advance(7200)
    last = standin.allegro.order(("111", 1))
    cursors = {}
    sync(account, cursors)
    before = dict(cursors)

    pages = sync(account, cursors, since=start)

    assert [order.external_id for order in orders_of(pages)] == [*ids, last]
    assert cursors == before


@pytest.mark.parametrize("is_first", [True, False])
def test_a_moment_later_than_the_cursor_leaves_nothing_out(standin, account, is_first):
    cursors = {}
    if not is_first:
        sync(account, cursors)
    missed = standin.allegro.order(("111", 1))
    standin.advance(7200)
    since = datetime.datetime.fromtimestamp(standin.world.clock.now() - 60, datetime.UTC)

    pages = [page for page in client(account).order_pages(cursors=cursors, since=since) if page.source == "sweep"]

    assert [order.external_id for order in orders_of(pages)] == [missed]


def test_ten_thousand_orders_come_in_pages_whose_cursors_can_be_kept(standin, account, monkeypatch):
    """Two thousand here, all changed at one moment: where a page has no later time an offset leads on."""
    now = standin.world.clock.now()
    ids = standin.allegro.orders(250, ("111", 1), placed_at=now - 100)
    ids += standin.allegro.orders(150, ("111", 1))
    cursors = {}

    pages = list(client(account).order_pages(cursors={}, since=None))

    found = [order.external_id for order in orders_of(pages)]
    assert sorted(found) == sorted(ids)
    assert len(found) == len(set(found))
    assert max(len(page.orders) for page in pages) <= 200
    # Cut off after the third page, the next run goes on there.
    for page in pages[:4]:
        cursors |= page.cursors
    monkeypatch.setattr(allegro_journal, "OVERLAP", datetime.timedelta(0))
    rest = orders_of(sync(account, cursors))
    kept = {order.external_id for page in pages[:4] for order in page.orders}
    assert kept | {order.external_id for order in rest} == set(ids)


def test_many_events_whose_orders_were_swept_cost_no_further_call(standin, account):
    cursors = {}
    sync(account, cursors)
    standin.allegro.orders(120, ("111", 1))
    standin.forget_calls()

    pages = sync(account, cursors)

    assert len(orders_of(pages)) == 120
    assert not standin.calls("checkout-forms/")
    assert len(standin.calls("/order/")) == 3


def test_a_fault_in_the_middle_leaves_the_cursors_at_what_was_read(standin, account):
    cursors = {}
    sync(account, cursors)
    before = dict(cursors)
    standin.allegro.orders(3, ("111", 1))
    standin.misbehave("/order/events", status=500, times=0)

    with pytest.raises(ServerError):
        sync(account, cursors)

    assert cursors["journal"] == before["journal"]
    standin.calm()
    sync(account, cursors)
    assert cursors["journal"] == str(standin.allegro.seller.events[-1].id)


def test_a_time_of_change_from_the_far_future_does_not_blind_the_sweep(standin, account):
    form_id = standin.allegro.order(("111", 1))
    cursors = {}
    standin.misbehave("checkout-forms$", put={"checkoutForms.updatedAt": "2999-01-01T00:00:00.000Z"})

    pages = sync(account, cursors)

    assert [order.external_id for order in orders_of(pages)][:1] == [form_id]
    assert "sweep" not in cursors


# --- telling Allegro ----------------------------------------------------------------------------------


def test_accepting_is_written_once_and_never_what_stands_there(standin, account):
    one, two = standin.allegro.orders(2, ("111", 1))
    allegro = client(account)

    told = allegro.accept(list(allegro.orders([one, two]).values()))
    again = allegro.accept(list(allegro.orders([one, two]).values()))

    assert told == again == {one: None, two: None}
    assert [standin.allegro[form_id].fulfilment for form_id in (one, two)] == ["PROCESSING"] * 2
    assert len(standin.calls(FULFILMENT, "PUT")) == 2


def test_an_order_that_changed_since_it_was_read_is_read_again_and_accepted(standin, account):
    form_id = standin.allegro.order(("111", 1))
    allegro = client(account)
    stale = allegro.orders([form_id])[form_id]
    standin.allegro.change(form_id)

    assert allegro.accept([stale]) == {form_id: None}
    assert standin.allegro[form_id].fulfilment == "PROCESSING"
    assert [call.answer.status for call in standin.calls(FULFILMENT)] == [409, 204]


def test_an_order_that_the_buyer_cancelled_meanwhile_is_not_accepted(standin, account):
    form_id = standin.allegro.order(("111", 1))
    allegro = client(account)
    stale = allegro.orders([form_id])[form_id]
    standin.allegro.cancel(form_id)

    refusal = allegro.accept([stale])[form_id]

    assert isinstance(refusal, Refused)
    assert standin.allegro[form_id].fulfilment == "NEW"


def test_faults_of_one_order_do_not_stop_the_others(standin, account):
    waiting, gone, good = standin.allegro.orders(3, ("111", 1))
    allegro = client(account)
    found = allegro.orders([waiting, gone, good])
    standin.allegro.change(waiting, status="FILLED_IN")
    standin.allegro.vanish(gone)

    told = allegro.accept(list(found.values()))

    assert isinstance(told[waiting], Outdated)
    assert isinstance(told[gone], NotFound)
    assert told[good] is None


def test_an_answer_that_was_lost_is_no_second_change(standin, account):
    form_id = standin.allegro.order(("111", 1))
    allegro = client(account)
    order = allegro.orders([form_id])[form_id]
    standin.misbehave(FULFILMENT, cut="before", is_applied=True)

    assert allegro.accept([order]) == {form_id: None}
    assert (standin.allegro[form_id].fulfilment, standin.allegro[form_id].changes) == ("PROCESSING", 1)


def test_many_orders_are_read_with_one_call(standin, account):
    ids = standin.allegro.orders(30, ("111", 1))

    found = client(account).orders([*ids, "5e1fd52a-0000-4000-8000-000000000000"])

    assert [order.external_id for order in found.values() if order] == ids
    assert [form_id for form_id, order in found.items() if order is None] == ["5e1fd52a-0000-4000-8000-000000000000"]
    assert len(standin.calls("checkout-forms")) == 2


def test_rolling_back_cancels_once_and_is_refused_for_what_has_left(standin, account):
    one, sent = standin.allegro.orders(2, ("111", 1))
    allegro = client(account)
    stale = allegro.orders([one])[one]
    standin.allegro.change(one)

    allegro.roll_back(stale, reason="no tea left")
    allegro.roll_back(allegro.orders([one])[one], reason="no tea left")

    assert (standin.allegro[one].fulfilment, standin.allegro[one].changes) == ("CANCELLED", 1)
    read = allegro.orders([sent])[sent]
    standin.allegro.change(sent, fulfilment="SENT")
    with pytest.raises(Refused, match="sent"):
        allegro.roll_back(read, reason="too late")
    assert standin.allegro[sent].fulfilment == "SENT"


def test_an_order_that_the_buyer_cancelled_a_moment_before_is_rolled_back(standin, account):
    form_id = standin.allegro.order(("111", 1))
    allegro = client(account)
    order = allegro.orders([form_id])[form_id]
    standin.allegro.cancel(form_id)

    allegro.roll_back(replace(order, revision=""), reason="no tea left")
    allegro.roll_back(order, reason="no tea left")

    assert standin.allegro[form_id].changes == 0


def test_what_allegro_does_not_let_be_cancelled_is_refused(standin, account):
    form_id = standin.allegro.order(("111", 1))
    allegro = client(account)
    order = allegro.orders([form_id])[form_id]
    standin.allegro[form_id].changes = 100

    with pytest.raises(Refused):
        allegro.roll_back(order, reason="no tea left")


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
