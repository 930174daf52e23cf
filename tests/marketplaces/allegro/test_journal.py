"""How Allegro's orders come: by the journal of events, and by the sweep."""

import datetime

import pytest

from marketplaces.choices import OrderState
from marketplaces.clients import allegro_journal
from marketplaces.errors import ServerError
from tests.marketplaces.allegro.seller import client, orders_of, sync

pytestmark = pytest.mark.django_db


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
