"""Chosen tables from a backup, put into a database that is in use."""

import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from backups.engine.chosen_tables import restore_tables
from backups.engine.logical import copy_tables, take_logical
from backups.engine.programs import find_programs
from backups.engine.repository import Repository, Stored
from backups.engine.scripts import Copy
from backups.engine.toc import data_file, read_toc
from backups.errors import (
    Damaged,
    Interrupted,
    ServerGone,
    TablesInTheWay,
    TablesInUse,
    TablesMissing,
    UnknownTable,
    WrongVersion,
)
from tests.backups import dumped
from tests.backups.cluster import Cluster, wait_until

SHOP = "shop"
LEDGER = "warehouse.Книга учёта"


@pytest.fixture(scope="module")
def model(cluster: Cluster) -> str:
    """The database that every test begins with a copy of."""
    cluster.sql("CREATE DATABASE model", database="postgres")
    dumped.fill(cluster, "model")
    # More than a pipe holds.
    cluster.sql(
        "CREATE TABLE noise AS SELECT id, md5(id::text) AS text FROM generate_series(1, 20000) AS id", database="model"
    )
    return "model"


@pytest.fixture(scope="module")
def stored(cluster: Cluster, model: str, tmp_path_factory: pytest.TempPathFactory) -> Stored:
    repository = Repository(tmp_path_factory.mktemp("kept") / "backups")
    repository.make()
    return take_logical(repository, cluster.server.of(model))


@pytest.fixture
def shop(cluster: Cluster, model: str, stored: Stored) -> Iterator[Cluster]:
    """The shop, which is as the backup has it."""
    cluster.sql(f"CREATE DATABASE {SHOP} TEMPLATE {model}", database="postgres")
    yield cluster
    cluster.sql(f"DROP DATABASE {SHOP} WITH (FORCE)", database="postgres")


@pytest.mark.parametrize(
    ("dropped", "chosen"),
    [
        ("drinks", ["drinks"]),
        ("orders", ["orders"]),
        ("runs", ["runs"]),
        ('warehouse."Книга учёта"', [LEDGER]),
        ("orders, lines, runs", ["lines", "runs", "public.orders"]),
        ("drinks, lines", ["lines", "drinks"]),
    ],
)
def test_a_dropped_table_comes_back_with_all_that_belonged_to_it_and_referred_to_it(
    shop: Cluster, stored: Stored, dropped: str, chosen: list[str]
) -> None:
    before = dumped.look(shop, SHOP)
    shop.sql(f"DROP TABLE {dropped} CASCADE", database=SHOP)
    names = {name if "." in name else f"public.{name}" for name in chosen}
    found = restore_tables(stored, shop.server, SHOP, chosen)
    assert found == {name: dumped.ROWS[name] for name in names}
    assert dumped.look(shop, SHOP) == before


def test_a_table_without_its_functions_types_and_extensions_brings_them(shop: Cluster, stored: Stored) -> None:
    before = dumped.look(shop, SHOP)
    shop.sql(
        'DROP TABLE drinks, warehouse."Книга учёта" CASCADE; DROP FUNCTION plain(text), refuse(); DROP TYPE size;'
        "DROP EXTENSION pg_trgm; DROP SCHEMA warehouse",
        database=SHOP,
    )
    restore_tables(stored, shop.server, SHOP, ["drinks", LEDGER])
    assert dumped.look(shop, SHOP) == before


def test_a_replaced_table_is_as_the_backup_has_it_and_the_others_as_they_are(shop: Cluster, stored: Stored) -> None:
    before = dumped.look(shop, SHOP)
    shop.sql(
        """
        UPDATE drinks SET name = 'spoilt ' || id;
        INSERT INTO drinks (name) VALUES ('new');
        INSERT INTO orders DEFAULT VALUES;
        ALTER TABLE drinks DROP COLUMN facts, ADD COLUMN colour text;
        INSERT INTO runs VALUES (9, '2026-07-01', 6);
        """,
        database=SHOP,
    )
    found = restore_tables(stored, shop.server, SHOP, ["drinks"], replace=True)
    assert found == {"public.drinks": 6}
    after = dumped.look(shop, SHOP)
    for name in ("drinks", "columns", "constraints", "indexes", "triggers", "views", "lines", "ledger", "comments"):
        assert after[name] == before[name], name
    assert len(after["orders"]) == 6
    assert len(after["runs"]) == 4


def test_no_number_is_given_twice_after_a_table_was_replaced(shop: Cluster, stored: Stored) -> None:
    shop.sql("INSERT INTO drinks (name) VALUES ('501'); INSERT INTO orders DEFAULT VALUES", database=SHOP)
    restore_tables(stored, shop.server, SHOP, ["drinks", "orders"], replace=True)
    assert shop.value("INSERT INTO drinks (name) VALUES ('next') RETURNING id", database=SHOP) == 502
    assert shop.sql("INSERT INTO orders DEFAULT VALUES RETURNING id, number", database=SHOP) == [(7, 1002)]


def test_a_partitioned_table_is_replaced_with_its_parts_of_then(shop: Cluster, stored: Stored) -> None:
    before = dumped.look(shop, SHOP)
    shop.sql(
        "DROP TABLE runs_old;CREATE TABLE runs_2028 PARTITION OF runs FOR VALUES FROM ('2028-01-01') TO ('2029-01-01')",
        database=SHOP,
    )
    assert restore_tables(stored, shop.server, SHOP, ["runs"], replace=True) == {"public.runs": 3}
    assert dumped.look(shop, SHOP) == before


def test_other_users_and_owners_keep_their_rights(shop: Cluster, stored: Stored) -> None:
    shop.sql("CREATE ROLE reports; CREATE ROLE migrations", database="postgres")
    shop.sql(
        "GRANT SELECT ON drinks, sold TO reports; GRANT USAGE ON SEQUENCE drinks_id_seq TO PUBLIC;"
        "ALTER TABLE drinks OWNER TO migrations",
        database=SHOP,
    )
    rights = "SELECT relname, relacl::text, relowner::regrole::text FROM pg_class WHERE relacl IS NOT NULL AND" + (
        " relnamespace = 'public'::regnamespace ORDER BY 1"
    )
    before = shop.sql(rights, database=SHOP)
    assert len(before) == 3
    restore_tables(stored, shop.server, SHOP, ["drinks"], replace=True)
    assert shop.sql(rights, database=SHOP) == before
    shop.sql("DROP OWNED BY reports, migrations CASCADE", database=SHOP)
    shop.sql("DROP ROLE reports, migrations", database="postgres")


def test_tables_are_taken_over_from_another_server(shop: Cluster, model: str, tmp_path: Path) -> None:
    before = dumped.look(shop, SHOP)
    shop.sql("UPDATE drinks SET name = 'spoilt ' || id; DELETE FROM lines", database=SHOP)
    found = copy_tables(shop.server.of(model), shop.server, SHOP, ["drinks"], folder=tmp_path / "new", replace=True)
    assert found == {"public.drinks": 6}
    after = dumped.look(shop, SHOP)
    assert after.pop("lines") == []
    assert after == {name: rows for name, rows in before.items() if name != "lines"}
    assert list((tmp_path / "new").iterdir()) == []
    with pytest.raises(UnknownTable):
        copy_tables(shop.server.of(model), shop.server, SHOP, ["teas"], folder=tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []


# --- refusals: each leaves everything as it was ------------------------------------------------------


def refused(shop: Cluster, attempt: object, error: type[Exception], sentence: str) -> None:
    before = dumped.look(shop, SHOP)
    with pytest.raises(error, match=sentence):
        attempt()  # type: ignore[operator]
    assert dumped.look(shop, SHOP) == before


def test_a_table_that_is_there_is_replaced_only_when_asked(shop: Cluster, stored: Stored) -> None:
    refused(
        shop,
        lambda: restore_tables(stored, shop.server, SHOP, ["drinks", "orders"]),
        TablesInTheWay,
        r"^public\.drinks, public\.orders exist already\. Have them replaced, or choose others\.$",
    )


@pytest.mark.parametrize("name", ["teas", "public.runs_old", "pg_catalog.pg_class", "drinks; DROP TABLE orders"])
def test_a_table_that_the_backup_lacks_is_refused(shop: Cluster, stored: Stored, name: str) -> None:
    refused(
        shop,
        lambda: restore_tables(stored, shop.server, SHOP, ["drinks", name], replace=True),
        UnknownTable,
        "The backup has no table",
    )


def test_rows_that_others_refer_to_are_not_lost(shop: Cluster, stored: Stored) -> None:
    shop.sql("INSERT INTO drinks (id, name) VALUES (777, 'new'); UPDATE lines SET drink_id = 777", database=SHOP)
    refused(
        shop,
        lambda: restore_tables(stored, shop.server, SHOP, ["drinks"], replace=True),
        TablesMissing,
        r'rows that are not there: .*"lines" violates .*\(777\) is not present in table "drinks"\. Choose the tables',
    )


def test_rows_do_not_come_back_without_those_that_they_refer_to(shop: Cluster, stored: Stored) -> None:
    shop.sql("DROP TABLE lines CASCADE; DELETE FROM runs; DELETE FROM orders WHERE id = 3", database=SHOP)
    with pytest.raises(TablesMissing, match=r'is not present in table "orders"'):
        restore_tables(stored, shop.server, SHOP, ["lines"])
    assert shop.value("SELECT to_regclass('lines')", database=SHOP) is None


def test_a_table_does_not_come_back_without_those_that_it_refers_to(shop: Cluster, stored: Stored) -> None:
    shop.sql("DROP TABLE lines, drinks, orders CASCADE", database=SHOP)
    with pytest.raises(TablesMissing, match=r"^public\.drinks, public\.orders is missing in the database, and the"):
        restore_tables(stored, shop.server, SHOP, ["lines"])
    assert shop.value("SELECT to_regclass('lines')", database=SHOP) is None


def test_what_keeps_rows_of_the_table_is_named(shop: Cluster, stored: Stored) -> None:
    shop.sql("CREATE MATERIALIZED VIEW kept AS SELECT * FROM sold", database=SHOP)
    refused(
        shop,
        lambda: restore_tables(stored, shop.server, SHOP, ["drinks"], replace=True),
        TablesInTheWay,
        r"^public\.kept keep rows of these tables\. Drop them, or take everything over\.$",
    )


def test_what_else_depends_on_the_table_is_named(shop: Cluster, stored: Stored) -> None:
    shop.sql("CREATE FUNCTION all_drinks() RETURNS SETOF drinks LANGUAGE sql AS 'SELECT NULL::drinks'", database=SHOP)
    refused(
        shop,
        lambda: restore_tables(stored, shop.server, SHOP, ["drinks"], replace=True),
        TablesInTheWay,
        r"^Something else depends on the tables: .*all_drinks\(\) depends on",
    )


def test_tables_in_use_are_not_waited_for_forever(
    shop: Cluster, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backups.engine.chosen_tables.LOCK_PATIENCE", "100ms")
    with shop.server.connected(database=SHOP) as connection:
        connection.autocommit = False
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM drinks")
        with pytest.raises(TablesInUse, match="Somebody holds a table locked"):
            restore_tables(stored, shop.server, SHOP, ["drinks"], replace=True)
        connection.rollback()
    assert shop.value("SELECT count(*) FROM drinks", database=SHOP) == 6


def test_a_newer_servers_backup_is_refused(shop: Cluster, stored: Stored) -> None:
    newer = replace(stored, manifest=replace(stored.manifest, server_version=190000))
    refused(
        shop,
        lambda: restore_tables(newer, shop.server, SHOP, ["drinks"], replace=True),
        WrongVersion,
        "was made of PostgreSQL 19, and this server is 18",
    )


def test_damaged_rows_are_refused_and_whole_ones_beside_them_are_not(
    shop: Cluster, stored: Stored, tmp_path: Path
) -> None:
    shutil.copytree(stored.folder, tmp_path / stored.id)
    copy = replace(stored, folder=tmp_path / stored.id)
    entries = read_toc(find_programs(), copy.data).entries
    path = data_file(copy.data, next(one for one in entries if (one.kind, one.tag) == ("TABLE DATA", "drinks")))
    assert path is not None
    good = path.read_bytes()
    path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    refused(
        shop,
        lambda: restore_tables(copy, shop.server, SHOP, ["drinks"], replace=True),
        Damaged,
        rf"^The backup is damaged: dump/{path.name} is not what was written\.$",
    )
    assert restore_tables(copy, shop.server, SHOP, [LEDGER], replace=True) == {LEDGER: 2}
    toc = copy.data / "toc.dat"
    toc.write_bytes(toc.read_bytes().replace(b"a_name_is_short", b"a_name_is_shorn"))
    refused(
        shop,
        lambda: restore_tables(copy, shop.server, SHOP, [LEDGER], replace=True),
        Damaged,
        r"^The backup is damaged: dump/toc\.dat is not what was written\.$",
    )


def test_a_count_that_is_not_the_manifests_is_refused(shop: Cluster, stored: Stored) -> None:
    wrong = replace(stored, manifest=replace(stored.manifest, tables={**dumped.ROWS, "public.drinks": 5}))
    refused(
        shop,
        lambda: restore_tables(wrong, shop.server, SHOP, ["drinks"], replace=True),
        Damaged,
        r"public\.drinks has 6 rows instead of 5\.",
    )


# --- faults ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["", "Loading the tables", "Making indexes and keys"])
def test_who_stops_it_finds_everything_as_it_was(shop: Cluster, stored: Stored, when: str) -> None:
    stages = [""]

    def restore() -> None:
        restore_tables(
            stored,
            shop.server,
            SHOP,
            ["drinks"],
            replace=True,
            progress=lambda stage, _share: stages.append(stage),
            is_stopped=lambda: when in stages,
        )

    refused(shop, restore, Interrupted, "It was stopped")


@pytest.mark.parametrize(
    ("what", "error"), [("the tool", Interrupted), ("the connection", ServerGone)], ids=["the tool", "the connection"]
)
def test_what_dies_in_the_middle_leaves_everything_as_it_was(
    shop: Cluster, stored: Stored, what: str, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Dying(Copy):
        """Half of the rows are on their way when it happens."""

        def read(self, size: int = -1, /) -> bytes:
            piece = super().read(10_000)
            self.process.kill() if what == "the tool" else end_connections(shop)
            return piece

    monkeypatch.setattr("backups.engine.chosen_tables.Copy", Dying)
    refused(
        shop,
        lambda: restore_tables(stored, shop.server, SHOP, ["noise"], replace=True),
        error,
        r"pg_restore was killed \(SIGKILL\)|The database server at .* went away",
    )
    assert shop.value("SELECT count(*) FROM noise", database=SHOP) == 20_000


def end_connections(shop: Cluster) -> None:
    ended = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s"
    shop.sql(ended, SHOP, database="postgres")


def test_who_reads_meanwhile_sees_the_old_rows_or_the_new_ones(shop: Cluster, stored: Stored) -> None:
    shop.sql("UPDATE drinks SET name = 'old ' || id", database=SHOP)
    seen: list[tuple[int, int]] = []
    stop = threading.Event()

    def read() -> None:
        with shop.server.connected(database=SHOP) as connection, connection.cursor() as cursor:
            while not stop.is_set():
                cursor.execute("SELECT count(*), count(*) FILTER (WHERE name LIKE 'old %') FROM drinks")
                seen.append(cursor.fetchall()[0])

    reader = threading.Thread(target=read)
    reader.start()
    try:
        wait_until(lambda: seen)
        restore_tables(stored, shop.server, SHOP, ["drinks"], replace=True)
        wait_until(lambda: seen[-1] == (6, 0))
    finally:
        stop.set()
        reader.join()
    assert set(seen) == {(6, 6), (6, 0)}
