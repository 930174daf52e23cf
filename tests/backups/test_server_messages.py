"""The server's messages: in English on every connection that looks for words, whatever language the server speaks."""

import contextlib
import subprocess
from collections.abc import Iterator

import psycopg2
import pytest
from psycopg2.extras import PhysicalReplicationConnection

from backups.engine import replication, server
from backups.engine.programs import find_programs
from backups.engine.replication import identify
from backups.engine.server import Server
from backups.errors import NoReplication, ServerGone
from tests.backups.cluster import Cluster, wait_until

# No translations are installed here: this is another locale of the same words.
ANOTHER = "C.UTF-8"


@pytest.fixture(autouse=True)
def _speaking_another_language(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(server, "NOT_IN_ENGLISH", set())
    cluster.sql(f"ALTER SYSTEM SET lc_messages = '{ANOTHER}'")
    cluster.sql("SELECT pg_reload_conf()")
    wait_until(lambda: language_unasked(cluster) == ANOTHER)
    yield
    cluster.sql("ALTER SYSTEM RESET lc_messages")
    cluster.sql("SELECT pg_reload_conf()")


def language_unasked(cluster: Cluster) -> str:
    """What the server speaks to whoever asks for nothing."""
    shop = cluster.server
    with contextlib.closing(
        psycopg2.connect(host=shop.host, port=shop.port, user=shop.user, password=shop.password, dbname=shop.database)
    ) as connection:
        return shown(connection)


def shown(connection: psycopg2.extensions.connection) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW lc_messages")
        row = cursor.fetchone()
    assert row is not None
    return str(row[0])


def language(server: Server, factory: type[psycopg2.extensions.connection] | None = None) -> str:
    with server.connected(factory=factory) as connection:
        return shown(connection)


def language_of_tools(server: Server, *, replicates: bool) -> str:
    """What a program of PostgreSQL is told that reads the environment, as pg_receivewal and pg_basebackup do."""
    address = f"{server.address(replicates=replicates)} replication={'true' if replicates else 'false'}"
    command = [find_programs().path("psql"), "-XAt", f"--dbname={address}", "-c", "SHOW lc_messages"]
    ended = subprocess.run(command, env=server.environment(), capture_output=True, text=True, check=True)
    return ended.stdout.strip()


def account(cluster: Cluster, name: str, rights: str = "") -> Server:
    cluster.sql(f"DROP ROLE IF EXISTS {name}")
    cluster.sql(f"CREATE ROLE {name} LOGIN PASSWORD 'correct-horse' {rights}")
    return Server("127.0.0.1", str(cluster.port), name, "correct-horse", "samovar")


def test_the_server_is_asked_for_english(cluster: Cluster) -> None:
    assert language(cluster.server) == "C"
    assert language(cluster.server, PhysicalReplicationConnection) == "C"
    assert cluster.server.environment()["PGOPTIONS"] == "-c lc_messages=C"


@pytest.mark.parametrize("replicates", [False, True])
def test_the_tools_ask_for_english(cluster: Cluster, replicates: bool) -> None:
    assert language_of_tools(cluster.server, replicates=replicates) == "C"
    plain = account(cluster, "plain", "REPLICATION")
    assert language(plain) == language_of_tools(plain, replicates=replicates) == ANOTHER


def test_an_account_that_may_not_ask_for_english_gets_in_all_the_same(cluster: Cluster) -> None:
    plain = account(cluster, "plain", "REPLICATION")
    assert language(plain) == ANOTHER
    assert language(plain, PhysicalReplicationConnection) == ANOTHER
    assert "PGOPTIONS" not in plain.environment()
    assert cluster.server.environment()["PGOPTIONS"]


def test_an_account_that_was_granted_it_asks_for_english(cluster: Cluster) -> None:
    granted = account(cluster, "granted", "REPLICATION")
    cluster.sql("GRANT SET ON PARAMETER lc_messages TO granted")
    assert language(granted) == "C"
    assert language(granted, PhysicalReplicationConnection) == "C"
    cluster.sql("REVOKE SET ON PARAMETER lc_messages FROM granted")


def test_a_wrong_password_is_no_question_of_language(cluster: Cluster) -> None:
    plain = account(cluster, "stranger")
    with pytest.raises(ServerGone, match="password authentication failed"):
        language(Server(plain.host, plain.port, plain.user, "wrong-horse", plain.database))
    assert set() == server.NOT_IN_ENGLISH


@pytest.mark.parametrize("words", [replication.REFUSALS, ()])
def test_who_is_no_standby_is_told_so_in_whatever_words(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setattr(replication, "REFUSALS", words)
    with pytest.raises(NoReplication, match=r"does not let reader copy it"):
        identify(account(cluster, "reader"))
