"""Every order of a marketplace is kept, with what it was before, however it is told."""

import datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from marketplaces.choices import Marketplace, OrderState, Scheme
from marketplaces.errors import LeaseLost
from marketplaces.models import (
    MarketplaceOrder,
    MarketplaceOrderLine,
    MarketplaceOrderRevision,
    StockOperation,
    SyncCursor,
    SyncRun,
)
from marketplaces.services.mirror import StoredPage, store_page, store_read_orders
from marketplaces.services.runs import begin_run
from monitoring.models import Alert
from tests.marketplaces.market import Source, line, page, seller, told

pytestmark = pytest.mark.django_db

NOON = datetime.datetime(2026, 11, 21, 12, tzinfo=datetime.UTC)
MINUTE = datetime.timedelta(minutes=1)


@pytest.fixture
def account():
    return seller()


@pytest.fixture
def allegro():
    return seller(Marketplace.ALLEGRO)


def keep(account, *orders, at=NOON, **fields) -> StoredPage:
    return store_page(account_id=account.pk, page=page(*orders, **fields), at=at)


def figures(stored: StoredPage) -> tuple[int, int, int]:
    return stored.stored, stored.changed, stored.unchanged


def order_of(external_id: str) -> MarketplaceOrder:
    return MarketplaceOrder.objects.get(external_id=external_id)


def test_a_new_order_is_kept_with_its_lines_and_first_version_and_begins_one_operation(account):
    order = told("A1", number="7", currency="RUB", total=Decimal("19.8"), lines=[line("l1", "TEA", 2)], placed_at=NOON)

    stored = keep(account, order, cursors={"fbs": {"cursor": "x"}})

    kept = order_of("A1")
    assert figures(stored) == (1, 0, 0)
    assert (kept.state, kept.total, kept.placed_at, kept.payload) == ("ready", Decimal("19.80"), NOON, order.payload)
    assert list(kept.lines.values_list("external_line_id", "sku", "quantity")) == [("l1", "TEA", 2)]
    assert list(kept.revisions.values_list("number", "source", "payload")) == [(1, "list", order.payload)]
    assert [one.order_id for one in stored.created_operations] == [kept.pk]
    assert SyncCursor.objects.get().value == {"cursor": "x"}


def test_the_same_page_once_more_changes_nothing_and_begins_nothing(account):
    keep(account, told("A1"), told("A2"))

    stored = keep(account, told("A1"), told("A2"), at=NOON + MINUTE)

    assert figures(stored) == (0, 0, 2)
    assert stored.created_operations == []
    assert order_of("A1").synced_at == NOON
    assert (MarketplaceOrderRevision.objects.count(), StockOperation.objects.count()) == (2, 2)


def test_what_differs_becomes_the_next_version_and_replaces_the_lines(account):
    keep(account, told("A1", OrderState.WAITING, lines=[line("l1"), line("l2")]))

    stored = keep(account, told("A1", lines=[line("l1", quantity=3)]), at=NOON + MINUTE, source=Source.JOURNAL)

    kept = order_of("A1")
    assert figures(stored) == (0, 1, 0)
    assert list(kept.revisions.values_list("number", "status", "source")) == [
        (1, "waiting", "list"),
        (2, "ready", "journal"),
    ]
    assert list(kept.lines.values_list("external_line_id", "quantity")) == [("l1", 3)]
    assert StockOperation.objects.count() == 1


def test_lines_that_are_the_same_stay_the_same_rows(account):
    keep(account, told("A1", OrderState.WAITING))
    before = set(MarketplaceOrderLine.objects.values_list("pk", flat=True))

    keep(account, told("A1"))

    assert set(MarketplaceOrderLine.objects.values_list("pk", flat=True)) == before


def test_an_answer_that_is_older_than_what_is_kept_does_no_harm(account):
    keep(account, told("A1", changed_at=NOON))

    stored = keep(account, told("A1", OrderState.WAITING, changed_at=NOON - MINUTE))

    assert figures(stored) == (0, 0, 1)
    assert order_of("A1").state == "ready"
    assert MarketplaceOrderRevision.objects.count() == 1


def test_a_time_of_change_from_the_far_future_does_not_silence_what_follows(account):
    now = timezone.now()
    keep(account, told("A1", changed_at=now + datetime.timedelta(days=900)), at=now)

    stored = keep(account, told("A1", OrderState.CANCELLED, changed_at=now), at=now)

    assert (stored.cancellations, order_of("A1").changed_at) == (1, now)


def test_of_an_order_that_a_page_tells_twice_the_newer_answer_counts(account):
    newer, older = told("A1", changed_at=NOON), told("A1", OrderState.WAITING, changed_at=NOON - MINUTE)

    assert figures(keep(account, newer, older)) == (1, 0, 0)
    assert order_of("A1").state == "ready"


@pytest.mark.parametrize(
    ("state", "scheme", "expected"),
    [
        (OrderState.READY, Scheme.FBS, 1),
        (OrderState.READY, Scheme.REALFBS, 1),
        (OrderState.PROCESSING, Scheme.FBS, 1),
        (OrderState.READY, Scheme.FBO, 0),
        (OrderState.WAITING, Scheme.FBS, 0),
        (OrderState.SENT, Scheme.FBS, 0),
        (OrderState.CANCELLED, Scheme.FBS, 0),
        (OrderState.UNKNOWN, Scheme.FBS, 0),
    ],
)
def test_what_is_to_be_sent_from_the_shop_begins_an_operation(account, state, scheme, expected):
    keep(account, told("A1", state, scheme=scheme, placed_at=account.created_at - MINUTE))

    assert StockOperation.objects.count() == expected


def test_what_was_sent_while_nobody_looked_is_counted_too(account):
    keep(account, told("A1", OrderState.WAITING))
    keep(account, told("A1", OrderState.SENT), told("A2", OrderState.SENT, placed_at=account.created_at + MINUTE))

    assert set(StockOperation.objects.values_list("order__external_id", flat=True)) == {"A1", "A2"}


def test_a_buyer_who_cancels_late_asks_for_the_end_of_the_operation(account):
    keep(account, told("A1"), told("A2"))

    stored = keep(account, told("A1", OrderState.CANCELLED), told("A2"), at=NOON + MINUTE)

    operation = StockOperation.objects.get(order__external_id="A1")
    assert stored.cancellations == 1
    assert (operation.cancellation_requested_at, operation.is_cancelled_there) == (NOON + MINUTE, True)
    assert StockOperation.objects.get(order__external_id="A2").cancellation_requested_at is None


def test_what_was_sent_and_then_cancelled_is_left_to_people(account):
    keep(account, told("A1"))
    keep(account, told("A1", OrderState.SENT))

    assert keep(account, told("A1", OrderState.CANCELLED)).cancellations == 0
    assert StockOperation.objects.get().cancellation_requested_at is None


def test_an_order_that_the_marketplace_has_no_more_is_kept_and_marked_until_it_is_told_again(account):
    keep(account, told("A1"))

    keep(account, vanished=["A1", "never heard of"], at=NOON + MINUTE)
    assert order_of("A1").vanished_at == NOON + MINUTE
    keep(account, vanished=["A1"], at=NOON + 2 * MINUTE)
    assert order_of("A1").vanished_at == NOON + MINUTE

    assert figures(keep(account, told("A1"))) == (0, 1, 0)
    assert order_of("A1").vanished_at is None
    assert MarketplaceOrderRevision.objects.count() == 1


def test_orders_that_were_paid_together_go_on_as_the_new_one(allegro):
    keep(allegro, told("old", lines=[line("a")]), told("other", lines=[line("b")]))

    stored = keep(allegro, told("new", lines=[line("a"), line("b"), line("c")]), vanished=["old"], at=NOON + MINUTE)

    new = order_of("new")
    assert (order_of("old").merged_into, order_of("other").merged_into) == (new, new)
    assert stored.cancellations == 2
    assert [one.order_id for one in stored.created_operations] == [new.pk]
    assert StockOperation.objects.filter(cancellation_requested_at=None).get().order_id == new.pk


def test_an_order_that_vanishes_after_the_joint_one_came_is_joined_too(allegro):
    keep(allegro, told("old", lines=[line("a"), line("b")]))
    keep(allegro, told("new", lines=[line("a")]))
    assert order_of("old").merged_into is None

    assert keep(allegro, vanished=["old"]).cancellations == 1
    assert order_of("old").merged_into == order_of("new")


def test_lines_of_the_same_id_say_nothing_on_the_other_marketplaces(account):
    keep(account, told("A1", lines=[line("1")]))

    assert keep(account, told("A2", lines=[line("1")]), vanished=["A1"]).cancellations == 0
    assert order_of("A1").merged_into is None


def test_a_status_that_is_not_known_is_kept_and_told_and_nothing_is_done(account):
    keep(
        account,
        told("A1", OrderState.UNKNOWN, status="teleported"),
        told("A2", OrderState.UNKNOWN, status="teleported"),
    )

    alert = Alert.objects.get(event="marketplaces.order_unknown_status")
    assert "teleported" in alert.message
    assert StockOperation.objects.count() == 0


def test_what_no_database_takes_is_replaced_and_the_order_kept(account):
    broken = {"note": "a\x00b\ud800", "weight": float("inf"), "exact": Decimal("1.5"), "long": "x" * 100_000}

    order = told("A1", payload=broken, status="s" * 500, lines=[line(name="n" * 999)])

    stored = keep(account, order, told("A2"))

    assert (figures(stored), stored.problems) == ((2, 0, 0), [])
    kept = order_of("A1")
    assert kept.payload == {"note": "a\ufffdb\ufffd", "weight": "inf", "exact": "1.5", "long": "x" * 100_000}
    assert len(kept.status) == 60
    assert figures(keep(account, told("A1", payload=broken, status="s" * 500, lines=[line(name="n" * 999)]))) == (
        0,
        0,
        1,
    )


@pytest.mark.parametrize(
    "bad",
    [
        told("x" * 101),
        told("B\x00"),
        told("B", lines=[line(quantity=0)]),
        told("B", lines=[line(quantity=10**12)]),
        told("B", lines=[line(sku="")]),
        told("B", lines=[line(), line()]),
        told("B", total=Decimal("NaN")),
        told("B", lines=[line(price=Decimal("1e30"))]),
        told("B", payload={"text": "x" * 2_000_001}),
    ],
    ids=lambda order: repr(order)[:60],
)
def test_an_order_that_can_not_be_kept_is_left_out_and_listed_and_the_rest_goes_on(account, bad):
    stored = keep(account, told("A1"), bad, told("A2"), cursors={"fbs": 1})

    assert figures(stored) == (2, 0, 0)
    assert [problem.item for problem in stored.problems] == [bad.external_id.replace("\x00", "")[:100]]
    assert set(MarketplaceOrder.objects.values_list("external_id", flat=True)) == {"A1", "A2"}
    assert SyncCursor.objects.get().value == 1


def test_what_only_the_database_refuses_costs_one_order_too(account):
    far = datetime.datetime(9999, 12, 31, 23, 59, tzinfo=datetime.timezone(-datetime.timedelta(hours=23)))

    stored = keep(account, told("A1"), told("B", state="x" * 20), told("A2"), told("A3", changed_at=far))

    assert [problem.item for problem in stored.problems] == ["B", "A3"]
    assert {"A1", "A2"} <= set(MarketplaceOrder.objects.values_list("external_id", flat=True))
    assert StockOperation.objects.filter(order__external_id__in=["A1", "A2"]).count() == 2


def queries(account, orders, vanished) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        keep(account, *orders, vanished=vanished, cursors={"a": 1, "b": 2})
    return len(captured)


@pytest.mark.parametrize("marketplace", [Marketplace.OZON, Marketplace.ALLEGRO])
def test_a_page_takes_the_same_queries_for_one_order_and_for_two_hundred(marketplace):
    account = seller(marketplace)

    def page_of(number: int, prefix: str) -> tuple[int, int, int]:
        names = [f"{prefix}{one}" for one in range(number)]
        new = queries(account, [told(name) for name in names], [])
        half = [*names[: max(1, number // 2)]]
        later = [told(name, OrderState.CANCELLED) for name in half] + [told(f"{prefix}n{name}") for name in half]
        changed = queries(account, later, names[-1:] if number > 1 else [])
        return new, changed, queries(account, later, [])

    small, large = page_of(2, "s"), page_of(200, "l")
    assert small == large
    assert max(large) <= 40


def test_orders_that_were_read_again_are_kept_in_the_callers_transaction(account):
    keep(account, told("A1", OrderState.WAITING), told("A2"), told("A3"))

    with CaptureQueriesContext(connection) as captured:
        kept = store_read_orders(
            account_id=account.pk, found={"A1": told("A1"), "A2": None, "A4": None, "A5": told("A5")}, at=NOON + MINUTE
        )

    assert {name: (order.state, order.vanished_at) for name, order in kept.items()} == {
        "A1": ("ready", None),
        "A2": ("ready", NOON + MINUTE),
        "A5": ("ready", None),
    }
    assert not any("SAVEPOINT" in one["sql"] for one in captured)
    assert order_of("A1").revisions.last().source == "read"
    assert StockOperation.objects.filter(order__external_id="A5").exists()


def test_a_run_that_was_overtaken_keeps_nothing(account):
    slow = begin_run(account_id=account.pk, what=SyncRun.What.ORDERS)
    with_its_place = timezone.now() - MINUTE
    account.sync_states.update(leased_until=with_its_place)
    begin_run(account_id=account.pk, what=SyncRun.What.ORDERS)

    with pytest.raises(LeaseLost):
        store_page(account_id=account.pk, page=page(told("A1"), cursors={"fbs": 1}), at=NOON, run_id=slow.pk)

    assert (MarketplaceOrder.objects.count(), SyncCursor.objects.count(), StockOperation.objects.count()) == (0, 0, 0)
