"""Logical backups: what is saved comes back to the last row, and what goes wrong leaves nothing behind."""

import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from backups.engine.logical import (
    contents,
    digests_below,
    discard_unfinished,
    restore_all,
    take_logical,
    verify_logical,
)
from backups.engine.programs import find_programs
from backups.engine.repository import Repository, Stored
from backups.engine.toc import read_toc
from backups.errors import (
    Damaged,
    DatabaseExists,
    WrongVersion,
)
from tests.backups import dumped
from tests.backups.cluster import Cluster, running_cluster, wait_until

SHOP = "магазин ☕"


@pytest.fixture(scope="module")
def shop(cluster: Cluster) -> Cluster:
    """The server with a shop's database on it."""
    cluster.sql(f'CREATE DATABASE "{SHOP}"', database="postgres")
    dumped.fill(cluster, SHOP)
    return cluster


@pytest.fixture(scope="module")
def kept(shop: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Stored:
    """A backup of it, which no test changes."""
    repository = Repository(tmp_path_factory.mktemp("kept") / "backups")
    repository.make()
    media = tmp_path_factory.mktemp("media")
    (media / "чай.png").write_bytes(b"tea")
    return take_logical(repository, shop.server.of(SHOP), period="daily", by="Анна", reason="test", media=media)


@pytest.fixture
def copy(kept: Stored, tmp_path: Path) -> Stored:
    """The same, to be damaged."""
    shutil.copytree(kept.folder, tmp_path / kept.id)
    return replace(kept, folder=tmp_path / kept.id)


@pytest.fixture(autouse=True)
def nothing_else_is_touched(shop: Cluster) -> Iterator[None]:
    """Whatever a test does, the shop is as it was, and only its database is there."""
    before, names = dumped.look(shop, SHOP), dumped.databases(shop.server)
    yield
    assert dumped.look(shop, SHOP) == before
    assert dumped.databases(shop.server) == names


@pytest.fixture
def restored(shop: Cluster) -> Iterator[str]:
    yield "restored ♻"
    shop.sql('DROP DATABASE IF EXISTS "restored ♻" WITH (FORCE)', database="postgres")


# --- there and back ----------------------------------------------------------------------------------


def test_everything_comes_back(shop: Cluster, kept: Stored, restored: str) -> None:
    shares: list[tuple[str, float | None]] = []
    restore_all(kept, shop.server, restored, progress=lambda stage, share: shares.append((stage, share)))
    assert dumped.look(shop, restored) == dumped.look(shop, SHOP)
    assert shop.value("SELECT nextval('order_number')", database=restored) == 1001
    loading = [share for stage, share in shares if stage == "Loading the tables"]
    assert loading[0] == 0
    assert loading == sorted(loading)
    assert loading[-1] == 1
    assert discard_unfinished(shop.server) == []


def test_a_backup_says_what_is_in_it(shop: Cluster, kept: Stored) -> None:
    manifest = kept.manifest
    assert manifest.tables == dumped.ROWS
    assert (manifest.database, manifest.period, manifest.by, manifest.reason) == (SHOP, "daily", "Анна", "test")
    assert manifest.started_at <= manifest.consistent_at <= manifest.completed_at
    assert manifest.size == sum(path.stat().st_size for path in kept.folder.rglob("*") if path.is_file()) - sum(
        (kept.folder / name).stat().st_size for name in ("manifest.json", "state.json")
    )
    assert manifest.media_files == 1
    assert kept.state.verified_at >= manifest.completed_at
    tables = contents(kept)
    assert {table.name: table.rows for table in tables} == dumped.ROWS
    sizes = {table.name: table.size for table in tables}
    assert sizes["public.runs"] == sum(
        len((kept.data / f"{number}.dat.gz").read_bytes()) for number in numbers_of(kept, "runs_old", "runs_rest")
    )
    assert sizes["public.drinks"] > 100
    assert verify_logical(kept) == []


def numbers_of(stored: Stored, *tables: str) -> list[int]:
    entries = read_toc(find_programs(), stored.data).entries
    return [entry.id for entry in entries if entry.kind == "TABLE DATA" and entry.tag in tables]


def test_what_is_counted_is_what_is_saved_while_others_write(
    shop: Cluster, repository: Repository, restored: str
) -> None:
    shop.sql("CREATE DATABASE busy", database="postgres")
    shop.sql("CREATE TABLE sold (id int); CREATE TABLE paid (id int)", database="busy")
    stop = threading.Event()

    def sell() -> None:
        with shop.server.connected(database="busy") as connection, connection.cursor() as cursor:
            while not stop.is_set():
                cursor.execute("INSERT INTO sold VALUES (1); INSERT INTO paid VALUES (1)")

    seller = threading.Thread(target=sell)
    seller.start()
    try:
        wait_until(lambda: shop.value("SELECT count(*) FROM sold", database="busy") > 20)
        stored = take_logical(repository, shop.server.of("busy"))
    finally:
        stop.set()
        seller.join()
    restore_all(stored, shop.server, restored)
    rows = {name: shop.value(f"SELECT count(*) FROM {name}", database=restored) for name in ("paid", "sold")}
    assert stored.manifest.tables == {f"public.{name}": count for name, count in rows.items()}
    assert rows["sold"] == rows["paid"] < shop.value("SELECT count(*) FROM sold", database="busy")
    shop.sql("DROP DATABASE busy", database="postgres")


def test_a_database_comes_back_with_its_own_settings_and_other_users_rights(
    shop: Cluster, repository: Repository, restored: str
) -> None:
    shop.sql('CREATE ROLE "отчёты"; CREATE ROLE fired', database="postgres")
    shop.sql("CREATE DATABASE ours LOCALE 'C' TEMPLATE template0", database="postgres")
    shop.sql("ALTER DATABASE ours SET timezone TO 'Europe/Warsaw'", database="postgres")
    shop.sql(
        "ALTER SCHEMA public OWNER TO fired;"
        'CREATE TABLE seen (id int); GRANT SELECT ON seen TO "отчёты"; GRANT SELECT ON seen TO fired',
        database="ours",
    )
    stored = take_logical(repository, shop.server.of("ours"))
    shop.sql("DROP DATABASE ours", database="postgres")
    shop.sql("DROP ROLE fired", database="postgres")
    restore_all(stored, shop.server, restored)
    assert shop.value("SHOW timezone", database=restored) == "Europe/Warsaw"
    assert shop.value("SELECT datcollate FROM pg_database WHERE datname = current_database()", database=restored) == "C"
    rights = shop.value("SELECT has_table_privilege('отчёты', 'seen', 'SELECT')", database=restored)
    assert rights is True
    shop.sql('DROP OWNED BY "отчёты"', database=restored)
    shop.sql('DROP ROLE "отчёты"', database="postgres")


def test_an_empty_database_is_saved_and_comes_back(shop: Cluster, repository: Repository, restored: str) -> None:
    shop.sql("CREATE DATABASE nothing", database="postgres")
    stored = take_logical(repository, shop.server.of("nothing"))
    shop.sql("DROP DATABASE nothing", database="postgres")
    assert (stored.manifest.tables, contents(stored), verify_logical(stored)) == ({}, [], [])
    restore_all(stored, shop.server, restored)
    assert (
        shop.value("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace", database=restored) == 0
    )


def test_a_server_that_lost_its_databases_gets_them_back(kept: Stored, tmp_path: Path) -> None:
    with running_cluster(tmp_path) as another:
        another.sql("DROP DATABASE samovar", database="postgres")
        restore_all(kept, another.server, "samovar")
        assert another.value("SELECT count(*) FROM drinks") == 6


# --- refusals and damage -----------------------------------------------------------------------------


def test_a_database_of_that_name_is_left_alone(shop: Cluster, kept: Stored) -> None:
    with pytest.raises(DatabaseExists, match=f"There is a database {SHOP} already"):
        restore_all(kept, shop.server, SHOP)


def test_a_backup_of_a_newer_server_is_refused(shop: Cluster, kept: Stored) -> None:
    newer = replace(kept, manifest=replace(kept.manifest, server_version=190001))
    with pytest.raises(WrongVersion, match="was made of PostgreSQL 19, and this server is 18"):
        restore_all(newer, shop.server, "restored")


def test_a_dump_of_newer_tools_says_so(shop: Cluster, copy: Stored) -> None:
    toc = copy.data / "toc.dat"
    data = bytearray(toc.read_bytes())
    data[6] += 1  # the minor version of the archive's format
    toc.write_bytes(data)
    assert verify_logical(copy) == ["dump/toc.dat is not what was written: its checksum is another."]
    resigned = resign(copy)
    with pytest.raises(WrongVersion, match="unsupported version"):
        verify_logical(resigned)
    with pytest.raises(WrongVersion, match="unsupported version"):
        restore_all(resigned, shop.server, "restored")


def resign(stored: Stored) -> Stored:
    """The backup as if it had been made as it is now."""
    digests = {
        name: digest for name, digest in digests_below(stored.folder).items() if not name.endswith((".json", ".new"))
    }
    return replace(stored, manifest=replace(stored.manifest, files=digests))


def test_one_flipped_bit_in_any_file_is_found_and_nothing_is_loaded(shop: Cluster, copy: Stored) -> None:
    assert {Path(name).suffix for name in copy.manifest.files} == {".dat", ".gz", ".tar"}
    for name in copy.manifest.files:
        path = copy.folder / name
        good = path.read_bytes()
        for position in (0, len(good) // 2, len(good) - 1):
            path.write_bytes(good[:position] + bytes([good[position] ^ 0x10]) + good[position + 1 :])
            assert verify_logical(copy) == [f"{name} is not what was written: its checksum is another."]
        path.write_bytes(good)
    assert verify_logical(copy) == []
    (copy.folder / "media.tar").write_bytes(b"x")
    with pytest.raises(Damaged, match=r"^The backup is damaged: media\.tar has 1 bytes instead of 10240\.$"):
        restore_all(copy, shop.server, "restored")


def test_files_that_are_missing_cut_short_or_foreign_are_named(copy: Stored) -> None:
    names = sorted(copy.manifest.files)
    (copy.folder / names[0]).unlink()
    os.truncate(copy.folder / names[1], 3)
    (copy.folder / "dump" / "stranger").write_bytes(b"")
    expected = copy.manifest.files[names[1]]["size"]
    assert verify_logical(copy) == [
        f"{names[0]} is missing.",
        f"{names[1]} has 3 bytes instead of {expected}.",
        "dump/stranger does not belong to the backup.",
    ]


def test_rows_that_are_not_those_of_the_manifest_are_not_taken_for_the_shop(shop: Cluster, kept: Stored) -> None:
    tables = {**kept.manifest.tables, "public.drinks": 7, "public.lost": 1}
    wrong = replace(kept, manifest=replace(kept.manifest, tables=tables))
    with pytest.raises(Damaged, match="What was loaded is not what was saved") as raised:
        restore_all(wrong, shop.server, "restored")
    assert raised.value.findings == ("public.drinks has 6 rows instead of 7.", "public.lost is missing.")
