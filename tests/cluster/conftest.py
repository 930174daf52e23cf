"""What the tests of the cluster share: three running nodes, and a folder for their backups."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from backups.engine.repository import Repository
from tests.cluster.nodes import Nodes, running_nodes


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    """One cluster for all tests of this folder."""
    with running_nodes(tmp_path_factory.mktemp("nodes")) as nodes:
        yield nodes


@pytest.fixture
def nodes(running: Nodes) -> Nodes:
    """The cluster, whole again, whatever the test before did to it."""
    for node in running.all:
        running.start_node(node)
    running.wait_until_whole()
    return running


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """An empty folder for backups, which the settings do not name."""
    made = Repository(tmp_path / "backups")
    made.make()
    return made
