"""Physical backups: whole, with the WAL that makes them consistent, and as full or as incremental as asked for."""

import dataclasses
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backups.engine.incremental import newest_base
from backups.engine.manifest import Kind
from backups.engine.physical import assemble, take_physical, verify_physical
from backups.engine.repository import Repository, Stored
from backups.engine.server import Server
from backups.errors import (
    BackupFailed,
    Damaged,
    NoBase,
    NoReplication,
    NotWritable,
    WrongVersion,
)
from tests.backups.assembled import server_of
from tests.backups.cluster import Cluster, wait_until

NAMES = ["Чай с молоком", "бабл-ти 🧋", "O'Brien"]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    made = Repository(tmp_path_factory.mktemp("shared") / "backups")
    made.make()
    return made


@pytest.fixture(scope="module")
def full(cluster: Cluster, shared: Repository, tmp_path_factory: pytest.TempPathFactory) -> Stored:
    """A full backup of a database with rows and media."""
    cluster.sql("CREATE TABLE products (name text PRIMARY KEY)")
    cluster.sql("INSERT INTO products SELECT unnest(%s)", NAMES)
    cluster.sql("ALTER SYSTEM SET log_min_duration_statement = 60000")
    media = tmp_path_factory.mktemp("media")
    (media / "чай.jpg").write_bytes(b"leaf")
    return take_physical(shared, cluster.server, period="daily", by="manager", reason="evening", media=media)


@pytest.fixture(scope="module")
def incremental(cluster: Cluster, shared: Repository, full: Stored) -> Stored:
    cluster.sql("DELETE FROM products WHERE name LIKE 'O%%'; INSERT INTO products VALUES ('后来')")
    return take_physical(shared, cluster.server, base=full)


@pytest.fixture
def copied(full: Stored, repository: Repository) -> Stored:
    """The full backup once more, by links: `own` a file of it before it is changed."""
    shutil.copytree(full.folder, repository.root / "physical" / full.id, copy_function=os.link)
    return repository.get(full.id)


def own(path: Path) -> Path:
    """Makes a file of `copied` one of its own."""
    if path.exists():
        shutil.copy2(path, path.with_name("own"))
        path.with_name("own").rename(path)
    return path


def folders(repository: Repository) -> list[Path]:
    return list((repository.root / "physical").iterdir())


# --- what a backup says and holds --------------------------------------------------------------------


def test_a_full_backup_says_where_it_comes_from(cluster: Cluster, shared: Repository, full: Stored) -> None:
    manifest = full.manifest
    assert (manifest.kind, manifest.period, manifest.by, manifest.reason) == (
        Kind.PHYSICAL,
        "daily",
        "manager",
        "evening",
    )
    assert (manifest.server_version // 10_000, manifest.database, manifest.timeline) == (18, "samovar", 1)
    assert manifest.system_identifier == cluster.server.facts().system_identifier
    assert (manifest.segment_size, manifest.base_id, manifest.media_files) == (16 * 1024**2, "", 1)
    assert manifest.start_wal == cluster.value("SELECT pg_walfile_name(%s)", manifest.start_lsn)
    assert (full.data / "pg_wal" / manifest.start_wal).is_file()
    assert (full.data / "pg_wal" / manifest.stop_wal).is_file()
    assert manifest.consistent_at is not None
    assert manifest.started_at < manifest.consistent_at <= manifest.completed_at
    assert full.state.verified_at is not None
    assert shared.get(full.id) == full


def test_a_good_backup_has_no_findings(full: Stored, incremental: Stored) -> None:
    assert verify_physical(full) == []
    assert verify_physical(incremental) == []


def test_a_server_starts_from_a_full_backup_alone(shared: Repository, full: Stored, tmp_path: Path) -> None:
    with server_of(tmp_path, lambda target: assemble(shared, full, target)) as restored:
        assert {name for (name,) in restored.sql("SELECT name FROM products")} == set(NAMES)
        assert restored.value("SHOW log_min_duration_statement") == "1min"


def test_a_server_starts_from_an_incremental_backup_and_its_base(
    shared: Repository, full: Stored, incremental: Stored, tmp_path: Path
) -> None:
    assert (incremental.manifest.base_id, full.manifest.base_id) == (full.id, "")
    assert incremental.manifest.size * 2 < full.manifest.size
    with server_of(tmp_path, lambda target: assemble(shared, incremental, target)) as restored:
        assert {name for (name,) in restored.sql("SELECT name FROM products")} == {*NAMES[:2], "后来"}


def test_empty_folders_that_a_copy_lost_are_made_again(copied: Stored, repository: Repository, tmp_path: Path) -> None:
    """And settings that the system kept elsewhere."""
    for folder in sorted(copied.data.rglob("*"), reverse=True):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    assert verify_physical(copied) == []
    (copied.data / "pg_ident.conf").unlink()
    with server_of(tmp_path, lambda target: assemble(repository, copied, target)) as restored:
        assert restored.value("SELECT count(*) FROM products") == 3


def test_how_far_it_is_is_told(cluster: Cluster, repository: Repository, tmp_path: Path) -> None:
    told: list[tuple[str, float | None]] = []
    stored = take_physical(repository, cluster.server, progress=lambda stage, share: told.append((stage, share)))
    assert [stage for stage, _share in told[:1] + told[-1:]] == ["Copying the database", "Checking the files"]
    shares = [share for _stage, share in told if share is not None]
    assert shares == sorted(shares)
    assert max(shares) <= 1

    told.clear()
    assemble(repository, stored, tmp_path / "target", progress=lambda stage, share: told.append((stage, share)))
    assert told[0] == ("Putting the cluster's files together", 0.0)
    assert told[-1] == ("Putting the cluster's files together", 1.0)


# --- damage ------------------------------------------------------------------------------------------


def flip(path: Path, place: int) -> None:
    """Flips one bit; a negative place counts from the end."""
    content = bytearray(path.read_bytes())
    content[place] ^= 4
    path.write_bytes(content)


def rewritten(stored: Stored, **values: Any) -> Stored:
    """The same backup with another manifest."""
    manifest = dataclasses.replace(stored.manifest, **values)
    own(stored.folder / "manifest.json").write_text(manifest.to_json())
    return dataclasses.replace(stored, manifest=manifest)


def a_table_file(stored: Stored) -> str:
    return min(str(path.relative_to(stored.folder)) for path in (stored.data / "base").rglob("1259"))


SPOILED: dict[str, tuple[Callable[[Stored], str], Callable[[Path], None], str]] = {
    "a bit of a table": (a_table_file, lambda path: flip(path, 100), "has been changed: its checksum is wrong."),
    "a cut table": (a_table_file, lambda path: path.open("r+b").truncate(8192), "has 8192 bytes instead of "),
    "a missing table": (a_table_file, Path.unlink, "is missing."),
    "a bit of the WAL": (
        lambda stored: f"data/pg_wal/{stored.manifest.start_wal}",
        lambda path: flip(path, 100),
        "has been changed: its checksum is wrong.",
    ),
    "a bit of the unused end of the WAL": (
        lambda stored: f"data/pg_wal/{stored.manifest.stop_wal}",
        lambda path: flip(path, -1),
        "has been changed: its checksum is wrong.",
    ),
    "a missing segment": (lambda stored: f"data/pg_wal/{stored.manifest.start_wal}", Path.unlink, "is missing."),
    "a bit of the settings": (
        lambda stored: "data/postgresql.auto.conf",
        lambda path: flip(path, -5),
        "has been changed: its checksum is wrong.",
    ),
    "a bit of PostgreSQL's manifest": (
        lambda stored: "data/backup_manifest",
        lambda path: flip(path, 5000),
        "has been changed: its checksum is wrong.",
    ),
    "a bit of the media": (lambda stored: "media.tar", lambda path: flip(path, 600), "its checksum is wrong."),
    "the media gone": (lambda stored: "media.tar", Path.unlink, "is missing."),
    "a stranger": (lambda stored: "data/base/stranger", Path.touch, "does not belong to the backup."),
    "a strange segment": (lambda stored: "data/pg_wal/0000000100000000000000FF", Path.touch, "does not belong to"),
}


@pytest.mark.parametrize("spoil", SPOILED, ids=lambda name: name.replace(" ", "-"))
def test_damage_is_named_by_the_file(copied: Stored, spoil: str) -> None:
    file_of, change, sentence = SPOILED[spoil]
    name = file_of(copied)
    change(own(copied.folder / name))
    findings = verify_physical(copied)
    assert findings[0].startswith(name)
    assert sentence in findings[0]
    named = [finding for finding in findings if not finding.startswith("PostgreSQL says")]
    assert len(named) == 1


def test_a_manifest_that_names_other_wal_is_found_out(copied: Stored) -> None:
    right = copied.manifest.start_lsn
    assert verify_physical(rewritten(copied, start_lsn="0/FF000028")) == [
        f"manifest.json says 0/FF000028 for start_lsn, and data/backup_manifest {right}."
    ]


def test_an_incremental_backup_without_its_base_says_so(
    incremental: Stored, full: Stored, repository: Repository, tmp_path: Path
) -> None:
    shutil.copytree(incremental.folder, repository.root / "physical" / incremental.id, copy_function=os.link)
    alone = repository.get(incremental.id)
    assert verify_physical(alone) == [f"The backup {full.id}, which this one builds upon, is gone."]
    with pytest.raises(Damaged, match=rf"{alone.id} can't be used: {full.id}, which it builds upon, is gone\."):
        assemble(repository, alone, tmp_path / "target")
    assert not (tmp_path / "target").exists()


def test_no_backup_is_made_of_a_damaged_database(cluster: Cluster, repository: Repository) -> None:
    cluster.sql("CREATE TABLE spoiled AS SELECT generate_series(1, 1000) AS number")
    cluster.sql("CHECKPOINT")
    name = cluster.value("SELECT pg_relation_filepath('spoiled')")
    whole = (cluster.data / name).read_bytes()
    flip(cluster.data / name, 8000)
    try:
        with pytest.raises(
            Damaged, match=rf"^The running database is damaged, so no backup was made of it: {name} has"
        ):
            take_physical(repository, cluster.server)
    finally:
        (cluster.data / name).write_bytes(whole)
    assert folders(repository) == []
    assert cluster.value("SELECT count(*) FROM spoiled") == 1000


# --- refusals ----------------------------------------------------------------------------------------


def test_nothing_is_built_upon_a_backup_of_another_server(
    cluster: Cluster, copied: Stored, repository: Repository
) -> None:
    base = rewritten(copied, system_identifier="7000000000000000001")
    with pytest.raises(NoBase, match=r"can't build upon \S+: it is of another server\. Make a full one\."):
        take_physical(repository, cluster.server, base=base)
    assert newest_base(repository, cluster.server) is None
    assert folders(repository) == [base.folder]


def test_nothing_is_built_without_summaries_of_the_wal(cluster: Cluster, shared: Repository, full: Stored) -> None:
    before = folders(shared)
    cluster.sql("ALTER SYSTEM SET summarize_wal = off")
    cluster.sql("SELECT pg_reload_conf()")
    try:
        wait_until(lambda: cluster.value("SHOW summarize_wal") == "off")
        with pytest.raises(NoBase, match=r"summarize_wal is off\. Make a full one\."):
            take_physical(shared, cluster.server, base=full)
        assert newest_base(shared, cluster.server) is None
    finally:
        cluster.sql("ALTER SYSTEM RESET summarize_wal")
        cluster.sql("SELECT pg_reload_conf()")
    wait_until(lambda: cluster.value("SHOW summarize_wal") == "on")
    assert newest_base(shared, cluster.server) is not None
    assert folders(shared) == before


def test_an_account_that_may_not_copy_is_told_what_it_needs(cluster: Cluster, repository: Repository) -> None:
    cluster.sql("CREATE ROLE reader LOGIN PASSWORD 'correct-horse'")
    plain = Server("127.0.0.1", str(cluster.port), "reader", "correct-horse", "samovar")
    with pytest.raises(NoReplication, match=r"does not let reader copy it .+ ALTER ROLE … REPLICATION"):
        take_physical(repository, plain)
    assert folders(repository) == []


def test_tablespaces_are_refused_by_name(cluster: Cluster, repository: Repository) -> None:
    place = cluster.home / "space"
    place.mkdir()
    shutil.chown(place, cluster.data.owner(), cluster.data.group())
    cluster.sql(f"CREATE TABLESPACE attic LOCATION '{place}'")
    try:
        with pytest.raises(BackupFailed, match="in the tablespaces attic, which a physical backup leaves out"):
            take_physical(repository, cluster.server)
        assert folders(repository) == []
    finally:
        cluster.sql("DROP TABLESPACE attic")


def test_a_folder_that_is_not_empty_is_left_alone(shared: Repository, full: Stored, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("data")
    with pytest.raises(NotWritable, match=r"can't be written to \(it is not empty\)"):
        assemble(shared, full, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


def test_parts_are_joined_by_the_tools_of_their_version_alone(
    incremental: Stored, full: Stored, repository: Repository, tmp_path: Path
) -> None:
    for stored in (full, incremental):
        shutil.copytree(stored.folder, repository.root / "physical" / stored.id, copy_function=os.link)
        rewritten(repository.get(stored.id), server_version=170004)
    with pytest.raises(WrongVersion, match=r"of PostgreSQL 17: .+ these are of 18\."):
        assemble(repository, repository.get(incremental.id), tmp_path / "target")
    assert not (tmp_path / "target").exists()


def test_the_copied_server_is_as_it_was(cluster: Cluster, incremental: Stored) -> None:
    assert cluster.value("SELECT count(*) FROM products") == 3
    assert cluster.sql("SELECT slot_name FROM pg_replication_slots") == []
