"""What lies where on a marketplace is read whole, written where it differs, and kept by the day."""

import datetime
import tracemalloc

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inventory.models import Location
from marketplaces.choices import Scheme
from marketplaces.clients.base import Problem
from marketplaces.errors import ServerError
from marketplaces.mirror_selectors import read_at, stock_on
from marketplaces.models import Listing, MarketplaceStock, MarketplaceStockSnapshot, SyncRun
from marketplaces.services import stock_import
from marketplaces.services.stock_import import import_stock
from marketplaces.services.stock_rows import RowIds
from tests.marketplaces.market import Network, row, seller, stock_page
from tests.shop import Shop

pytestmark = pytest.mark.django_db

DAY = datetime.timedelta(days=1)


@pytest.fixture
def network(monkeypatch):
    return Network.installed(monkeypatch.setattr)


@pytest.fixture
def account():
    return seller(location=Location.objects.create(name="Shop", time_zone="Pacific/Kiritimati"))


@pytest.fixture
def reads(account, network):
    """Imports these pages for the account."""

    def read(*pages) -> SyncRun:
        network.tells(account, *pages)
        return import_stock(account_id=account.pk)

    return read


def pieces() -> dict[str, int]:
    return dict(MarketplaceStock.objects.values_list("sku", "present"))


def figures(run: SyncRun) -> tuple[str, int, int, int]:
    run.refresh_from_db()
    return run.status, run.processed, run.updated, run.skipped


def test_rows_are_stored_by_warehouse_and_scheme_and_counted_by_source(account, reads):
    run = reads(
        stock_page(
            row("TEA", 5, reserved=1, warehouse_id="1", warehouse="North", name="Tea", barcode="46"),
            row("TEA", 7, warehouse_id="2"),
            row("TEA", 2, warehouse_id="1", stock_type=Scheme.REALFBS),
        ),
        stock_page(row("TEA", 9, stock_type=Scheme.FBO, in_way_to_client=3, in_way_from_client=4), source="fbo"),
    )

    assert figures(run) == ("success", 4, 4, 0)
    assert run.counts == {"fbs": 3, "fbo": 1}
    stored = MarketplaceStock.objects.values_list("source", "warehouse_id", "stock_type", "present", "in_way_to_client")
    assert set(stored) == {
        ("fbs", "1", "FBS", 5, 0),
        ("fbs", "2", "FBS", 7, 0),
        ("fbs", "1", "realFBS", 2, 0),
        ("fbo", "", "FBO", 9, 3),
    }
    assert account.sync_states.get().next_due_at - timezone.now() > datetime.timedelta(minutes=359)
    assert read_at(account_ids=[account.pk], what=SyncRun.What.INVENTORY) == {account.pk: run.completed_at}


def test_a_second_run_without_changes_writes_no_row(reads):
    pages = [stock_page(*(row(f"SKU{number}", number) for number in range(300)))]
    assert figures(reads(*pages)) == ("success", 300, 300, 0)
    before = set(MarketplaceStock.objects.values_list("pk", "last_sync_at"))

    assert figures(reads(*pages)) == ("success", 300, 0, 0)

    assert set(MarketplaceStock.objects.values_list("pk", "last_sync_at")) == before
    assert MarketplaceStockSnapshot.objects.count() == 300


def test_only_what_differs_is_written(reads):
    reads(stock_page(row("A", 1), row("B", 2, name="Bread", barcode="1", warehouse="North")))
    before = dict(MarketplaceStock.objects.values_list("sku", "last_sync_at"))

    assert figures(reads(stock_page(row("A", 1), row("B", 3)))) == ("success", 2, 1, 0)

    bread = MarketplaceStock.objects.get(sku="B")
    assert bread.last_sync_at > before["B"]
    assert MarketplaceStock.objects.get(sku="A").last_sync_at == before["A"]
    assert (bread.present, bread.name, bread.barcode, bread.warehouse) == (3, "Bread", "1", "North"), "names are kept"


def test_a_row_belongs_to_the_product_of_its_listing_once_there_is_one(account, reads):
    tea = Shop.open("Other").product("Tea")
    page = stock_page(row("TEA", 5))
    reads(page)
    assert MarketplaceStock.objects.get().product is None
    Listing.objects.create(account=account, sku="TEA", product=tea)

    reads(page)
    assert MarketplaceStock.objects.get().product == tea


@pytest.mark.parametrize(
    "bad",
    [
        row("", 1),
        row("BAD", -1),
        row("BAD", 10_000_001),
        row("BAD", 1, reserved=-5),
        row("BAD", "7"),
        row("BAD", 1.5),
        row("B\x00AD", 1),
        row("B" * 101, 1),
        row("BAD", 1, warehouse_id="w" * 61),
    ],
)
def test_a_row_that_can_not_be_is_left_out_and_listed_and_the_others_go_on(reads, bad):
    run = reads(stock_page(row("A", 1), bad, row("B", 2, name="x\x00" * 400)))

    assert figures(run) == ("partial", 3, 2, 1)
    assert len(run.problems) == 1
    assert run.problems[0]["reason"]
    assert pieces() == {"A": 1, "B": 2}


def test_of_a_row_that_is_told_twice_the_first_counts(reads):
    run = reads(stock_page(row("A", 1), row("A", 2), row("A", 3, warehouse_id="other")))

    assert figures(run) == ("partial", 3, 2, 1)
    assert dict(MarketplaceStock.objects.values_list("warehouse_id", "present")) == {"": 1, "other": 3}


def test_what_a_whole_source_does_not_tell_any_more_is_at_nothing_and_not_deleted(reads):
    reads(stock_page(row("A", 1), row("B", 2), row("C", 0)), stock_page(row("F", 4, source="fbo"), source="fbo"))

    run = reads(stock_page(row("A", 1)), stock_page(source="fbo", is_last=False))

    assert run.updated == 1
    assert pieces() == {"A": 1, "B": 0, "C": 0, "F": 4}
    assert MarketplaceStock.objects.get(sku="B").snapshots.latest("snapshot_date").present == 0


def test_what_was_told_in_a_way_that_can_not_be_read_stays_as_it_is(reads):
    reads(stock_page(row("A", 1), row("B", 2), row("C", 3), row("D", 4, warehouse_id="7")))

    unreadable = [Problem("C", "a number as text"), Problem("7", "a warehouse without a name")]
    run = reads(stock_page(row("A", 1), row("B", -2), problems=unreadable))

    assert figures(run) == ("partial", 4, 0, 3)
    assert pieces() == {"A": 1, "B": 2, "C": 3, "D": 4}


def test_an_import_that_breaks_off_keeps_what_it_read_and_empties_nothing(reads):
    reads(stock_page(row("A", 1), row("B", 2)))

    run = reads(stock_page(row("A", 5), is_last=False), ServerError("gone", status=502))

    assert figures(run) == ("failed", 1, 1, 0)
    assert pieces() == {"A": 5, "B": 2}


def test_each_day_on_which_something_changed_is_kept_in_the_locations_own_days(account, network, monkeypatch):
    # 11:00 in UTC is 01:00 of the next day on Kiritimati.
    noon = datetime.datetime(2026, 11, 20, 11, tzinfo=datetime.UTC)
    for days, told in enumerate([{"A": 1, "B": 1}, {"A": 1, "B": 1}, {"A": 3, "B": 1}, {"A": 4, "B": 1}]):
        monkeypatch.setattr("marketplaces.services.stock_import.timezone.now", lambda at=noon + days * DAY: at)
        monkeypatch.setattr("marketplaces.services.runs.timezone.now", lambda at=noon + days * DAY: at)
        network.tells(account, stock_page(*(row(sku, number) for sku, number in told.items())))
        import_stock(account_id=account.pk)

    snapshots = MarketplaceStockSnapshot.objects.order_by("stock__sku", "snapshot_date")
    assert list(snapshots.values_list("stock__sku", "snapshot_date__day", "present")) == [
        ("A", 21, 1),
        ("A", 23, 3),
        ("A", 24, 4),
        ("B", 21, 1),
    ]

    def on(day: int) -> dict[str, int]:
        found = stock_on(account_ids=[account.pk], day=datetime.date(2026, 11, day))
        return {snapshot.stock.sku: snapshot.present for snapshot in found}

    assert [on(day) for day in (20, 22, 23, 30)] == [{}, {"A": 1, "B": 1}, {"A": 3, "B": 1}, {"A": 4, "B": 1}]


def test_ten_times_the_rows_of_a_batch_take_the_same_statements(reads):
    def statements(number: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            reads(stock_page(*(row(f"S{one}", 1) for one in range(number))))
        return len(captured)

    statements(1)
    assert statements(10) == statements(1000)


def test_memory_does_not_grow_with_the_pages(reads, monkeypatch):
    monkeypatch.setattr(stock_import, "BATCH", 100)

    def told(number: int):
        yield from (stock_page(*(row(f"{one}-{n}", 1) for n in range(100)), is_last=False) for one in range(number))
        yield stock_page()

    def peak(number: int) -> int:
        tracemalloc.start()
        monkeypatch.setattr("tests.marketplaces.market.MemoryClient.tell", lambda self: told(number))
        reads()
        _now, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    peak(3)
    assert peak(30) < 1.3 * peak(3)


def test_ids_are_remembered_in_a_bit_each():
    ids = RowIds()
    ids.add([1, 7, 8, 65_535, 65_536, 10**12])

    assert [one in ids for one in (1, 7, 8, 65_535, 65_536, 10**12)] == [True] * 6
    assert [one in ids for one in (0, 2, 9, 65_534, 65_537, 10**12 + 1)] == [False] * 6
    assert sum(map(len, ids.pages.values())) == 3 * 8192
