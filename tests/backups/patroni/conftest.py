"""What the tests of the cluster's page share."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backups.cluster.patroni import Patroni
from backups.engine.repository import Repository
from tests.backups.patroni.server import PASSWORD, USER, Nodes, running_nodes


@pytest.fixture
def nodes() -> Iterator[Nodes]:
    """node2 leads, node1 is synchronous, node3 is not."""
    with running_nodes() as running:
        yield running


@pytest.fixture
def patroni(nodes: Nodes) -> Patroni:
    return Patroni(nodes.urls, user=USER, password=PASSWORD)


@pytest.fixture
def kept(tmp_path: Path, settings: Any) -> Repository:
    """The shop's folder of backups."""
    settings.BACKUP_DIR = tmp_path / "backups"
    return Repository.of_the_shop()


@pytest.fixture
def of_the_shop(nodes: Nodes, kept: Repository, settings: Any) -> Nodes:
    """The shop's cluster."""
    settings.PATRONI_URLS, settings.PATRONI_USER, settings.PATRONI_PASSWORD = nodes.urls, USER, PASSWORD
    return nodes
