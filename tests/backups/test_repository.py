"""The folder of backups: what is whole, what is not, and who is at it."""

import datetime
import multiprocessing
import subprocess
from pathlib import Path

import pytest

from backups.engine.manifest import Kind, Manifest, State
from backups.engine.repository import Repository, now
from backups.errors import Busy, Damaged, NotWritable, UnknownBackup
from tests.backups.assembled import fill, small_disk
from tests.backups.cluster import Cluster

MOMENT = datetime.datetime(2026, 11, 1, 12, 30, tzinfo=datetime.UTC)


def manifest(backup_id: str) -> Manifest:
    return Manifest(
        id=backup_id,
        kind=Kind.LOGICAL,
        started_at=MOMENT,
        completed_at=MOMENT,
        server_version=180006,
        system_identifier="7",
        database="shop",
        size=3,
        tables={"Чай": 2},
    )


def test_a_backup_is_there_once_it_is_complete(repository: Repository) -> None:
    backup_id, partial = repository.begin(Kind.LOGICAL)
    (partial / "dump").write_bytes(b"abc")
    assert repository.backups() == []

    stored = repository.finish(partial, manifest(backup_id))
    assert [one.manifest for one in repository.backups()] == [stored.manifest]
    assert repository.get(backup_id).manifest == manifest(backup_id)
    assert not partial.exists()


def test_what_a_killed_backup_left_behind_is_no_backup_and_is_forgotten(repository: Repository) -> None:
    backup_id, partial = repository.begin(Kind.PHYSICAL)
    (partial / "manifest.json").write_text(manifest(backup_id).to_json())
    assert repository.backups() == []
    assert repository.discard_leftovers() == [backup_id]
    assert not partial.exists()


def test_what_is_found_out_later_stands_beside_the_manifest(repository: Repository) -> None:
    backup_id, partial = repository.begin(Kind.LOGICAL)
    stored = repository.finish(partial, manifest(backup_id))
    repository.note(stored, State(proved_at=MOMENT, restored_in=12.5, places={"s3": "done"}))
    assert repository.get(backup_id).state == State(proved_at=MOMENT, restored_in=12.5, places={"s3": "done"})
    (stored.folder / "state.json").write_text("{")
    assert repository.get(backup_id).state == State(is_kept=True)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "The manifest can't be read"),
        ("[]", "The manifest can't be read"),
        ('{"format": 1}', "The manifest can't be read"),
        ('{"format": 2}', "made by a newer Samovar"),
    ],
)
def test_a_damaged_manifest_hides_only_its_own_backup(repository: Repository, text: str, sentence: str) -> None:
    ids = []
    for _number in range(2):
        backup_id, partial = repository.begin(Kind.LOGICAL)
        repository.finish(partial, manifest(backup_id))
        ids.append(backup_id)
    damaged = repository.root / "logical" / ids[0]
    (damaged / "manifest.json").write_text(text)

    assert [one.id for one in repository.backups()] == ids[1:]
    assert repository.unreadable() == [damaged]
    with pytest.raises(Damaged, match=sentence):
        repository.get(ids[0])


def test_a_changed_letter_of_a_manifest_is_noticed(repository: Repository) -> None:
    backup_id, partial = repository.begin(Kind.LOGICAL)
    stored = repository.finish(partial, manifest(backup_id))
    path = stored.folder / "manifest.json"
    whole = path.read_text()
    for right, wrong in (("12:30:00", "12:31:00"), ("Чай", "Чаи"), ('"size"', '"sizf"'), ('"sha256"', '"sha257"')):
        path.write_text(whole.replace(right, wrong))
        with pytest.raises(Damaged, match=r"its checksum is wrong\.$|can't be read"):
            repository.get(backup_id)
    path.write_text(whole)
    assert repository.get(backup_id).manifest == manifest(backup_id)


def test_a_deleted_backup_is_gone(repository: Repository) -> None:
    backup_id, partial = repository.begin(Kind.LOGICAL)
    repository.delete(repository.finish(partial, manifest(backup_id)))
    with pytest.raises(UnknownBackup):
        repository.get(backup_id)
    assert list((repository.root / "logical").iterdir()) == []


@pytest.mark.parametrize("name", ["../logical", "..", "no-such", "a/b", ""])
def test_an_id_leads_nowhere_else(repository: Repository, name: str) -> None:
    with pytest.raises(UnknownBackup):
        repository.get(name)


def hold(root: Path, held: "multiprocessing.synchronize.Event") -> None:
    with Repository(root).lock("work", doing="A restore"):
        held.set()
        multiprocessing.Event().wait()


def test_a_lock_ends_with_its_process_however_that_ends(repository: Repository) -> None:
    context = multiprocessing.get_context("spawn")
    held = context.Event()
    other = context.Process(target=hold, args=(repository.root, held), daemon=True)
    other.start()
    assert held.wait(60)
    with (
        pytest.raises(Busy, match=r"^A restore is under way\. Wait until it is done\.$"),
        repository.lock("work", doing="A backup"),
    ):
        pass
    assert repository.is_locked("work")
    other.kill()
    other.join()
    assert not repository.is_locked("work")


def test_a_file_in_the_place_of_the_folder_says_so(tmp_path: Path) -> None:
    (tmp_path / "backups").write_text("")
    with pytest.raises(NotWritable, match=r"shop can't be written to \(.+\)\. Give this account"):
        Repository(tmp_path / "backups" / "shop").make()


def test_a_server_says_what_it_is(cluster: Cluster) -> None:
    facts = cluster.server.facts()
    assert (facts.major, facts.timeline, facts.segment_size, facts.is_standby) == (18, 1, 16 * 1024**2, False)
    assert facts.tracks_commit_times
    assert now().tzinfo is datetime.UTC


@pytest.mark.as_root
def test_on_a_full_disk_there_is_a_lock_and_on_one_that_can_only_be_read_a_sentence(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", megabytes=1) as folder:
        repository = Repository(folder)
        repository.make()
        fill(folder)
        with repository.lock("work", doing="A backup"):
            assert repository.is_locked("work")
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        with (
            pytest.raises(NotWritable, match=r"locks can't be written to \(Read-only file system\)"),
            repository.lock("wal", doing="The receiver of WAL"),
        ):
            pass
        assert not repository.is_locked("wal")
