"""The shop goes on selling while it is backed up, recovered and taken over: each moment holds exactly the orders that
were committed by then, and its stock is what its ledger sums to."""

import datetime
import random
from pathlib import Path

import pytest

from backups.engine.checking import check_shop
from backups.engine.kept_databases import opened
from backups.engine.logical import restore_all, take_logical
from backups.engine.physical import take_physical
from backups.engine.repository import Repository, Stored
from backups.engine.server import Server
from backups.engine.targets import Target
from backups.engine.wal_check import check_wal
from tests.backups import real_shop
from tests.backups.archive import receiving
from tests.backups.cluster import Cluster
from tests.backups.live_shop import Acknowledged, selling
from tests.backups.recovering import clock, left_nothing, recover
from tests.backups.terminal import Terminal, line_with

# Without it the tests' database, whose tables are taken, may not be there.
pytestmark = [pytest.mark.django_db, pytest.mark.slow]

MOMENTS = 10
Moments = dict[int, datetime.datetime]
PLACED = """
    SELECT number, pg_xact_commit_timestamp(event.xmin)
    FROM orders_order AS sold JOIN orders_orderevent AS event ON order_id = sold.id AND kind = 'placed'
"""
MOVED = "SELECT id, pg_xact_commit_timestamp(xmin) FROM inventory_stockmovement"
ORDERS, MOVEMENTS = "SELECT number FROM orders_order", "SELECT id FROM inventory_stockmovement"


@pytest.fixture(scope="module")
def server(cluster: Cluster, django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """A server with a shop that sells."""
    real_shop.open_on(cluster.server, "shop", scratch=tmp_path_factory.mktemp("scratch"))
    return cluster.server.of("shop")


def committed(cluster: Cluster, query: str) -> Moments:
    """When each was committed, as the database says."""
    return dict(cluster.sql(query, database="shop"))


def numbers(server: Server, query: str) -> list[int]:
    return [number for (number,) in server.ask(f"{query} ORDER BY 1")]


def by(moments: Moments, moment: datetime.datetime) -> list[int]:
    return sorted(number for number, at in moments.items() if at <= moment)


def test_each_moment_holds_exactly_the_orders_that_were_committed_by_then(
    repository: Repository, cluster: Cluster, server: Server
) -> None:
    with receiving(repository, cluster), selling(server) as sellers:
        full = take_physical(repository, server)
        sellers.sell(20)
        incremental = take_physical(repository, server, base=full)
        sellers.sell(20)
        asked_at = clock(cluster)
        logical = take_logical(repository, server)
        done_at = clock(cluster)
        cluster.switch_wal()
        second = take_physical(repository, server)
        sellers.sell(40)
        last = clock(cluster)
        sellers.stop()
        assert sellers.turned_away == []
        acknowledged = list(sellers.acknowledged)
        placed, moved = committed(cluster, PLACED), committed(cluster, MOVED)
        assert {one.number for one in acknowledged} <= placed.keys()
        assert check_wal(repository, server=server).findings == ()

        first = full.manifest.consistent_at
        assert first is not None
        seed = random.randrange(10**9)
        chance = random.Random(seed)
        moments = [first + (last - first) * chance.random() for _number in range(MOMENTS)]
        assert len({len(by(placed, moment)) for moment in moments}) > 1
        begun_from = set()
        for moment in moments:
            with left_nothing(cluster), recover(repository, cluster, Target(time=moment), server=server) as beside:
                why = f"seed {seed}, moment {moment}"
                there = numbers(beside.server, ORDERS)
                assert there == by(placed, moment), why
                assert {one.number for one in acknowledged if one.at <= moment} <= set(there), why
                assert numbers(beside.server, MOVEMENTS) == by(moved, moment), why
                checked = check_shop(beside.server, with_indexes=True)
                assert (checked.findings, checked.has_ledger) == ([], True), why
                begun_from.add(beside.recovered.backup_id)
        assert begun_from <= {full.id, incremental.id, second.id}

    a_dump_is_one_moment(logical, cluster, server, acknowledged, asked_at, done_at)


def a_dump_is_one_moment(
    stored: Stored,
    cluster: Cluster,
    server: Server,
    acknowledged: list[Acknowledged],
    asked_at: datetime.datetime,
    done_at: datetime.datetime,
) -> None:
    restore_all(stored, cluster.server, "restored")
    restored = server.of("restored")
    there = set(numbers(restored, ORDERS))
    assert {one.number for one in acknowledged if one.at <= asked_at} <= there
    assert not there & {one.number for one in acknowledged if one.begun >= done_at}
    assert stored.manifest.tables["public.orders_order"] == len(there)
    checked = check_shop(restored, with_indexes=True)
    assert (checked.findings, checked.has_ledger) == ([], True)


def test_a_restore_while_orders_come_in(cluster: Cluster, server: Server, tmp_path: Path) -> None:
    """Who sells notices a moment in which the database is away. Whatever was acknowledged is in the shop that was kept
    or in the restored one, and no number was given twice."""
    url = f"postgres://{server.user}:{server.password}@{server.host}:{server.port}/{server.database}"
    terminal = Terminal(cluster, tmp_path, DATABASE_URL=url)
    repository = Repository(terminal.backups)
    repository.make()
    with receiving(repository, cluster), selling(server) as sellers:
        terminal.run("backup", "physical")
        sellers.sell(10)
        moment = clock(cluster)
        sellers.sell(10)
        said = terminal.run("recover", "--to", moment.isoformat())
        sellers.sell(10)
        said = terminal.run("recover", "--take-over", line_with(said, "--take-over").split()[-1], "--yes")
        sellers.sell(20)
        sellers.stop()
        acknowledged = [one.number for one in sellers.acknowledged]
    kept = server.of(line_with(said, "is kept as").split(" is kept as ")[1].split(":")[0])

    restored = numbers(server, ORDERS)
    with opened(server, kept.database):
        placed = dict(kept.ask(PLACED))
        checked = check_shop(kept)
    assert (checked.findings, checked.has_ledger) == ([], True)
    old = by(placed, moment)
    assert restored[: len(old)] == old
    new = restored[len(old) :]
    assert len(new) >= 20
    assert not set(new) & placed.keys()
    assert set(acknowledged) <= placed.keys() | set(new)
    assert len(acknowledged) == len(set(acknowledged))
    checked = check_shop(server)
    assert (checked.findings, checked.has_ledger) == ([], True)
