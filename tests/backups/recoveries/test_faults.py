"""What goes wrong while a database is recovered ends in a sentence, leaves nothing behind, and the running server as it
was."""

import multiprocessing
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import django
import pytest

from backups.engine import assembling, files, recovery
from backups.engine.beside_account import superuser_of
from backups.engine.manifest import NAME
from backups.engine.programs import Programs
from backups.engine.recovery import (
    STAGE_COPYING,
    STAGE_REPLAYING,
    discard_leftover_recoveries,
    discard_recovery,
    recover_beside,
)
from backups.engine.repository import Repository, Stored
from backups.engine.targets import Target
from backups.errors import (
    BackupFailed,
    Busy,
    Damaged,
    DiskIsFull,
    Interrupted,
    NoPrograms,
    NotWritable,
    WrongTarget,
    WrongVersion,
)
from tests.backups.cluster import Cluster, wait_until
from tests.backups.recovering import folder_of, numbers, programs_of, recover, server_of

pytestmark = pytest.mark.slow

Change = Callable[[Path], None]


def newest(repository: Repository) -> Stored:
    return repository.backups()[-1]


def segments(repository: Repository) -> list[Path]:
    """The complete ones behind the backup."""
    stop = newest(repository).manifest.stop_wal
    return sorted(path for path in repository.wal.iterdir() if path.name > stop and path.suffix != ".partial")


def change(path: Path, *, at: int, bits: int) -> None:
    """Writes the file anew with one byte changed."""
    content = bytearray(path.read_bytes())
    content[at] ^= bits
    path.unlink()
    path.write_bytes(content)


def replaying(act: Callable[[], None]) -> Callable[[str, float | None], None]:
    """Does something once, as soon as the first segment was handed over."""
    done: list[bool] = []

    def progress(stage: str, share: float | None) -> None:
        if stage == STAGE_REPLAYING and share and not done:
            done.append(True)
            act()

    return progress


# --- killed, stopped ------------------------------------------------------------------------------------


def test_the_recovering_server_is_killed(archive: Repository, cluster: Cluster) -> None:
    kill = replaying(lambda: server_of(folder_of(cluster)).kill())
    with pytest.raises(Interrupted, match=r"^The recovered server was killed\.$"):
        recover(archive, cluster, Target.latest(), progress=kill)


def test_the_process_that_replays_is_killed(archive: Repository, cluster: Cluster) -> None:
    def kill() -> None:
        for child in server_of(folder_of(cluster)).children():
            if "startup" in " ".join(child.cmdline()):
                child.kill()

    with pytest.raises(Interrupted, match=r"^The recovered server was killed\.$"):
        recover(archive, cluster, Target.latest(), progress=replaying(kill))


@pytest.mark.parametrize("stage", [STAGE_COPYING, STAGE_REPLAYING])
def test_somebody_stops_it(archive: Repository, cluster: Cluster, stage: str) -> None:
    stages: list[str] = []
    with pytest.raises(Interrupted, match=r"^It was stopped\.$"):
        recover(
            archive,
            cluster,
            Target.latest(),
            progress=lambda now_at, share: stages.append(now_at),
            is_stopped=lambda: stage in stages,
        )
    assert stages[-1] == stage


def recover_and_wait(
    root: Path, folder: Path, programs: Programs, user: str, ready: "multiprocessing.synchronize.Event"
) -> None:
    django.setup()
    with recover_beside(Repository(root), Target.latest(), folder=folder, programs=programs, user=user):
        ready.set()
        multiprocessing.Event().wait()


def test_who_recovers_is_killed_and_the_rest_is_found_and_removed(archive: Repository, cluster: Cluster) -> None:
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    arguments = (archive.root, folder_of(cluster), programs_of(cluster), cluster.server.user, ready)
    other = context.Process(target=recover_and_wait, args=arguments, daemon=True)
    other.start()
    assert ready.wait(60)
    (home,) = folder_of(cluster).iterdir()
    server = server_of(folder_of(cluster))
    assert discard_leftover_recoveries(folder_of(cluster)) == []
    with pytest.raises(Busy, match=f"^The recovery {home.name} is under way"):
        discard_recovery(folder_of(cluster), home.name)
    assert server.is_running()

    other.kill()
    other.join()
    assert discard_leftover_recoveries(folder_of(cluster)) == [home.name]
    wait_until(lambda: not server.is_running())


# --- damage ---------------------------------------------------------------------------------------------


def test_a_flipped_bit_in_the_wal_bounds_recovery_and_is_named(archive: Repository, cluster: Cluster) -> None:
    broken = segments(archive)[2]
    change(broken, at=50_000, bits=4)
    with pytest.raises(
        WrongTarget, match=rf"WAL segment {broken.name} is missing or damaged\. The WAL before it reach"
    ):
        recover(archive, cluster, Target(lsn=_end_of_last(archive)))
    with recover(archive, cluster, Target.latest()) as beside:
        assert numbers(beside.server.ask) == [1, 2, 3][: len(numbers(beside.server.ask))]
        assert 4 not in numbers(beside.server.ask)
        (warning,) = beside.recovered.warnings
        assert warning.startswith(f"the end of the WAL can't be recovered to: WAL segment {broken.name} is missing")


def _end_of_last(repository: Repository) -> str:
    last = segments(repository)[-1].name
    return f"{int(last[8:16], 16):X}/{int(last[16:], 16):02X}000100"


@pytest.mark.parametrize("harm", ["missing", "truncated", "empty", "zeroed", "swapped"])
def test_a_harmed_segment_ends_in_a_sentence_that_names_it(archive: Repository, cluster: Cluster, harm: str) -> None:
    path, other = segments(archive)[1:3]
    content = path.read_bytes()
    path.unlink()
    if harm == "truncated":
        path.write_bytes(content[:1_000_000])
    elif harm == "empty":
        path.write_bytes(b"")
    elif harm == "zeroed":
        path.write_bytes(bytes(len(content)))
    elif harm == "swapped":
        path.write_bytes(other.read_bytes())
    with pytest.raises(WrongTarget, match=path.name):
        recover(archive, cluster, Target(lsn=_end_of_last(archive)))


@pytest.mark.parametrize(
    ("file", "harm", "sentence"),
    [
        ("global/pg_control", lambda path: change(path, at=40, bits=1), "damaged"),
        ("global/pg_control", Path.unlink, "damaged"),
        ("backup_label", lambda path: path.write_bytes(b"no label"), "damaged"),
        ("PG_VERSION", lambda path: path.write_text("15\n"), "The versions do not go together"),
    ],
)
def test_a_harmed_backup_does_not_become_a_server(
    archive: Repository, cluster: Cluster, file: str, harm: Change, sentence: str
) -> None:
    path = newest(archive).data / file
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)
    harm(path)
    with pytest.raises(BackupFailed, match=sentence) as failed:
        recover(archive, cluster, Target.latest())
    assert isinstance(failed.value, (Damaged, WrongVersion))


def test_a_backup_of_another_version_names_both(archive: Repository, cluster: Cluster) -> None:
    stored = newest(archive)
    older = replace(stored.manifest, server_version=170_004)
    (stored.folder / NAME).unlink()
    files.write_whole(stored.folder / NAME, older.to_json())
    with pytest.raises(WrongVersion, match=r"is of PostgreSQL 17.+18"):
        recover(archive, cluster, Target.as_backed_up(), backup=newest(archive))


# --- room and rights ------------------------------------------------------------------------------------


@contextmanager
def small_disk(cluster: Cluster, megabytes: int) -> Iterator[Path]:
    """A disk of its own, in the place where recoveries are made."""
    folder = cluster.home / "small"
    folder.mkdir()
    shutil.chown(folder, cluster.home.owner(), cluster.home.group())
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0777", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)
        folder.rmdir()


@pytest.mark.as_root
def test_a_disk_without_room_is_refused_before_anything_is_copied(archive: Repository, cluster: Cluster) -> None:
    with small_disk(cluster, 20) as folder:
        with pytest.raises(DiskIsFull, match=rf"^The disk that holds {folder}.* has \d+ MB left and \d+ MB are needed"):
            recover_beside(archive, Target.latest(), folder=folder, programs=programs_of(cluster))
        assert list(folder.iterdir()) == []


@pytest.mark.as_root
@pytest.mark.parametrize("spare", [-20, 30])
def test_a_disk_that_becomes_full_leaves_nothing_behind(
    archive: Repository, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, spare: int
) -> None:
    """While the files are copied, or while the WAL is replayed."""
    monkeypatch.setattr(recovery, "SPARE_MB", -1000)
    monkeypatch.setattr(assembling, "SPARE_MB", -1000)
    size = files.size_of(newest(archive).data) // files.MEGABYTE
    with small_disk(cluster, size + spare) as folder:
        with pytest.raises(DiskIsFull, match=rf"^The disk that holds {folder}.* is full\."):
            recover_beside(archive, Target.latest(), folder=folder, programs=programs_of(cluster))
        assert list(folder.iterdir()) == []


@pytest.mark.as_root
def test_a_folder_that_the_account_can_not_get_to_is_named(
    archive: Repository, cluster: Cluster, tmp_path: Path
) -> None:
    tmp_path.chmod(0o700)
    with pytest.raises(NotWritable, match=rf"^{tmp_path / 'recovery'} can't be written to \(the account nobody has no"):
        recover_beside(archive, Target.latest(), folder=tmp_path / "recovery", programs=programs_of(cluster))
    assert list((tmp_path / "recovery").iterdir()) == []


def test_a_file_in_the_place_of_the_folder_says_so(archive: Repository, cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "recovery").write_text("")
    with pytest.raises(NotWritable, match="recovery can't be written to"):
        recover_beside(archive, Target.latest(), folder=tmp_path / "recovery", programs=programs_of(cluster))


@pytest.mark.as_root
def test_programs_that_the_account_can_not_run_are_named(archive: Repository, cluster: Cluster, tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    shutil.copytree(programs_of(cluster).folder, tmp_path / "bin")
    with pytest.raises(NoPrograms, match=rf"^The account nobody can't run the programs in {tmp_path / 'bin'}"):
        recover_beside(archive, Target.latest(), folder=folder_of(cluster), programs=Programs(tmp_path / "bin", 18))


@pytest.mark.as_root
def test_root_without_an_account_for_the_server_is_told_so(
    archive: Repository, cluster: Cluster, settings: object
) -> None:
    settings.PG_ACCOUNT = "root"  # type: ignore[attr-defined]
    with pytest.raises(BackupFailed, match=r"^PostgreSQL does not run as root, and there is no other account root:"):
        recover(archive, cluster, Target.latest())


def test_a_server_that_lets_nobody_in_says_so(archive: Repository, cluster: Cluster) -> None:
    with recover(archive, cluster, Target.as_backed_up()) as beside:
        with pytest.raises(
            BackupFailed, match=r'lets in none of the accounts nemo, Немо: .+role "Немо" does not exist'
        ):
            superuser_of(beside.server, names=["", "nemo", "Немо"])
        assert superuser_of(beside.server, names=["nemo", cluster.server.user]) == cluster.server.user
