"""What an order of Allegro's is, and what Allegro is told about it."""

from dataclasses import replace
from decimal import Decimal

import pytest

from marketplaces.choices import OrderState, Scheme
from marketplaces.clients.allegro_orders import read_orders, state_of
from marketplaces.errors import NotFound, Outdated, Refused
from tests.marketplaces.allegro.seller import client

pytestmark = pytest.mark.django_db

FULFILMENT = "/fulfillment$"


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
