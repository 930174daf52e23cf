"""The monitor: what it says of runs, operations and stock, and when it tells people."""

import csv
import datetime
import io
from collections import Counter
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from foundation.uuids import uuid7
from marketplaces import metrics
from marketplaces.anomaly_selectors import StockJumps, stock_jumps
from marketplaces.choices import Marketplace, OrderState, Scheme
from marketplaces.clients.gate import Gate, digest_of
from marketplaces.metrics import errors_of_the_day, operations_of_the_day, runs_of_the_day, sync_ages
from marketplaces.models import (
    ApiGate,
    MarketplaceOrder,
    MarketplaceStock,
    MarketplaceStockSnapshot,
    SellerAccount,
    StockOperation,
    SyncRun,
    SyncState,
)
from marketplaces.monitor_selectors import monitor, sync_health
from marketplaces.services.anomalies import ANOMALY, anomaly_sentence, find_anomalies, watch_marketplaces
from marketplaces.services.gates import forget_slots, pass_gate
from marketplaces.watching import everything_is_read, nothing_is_stuck
from monitoring.errors import CheckFailed
from monitoring.models import Alert
from tests.inventory.admin_pages import signed_in
from tests.shop import Shop

pytestmark = pytest.mark.django_db
MINUTE = datetime.timedelta(minutes=1)


@pytest.fixture
def account() -> SellerAccount:
    return SellerAccount.objects.create(
        marketplace=Marketplace.OZON,
        external_user_id="u-1",
        name="Tea",
        location=Shop.open().location,
        connection=SellerAccount.Connection.CONNECTED,
    )


def run_of(account: SellerAccount, what: str = "orders", status: str = "success", **fields: Any) -> SyncRun:
    """A run that took two seconds and has just ended."""
    now = timezone.now()
    values = {"started_at": now - datetime.timedelta(seconds=2), "completed_at": now, "source": "Ozon", **fields}
    return SyncRun.objects.create(account=account, what=what, status=status, **values)


def read_just_now(account: SellerAccount) -> None:
    for what in ("orders", "inventory"):
        SyncState.objects.create(account=account, what=what, last_success_at=timezone.now())


def operation_of(account: SellerAccount, number: int, **fields: Any) -> StockOperation:
    order = MarketplaceOrder.objects.create(
        account=account, external_id=f"o-{number}", status="x", state=OrderState.READY, payload={}, payload_digest=""
    )
    return StockOperation.objects.create(account=account, order=order, **fields)


def test_health_counts_the_runs_of_a_day_and_names_the_newest_error(account: SellerAccount) -> None:
    read_just_now(account)
    for _ in range(3):
        run_of(account)
    run_of(account, status="failed", message="Ozon did not answer.")
    run_of(account, "inventory", counts={"fbs": 4, "fbo": 6})

    stock, orders = sync_health(accounts=[account], now=timezone.now())

    assert (orders.what, orders.runs, orders.success_rate, orders.last_error) == (
        "orders", 4, 0.75, "Ozon did not answer.",
    )  # fmt: skip
    assert orders.mean_seconds == pytest.approx(2)
    assert (stock.what, stock.runs, stock.success_rate, stock.items) == ("inventory", 1, 1.0, {"fbs": 4, "fbo": 6})
    assert not orders.is_stale
    assert not stock.is_stale


def test_a_monitor_takes_as_many_queries_for_one_account_as_for_five(account: SellerAccount) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            monitor(accounts=list(SellerAccount.objects.select_related("location")), now=timezone.now())
        return len(seen)

    run_of(account)
    one = queries()
    for number in range(4):
        other = SellerAccount.objects.create(
            marketplace=Marketplace.ALLEGRO, external_user_id="u-2", name=str(number), location=account.location
        )
        run_of(other)

    assert one == queries() == 12


def test_what_was_not_read_for_three_intervals_is_stale_and_fails_the_check(account: SellerAccount) -> None:
    read_just_now(account)
    everything_is_read()
    SyncState.objects.filter(what="orders").update(last_success_at=timezone.now() - 11 * MINUTE)

    assert [one.what for one in sync_health(accounts=[account], now=timezone.now()) if one.is_stale] == ["orders"]
    with pytest.raises(CheckFailed, match=r"Tea \(orders\)"):
        everything_is_read()


def test_an_account_that_is_off_or_not_connected_is_never_stale(account: SellerAccount) -> None:
    SellerAccount.objects.update(connection="none", created_at=timezone.now() - datetime.timedelta(days=9))
    account.refresh_from_db()

    assert not any(one.is_stale for one in sync_health(accounts=[account], now=timezone.now()))


def test_operations_that_nobody_goes_on_with_are_stuck(account: SellerAccount) -> None:
    now = timezone.now()
    operation_of(account, 1, next_attempt_at=now + MINUTE)
    nothing_is_stuck()
    stuck = operation_of(account, 2, next_attempt_at=now - 11 * MINUTE)

    figures = monitor(accounts=[account], now=now).operations

    assert [one.pk for one in figures.stuck] == [stuck.pk]
    assert figures.by_status == {"pending": 2}
    with pytest.raises(CheckFailed, match="overdue: 1"):
        nothing_is_stuck()


def test_many_failures_and_cancellations_are_said(account: SellerAccount) -> None:
    for number in range(6):
        operation = operation_of(account, number)
        status = "failed" if number < 2 else "cancelled" if number < 4 else "pending"
        StockOperation.objects.filter(pk=operation.pk).update(status=status)

    found = {anomaly.kind: anomaly.details for anomaly in find_anomalies(accounts=[account], now=timezone.now())}

    assert found["failed_operations"] == {"percent": 33}
    assert found["cancelled_operations"] == {"percent": 33}
    assert {labels["status"]: number for labels, number in operations_of_the_day()} == {
        "failed": 2, "cancelled": 2, "pending": 2,
    }  # fmt: skip
    assert list(errors_of_the_day()) == []


def stock_of(account: SellerAccount, sku: str, present: int, before: int) -> MarketplaceStock:
    today = account.location.today()
    row = MarketplaceStock.objects.create(
        account=account, sku=sku, source="fbs", stock_type=Scheme.FBS, present=present, snapshot_date=today
    )
    for day, pieces in ((today - datetime.timedelta(days=3), before), (today, present)):
        MarketplaceStockSnapshot.objects.create(
            stock=row, snapshot_date=day, present=pieces, reserved=0, in_way_to_client=0, in_way_from_client=0
        )
    return row


def test_a_stock_that_jumps_is_named_and_one_that_moves_is_not(account: SellerAccount) -> None:
    stock_of(account, "TIN", present=5000, before=40)
    stock_of(account, "KIT", present=12, before=95)
    stock_of(account, "STRAW", present=0, before=150)

    jumps = stock_jumps(days={account.pk: account.location.today()})

    assert jumps == {account.pk: StockJumps(2, [("TIN", 40, 5000), ("STRAW", 150, 0)])}
    assert stock_jumps(days={account.pk: account.location.today() + datetime.timedelta(days=1)}) == {}


def test_of_many_jumps_the_greatest_are_named(account: SellerAccount) -> None:
    for number in range(7):
        stock_of(account, f"TIN-{number}", present=1000 + number, before=0)

    (anomaly,) = find_anomalies(accounts=[account], now=timezone.now())

    assert anomaly.details == {
        "number": 7,
        "examples": "TIN-6 (0 → 1006), TIN-5 (0 → 1005), TIN-4 (0 → 1004), TIN-3 (0 → 1003), TIN-2 (0 → 1002)",
    }


def test_nothing_in_stock_of_anything_is_an_anomaly(account: SellerAccount) -> None:
    stock_of(account, "TIN", present=0, before=40)
    stock_of(account, "KIT", present=0, before=12)

    assert "all_zero" in {anomaly.kind for anomaly in find_anomalies(accounts=[account], now=timezone.now())}


def test_nothing_in_stock_is_no_anomaly_where_it_has_been_so_for_a_week(account: SellerAccount) -> None:
    row = stock_of(account, "TIN", present=0, before=40)
    long_ago = account.location.today() - datetime.timedelta(days=8)
    MarketplaceStockSnapshot.objects.filter(present=40).update(snapshot_date=long_ago)

    assert find_anomalies(accounts=[account], now=timezone.now()) == []
    MarketplaceStockSnapshot.objects.filter(present=40).update(snapshot_date=long_ago + datetime.timedelta(days=1))
    assert [anomaly.kind for anomaly in find_anomalies(accounts=[account], now=timezone.now())] == ["all_zero"]
    MarketplaceStock.objects.filter(pk=row.pk).update(present=1)
    assert find_anomalies(accounts=[account], now=timezone.now()) == []


def test_an_import_that_saw_half_of_what_it_used_to_is_an_anomaly(account: SellerAccount) -> None:
    for processed in (100, 110, 90):
        run_of(account, "inventory", processed=processed)
    newest = run_of(account, "inventory", processed=49, skipped=3)

    found = {anomaly.kind: anomaly.details for anomaly in find_anomalies(accounts=[account], now=timezone.now())}

    assert found["fewer_items"] == {"items": 49, "before": 100}
    assert found["rows_left_out"] == {"skipped": 3, "processed": 49}
    SyncRun.objects.filter(pk=newest.pk).update(processed=51, skipped=2)
    kinds = {anomaly.kind for anomaly in find_anomalies(accounts=[account], now=timezone.now())}
    assert not {"fewer_items", "rows_left_out"} & kinds


def everything_looks_wrong(account: SellerAccount) -> set[str]:
    """Lets everything be wrong about the account that can be at once, and says what that is."""
    now = timezone.now()
    SellerAccount.objects.filter(pk=account.pk).update(created_at=now - datetime.timedelta(days=1))
    account.credentials = {"client_id": account.name, "api_key": "k"}
    account.save(update_fields=["credentials"])
    ApiGate.objects.create(key=f"ozon:{digest_of(account.name)}", rate=1, hour=now - MINUTE, calls=5000, usual_calls=10)
    stock_of(account, f"TIN of {account.name}", present=5000, before=40)
    for processed in (100, 100, 10):
        run_of(account, "inventory", status="partial", processed=processed, skipped=processed // 2)
    run_of(account, "inventory", status="failed")
    for number in range(4):
        operation_of(account, number, next_attempt_at=now - 11 * MINUTE, created_at=now - 61 * MINUTE)
    for number, status in ((4, "failed"), (5, "failed"), (6, "cancelled"), (7, "cancelled")):
        StockOperation.objects.filter(pk=operation_of(account, number).pk).update(status=status)
    return {
        "stale", "failing", "stock_jump", "fewer_items", "rows_left_out", "unusual_calls", "stuck_operations",
        "long_operations", "failed_operations", "cancelled_operations",
    }  # fmt: skip


def test_looking_at_twelve_accounts_takes_as_many_queries_as_at_two(account: SellerAccount) -> None:
    """And each account is told what is wrong about itself."""

    def look() -> tuple[int, int, Counter[str]]:
        accounts = list(SellerAccount.objects.select_related("location"))
        with CaptureQueriesContext(connection) as finding:
            found = find_anomalies(accounts=accounts, now=timezone.now())
        with CaptureQueriesContext(connection) as watching:
            watch_marketplaces(now=timezone.now())
        return len(finding), len(watching), Counter(anomaly.kind for anomaly in found)

    def another(number: int) -> SellerAccount:
        return SellerAccount.objects.create(
            marketplace=Marketplace.OZON,
            external_user_id="u-1",
            name=f"Tea {number}",
            location=Shop.open(f"Shop {number}").location,
            connection=SellerAccount.Connection.CONNECTED,
        )

    wrong = everything_looks_wrong(account)
    emptied = another(0)
    stock_of(emptied, "KIT", present=0, before=12)
    *of_two, kinds = look()
    assert kinds == {**dict.fromkeys(wrong, 1), "stale": 2, "all_zero": 1}
    for number in range(1, 11):
        everything_looks_wrong(another(number))
    *of_twelve, kinds = look()

    assert kinds == {**dict.fromkeys(wrong, 11), "stale": 22, "all_zero": 1}
    assert of_two == of_twelve
    assert of_two[0] == 13
    assert Alert.objects.filter(event=ANOMALY, resolved_at=None).count() == sum(kinds.values()) == 122


def test_an_anomaly_is_told_once_and_closed_when_it_has_ended(account: SellerAccount) -> None:
    read_just_now(account)
    for _ in range(4):
        run_of(account, status="failed")

    watch_marketplaces(now=timezone.now())
    watch_marketplaces(now=timezone.now())

    alert = Alert.objects.get(event=ANOMALY)
    assert (alert.count, alert.resolved_at) == (1, None)
    assert alert.message == "Ozon: Tea: of the last 4 runs for orders, 0 % succeeded."
    assert anomaly_sentence(alert.details) == alert.message
    for _ in range(5):
        run_of(account)
    watch_marketplaces(now=timezone.now())
    alert.refresh_from_db()
    assert alert.resolved_at is not None


def test_metrics_say_how_old_what_was_read_is(account: SellerAccount) -> None:
    read_just_now(account)
    run_of(account)
    run_of(account, id=uuid7(), status="partial")

    ages = {labels["what"]: age for labels, age in sync_ages()}

    assert set(ages) == {"orders", "inventory"}
    assert all(0 <= age < 60 for age in ages.values())
    assert sorted((labels["status"], number) for labels, number in runs_of_the_day()) == [
        ("partial", 1),
        ("success", 1),
    ]


def test_no_cell_of_the_report_is_a_formula(account: SellerAccount) -> None:
    SellerAccount.objects.update(name="=1+1")
    run_of(account, status="failed", message="@SUM(A1) was refused")

    answer = signed_in("manager").get(reverse("admin:marketplaces_selleraccount_monitor"), {"format": "csv"})

    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert {(row[0], row[-1]) for row in rows[1:] if row[1] == "orders"} == {("'=1+1", "'@SUM(A1) was refused")}


def test_five_times_as_many_calls_as_usual_are_an_anomaly(account: SellerAccount) -> None:
    account.credentials = {"client_id": "77", "api_key": "k"}
    account.save()
    gate = Gate(f"ozon:{digest_of('77')}", rate=1000, burst=10)
    now = timezone.now()
    pass_gate(gate)
    forget_slots()
    ApiGate.objects.update(hour=now - datetime.timedelta(hours=3), calls=300)
    pass_gate(gate, cost=10)

    row = ApiGate.objects.get()
    assert (row.calls, row.usual_calls) == (10, 300)
    assert find_anomalies(accounts=[account], now=timezone.now()) == []
    ApiGate.objects.update(calls=1501)
    (anomaly,) = find_anomalies(accounts=[account], now=timezone.now())
    assert anomaly.sentence == "Ozon: Tea: 1501 calls of the marketplace in this hour, usual are 300."


def test_metrics_of_orders_operations_and_keys(account: SellerAccount) -> None:
    read_just_now(account)
    SyncState.objects.filter(what="orders").update(failures=2)
    SellerAccount.objects.create(
        marketplace=Marketplace.ALLEGRO, external_user_id="u-1", name="Off", location=account.location, is_active=False
    )
    now = timezone.now()
    operation_of(account, 1, next_attempt_at=now)
    operation_of(account, 2, next_attempt_at=now - 11 * MINUTE, attempts=3)
    deducted = {"line_items_loaded_at": now, "stock_deducted_at": now, "deduction_id": uuid7()}
    operation_of(account, 3, status=StockOperation.Status.STOCK_DEDUCTED, next_attempt_at=now, attempts=1, **deducted)
    failed = operation_of(account, 4, status=StockOperation.Status.FAILED, attempts=8, finished_at=now)
    ended = {**deducted, "microservice_synced_at": now, "finished_at": now}
    operation_of(account, 5, status=StockOperation.Status.COMPLETED, retry_of=failed, **ended)
    MarketplaceOrder.objects.filter(external_id__in=["o-1", "o-2"]).update(total="10.50", currency="RUB")
    MarketplaceOrder.objects.filter(external_id="o-3").update(total="99.00", currency="RUB", state=OrderState.CANCELLED)

    def told(values: Any) -> dict[tuple[str, ...], float]:
        return {tuple(labels.values()): value for labels, value in values}

    assert told(metrics.orders_of_the_day()) == {("Ozon: Tea", "ready"): 4, ("Ozon: Tea", "cancelled"): 1}
    assert told(metrics.revenue_of_the_day()) == {("Ozon: Tea", "RUB"): 21}
    assert told(metrics.failures_in_a_row()) == {("Ozon: Tea", "orders"): 2, ("Ozon: Tea", "inventory"): 0}
    assert told(metrics.connections()) == {("Ozon: Tea",): 1}
    assert told(metrics.unfinished_operations()) == {("pending",): 2, ("stock_deducted",): 1}
    assert [told(ask()) for ask in (metrics.retrying_operations, metrics.stuck_operations)] == [{(): 2}, {(): 1}]
    assert told(metrics.retries_of_the_day()) == {(): 1}
