"""What the tests share: two databases, and a broker that is left alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import DEFAULT_DB_ALIAS, connections
from pytest_django import DjangoDbBlocker, Settings

from backups.engine.server import Server
from backups.services import taking_over
from tests.backups.two_databases import Two, copy, forget


@pytest.fixture(scope="module")
def empty_shop(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Server]:
    """A database with the shop's tables, to be copied: the tests' own one can't be while a test is connected to it."""
    with django_db_blocker.unblock():
        connections[DEFAULT_DB_ALIAS].close()
        server = Server.of_the_shop()
        made = server.of(f"{server.database}_empty")
        forget(made)
        copy(server, server.database, made.database)
        yield made
        forget(made)


@pytest.fixture
def two(db: None, empty_shop: Server, settings: Settings, tmp_path: Path) -> Iterator[Two]:
    """Of their own on the tests' server, so that they may change places."""
    settings.MAINTENANCE_FILE = tmp_path / "maintenance.json"
    settings.RECOVERY_DIR = tmp_path / "recovery"
    made = Two(empty_shop.of(f"{empty_shop.database}_shop"))
    copy(empty_shop, empty_shop.database, made.server.database)
    # The test's own transaction goes on afterwards.
    of_the_test = connections[DEFAULT_DB_ALIAS]
    connections[DEFAULT_DB_ALIAS] = of_the_test.copy()
    try:
        yield made
    finally:
        connections[DEFAULT_DB_ALIAS].close()
        connections[DEFAULT_DB_ALIAS] = of_the_test
        forget(made.server)


@pytest.fixture(autouse=True)
def emptied(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How often the broker's queue was emptied: the broker of this machine is not ours to empty."""
    times: list[str] = []
    monkeypatch.setattr(taking_over, "empty_queue", lambda: times.append("emptied") or 0)
    return times
