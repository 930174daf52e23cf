"""What a recovered server holds is loaded into a new database of the running one; whoever fails leaves nothing."""

import contextlib
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from backups.engine.databases import (
    databases_beside,
    discard_dumps,
    drop_unfinished,
    load_beside,
    lobby,
    new_name,
)
from backups.engine.repository import Repository
from backups.engine.server import Server
from backups.engine.swapping import swap_in
from backups.errors import DatabaseExists, DiskIsFull, Interrupted, NotWritable, ServerGone
from tests.backups.cluster import Cluster, wait_until
from tests.backups.shops import NEW, OLD, empty_server, in_a_child, kill_me, make_shop, names_on, rows, says

pytestmark = pytest.mark.slow

# An index that is built at once in the database `recovered`, and never in any other.
SLOW_ELSEWHERE = """
    CREATE FUNCTION slow(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$
    BEGIN
        IF current_database() <> 'recovered' THEN PERFORM pg_sleep(600); END IF;
        RETURN $1;
    END $$;
    CREATE INDEX ON orders (slow(id));
"""


@pytest.fixture
def shop(cluster: Cluster) -> Server:
    empty_server(cluster)
    return make_shop(cluster, "shop", OLD)


@pytest.fixture
def recovered(cluster: Cluster, shop: Server) -> Server:
    """Stands for the server that was recovered."""
    source = make_shop(cluster, "recovered", NEW)
    rows(
        source,
        """
        INSERT INTO orders (what) VALUES ('чай ☕'), ('пирог'), ('''; DROP TABLE orders; --');
        CREATE TABLE "Журнал" (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
        CREATE TABLE "Журнал_2026" PARTITION OF "Журнал" FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
        INSERT INTO "Журнал" SELECT n, '2026-11-21' FROM generate_series(1, 500) n;
        CREATE VIEW last_order AS SELECT * FROM orders ORDER BY id DESC LIMIT 1;
        CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''append only''; END';
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON "Журнал" FOR EACH STATEMENT EXECUTE FUNCTION no();
        """,
    )
    return source


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "recovery"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "samovar-test", str(place)], check=True)
    yield place
    subprocess.run(["umount", str(place)], check=True)


def assert_nothing_is_left(shop: Server, folder: Path) -> None:
    # A server that is started makes the one that is named like it.
    assert names_on(shop) - {"samovar"} == {"shop", "recovered"}
    assert says(shop) == OLD
    assert list(folder.glob("*")) == []


def test_everything_arrives_and_waits_for_its_place(shop: Server, recovered: Server, folder: Path) -> None:
    name = new_name(shop)
    stages: list[str] = []
    load_beside(recovered, shop, name, folder=folder, progress=lambda stage, share: stages.append(stage))

    there = shop.of(name)
    assert says(there) == NEW
    assert rows(there, "SELECT what FROM orders ORDER BY id")[0] == ("чай ☕",)
    assert rows(there, 'SELECT count(*), max(at)::text FROM "Журнал"') == [(500, "2026-11-21")]
    assert rows(there, "SELECT count(*) FROM last_order") == [(1,)]
    assert rows(there, "INSERT INTO orders (what) VALUES ('next') RETURNING id") == [(4,)]
    assert rows(there, "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgparentid = 0") == [("append_only",)]
    assert [(one.name, one.mark) for one in databases_beside(shop)] == [(name, "new")]
    assert stages
    assert list(folder.iterdir()) == []
    assert drop_unfinished(shop) == [name]
    assert_nothing_is_left(shop, folder)


def test_what_takes_the_place_has_owner_rights_and_settings_of_what_it_replaces(
    shop: Server, recovered: Server, folder: Path, repository: Repository, cluster: Cluster
) -> None:
    rows(
        shop,
        """
        DO $$ BEGIN CREATE ROLE reporter LOGIN; CREATE ROLE landlord; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
        ALTER DATABASE shop OWNER TO landlord;
        ALTER DATABASE shop CONNECTION LIMIT 250;
        ALTER DATABASE shop SET search_path TO "$user", public, "Мои таблицы";
        ALTER DATABASE shop SET statement_timeout TO '90s';
        ALTER ROLE reporter IN DATABASE shop SET default_transaction_read_only TO on;
        REVOKE ALL ON DATABASE shop FROM PUBLIC;
        GRANT CONNECT ON DATABASE shop TO reporter WITH GRANT OPTION;
        """,
    )
    described = """
        SELECT pg_get_userbyid(datdba), datconnlimit,
               (SELECT array_agg(item::text ORDER BY item::text) FROM unnest(datacl) item),
               (SELECT array_agg((setrole::regrole, setting)::text ORDER BY setrole, setting)
                FROM pg_db_role_setting, unnest(setconfig) setting WHERE setdatabase = d.oid)
        FROM pg_database d WHERE datname = 'shop'
    """
    before = rows(shop, described)
    assert before[0][1] == 250
    load_beside(recovered, shop, "shop_new", folder=folder)

    swap_in(repository, shop, "shop_new", patience=0.1)

    assert says(shop) == NEW
    assert rows(shop, described) == before
    assert rows(shop, "SHOW search_path") == [('"$user", public, "Мои таблицы"',)]


def test_a_name_that_is_taken_stays_whose_it_is(shop: Server, recovered: Server, folder: Path) -> None:
    with pytest.raises(DatabaseExists):
        load_beside(recovered, shop, "shop", folder=folder)
    assert_nothing_is_left(shop, folder)


def kill_child(name: str) -> None:
    """As soon as there is such a child of ours."""

    def killed() -> bool:
        for child in psutil.Process().children(recursive=True):
            # Another one may end while it is looked at.
            with contextlib.suppress(psutil.NoSuchProcess):
                if child.name() == name:
                    child.kill()
                    return True
        return False

    wait_until(killed)


def test_a_dump_that_is_killed_leaves_nothing(shop: Server, recovered: Server, folder: Path) -> None:
    # Takes a second or two.
    rows(recovered, "INSERT INTO orders (what) SELECT md5(n::text) FROM generate_series(1, 300000) n")
    killer = threading.Thread(target=kill_child, args=["pg_dump"])
    killer.start()
    with pytest.raises(Interrupted, match=r"^pg_dump was killed \(SIGKILL\)\.$"):
        load_beside(recovered, shop, "shop_new", folder=folder)
    killer.join()
    assert_nothing_is_left(shop, folder)


def test_a_restore_that_is_killed_leaves_nothing(shop: Server, recovered: Server, folder: Path) -> None:
    rows(recovered, SLOW_ELSEWHERE)
    killer = threading.Thread(target=kill_child, args=["pg_restore"])

    def begin_to_kill(stage: str, share: float | None) -> None:
        # Before that pg_restore only reads the table of contents.
        if stage == "Loading the tables" and killer.ident is None:
            killer.start()

    with pytest.raises(Interrupted, match=r"^pg_restore was killed \(SIGKILL\)\.$"):
        load_beside(recovered, shop, "shop_new", folder=folder, progress=begin_to_kill)
    killer.join()
    assert_nothing_is_left(shop, folder)


def test_what_somebody_leaves_who_is_killed_is_dropped(shop: Server, recovered: Server, folder: Path) -> None:
    rows(recovered, SLOW_ELSEWHERE)

    def load() -> None:
        def kill_soon(stage: str, share: float | None) -> None:
            if stage == "Loading the tables":
                threading.Timer(0.3, kill_me).start()

        load_beside(recovered, shop, "shop_new", folder=folder, progress=kill_soon)

    assert in_a_child(load) == -9
    # It gets its name when it is complete.
    (left,) = names_on(shop) - {"shop", "recovered"}
    assert left.startswith("samovar_unfinished_")
    assert drop_unfinished(shop) == [left]
    discard_dumps(folder)
    assert_nothing_is_left(shop, folder)


def test_one_that_was_complete_and_had_no_mark_yet_is_dropped_too(shop: Server, recovered: Server) -> None:
    name = new_name(shop)
    rows(shop, f"CREATE DATABASE {name}")
    rows(shop, "CREATE DATABASE shop_newer")
    assert drop_unfinished(shop) == [name]
    assert names_on(shop) == {"shop", "recovered", "shop_newer"}


def test_it_can_be_stopped_at_any_stage(shop: Server, recovered: Server, folder: Path) -> None:
    rows(recovered, SLOW_ELSEWHERE)
    for last in ("Saving the tables", "Loading the tables"):
        stages: list[str] = []
        with pytest.raises(Interrupted, match=r"^It was stopped\.$"):
            load_beside(
                recovered,
                shop,
                "shop_new",
                folder=folder,
                progress=lambda stage, share, stages=stages: stages.append(stage),
                is_stopped=lambda last=last, stages=stages: last in stages,
            )
        assert_nothing_is_left(shop, folder)


def test_a_server_that_goes_away_says_so(shop: Server, recovered: Server, folder: Path, cluster: Cluster) -> None:
    rows(recovered, SLOW_ELSEWHERE)
    cluster.sql("CHECKPOINT", database="postgres")
    with pytest.raises(ServerGone):
        load_beside(
            recovered,
            shop,
            new_name(shop),
            folder=folder,
            progress=lambda stage, share: cluster.kill() if stage == "Loading the tables" else None,
        )
    cluster.start()
    drop_unfinished(cluster.server.of("shop"))
    assert_nothing_is_left(cluster.server.of("shop"), folder)


@pytest.mark.as_root
def test_a_full_disk_says_so_before_anything_is_done(shop: Server, recovered: Server, small_disk: Path) -> None:
    with pytest.raises(DiskIsFull, match=r"small has \d+ MB left and \d+ MB are needed\. Make room"):
        load_beside(recovered, shop, "shop_new", folder=small_disk)
    assert_nothing_is_left(shop, small_disk)


def test_a_folder_that_can_not_be_written_says_so(shop: Server, recovered: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotWritable, match="can't be written to"):
        load_beside(recovered, shop, "shop_new", folder=tmp_path / "file" / "recovery")
    assert names_on(shop) == {"shop", "recovered"}


def test_the_lobby_is_never_one_of_those_concerned(cluster: Cluster) -> None:
    with lobby(cluster.server.of("postgres")) as cursor:
        cursor.execute("SELECT current_database(), %s", [os.getpid()])
        assert cursor.fetchall()[0][0] == "template1"
