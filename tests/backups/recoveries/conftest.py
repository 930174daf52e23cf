"""A backup with WAL behind it, for recoveries that go wrong."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from backups.engine.physical import take_physical
from backups.engine.repository import Repository
from tests.backups.archive import receiving
from tests.backups.cluster import Cluster
from tests.backups.recovering import left_nothing, written


@pytest.fixture(scope="module")
def whole(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A backup, and four segments of WAL behind it with a sale in each."""
    repository = Repository(tmp_path_factory.mktemp("whole") / "backups")
    repository.make()
    cluster.sql("ALTER SYSTEM SET autovacuum = off")
    cluster.sql("SELECT pg_reload_conf()")
    cluster.sql("CREATE TABLE sales (id int PRIMARY KEY, what text)")
    with receiving(repository, cluster):
        take_physical(repository, cluster.server)
        for number in range(1, 5):
            # Large enough for a flipped bit to hit a record.
            cluster.sql(
                "INSERT INTO sales SELECT %s, string_agg(md5(g::text), '') FROM generate_series(1, 9000) g", number
            )
            cluster.switch_wal()
        written(cluster)
    cluster.sql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")
    return repository


@pytest.fixture
def archive(whole: Repository, tmp_path: Path) -> Repository:
    """A copy of it, to be broken: its files are the same ones, so they are replaced and never changed."""
    shutil.copytree(whole.root, tmp_path / "backups", copy_function=os.link)
    return Repository(tmp_path / "backups")


@pytest.fixture(autouse=True)
def nothing_is_left(cluster: Cluster) -> Iterator[None]:
    with left_nothing(cluster):
        yield
