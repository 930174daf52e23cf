"""Quantities are brought to what the stock allows: whatever happened, the next run repairs it."""

import datetime
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inventory.models import Product
from marketplaces.clients.base import QuantityChange
from marketplaces.errors import NotAuthorised, Timeout
from marketplaces.models import Listing, SellerAccount, SyncRun, SyncState
from marketplaces.services import push_alarms
from marketplaces.services.pushes import (
    accounts_to_push,
    look_for_pushes,
    push_quantities,
    want_pushes,
)
from marketplaces.services.switch import start_pushes, stop_pushes
from marketplaces.tasks import push_quantities as send
from monitoring.models import Alert
from tests.marketplaces.shelf import Shelf, listed, seller
from tests.shop import Shop

pytestmark = pytest.mark.django_db
SECOND, MINUTE, HOUR = (datetime.timedelta(**{name: 1}) for name in ("seconds", "minutes", "hours"))
ShelfOf = Callable[[SellerAccount], Shelf]


class Cafe:
    """A shop that sells a latte (200 ml of 2 l of milk) at the counter and on two marketplaces."""

    def __init__(self, shelf_of: ShelfOf) -> None:
        self.shop = Shop.open()
        self.milk = self.shop.ingredient("Milk", "ml", stock=2000)
        self.latte = self.shop.product("Latte", recipe={self.milk: 200})
        self.account = seller(self.shop)
        self.shelf = shelf_of(self.account)
        self.listing = listed(self.account, self.latte, "L-1")
        self.now = timezone.now()

    def push(self, after: datetime.timedelta = SECOND, **more: Any) -> SyncRun | None:
        self.now += after
        return push_quantities(account_id=self.account.pk, at=self.now, **more)

    def read(self) -> Listing:
        self.listing.refresh_from_db()
        return self.listing

    def many(self, number: int) -> list[Listing]:
        """So many further listings, which show the 10 pieces that they may."""
        for place in range(number):
            self.shelf.pieces[f"M-{place:02}"] = 10
        made = [
            Listing(account=self.account, product=self.latte, sku=f"M-{place:02}", offered=10, offered_at=self.now)
            for place in range(number)
        ]
        return Listing.objects.bulk_create(made)


@pytest.fixture
def cafe(shelf_of: ShelfOf) -> Cafe:
    return Cafe(shelf_of)


def open_alert(event: str) -> Alert | None:
    return Alert.objects.filter(event=event, resolved_at=None).first()


def test_what_the_marketplace_shows_is_read_first_and_only_a_difference_is_written_and_read_back(cafe: Cafe) -> None:
    cafe.shelf.pieces = {"L-1": 10}
    assert cafe.push() is None
    assert cafe.shelf.calls == [("read", ["L-1"])]
    assert (cafe.read().offered, cafe.read().offered_at) == (10, cafe.now)

    cafe.shop.sell(cafe.latte, 3)
    run = cafe.push()

    assert cafe.shelf.calls[1:] == [("write", {"L-1": 7}), ("read", ["L-1"])]
    assert run is not None
    assert (run.what, run.source, run.status) == ("transactions", "Ozon", "success")
    assert (run.processed, run.updated, run.skipped, run.error) == (1, 1, 0, 0)
    assert cafe.read().offered == cafe.shelf.pieces["L-1"] == 7
    assert cafe.push() is None
    assert SyncRun.objects.count() == 1
    assert len(cafe.shelf.calls) == 3


def test_a_sale_at_the_counter_lowers_what_both_marketplaces_show(cafe: Cafe, shelf_of: ShelfOf) -> None:
    other = seller(cafe.shop, "allegro")
    listed(other, cafe.shop.product("Cocoa", recipe={cafe.milk: 100}), "C-1", quantity=2)
    cafe.push()
    push_quantities(account_id=other.pk, at=cafe.now)
    assert (cafe.shelf.pieces, shelf_of(other).pieces) == ({"L-1": 10}, {"C-1": 10})
    assert accounts_to_push(now=cafe.now) == []

    cafe.shop.sell(cafe.latte)
    assert sorted(accounts_to_push(now=cafe.now)) == sorted([cafe.account.pk, other.pk])
    for account_id in accounts_to_push(now=cafe.now):
        send(str(account_id))

    assert (cafe.shelf.pieces, shelf_of(other).pieces) == ({"L-1": 9}, {"C-1": 9})


def test_a_sale_marks_what_shares_an_ingredient_at_this_location_in_the_same_transaction(cafe: Cafe) -> None:
    elsewhere = Shop.open("Elsewhere")
    water = cafe.shop.ingredient("Water", "ml", stock=500)
    cocoa = cafe.shop.product("Cocoa", recipe={cafe.milk: 100, water: 100})
    shared = listed(cafe.account, cocoa, "C-1")
    listed(cafe.account, cafe.shop.product("Still", recipe={water: 250}), "W-1")
    listed(cafe.account, cafe.latte, "L-off", is_active=False)
    listed(seller(elsewhere), cafe.latte, "L-1")
    listed(seller(cafe.shop, mode="read_only"), cafe.latte, "L-1")

    with CaptureQueriesContext(connection) as seen:
        marked = want_pushes(product_ids=[cafe.latte.pk], location_id=cafe.shop.location.pk, at=cafe.now)

    assert len(seen) == 1
    assert marked == 2
    assert set(Listing.objects.filter(push_wanted_at=cafe.now)) == {cafe.listing, shared}
    assert want_pushes(product_ids=[], location_id=cafe.shop.location.pk, at=cafe.now) == 0


def test_a_mark_that_changes_nothing_is_taken_off_and_one_that_came_in_between_stays(cafe: Cafe) -> None:
    cafe.push()
    mark = {"product_ids": [cafe.latte.pk], "location_id": cafe.shop.location.pk}
    want_pushes(**mark, at=cafe.now)
    assert cafe.push() is None
    assert cafe.read().push_wanted_at is None

    cafe.shop.sell(cafe.latte)
    cafe.shelf.before_writing = lambda: want_pushes(**mark, at=cafe.now + SECOND)
    cafe.push()
    assert cafe.shelf.pieces == {"L-1": 9}
    assert cafe.read().push_wanted_at == cafe.now + SECOND


@pytest.mark.parametrize(
    "fields",
    [
        {"mode": "read_only"},
        {"is_active": False},
        {"connection": "none"},
        {"marketplace": "wildberries", "push_warehouse_id": ""},
    ],
)
def test_nothing_is_said_to_a_marketplace_that_nothing_may_be_written_to(cafe: Cafe, fields: dict[str, Any]) -> None:
    SellerAccount.objects.update(**fields)
    assert cafe.push() is None
    assert accounts_to_push(now=cafe.now) == []
    assert cafe.shelf.calls == []


def test_listings_that_are_off_or_whose_product_has_no_recipe_are_left_alone(cafe: Cafe) -> None:
    listed(cafe.account, cafe.shop.product("Gift card"), "G-1")
    Listing.objects.filter(sku="L-1").update(is_active=False)
    assert cafe.push() is None
    assert cafe.shelf.calls == []


def test_the_switch_stops_a_run_between_two_parts_and_the_next_run_goes_on(
    cafe: Cafe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marketplaces.services.pushes.PART", 1)
    cafe.many(1)
    cafe.push()
    cafe.shop.sell(cafe.latte)
    cafe.shelf.calls.clear()
    cafe.shelf.after_writing = lambda: stop_pushes(reason="Stop!", by_id=None, at=cafe.now)

    run = cafe.push()

    assert len(cafe.shelf.writes) == 1
    assert run is not None
    assert (run.status, run.updated, run.skipped) == ("partial", 1, 1)
    assert cafe.push() is None
    assert accounts_to_push(now=cafe.now) == []
    start_pushes(by_id=None)
    cafe.push()
    assert set(cafe.shelf.pieces.values()) == {9}


def test_what_is_sold_or_switched_off_while_a_run_writes_is_written_as_it_is_by_then(
    cafe: Cafe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marketplaces.services.pushes.PART", 1)
    cafe.many(2)
    cafe.push()
    cafe.shop.sell(cafe.latte)
    cafe.shelf.calls.clear()

    def meanwhile() -> None:
        cafe.shelf.after_writing = lambda: None
        Listing.objects.filter(sku="M-01").update(is_active=False)
        cafe.shop.sell(cafe.latte)

    cafe.shelf.after_writing = meanwhile

    cafe.push()

    assert cafe.shelf.writes == [{"L-1": 9}, {"M-00": 8}]
    cafe.push()
    assert cafe.shelf.pieces == {"L-1": 8, "M-00": 8, "M-01": 10}


def test_fields_that_are_taken_and_ignored_are_found_by_reading_back_and_tried_later_each_time(cafe: Cafe) -> None:
    cafe.shelf.pieces = {"L-1": 4}
    cafe.shelf.ignored = {"L-1"}
    run = cafe.push()
    assert run is not None
    assert (run.status, run.updated, run.error) == ("partial", 0, 1)
    assert run.problems == [{"item": "L-1", "reason": "The marketplace took 10 and shows 4."}]
    assert (cafe.read().offered, cafe.read().push_attempts) == (4, 1)
    assert cafe.read().push_not_before == cafe.now + 30 * SECOND

    assert cafe.push(29 * SECOND) is None
    assert [cafe.push(wait * SECOND) is not None for wait in (1, 60, 120)] == [True] * 3
    assert open_alert(push_alarms.PUSH_REJECTED) is None
    cafe.push(240 * SECOND)
    alert = open_alert(push_alarms.PUSH_REJECTED)
    assert alert is not None
    assert "Ozon" in alert.message
    assert "1 listing: L-1. The marketplace took 10 and shows 4." in alert.message

    # It comes late: what is shown is read before anything is written again.
    cafe.shelf.pieces = {"L-1": 10}
    writes = len(cafe.shelf.writes)
    assert cafe.push(HOUR) is None
    assert len(cafe.shelf.writes) == writes
    assert (cafe.read().push_attempts, cafe.read().push_error) == (0, "")
    assert open_alert(push_alarms.PUSH_REJECTED) is None


def test_a_pair_that_was_written_a_moment_ago_waits_as_long_as_the_marketplace_says(cafe: Cafe) -> None:
    cafe.shelf.waiting = {"L-1": 30.0}
    run = cafe.push()
    assert run is not None
    assert (run.status, run.skipped, run.error) == ("partial", 1, 0)
    assert (cafe.read().push_not_before, cafe.read().push_attempts) == (cafe.now + 30 * SECOND, 0)

    cafe.shelf.waiting = {"L-1": 300.0}
    cafe.push(30 * SECOND)
    assert (cafe.read().push_attempts, cafe.read().push_error) == (1, "TOO_MANY_REQUESTS")
    assert cafe.read().push_not_before == cafe.now + 300 * SECOND
    Listing.objects.update(push_not_before=cafe.now + 30 * SECOND)

    cafe.shelf.waiting = {}
    assert cafe.push(29 * SECOND) is None
    assert cafe.shelf.pieces == {}
    cafe.push(SECOND)
    assert cafe.shelf.pieces == {"L-1": 10}


def test_a_marketplace_that_does_not_name_an_empty_listing_shows_nothing_of_it(cafe: Cafe) -> None:
    Product.objects.update(is_listed=False)
    assert cafe.push() is None
    assert cafe.read().offered == 0


class Killed(BaseException):
    """kill -9: nothing after it runs, not even what tidies up."""


@pytest.mark.parametrize("line", ["before_writing", "after_writing", "before_reading"])
def test_a_worker_that_dies_around_a_write_leaves_nothing_wrong_behind(
    cafe: Cafe, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cafe.push()
    cafe.shop.sell(cafe.latte)

    def die() -> None:
        raise Killed

    setattr(cafe.shelf, line, die)
    monkeypatch.setattr("marketplaces.services.pushes.Push.end", lambda self, failure: None)
    with pytest.raises(Killed):
        cafe.push()
    monkeypatch.undo()
    setattr(cafe.shelf, line, lambda: None)
    # What was sold comes back: nothing differs from what was known before the write, and yet the shelf may be wrong.
    cafe.shop.receive({cafe.milk: 200})

    assert cafe.push() is None, "the dead worker still has the lease"
    assert cafe.push(11 * MINUTE) is not None or cafe.shelf.pieces == {"L-1": 10}
    assert cafe.shelf.pieces == {"L-1": 10}
    assert cafe.read().offered == 10
    dead = SyncRun.objects.order_by("started_at")[1]
    assert (dead.status, dead.error_kind) == ("failed", "killed")


def test_after_a_timeout_while_writing_the_marketplace_is_left_alone_and_then_read_first(cafe: Cafe) -> None:
    cafe.push()
    cafe.shop.sell(cafe.latte)

    def arrive_and_say_nothing() -> None:
        raise Timeout("No answer in 30 s.")

    cafe.shelf.after_writing = arrive_and_say_nothing
    run = cafe.push()
    assert run is not None
    assert (run.status, run.error_kind, run.message) == ("failed", "timeout", "No answer in 30 s.")
    state = SyncState.objects.get(account=cafe.account, what="transactions")
    assert (state.failures, state.read_timeout, state.leased_until) == (1, 90.0, None)
    assert 7 * MINUTE < state.next_due_at - timezone.now() <= 12 * MINUTE

    cafe.shelf.after_writing = lambda: None
    cafe.shelf.calls.clear()
    assert cafe.push() is None
    assert accounts_to_push(now=cafe.now) == []
    assert cafe.shelf.calls == []
    assert cafe.push(15 * MINUTE) is None
    assert cafe.shelf.calls == [("read", ["L-1"])]
    assert cafe.read().offered == 9
    state.refresh_from_db()
    assert (state.failures, state.read_timeout) == (0, 30.0)


def test_a_person_does_not_wait_for_the_end_of_the_pause(cafe: Cafe) -> None:
    def refuse() -> None:
        raise NotAuthorised("The key is not taken.", status=401)

    cafe.shelf.before_reading = refuse
    assert cafe.push() is not None
    cafe.shelf.before_reading = lambda: None
    assert cafe.push() is None
    assert cafe.shelf.pieces == {}
    cafe.push(by_id=1)
    assert cafe.shelf.pieces == {"L-1": 10}


def test_more_changes_than_the_account_allows_wait_for_the_next_run_the_most_urgent_first(cafe: Cafe) -> None:
    cafe.push()
    cafe.many(5)
    SellerAccount.objects.update(max_changes_per_run=2)
    empty = cafe.shop.product("Cocoa", recipe={cafe.milk: 3000})
    Listing.objects.filter(sku="M-04").update(product=empty)
    cafe.shop.receive({cafe.milk: 200})

    cafe.push()

    assert cafe.shelf.writes[-1] == {"M-04": 0, "L-1": 11}
    alert = open_alert(push_alarms.PUSHES_CAPPED)
    assert alert is not None
    assert "(2): 4 wait for the next run" in alert.message
    assert cafe.push() is not None
    assert cafe.push() is not None
    assert sorted(set(cafe.shelf.pieces.values())) == [0, 11]
    assert open_alert(push_alarms.PUSHES_CAPPED) is None


def test_taking_most_of_an_account_off_at_once_needs_somebody_who_is_sure(cafe: Cafe) -> None:
    cafe.push()
    others = cafe.many(21)
    water = cafe.shop.product("Water", recipe={cafe.shop.ingredient("Water", "ml", stock=10): 1})
    Listing.objects.filter(pk__in=[one.pk for one in others[:11]]).update(product=water)
    cafe.milk.stock_levels.update(minimum=Decimal(9999999))
    run = cafe.push()
    assert run is not None, "eleven of 22 are no more than half"
    assert list(cafe.shelf.pieces.values()).count(0) == 11
    cafe.milk.stock_levels.update(minimum=0)
    cafe.push()
    cafe.shelf.calls.clear()

    Listing.objects.filter(pk=others[0].pk).update(product=cafe.latte)
    cafe.milk.stock_levels.update(minimum=Decimal(9999999))
    assert cafe.push() is None
    assert cafe.push() is None
    alert = open_alert(push_alarms.PUSHES_HELD)
    assert alert is not None
    assert (alert.severity, alert.count) == ("critical", 1)
    assert "12 of 22 listings would be shown with nothing" in alert.message
    assert set(cafe.shelf.pieces.values()) == {10}
    assert cafe.shelf.calls == []

    cafe.push(is_sure=True, by_id=1)
    assert list(cafe.shelf.pieces.values()).count(0) == 12
    assert open_alert(push_alarms.PUSHES_HELD) is None


def test_what_was_held_back_is_forgotten_when_the_stock_is_right_again(cafe: Cafe) -> None:
    cafe.push()
    cafe.many(11)
    cafe.milk.stock_levels.update(minimum=Decimal(9999999))
    assert cafe.push() is None
    cafe.milk.stock_levels.update(minimum=0)
    assert accounts_to_push(now=cafe.now) == [cafe.account.pk]
    assert cafe.push() is None
    assert open_alert(push_alarms.PUSHES_HELD) is None
    assert accounts_to_push(now=cafe.now) == []


def test_nothing_stays_said_about_an_account_that_nothing_is_sent_for_any_more(cafe: Cafe) -> None:
    push_alarms.say(push_alarms.PUSHES_HELD, cafe.account, emptied=12, listings=20)
    assert look_for_pushes(now=cafe.now) == [cafe.account.pk]
    assert open_alert(push_alarms.PUSHES_HELD) is not None
    SellerAccount.objects.update(mode="read_only")
    assert look_for_pushes(now=cafe.now) == []
    assert open_alert(push_alarms.PUSHES_HELD) is None


def test_two_workers_have_one_lease(cafe: Cafe) -> None:
    seen: list[SyncRun | None] = []
    cafe.shelf.before_reading = lambda: seen.append(cafe.push())
    cafe.push()
    assert seen == [None, None]
    assert len(cafe.shelf.writes) == 1


def test_who_lost_the_lease_leaves_the_rest_to_who_has_it(cafe: Cafe) -> None:
    def be_slow() -> None:
        cafe.shelf.before_reading = lambda: None
        cafe.push(11 * MINUTE)

    cafe.shelf.before_reading = be_slow
    assert cafe.push() is None
    assert cafe.shelf.writes == [{"L-1": 10}]
    assert SyncRun.objects.get().status == "success"


def test_the_beat_asks_a_constant_number_of_queries(cafe: Cafe) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert accounts_to_push(now=cafe.now)
        return len(seen)

    one = queries()
    cafe.many(30)
    for _ in range(3):
        listed(seller(cafe.shop), cafe.latte, "L-1")
    assert queries() == one == 8


def test_the_changes_name_the_warehouse_and_the_other_ids(cafe: Cafe, monkeypatch: pytest.MonkeyPatch) -> None:
    Listing.objects.update(external_ids={"product_id": 7})
    seen: list[QuantityChange] = []
    monkeypatch.setattr(cafe.shelf, "set_quantities", lambda changes: seen.extend(changes) or [], raising=False)
    cafe.push()
    assert seen == [QuantityChange("L-1", 10, "22", {"product_id": 7})]
