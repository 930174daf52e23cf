"""The figures of the database, read from PostgreSQL's own views, and of the disks."""

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction

from backups.engine.server import Server
from monitoring import database_metrics, disk_metrics, registry
from monitoring.database import figures, sizes
from monitoring.disk import disks
from monitoring.selectors import collect_metrics
from tests.backups.cluster import wait_until


@contextmanager
def another_session() -> Iterator[Any]:
    """A connection of somebody else's to the tests' database, in no transaction."""
    server = Server.of_the_shop().of(connection.settings_dict["NAME"])
    with server.connected() as other, other.cursor() as cursor:
        yield cursor


def dict_of(values: Iterable[tuple[Mapping[str, str], float]], label: str) -> dict[str, float]:
    return {labels[label]: value for labels, value in values}


@pytest.fixture
def statements_are_counted(transactional_db: None) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('pg_stat_statements') IS NOT NULL")
        was_there = cursor.fetchone()[0]
        cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        cursor.execute("SELECT pg_stat_statements_reset(0, oid, 0) FROM pg_database WHERE datname = current_database()")
    yield
    if not was_there:
        with connection.cursor() as cursor:
            cursor.execute("DROP EXTENSION pg_stat_statements")


@pytest.mark.django_db
def test_every_metric_of_the_database_can_be_read(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(registry.metrics, "entries", {})
    database_metrics.register()

    readings = collect_metrics()

    values = {(sample.metric.name, *sample.labels.values()): sample.value for sample in readings.samples}
    assert readings.failed == []
    assert values["samovar_database_size_bytes",] > 1_000_000
    assert values["samovar_database_connections_limit",] > 10
    assert values["samovar_database_transactions_total", "committed"] > 0
    assert values["samovar_database_blocks_total", "cache"] > 0
    assert values["samovar_database_lock_waits",] == 0
    assert values["samovar_database_transaction_age",] > 0
    assert len([name for name, *_labels in values if name == "samovar_database_table_bytes"]) == sizes.SHOWN
    assert len(values) == len(readings.samples)


@pytest.mark.django_db(transaction=True)
def test_who_waits_for_a_lock_and_who_holds_a_transaction_open_is_seen():
    with another_session() as holder, another_session() as waiter:
        holder.execute("BEGIN")
        holder.execute("LOCK TABLE monitoring_alert IN ACCESS EXCLUSIVE MODE")
        thread = threading.Thread(target=lambda: waiter.execute("SELECT count(*) FROM monitoring_alert"))
        thread.start()
        try:
            found = wait_until(lambda: (now := figures.waits()).for_locks and now)
            held = figures.locks()
            states = dict_of(database_metrics.connections(), "state")
        finally:
            holder.execute("ROLLBACK")
            thread.join()

    assert found.for_locks == 1
    assert found.longest_transaction > found.longest_for_lock >= 0
    assert held["AccessExclusiveLock"] == 1
    assert states["idle in transaction"] == 1
    assert figures.waits().for_locks == 0


@pytest.mark.django_db(transaction=True)
def test_rolled_back_transactions_are_counted_apart():
    before = database_metrics.server()
    with another_session() as cursor:
        for _time in range(3):
            cursor.execute("BEGIN")
            cursor.execute("SELECT 1")
            cursor.execute("ROLLBACK")
    # The server writes down what a session did when that session ends.
    wait_until(lambda: dict_of(database_metrics.transactions(), "result")["rolled back"] >= before.rolled_back + 3)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("statements_are_counted")
def test_a_slow_statement_is_named_without_the_values_in_it():
    with another_session() as cursor:
        for password in ("swordfish", "open sesame"):
            cursor.execute("SELECT pg_sleep(0.2), %s AS password, 4711 AS pin", [password])
        cursor.execute("CREATE ROLE somebody PASSWORD 'swordfish'")
        cursor.execute("DROP ROLE somebody")

    seconds = dict_of(database_metrics.statement_seconds(), "statement")
    calls = dict_of(database_metrics.statement_calls(), "statement")

    slowest = "SELECT pg_sleep($1), $2 AS password, $3 AS pin"
    assert max(seconds, key=lambda text: seconds[text]) == slowest
    assert seconds[slowest] == pytest.approx(0.4, abs=0.3)
    assert calls[slowest] == 2
    assert len(calls) > 2
    assert [text for text in calls if "swordfish" in text or len(text) > database_metrics.TEXT_LENGTH] == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("statements_are_counted")
def test_without_the_extension_there_are_no_statements_and_all_else_is_read():
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DROP EXTENSION pg_stat_statements")
        assert figures.counted_statements() == []
        assert figures.waits().for_locks == 0
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("statements_are_counted")
def test_an_extension_that_the_server_did_not_load_is_no_error():
    with transaction.atomic(), connection.cursor() as cursor:
        # What the view says then, of a server that was started without it.
        cursor.execute("""
            CREATE FUNCTION not_loaded() RETURNS boolean LANGUAGE plpgsql AS $$
            BEGIN
                RAISE object_not_in_prerequisite_state USING MESSAGE = 'pg_stat_statements must be loaded';
            END $$
            """)
        cursor.execute("""
            CREATE OR REPLACE VIEW pg_stat_statements AS SELECT * FROM pg_stat_statements(true) WHERE not_loaded()
            """)
        assert figures.counted_statements() == []
        assert figures.waits().for_locks == 0
        transaction.set_rollback(True)


@pytest.mark.django_db
def test_an_account_without_rights_reads_all_of_them(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(registry.metrics, "entries", {})
    database_metrics.register()
    with another_session(), connection.cursor() as cursor:
        cursor.execute("CREATE ROLE samovar_figures_reader")
        cursor.execute("SET LOCAL ROLE samovar_figures_reader")

        assert collect_metrics().failed == []
        # Somebody else's.
        assert dict_of(database_metrics.connections(), "state")["unknown"] >= 1


@pytest.mark.django_db
def test_the_disks_are_read_too(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(registry.metrics, "entries", {})
    disk_metrics.register()

    readings = collect_metrics()

    values = {(sample.metric.name, sample.labels["disk"]): sample.value for sample in readings.samples}
    assert readings.failed == []
    assert {name for name, _disk in values} == {"samovar_disk_free_bytes", "samovar_disk_size_bytes"}
    assert ", ".join(disk for name, disk in values if name == "samovar_disk_free_bytes").count("backups") == 1
    for disk in disks():
        assert 0 < values["samovar_disk_free_bytes", disk.name] < values["samovar_disk_size_bytes", disk.name]


@pytest.mark.django_db
def test_what_the_server_keeps_for_a_slot_is_told():
    with another_session() as reader:
        # It goes with its session.
        reader.execute("SELECT pg_create_physical_replication_slot('samovar_figures', true, true)")

        assert dict_of(database_metrics.kept_by_slots(), "slot")["samovar_figures"] >= 0
        assert "samovar_figures" not in dict_of(database_metrics.standby_lags(), "standby")
