"""One database takes the place of another, and comes back; what is refused or fails leaves the shop as it was."""

import contextlib
import datetime
import json
import threading

import psycopg2
import pytest

from backups.engine.databases import NEW as BEING_FILLED
from backups.engine.databases import databases_beside, mark
from backups.engine.databases import lobby as lobby_of_server
from backups.engine.kept_databases import drop_old, old_databases
from backups.engine.repository import Repository, now
from backups.engine.server import Server
from backups.engine.swapping import (
    Swap,
    finish_or_undo_swap,
    swap_back,
    swap_in,
)
from backups.errors import (
    BackupFailed,
    Busy,
    DiskIsFull,
    Interrupted,
    NotAllowed,
    ServerGone,
    SwapFailed,
    UnknownDatabase,
)
from tests.backups.cluster import Cluster, wait_until
from tests.backups.shops import (
    DONE_FROM,
    NEW,
    OLD,
    STAGES,
    closed_ones,
    empty_server,
    make_shop,
    names_on,
    rows,
    says,
    staying,
    swapped,
)


@pytest.fixture
def shop(cluster: Cluster) -> Server:
    """The shop's database, and beside it one that may take its place."""
    empty_server(cluster)
    make_shop(cluster, "shop_new", NEW)
    return make_shop(cluster, "shop", OLD)


# --- the way there and back ----------------------------------------------------------------------------


def test_the_new_database_is_in_the_place_of_the_old_one_which_is_kept_closed(
    repository: Repository, shop: Server
) -> None:
    stages: list[str] = []
    swap = swapped(repository, shop, stages.append)

    assert [stage for stage in stages if stage in STAGES] == STAGES
    assert says(shop) == NEW
    assert names_on(shop) == {"shop", swap.kept}
    assert closed_ones(shop) == {swap.kept}
    assert swap.kept == f"shop_before_{swap.at:%Y%m%d_%H%M%S}"
    [kept] = old_databases(shop)
    assert (kept.name, kept.at, kept.reason) == (swap.kept, swap.at, "for a test")
    assert kept.size > 1_000_000
    assert finish_or_undo_swap(repository, shop) is None


def test_everybody_is_sent_away_and_comes_back_to_the_new_one(repository: Repository, shop: Server) -> None:
    with staying(shop) as one, staying(shop) as other:
        swapped(repository, shop)
        for connection in (one, other):
            with pytest.raises(psycopg2.OperationalError), connection.cursor() as cursor:
                cursor.execute("SELECT said FROM word")
    assert says(shop) == NEW


def test_what_was_acknowledged_is_in_the_old_one_or_the_new_one(repository: Repository, shop: Server) -> None:
    acknowledged: list[str] = []
    is_over = threading.Event()

    def order() -> None:
        while not is_over.is_set():
            with contextlib.suppress(psycopg2.Error, ServerGone), staying(shop) as connection:
                for number in range(50):
                    what = f"{len(acknowledged)}-{number}"
                    with connection, connection.cursor() as cursor:
                        cursor.execute("INSERT INTO orders (what) VALUES (%s)", [what])
                    acknowledged.append(what)

    guests = [threading.Thread(target=order) for _number in range(3)]
    for guest in guests:
        guest.start()
    wait_until(lambda: len(acknowledged) > 100)
    swap = swap_in(repository, shop, "shop_new", patience=0.3)
    before_it = len(acknowledged)
    wait_until(lambda: len(acknowledged) > before_it + 100)
    is_over.set()
    for guest in guests:
        guest.join()

    in_the_new_one = [what for (what,) in rows(shop, "SELECT what FROM orders")]
    swap_back(repository, shop, swap.kept)
    in_the_old_one = [what for (what,) in rows(shop, "SELECT what FROM orders")]
    assert set(acknowledged) <= {*in_the_new_one, *in_the_old_one}
    assert in_the_new_one
    assert in_the_old_one


def test_a_request_that_is_under_way_may_end(repository: Repository, shop: Server) -> None:
    """Only once it has ended the old database is closed."""
    ended = []
    with staying(shop) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO orders (what) VALUES ('the last one')")

        def commit() -> None:
            connection.commit()
            ended.append("order")

        ending = threading.Timer(0.5, commit)
        ending.start()
        swap = swap_in(
            repository,
            shop,
            "shop_new",
            patience=30.0,
            progress=lambda stage, share: ended.append(stage),
        )
        ending.join()
    assert ended.index("order") < ended.index("closing the old database")
    swap_back(repository, shop, swap.kept)
    assert rows(shop, "SELECT what FROM orders") == [("the last one",)]


def test_one_that_never_ends_is_cut_off(repository: Repository, shop: Server) -> None:
    with staying(shop) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO orders (what) VALUES ('never ends')")
        swap = swap_in(repository, shop, "shop_new", patience=0.2)
    swap_back(repository, shop, swap.kept)
    assert rows(shop, "SELECT what FROM orders") == []


def test_what_must_not_go_back_is_read_when_nobody_writes_any_more(repository: Repository, shop: Server) -> None:
    rows(shop, "INSERT INTO orders (what) SELECT 'tea' FROM generate_series(1, 3)")

    def nobody_gets_in(moment: str) -> None:
        if moment == "in carrying":
            with pytest.raises(ServerGone, match="not currently accepting connections"):
                rows(shop, "INSERT INTO orders (what) VALUES ('late')")

    swapped(repository, shop, nobody_gets_in)
    assert rows(shop, "SELECT what FROM orders") == [("carried 3",)]


def test_the_old_one_comes_back_and_the_other_one_is_kept_in_turn(repository: Repository, shop: Server) -> None:
    first = swapped(repository, shop)
    back = swap_back(repository, shop, first.kept, reason="it was wrong")
    assert says(shop) == OLD
    assert names_on(shop) == {"shop", back.kept}
    assert [(one.name, one.reason) for one in old_databases(shop)] == [(back.kept, "it was wrong")]
    assert closed_ones(shop) == {back.kept}


def test_kept_ones_are_dropped_when_they_are_old(repository: Repository, shop: Server) -> None:
    swap = swapped(repository, shop)
    assert drop_old(shop, swap.at) == []
    assert drop_old(shop, swap.at + datetime.timedelta(microseconds=1)) == [swap.kept]
    assert names_on(shop) == {"shop"}


def test_a_shop_whose_database_is_gone_gets_the_new_one(repository: Repository, shop: Server, cluster: Cluster) -> None:
    cluster.sql("DROP DATABASE shop", database="postgres")
    swap = swapped(repository, shop)
    assert (swap.kept, says(shop), names_on(shop)) == ("", NEW, {"shop"})


@pytest.mark.parametrize("name", ["Чайная №1 ☕", "n" * 63, "я" * 31, 'a"b; c'])
def test_any_name_will_do(repository: Repository, cluster: Cluster, name: str) -> None:
    empty_server(cluster)
    quoted = name.replace('"', '""')
    cluster.sql(f'CREATE DATABASE "{quoted}"', database="postgres")
    cluster.sql("CREATE TABLE word (said text); INSERT INTO word VALUES ('old')", database=name)
    make_shop(cluster, "n2", NEW)
    shop = cluster.server.of(name)
    swap = swap_in(repository, shop, "n2")
    assert says(shop) == NEW
    assert len(swap.kept.encode()) <= 63
    assert [one.name for one in old_databases(shop)] == [swap.kept]
    swap_back(repository, shop, swap.kept)
    assert says(shop) == "old"


# --- refused, and failed -------------------------------------------------------------------------------


def assert_as_before(repository: Repository, shop: Server) -> None:
    assert says(shop) == OLD
    assert closed_ones(shop) == set()
    assert {"shop", "shop_new"} <= names_on(shop)
    assert finish_or_undo_swap(repository, shop) is None


@pytest.mark.parametrize("name", ["no_such_one", "shop", ""])
def test_what_is_not_there_takes_no_place(repository: Repository, shop: Server, name: str) -> None:
    with pytest.raises(UnknownDatabase, match=f"^The server has no database {name} of this shop"):
        swap_in(repository, shop, name)
    assert_as_before(repository, shop)


def test_only_what_was_replaced_comes_back(repository: Repository, shop: Server) -> None:
    with pytest.raises(UnknownDatabase):
        swap_back(repository, shop, "shop_new")
    assert_as_before(repository, shop)


def test_there_is_one_swap_at_a_time(repository: Repository, shop: Server) -> None:
    def another_one(moment: str) -> None:
        if moment == "in carrying":
            with pytest.raises(Busy, match=r"^A swap of databases is under way\."):
                swap_in(repository, shop, "shop_new")

    swapped(repository, shop, another_one)
    assert says(shop) == NEW


@pytest.mark.parametrize("moment", ["in carrying", "sending everybody away", "changing places"])
def test_a_failure_leaves_the_shop_as_it_was(repository: Repository, shop: Server, moment: str) -> None:
    def fail(now_at: str) -> None:
        if now_at == moment:
            raise BackupFailed("The disk fell off.")

    with pytest.raises(BackupFailed, match=r"^The disk fell off\.$"):
        swapped(repository, shop, fail)
    assert_as_before(repository, shop)


def test_a_full_disk_after_the_swap_hinders_nothing(repository: Repository, shop: Server) -> None:
    def fail(now_at: str) -> None:
        if now_at in STAGES[DONE_FROM:]:
            raise DiskIsFull(repository.root)

    swap = swapped(repository, shop, fail)
    assert says(shop) == NEW
    assert [one.name for one in old_databases(shop)] == [swap.kept]
    assert finish_or_undo_swap(repository, shop) is None


def test_it_can_be_stopped_until_the_names_change(repository: Repository, shop: Server) -> None:
    stages: list[str] = []
    with pytest.raises(Interrupted):
        swap_in(
            repository,
            shop,
            "shop_new",
            progress=lambda stage, share: stages.append(stage),
            is_stopped=lambda: "sending everybody away" in stages,
        )
    assert_as_before(repository, shop)


def test_a_failure_after_the_swap_is_caught_up_with(repository: Repository, shop: Server) -> None:
    def fail(swap: Swap) -> None:
        raise BackupFailed("No broker.")

    with pytest.raises(BackupFailed, match="No broker"):
        swap_in(repository, shop, "shop_new", after=fail)
    again: list[str] = []
    settled = finish_or_undo_swap(repository, shop, after=lambda swap: again.append(swap.new))
    assert settled is not None
    assert settled.is_done
    assert (says(shop), again) == (NEW, ["shop_new"])


def as_role(cluster: Cluster, rights: str) -> Server:
    """The shop as an account that is no superuser would reach it."""
    cluster.sql(
        f"DO $$ BEGIN CREATE ROLE waiter LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
        f"ALTER ROLE waiter LOGIN {rights} PASSWORD 'correct-horse'",
        database="postgres",
    )
    server = cluster.server
    return Server(server.host, server.port, "waiter", server.password, "shop")


def test_an_account_that_may_not_is_told_what_it_lacks(repository: Repository, shop: Server, cluster: Cluster) -> None:
    with pytest.raises(NotAllowed, match=r'may not make databases\. Allow it: ALTER ROLE "waiter" CREATEDB;'):
        swap_in(repository, as_role(cluster, "NOCREATEDB"), "shop_new")
    with pytest.raises(NotAllowed, match=r"shop_new, shop does not belong|shop, shop_new does not belong"):
        swap_in(repository, as_role(cluster, "CREATEDB"), "shop_new")
    assert_as_before(repository, shop)


def test_an_account_that_owns_its_databases_needs_no_more(
    repository: Repository, shop: Server, cluster: Cluster
) -> None:
    waiter = as_role(cluster, "CREATEDB")
    for name in ("shop", "shop_new"):
        cluster.sql(f"ALTER DATABASE {name} OWNER TO waiter", database="postgres")
        cluster.sql("GRANT ALL ON ALL TABLES IN SCHEMA public TO waiter", database=name)
    swap = swap_in(repository, waiter, "shop_new")
    assert says(waiter) == NEW
    swap_back(repository, waiter, swap.kept)
    assert says(waiter) == OLD


def test_somebody_who_can_not_be_sent_away_is_named(repository: Repository, shop: Server, cluster: Cluster) -> None:
    waiter = as_role(cluster, "CREATEDB")
    for name in ("shop", "shop_new"):
        cluster.sql(f"ALTER DATABASE {name} OWNER TO waiter", database="postgres")
    with staying(shop) as connection:
        pid = connection.info.backend_pid
        with pytest.raises(
            SwapFailed, match=rf"^samovar is connected to the database shop \(process {pid}, .*End that"
        ):
            swap_in(repository, waiter, "shop_new", patience=0.1)
    assert_as_before(repository, shop)


def test_a_server_that_is_gone_says_so(repository: Repository) -> None:
    server = Server("127.0.0.1", "1", "samovar", "", "shop")
    with pytest.raises(ServerGone, match="does not answer"):
        swap_in(repository, server, "shop_new")
    assert finish_or_undo_swap(repository, server) is None


# --- what is whose -------------------------------------------------------------------------------------


def test_databases_of_others_are_left_alone(shop: Server, cluster: Cluster) -> None:
    comments = {
        "theirs": "our books",
        "their_json": json.dumps({"owner": "accounting"}),
        "another_shops": json.dumps({"samovar": "replaced", "of": "other", "at": now().isoformat()}),
        "broken": "{",
    }
    for name, comment in comments.items():
        cluster.sql(f"CREATE DATABASE {name}", database="postgres")
        cluster.sql(f"COMMENT ON DATABASE {name} IS '{comment}'", database="postgres")
    with lobby_of_server(shop) as cursor:
        mark(cursor, "shop_new", BEING_FILLED, of="shop", at=now())
    assert [one.name for one in databases_beside(shop)] == ["shop_new"]
    assert drop_old(shop, now() + datetime.timedelta(days=1)) == []
    assert names_on(shop) == {"shop", "shop_new", *comments}


def test_a_kept_database_counts_for_the_room_that_a_base_backup_needs(repository: Repository, shop: Server) -> None:
    before = shop.facts().data_size
    swapped(repository, shop)
    # It is closed, and a base backup holds it all the same.
    assert abs(shop.facts().data_size - before) < 1_000_000
