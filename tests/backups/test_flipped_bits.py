"""A bit of each byte of every small file beside the backups is flipped: what is read then is what was written, or
nothing. The large files have their own tests: dumps in test_logical, base files and WAL in test_damage, sealed copies
in test_sealing and places."""

import datetime
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from backups.engine.beside import RECORD, Recovered
from backups.engine.jobs import JobKind, all_jobs, get_job, request_job
from backups.engine.manifest import NAME, State
from backups.engine.receiver_state import Gap, ReceiverState, needs_base_backup, read_state, write_state
from backups.engine.records import read_record, write_record
from backups.engine.repository import Repository
from backups.engine.retention import plan
from backups.engine.swapping import journal_of, read_journal
from backups.engine.wal_memory import Memory, path_of, remembered
from backups.errors import BackupFailed
from backups.maintenance import begin_maintenance, current_maintenance
from backups.services.erasures import file_of, kept_erasures
from foundation.errors import Missing
from tests.backups.copying import MOMENT, make_backup

pytestmark = pytest.mark.slow

AT = datetime.datetime(2026, 11, 1, 12, 30, 15, 123456, tzinfo=datetime.UTC)


def flipped(path: Path) -> Iterator[None]:
    """The file with a bit flipped: two of each byte's in turn, of which one makes another letter or figure of it."""
    good = path.read_bytes()
    for place in range(len(good)):
        for bit in (random.randrange(3), random.randrange(3, 8)):
            path.write_bytes(good[:place] + bytes([good[place] ^ 1 << bit]) + good[place + 1 :])
            yield
    path.write_bytes(good)


def is_always_what_was_written(path: Path, read: Callable[[], Any], *, else_: Callable[[Any], bool]) -> None:
    """Or `else_`, which holds for what is known then. The name of the checksum itself may be hit: nothing is wrong
    then."""
    written = read()
    differing = 0
    for _flip in flipped(path):
        found = read()
        if found != written:
            differing += 1
            assert else_(found), (path.read_bytes(), found)
    assert differing > 100
    assert read() == written


def test_of_a_manifest(repository: Repository) -> None:
    stored, other = make_backup(repository), make_backup(repository)

    def read() -> list[object]:
        return [one.manifest for one in repository.backups()]

    is_always_what_was_written(stored.folder / NAME, read, else_=lambda found: found == [other.manifest])


def test_of_a_state_and_what_somebody_keeps_stays(repository: Repository) -> None:
    """Even if nobody can tell any more that they wished it."""
    stored = make_backup(repository)
    repository.note(stored, State(verified_at=AT, proved_at=AT, damage=[], places={"disk": "sent"}, is_kept=True))
    for age in range(1, 30):
        at = MOMENT + datetime.timedelta(days=age)
        make_backup(repository, started_at=at, completed_at=at)

    def read() -> State:
        return repository.get(stored.id).state

    is_always_what_was_written(stored.folder / "state.json", read, else_=lambda found: found == State(is_kept=True))
    (stored.folder / "state.json").write_bytes(b"\xff")
    doomed = plan(repository.backups(), at=MOMENT + datetime.timedelta(days=60))
    assert len(doomed) > 10
    assert stored.id not in [one.id for one in doomed]


def test_of_a_job(repository: Repository) -> None:
    """Whoever waits for it is told that there is no such work, and nothing else is done than what was asked for."""
    arguments = {"target": AT.isoformat(), "xid": 4711}
    job = request_job(repository, JobKind.RECOVER, arguments=arguments, by="anna@samovar.example", reason="Ошибка ☕")

    def read() -> list[object]:
        found: list[object] = []
        with suppress(Missing):
            found.append(get_job(repository, job.id))
        assert all_jobs(repository) == found
        return found

    is_always_what_was_written(repository.jobs / f"{job.id}.json", read, else_=lambda found: found == [])


def test_of_what_the_receiver_says(repository: Repository) -> None:
    make_backup(repository, start_wal="000000010000000000000004", segment_size=16 * 1024**2)
    gap = Gap(AT, "000000010000000000000007", "000000010000000000000009")
    write_state(repository, ReceiverState(pid=7, slot="samovar", since=AT, at=AT, last_error="Диск полон", gaps=[gap]))

    def read() -> tuple[ReceiverState, bool]:
        return read_state(repository), needs_base_backup(repository)

    is_always_what_was_written(
        repository.root / "receiver.json", read, else_=lambda found: found == (ReceiverState(), False)
    )


def test_of_what_was_recovered(tmp_path: Path) -> None:
    recovered = Recovered("evening", "b", "2026-11-01", AT, "samovar", "shop", "/tmp/s", recovered_to=AT)
    (tmp_path / RECORD).write_text(recovered.to_json())
    is_always_what_was_written(tmp_path / RECORD, lambda: Recovered.read(tmp_path), else_=lambda found: found is None)


def test_of_a_swaps_journal(repository: Repository) -> None:
    text = (
        '{"name": "shop", "new": "shop_new", "kept": "shop_before_20261101", "old_oid": 16384, "new_oid": 24576,'
        f' "was_closed": false, "at": "{AT.isoformat()}", "reason": "перенос"'
    )
    journal_of(repository).write_text(write_record(read_record(text + "}")))
    is_always_what_was_written(
        journal_of(repository), lambda: read_journal(repository), else_=lambda found: found is None
    )


def test_of_the_list_of_the_erased(repository: Repository) -> None:
    """Nobody else is erased."""
    people = [{"customer_id": 7, "reason": "По просьбе", "erased_at": AT.isoformat()}]
    file_of(repository).write_text(write_record({"shop": "users.0001_initial 1793537000.5", "people": people}))
    is_always_what_was_written(
        file_of(repository),
        lambda: kept_erasures(repository=repository, shop="users.0001_initial 1793537000.5"),
        else_=lambda found: found == [],
    )


def test_of_what_was_seen_of_the_wal(repository: Repository) -> None:
    Memory("7", {"000000010000000000000004": "ab" * 32}, [], 0x5000000, 1).save(repository)
    is_always_what_was_written(
        path_of(repository), lambda: remembered(repository, "7"), else_=lambda found: found == Memory("7")
    )


def test_of_the_file_that_tells_everybody_to_wait(settings: Any, tmp_path: Path) -> None:
    """They wait whatever stands in it; what they are told may have another letter."""
    settings.MAINTENANCE_FILE = tmp_path / "maintenance.json"
    begin_maintenance("Магазин восстанавливается ☕", by="swap")
    for _flip in flipped(settings.MAINTENANCE_FILE):
        assert current_maintenance() is not None


@pytest.mark.parametrize("name", [NAME, "state.json"])
def test_a_file_that_is_something_else_hides_no_other(repository: Repository, name: str) -> None:
    stored, other = make_backup(repository), make_backup(repository)
    for content in (b"", b"[]", b"null", b"7", b'"x"', b"\xff\xfe", b"{" * 5000, bytes(100)):
        (stored.folder / name).write_bytes(content)
        assert other.manifest in [one.manifest for one in repository.backups()]
        with suppress(BackupFailed):
            repository.get(stored.id)
