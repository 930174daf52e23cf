"""What the tests of backups share: a server of their own, and a folder for its backups."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from backups.engine.repository import Repository
from tests.backups.cluster import Cluster, running_cluster


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One server for the tests of a file."""
    with running_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture
def kept(tmp_path: Path, settings: Settings) -> Repository:
    """The folder that the settings name, empty."""
    settings.BACKUP_DIR = tmp_path / "backups"
    return Repository.of_the_shop()


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """An empty folder for backups, which the settings do not name."""
    made = Repository(tmp_path / "backups")
    made.make()
    return made
