"""From when to when recovery is possible."""

import dataclasses
import datetime
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from backups.engine.repository import Repository, Stored
from backups.engine.spans import Ends, Span, recoverable, recoverable_spans
from backups.engine.wal_memory import Memory
from tests.backups import archive
from tests.backups.archive import replace
from tests.backups.cluster import Cluster


@dataclass
class Shop:
    """Two backups with WAL, written once for the file; `moments` are commits in segments of their own behind them."""

    first: Stored
    second: Stored
    moments: list[datetime.datetime]
    names: list[str]


@pytest.fixture(scope="module")
def original(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Shop]:
    repository = Repository(tmp_path_factory.mktemp("original") / "backups")
    repository.make()
    moments, names = [], []

    def sell() -> None:
        archive.write(cluster, 5)
        moments.append(cluster.value("SELECT max(pg_xact_commit_timestamp(xmin)) FROM teas"))
        names.append(cluster.value("SELECT pg_walfile_name(pg_current_wal_lsn())"))
        cluster.sql("SELECT pg_switch_wal()")

    with archive.receiving(repository, cluster):
        first = archive.base_backup(repository, cluster)
        for _number in range(3):
            sell()
        second = archive.base_backup(repository, cluster)
        for _number in range(2):
            sell()
        archive.write(cluster, 5)
        moments.append(cluster.value("SELECT max(pg_xact_commit_timestamp(xmin)) FROM teas"))
        names.append(cluster.value("SELECT pg_walfile_name(pg_current_wal_lsn())"))
    return repository.root, Shop(first, second, moments, names)


@pytest.fixture
def shop(original: tuple[Path, Shop]) -> Shop:
    return original[1]


@pytest.fixture
def repository(original: tuple[Path, Shop], tmp_path: Path) -> Iterator[Repository]:
    """A copy, to be broken: links, so a file is replaced and not written to."""
    shutil.copytree(original[0], tmp_path / "backups", copy_function=os.link)
    yield Repository(tmp_path / "backups")
    shutil.rmtree(tmp_path / "backups")


def rewrite(repository: Repository, backup: Stored, **values: str) -> None:
    path = repository.root / "physical" / backup.id / "manifest.json"
    replace(path, dataclasses.replace(backup.manifest, **values).to_json().encode())  # type: ignore[arg-type]
    assert len(repository.backups()) == 2


def spans(repository: Repository) -> dict[str, Span]:
    return {span.backup_id: span for span in recoverable_spans(repository)}


def test_recovery_is_possible_from_each_backup_to_the_last_commit_that_was_received(
    repository: Repository, shop: Shop
) -> None:
    found = spans(repository)
    assert list(found) == [shop.first.id, shop.second.id]
    for backup in (shop.first, shop.second):
        span = found[backup.id]
        assert (span.starts_at, span.ends_at) == (backup.manifest.consistent_at, shop.moments[-1])
        assert (span.why, span.last.name, span.timeline) == (Ends.NOTHING_MORE, shop.names[-1], 1)
        assert span.sentence == "No later WAL was received."
    assert recoverable(list(found.values())) == [(shop.first.manifest.consistent_at, shop.moments[-1])]


def test_a_span_holds_its_beginning_and_not_its_end(repository: Repository, shop: Shop) -> None:
    span = spans(repository)[shop.first.id]
    tick = datetime.timedelta(microseconds=1)
    assert [span.holds(one) for one in (span.starts_at - tick, span.starts_at, span.ends_at - tick, span.ends_at)] == [
        False,
        True,
        True,
        False,
    ]


def test_a_missing_segment_ends_the_spans_that_need_it_and_no_other(repository: Repository, shop: Shop) -> None:
    (repository.wal / shop.names[1]).unlink()
    found = spans(repository)
    first, second = found[shop.first.id], found[shop.second.id]
    assert (first.ends_at, first.why) == (shop.moments[0], Ends.MISSING)
    assert first.sentence == f"The WAL segment {shop.names[1]} is missing."
    assert (second.ends_at, second.why) == (shop.moments[-1], Ends.NOTHING_MORE)
    assert recoverable([first, second]) == [
        (shop.first.manifest.consistent_at, shop.moments[0]),
        (shop.second.manifest.consistent_at, shop.moments[-1]),
    ]


def test_a_segment_that_holds_something_else_ends_a_span(repository: Repository, shop: Shop) -> None:
    (repository.wal / shop.names[0]).rename(repository.wal / shop.names[1])
    shutil.copy(repository.wal / shop.names[1], repository.wal / shop.names[0])
    span = spans(repository)[shop.first.id]
    assert (span.ends_at, span.why) == (shop.moments[0], Ends.BROKEN)
    assert span.sentence == f"The WAL segment {shop.names[1]} is damaged."


def test_a_truncated_segment_ends_a_span(repository: Repository, shop: Shop) -> None:
    replace(repository.wal / shop.names[2], (repository.wal / shop.names[2]).read_bytes()[:-1])
    assert spans(repository)[shop.first.id].ends_at == shop.moments[1]


def test_what_the_last_check_found_broken_ends_a_span(repository: Repository, shop: Shop) -> None:
    identifier = shop.first.manifest.system_identifier
    Memory(identifier, broken=[shop.names[3]]).save(repository)
    assert {span.ends_at for span in recoverable_spans(repository)} == {
        max(shop.moments[2], shop.second.manifest.consistent_at or shop.moments[2]),
        shop.moments[2],
    }
    Memory("7", broken=[shop.names[3]]).save(repository)
    assert {span.ends_at for span in recoverable_spans(repository)} == {shop.moments[-1]}


def test_a_backup_brings_the_wal_that_it_needs_itself(repository: Repository, shop: Shop) -> None:
    for path in repository.wal.iterdir():
        path.unlink()
    for backup in (shop.first, shop.second):
        span = spans(repository)[backup.id]
        assert span.starts_at == span.ends_at == backup.manifest.consistent_at
        assert (span.last.name, span.why) == (backup.manifest.stop_wal, Ends.NOTHING_MORE)


def test_without_the_wal_of_its_own_time_there_is_no_recovery(repository: Repository, shop: Shop) -> None:
    for name in (shop.first.manifest.start_wal, shop.first.manifest.stop_wal):
        (repository.wal / name).unlink(missing_ok=True)
        (repository.root / "physical" / shop.first.id / "data" / "pg_wal" / name).unlink(missing_ok=True)
    assert list(spans(repository)) == [shop.second.id]


def test_without_its_base_there_is_no_recovery_from_an_incremental_backup(repository: Repository, shop: Shop) -> None:
    rewrite(repository, shop.second, base_id="gone")
    assert list(spans(repository)) == [shop.first.id]


def test_backups_of_another_cluster_are_not_the_running_servers(
    repository: Repository, shop: Shop, cluster: Cluster
) -> None:
    assert len(recoverable_spans(repository, server=cluster.server)) == 2
    rewrite(repository, shop.second, system_identifier="7")
    assert len(recoverable_spans(repository)) == 1
    assert [span.backup_id for span in recoverable_spans(repository, server=cluster.server)] == [shop.first.id]


def test_with_no_backup_there_is_nothing_to_recover(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "empty")
    repository.make()
    assert recoverable_spans(repository) == []
    assert recoverable([]) == []
