"""What can be recovered to, which backup that begins from, and what is said of what can't be."""

import datetime
import os
import shutil
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from backups.engine import files, landmarks
from backups.engine.choosing import choose_backup
from backups.engine.manifest import NAME, Kind, State
from backups.engine.physical import take_physical
from backups.engine.repository import Repository, Stored, now
from backups.engine.spans import recoverable_spans
from backups.engine.targets import Target
from backups.errors import WrongTarget, WrongVersion
from tests.backups.archive import receiving
from tests.backups.cluster import Cluster
from tests.backups.recovering import clock, left_nothing, numbers, recover, written

pytestmark = pytest.mark.slow

SECOND = datetime.timedelta(seconds=1)
MOMENT = datetime.datetime(2026, 11, 1, 12, 30, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({}, "Name one thing to recover to"),
        ({"time": MOMENT, "xid": 1000}, "Name one thing to recover to"),
        ({"time": MOMENT, "is_latest": True}, "Name one thing to recover to"),
        ({"time": MOMENT.replace(tzinfo=None)}, "Say in which time zone 2026-11-01 12:30:00 is."),
        ({"xid": 2}, "2 is no number of a transaction."),
        ({"xid": -1}, "-1 is no number of a transaction."),
        ({"lsn": "0/3000148; DROP"}, "is no place in the WAL, which looks like 0/3000148."),
        ({"lsn": ""}, "is no place in the WAL"),
        ({"name": ""}, "'' can't be the name of a restore point."),
        ({"name": "a\nb"}, r"'a\\nb' can't be the name of a restore point."),
        ({"name": "ч" * 32}, "can't be the name of a restore point."),
    ],
)
def test_what_is_no_target_is_refused(asked: dict[str, object], sentence: str) -> None:
    with pytest.raises(WrongTarget, match=sentence):
        Target(**asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("target", "words", "settings"),
    [
        (
            Target(time=MOMENT.astimezone(zoneinfo.ZoneInfo("Asia/Vladivostok"))),
            "2026-11-01 12:30:00.000000 UTC",
            {"recovery_target_time": "2026-11-01T12:30:00+00:00", "recovery_target_inclusive": "on"},
        ),
        (
            Target(xid=2**32 + 5, is_inclusive=False),
            "just before transaction 4294967301",
            {"recovery_target_xid": "5", "recovery_target_inclusive": "off"},
        ),
        (
            Target(lsn="0/3000148"),
            "place 0/3000148 of the WAL",
            {"recovery_target_lsn": "0/3000148", "recovery_target_inclusive": "on"},
        ),
        (
            Target(name="вечер's"),
            "restore point вечер's",
            {"recovery_target_name": "вечер's", "recovery_target_inclusive": "on"},
        ),
        (
            Target.as_backed_up(),
            "the backup itself",
            {"recovery_target": "immediate", "recovery_target_inclusive": "on"},
        ),
        (Target.latest(), "the end of the WAL", {}),
    ],
)
def test_a_target_says_what_it_is_to_people_and_to_postgresql(
    target: Target, words: str, settings: dict[str, str]
) -> None:
    assert str(target) == words
    assert target.settings() == ({**settings, "recovery_target_action": "promote"} if settings else {})


@dataclass
class History:
    """What happened on a server, and the archive of it: two backups, five sales, the first of which is deleted at the
    end. `at` and `lsn` are from after the sale of that number."""

    repository: Repository
    cluster: Cluster
    first: Stored
    second: Stored
    at: dict[int, datetime.datetime]
    lsn: dict[int, str]
    deletion: int

    @property
    def end(self) -> datetime.datetime:
        return max(span.ends_at for span in recoverable_spans(self.repository))

    def copy(self, place: Path) -> Repository:
        """The archive once more, to be broken: its files are the same ones, so they are replaced and never changed."""
        shutil.copytree(self.repository.root, place, copy_function=os.link)
        return Repository(place)


@pytest.fixture(scope="module")
def history(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> History:
    repository = Repository(tmp_path_factory.mktemp("history") / "backups")
    repository.make()
    cluster.sql("ALTER SYSTEM SET autovacuum = off")
    cluster.sql("SELECT pg_reload_conf()")
    cluster.sql("CREATE TABLE sales (id int PRIMARY KEY)")
    at, lsn = {}, {}

    def sell(number: int) -> None:
        cluster.sql("INSERT INTO sales VALUES (%s)", number)
        lsn[number] = cluster.value("SELECT pg_current_wal_insert_lsn()::text")
        at[number] = clock(cluster)

    with receiving(repository, cluster):
        sell(1)
        first = take_physical(repository, cluster.server)
        sell(2)
        cluster.sql("SELECT pg_create_restore_point('вечер''s')")
        sell(3)
        cluster.switch_wal()
        cluster.switch_wal()
        second = take_physical(repository, cluster.server, base=first)
        sell(4)
        cluster.switch_wal()
        cluster.switch_wal()
        sell(5)
        deletion = int(cluster.value("DELETE FROM sales WHERE id = 1 RETURNING pg_current_xact_id()::text"))
        written(cluster)
    cluster.sql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")
    return History(repository, cluster, first, second, at, lsn, deletion)


@pytest.fixture
def broken(history: History, tmp_path: Path) -> Repository:
    """A copy of the archive to be broken."""
    return history.copy(tmp_path / "broken")


def recovered(history: History, target: Target, **more: object) -> list[int]:
    with left_nothing(history.cluster), recover(history.repository, history.cluster, target, **more) as beside:
        return numbers(beside.server.ask)


def test_just_before_a_transaction_what_it_deleted_is_there(history: History) -> None:
    assert recovered(history, Target(xid=history.deletion, is_inclusive=False)) == [1, 2, 3, 4, 5]


def test_with_the_transaction_it_is_gone(history: History) -> None:
    assert recovered(history, Target(xid=history.deletion)) == [2, 3, 4, 5]


def test_a_place_in_the_wal(history: History) -> None:
    assert recovered(history, Target(lsn=history.lsn[2], is_inclusive=False)) == [1, 2]


def test_a_restore_point_by_its_name(history: History) -> None:
    assert recovered(history, Target(name="вечер's")) == [1, 2]


def test_a_moment_in_another_time_zone_is_the_same_moment(history: History) -> None:
    moment = history.at[3].astimezone(datetime.timezone(datetime.timedelta(hours=-9, minutes=-30)))
    assert recovered(history, Target(time=moment)) == [1, 2, 3]


def test_all_that_the_wal_holds_and_nothing_but_the_backup(history: History) -> None:
    assert recovered(history, Target.latest()) == [2, 3, 4, 5]
    assert recovered(history, Target.as_backed_up(), backup=history.first) == [1]
    assert recovered(history, Target.as_backed_up(), backup=history.second) == [1, 2, 3]


def test_the_very_last_commit_can_be_recovered_to_without_the_server(history: History) -> None:
    assert recovered(history, Target(time=history.end)) == [2, 3, 4, 5]
    assert recovered(history, Target(time=history.end, is_inclusive=False)) == [1, 2, 3, 4, 5]


def test_the_newest_backup_before_the_target_is_begun_from(history: History) -> None:
    first, second, repository = history.first, history.second, history.repository
    for target, chosen in [
        (Target(time=first.manifest.consistent_at), first),
        (Target(time=history.at[3]), first),
        (Target(time=second.manifest.consistent_at), second),
        (Target(time=history.at[5]), second),
        (Target(lsn=history.lsn[3]), first),
        (Target(lsn=history.lsn[4]), second),
        (Target(name="вечер's"), first),
        (Target(xid=history.deletion), second),
        (Target.latest(), second),
        (Target.as_backed_up(), second),
    ]:
        assert choose_backup(repository, target).id == chosen.id, str(target)


def test_a_damaged_backup_is_begun_from_only_if_there_is_no_other(history: History, broken: Repository) -> None:
    broken.note(broken.get(history.second.id), State(damage=["base/1/2600 is not what it was."]))
    for target in (Target(time=history.at[5]), Target(xid=history.deletion), Target.latest()):
        assert choose_backup(broken, target).id == history.first.id
    broken.note(broken.get(history.first.id), State(damage=["base/1/2600 is not what it was."]))
    assert choose_backup(broken, Target(time=history.at[5])).id == history.second.id


def test_a_backup_of_another_version_hides_no_other(history: History, broken: Repository) -> None:
    for stored, others in ((history.second, [history.first]), (history.first, [])):
        older = replace(stored.manifest, server_version=170_004)
        files.write_whole(broken.root / "physical" / stored.id / NAME, older.to_json())
        for target in (Target(time=history.at[3]), Target(xid=history.deletion), Target.latest()):
            if others:
                assert choose_backup(broken, target).id == others[0].id
            else:
                with pytest.raises(
                    WrongVersion, match=r"The WAL is of PostgreSQL 17, and pg_waldump in .+ of 18 only:"
                ):
                    choose_backup(broken, target)


def says(repository: Repository, target: Target) -> str:
    with pytest.raises(WrongTarget) as refused:
        choose_backup(repository, target)
    return str(refused.value)


def test_what_can_not_be_recovered_to_says_what_can(history: History) -> None:
    repository, first = history.repository, history.first.manifest
    assert first.consistent_at is not None
    begin = f"{first.consistent_at:%Y-%m-%d %H:%M:%S.%f} UTC"
    end = f"{history.end:%Y-%m-%d %H:%M:%S.%f} UTC"
    early, late = Target(time=first.consistent_at - SECOND), Target(time=history.end + SECOND / 1000)
    assert says(repository, early) == f"{early} is before the first backup: recovery is possible from {begin} on."
    assert says(repository, late) == (
        f"{late} can't be recovered to: the WAL reaches to {end}. No later WAL was received."
    )
    future = Target(time=now() + SECOND * 60)
    assert says(repository, future) == f"{future} lies in the future."
    assert says(repository, Target(lsn="0/1000")) == (
        "This is before the end of the first backup: place 0/1000 of the WAL."
    )
    assert says(repository, Target(lsn="FF/0")) == (
        "The WAL that was received does not reach to this: place FF/0 of the WAL."
    )
    for unknown in (Target(xid=4_000_000), Target(name="утро")):
        assert says(repository, unknown) == (
            f"The WAL that was received does not have this: {unknown}. It may have been written before the first "
            f"backup, or not be received yet."
        )


def test_without_a_physical_backup_there_is_no_moment(repository: Repository, history: History) -> None:
    assert says(repository, Target(time=MOMENT)) == (
        "There is no physical backup, so there is no moment to recover to. Make one first."
    )
    logical_id, partial = repository.begin(Kind.LOGICAL)
    repository.finish(partial, replace(history.first.manifest, id=logical_id, kind=Kind.LOGICAL))
    assert "There is no physical backup" in says(repository, Target.latest())


def test_a_missing_segment_bounds_what_can_be_recovered_to(history: History, broken: Repository) -> None:
    second = broken.get(history.second.id).manifest
    gone = sorted(path.name for path in broken.wal.iterdir() if path.name > second.stop_wal)[0]
    (broken.wal / gone).unlink()
    sentence = says(broken, Target(time=history.at[5]))
    assert "can't be recovered to: the WAL reaches to " in sentence
    assert sentence.endswith(f" The WAL segment {gone} is missing.")
    assert says(broken, Target(xid=history.deletion)) == (
        f"transaction {history.deletion} was not found: WAL segment {gone} is missing or damaged, and what is behind "
        f"it is lost."
    )
    assert choose_backup(broken, Target(time=history.at[3])).id == history.first.id


def test_an_incremental_backup_without_its_base_is_not_begun_from(history: History, broken: Repository) -> None:
    shutil.rmtree(broken.root / "physical" / history.first.id)
    assert says(broken, Target(time=history.at[5])).startswith("None of the physical backups can be recovered")


def test_wal_that_was_set_aside_with_its_server_still_belongs_to_its_backups(
    history: History, broken: Repository
) -> None:
    broken.wal.rename(broken.root / f"wal-{history.first.manifest.system_identifier}")
    broken.make()
    with recover(broken, history.cluster, Target(time=history.at[2])) as beside:
        assert numbers(beside.server.ask) == [1, 2]


def test_while_the_server_runs_a_moment_at_which_nothing_happened_can_be_recovered_to(
    repository: Repository, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = history.cluster
    with receiving(repository, cluster):
        take_physical(repository, cluster.server)
        cluster.sql("INSERT INTO sales VALUES (6)")
        moment = clock(cluster)
        with pytest.raises(WrongTarget, match=r"No later WAL was received\.$"):
            recover(repository, cluster, Target(time=moment))
        with recover(repository, cluster, Target(time=moment), server=cluster.server) as beside:
            assert numbers(beside.server.ask) == [2, 3, 4, 5, 6]
        assert cluster.value("SELECT count(*) FROM sales") == 5
    # Nobody receives any more.
    cluster.sql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")
    monkeypatch.setattr(landmarks, "PATIENCE", 0.0)
    with left_nothing(cluster), pytest.raises(WrongTarget, match="can't be recovered to: the WAL reaches to"):
        recover(repository, cluster, Target(time=clock(cluster)), server=cluster.server)


@pytest.fixture(autouse=True)
def nothing_is_left(cluster: Cluster) -> Iterator[None]:
    with left_nothing(cluster):
        yield
