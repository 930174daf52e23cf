"""The table of sync runs by months, and the days of stock that are kept."""

import datetime

import pytest
from django.db import connection

from marketplaces.choices import Scheme
from marketplaces.models import MarketplaceStock, MarketplaceStockSnapshot, SyncRun
from marketplaces.services.partitions import drop_old_partitions, ensure_partitions
from marketplaces.services.snapshots import forget_old_snapshots
from tests.marketplaces.market import seller

pytestmark = pytest.mark.django_db

NEW_YEAR_COMES = datetime.datetime(2026, 11, 30, 23, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)


def run_at(account, moment: datetime.datetime) -> SyncRun:
    return SyncRun.objects.create(account=account, what=SyncRun.What.ORDERS, source="Ozon", started_at=moment)


def partition_of(run: SyncRun) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM marketplaces_syncrun WHERE id = %s", [run.pk])
        return cursor.fetchone()[0]


def test_this_month_and_the_next_two_have_partitions_and_take_their_rows_from_the_default_one():
    account = seller()
    november, december = run_at(account, NEW_YEAR_COMES), run_at(account, NEW_YEAR_COMES + DAY)
    march = run_at(account, datetime.datetime(2027, 3, 1, tzinfo=datetime.UTC))

    made = ensure_partitions(now=NEW_YEAR_COMES)

    assert made == ["marketplaces_syncrun_y2026m11", "marketplaces_syncrun_y2026m12", "marketplaces_syncrun_y2027m01"]
    assert ensure_partitions(now=NEW_YEAR_COMES) == []
    assert [partition_of(run) for run in (november, december, march)] == [*made[:2], "marketplaces_syncrun_default"]
    assert partition_of(run_at(account, NEW_YEAR_COMES + 60 * DAY)) == made[2]
    assert SyncRun.objects.count() == 4


def test_a_month_is_dropped_when_its_last_day_is_ninety_days_old():
    account = seller()
    ensure_partitions(now=NEW_YEAR_COMES)
    runs = {day: run_at(account, NEW_YEAR_COMES + day * DAY) for day in (-70, 0, 1, 40)}

    connection.check_constraints()  # what waits for the commit otherwise, which no test of this kind has

    # 2027-02-28 is the ninetieth day after November.
    assert drop_old_partitions(now=NEW_YEAR_COMES + 90 * DAY) == []
    assert drop_old_partitions(now=NEW_YEAR_COMES + 91 * DAY) == ["marketplaces_syncrun_y2026m11"]

    assert set(SyncRun.objects.values_list("pk", flat=True)) == {runs[1].pk, runs[40].pk}


def test_snapshots_are_kept_for_400_days_and_what_held_then_longer():
    stock = MarketplaceStock.objects.create(
        account=seller(), sku="TEA", source="fbs", stock_type=Scheme.FBS, snapshot_date=NEW_YEAR_COMES.date()
    )
    today = NEW_YEAR_COMES.date()
    for days in (900, 800, 401, 399, 0):
        MarketplaceStockSnapshot.objects.create(
            stock=stock,
            snapshot_date=today - days * DAY,
            present=days,
            reserved=0,
            in_way_to_client=0,
            in_way_from_client=0,
        )

    assert forget_old_snapshots(now=NEW_YEAR_COMES) == 2
    assert forget_old_snapshots(now=NEW_YEAR_COMES) == 0
    assert sorted(stock.snapshots.values_list("present", flat=True)) == [0, 399, 401]
