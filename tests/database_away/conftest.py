"""The shop in this process, with a database on a server of its own that a test may kill."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from django.conf import settings as shop_settings
from django.db import DEFAULT_DB_ALIAS, connections
from pytest_django import DjangoDbBlocker

from backups.engine.server import Server
from foundation.database.waiting import absence
from foundation.programs.program import Program
from project.embedded.postgres import PostgreSQL
from tests.backups.cluster import Cluster, running_cluster


@pytest.fixture(scope="session")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A server with the shop's tables. One for all of these tests."""
    with running_cluster(tmp_path_factory.mktemp("cluster"), make=Lasting) as cluster:
        make_tables(cluster.server)
        yield cluster


class Lasting(PostgreSQL):
    """A quick server that still has what it acknowledged when it was killed, and whose standby shows it."""

    def program(self, port: int) -> Program:
        program = super().program(port)
        program.command.append("--synchronous_commit=remote_apply")
        return program


def make_tables(server: Server) -> None:
    address = f"postgres://{server.user}:{server.password}@{server.host}:{server.port}/{server.database}"
    command = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
    environment = {**os.environ, "DATABASE_URL": address}
    subprocess.run(command, cwd=shop_settings.BASE_DIR, env=environment, check=True)


@pytest.fixture
def away(own_server: Cluster, django_db_blocker: DjangoDbBlocker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """The shop's connections lead there, in all threads; `away.kill()` and `away.start()` are the test's. It runs again
    afterwards."""
    with monkeypatch.context() as patch:
        point_at(own_server.server, patch)
        absence.ends()
        with django_db_blocker.unblock():
            yield own_server
            connections[DEFAULT_DB_ALIAS].close()
        absence.ends()
        # It may have put its hosts in another order.
        connections[DEFAULT_DB_ALIAS].settings_dict = shop_settings.DATABASES[DEFAULT_DB_ALIAS]
    if not own_server.programs[-1].is_running():
        own_server.start()


def point_at(server: Server, patch: pytest.MonkeyPatch) -> None:
    connections[DEFAULT_DB_ALIAS].close()
    config = shop_settings.DATABASES[DEFAULT_DB_ALIAS]
    for name, value in {
        "HOST": server.host,
        "PORT": server.port,
        "USER": server.user,
        "PASSWORD": server.password,
        "NAME": server.database,
        "OPTIONS": {**config["OPTIONS"], **server.options},
    }.items():
        patch.setitem(config, name, value)
    connections[DEFAULT_DB_ALIAS].settings_dict = config
