"""What the page about the database finds in a real one, and that no part of it holds up another."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape

from monitoring.connecting import fresh_connection
from monitoring.database import activity, look, sizes
from monitoring.database.activity import waits
from monitoring.database.look import look_at_database
from monitoring.database.reading import read
from monitoring.database.sizes import largest_tables, unused_indexes
from tests.backups.cluster import wait_until
from tests.monitoring.apart import run_apart

pytestmark = pytest.mark.django_db
PAGE = "/admin/monitoring/alert/database/"


@pytest.fixture
def table() -> Iterator[str]:
    """A table of a thousand rows, with an index that nobody uses and one that keeps a rule."""
    # The server is not to tidy it up or to look through it while the test looks.
    run_apart(
        "CREATE TABLE of_a_test (id int PRIMARY KEY, name text NOT NULL, code text UNIQUE) "
        "WITH (autovacuum_enabled = off)"
    )
    run_apart("CREATE INDEX of_nobody ON of_a_test (name)")
    run_apart("INSERT INTO of_a_test SELECT n, repeat('x', 100), n::text FROM generate_series(1, 10000) AS n")
    yield "of_a_test"
    run_apart("DROP TABLE of_a_test")


@contextmanager
def held_up() -> Iterator[None]:
    """One connection changes a row and does not commit, a second one waits for it."""
    first = connections.create_connection(DEFAULT_DB_ALIAS)
    first.set_autocommit(False)
    with first.cursor() as cursor:
        cursor.execute("UPDATE of_a_test SET name = 'Мария Секретова' WHERE id = 1")

    def wait() -> None:
        # Connections of Django belong to the thread that made them.
        second = connections.create_connection(DEFAULT_DB_ALIAS)
        with second.cursor() as cursor:
            cursor.execute("UPDATE of_a_test SET name = '+7 916 123-45-67' WHERE id = 1")
        second.close()

    thread = threading.Thread(target=wait)
    thread.start()
    try:
        yield
    finally:
        first.rollback()
        thread.join(timeout=30)
        first.close()


def test_who_holds_up_whom_is_shown_without_what_they_wrote(table: str, admin_client: Client) -> None:
    with held_up(), fresh_connection() as own:
        # The server may say that somebody waits a moment before it says for what.
        (found,) = wait_until(lambda: [one for one in waits(own) if one.statement])
        page = admin_client.get(PAGE).content.decode()

    assert (found.statement, found.blocker_statement, found.blocker_state) == (
        "UPDATE of_a_test SET name = ? WHERE id = ?",
        "UPDATE of_a_test SET name = ? WHERE id = ?",
        "idle in transaction",
    )
    assert found.pid != found.blocker
    assert f"{found.blocker}," in page
    assert "Секретова" not in page
    assert "123-45-67" not in page


def test_a_transaction_that_is_open_for_long_is_named(table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activity, "LONG", 0)

    with held_up(), fresh_connection() as own:
        found = wait_until(lambda: activity.long_transactions(own))

    assert "idle in transaction" in {one.state for one in found}
    assert "Секретова" not in str(found)


def test_tables_and_their_bloat(table: str) -> None:
    run_apart("ANALYZE of_a_test")
    before = the_table()
    run_apart("DELETE FROM of_a_test WHERE id > 1000")
    run_apart("ANALYZE of_a_test")
    after = the_table()

    assert before.total == before.table + before.indexes
    assert before.bloat_share is not None
    assert before.bloat_share < 0.1
    # Nine tenths of the rows are gone, and their room is still there.
    assert after.table == before.table
    assert after.bloat_share is not None
    assert 0.8 < after.bloat_share < 0.95


def test_a_table_that_nobody_analysed_has_no_bloat_that_could_be_told(table: str) -> None:
    assert the_table().bloat is None


def the_table() -> Any:
    with fresh_connection() as own:
        return next(one for one in largest_tables(own) if one.name == "of_a_test")


def test_an_index_that_keeps_a_rule_is_never_called_unused(table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizes, "SHOWN", 10_000)
    with fresh_connection() as own:
        names = {index.name for index in unused_indexes(own) if index.table == "of_a_test"}

    assert names == {"of_nobody"}


def test_the_server_gives_up_on_a_long_question_and_only_on_this_one() -> None:
    with fresh_connection() as own:
        with pytest.raises(OperationalError):
            read(own, "SELECT pg_sleep(60)", seconds=0.05)

        assert read(own, "SELECT current_setting('statement_timeout') AS limit", seconds=7) == [{"limit": "7s"}]
        with own.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            assert cursor.fetchone() == ("0",)


def test_a_part_that_takes_too_long_hides_no_other(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look, "largest_tables", lambda own: read(own, "SELECT pg_sleep(60)", seconds=0.05))

    found = look_at_database()
    page = admin_client.get(PAGE).content.decode()

    assert found.tables.problem == "It took too long and was given up. Look again when less is going on."
    assert found.tables.problem in page
    assert found.server.found is not None
    assert found.server.found.version in page
    assert found.unused.found is not None


def test_statements_are_shown_where_they_are_counted_and_else_how_to_count_them(admin_client: Client) -> None:
    without = admin_client.get(PAGE).content.decode()
    run_apart("CREATE EXTENSION pg_stat_statements")
    try:
        part = look_at_database().statements
        page = admin_client.get(f"{PAGE}?by=total").content.decode()
    finally:
        run_apart("DROP EXTENSION pg_stat_statements")

    assert "CREATE EXTENSION pg_stat_statements" in without
    with connection.cursor() as cursor:
        cursor.execute("SHOW shared_preload_libraries")
        is_loaded = "pg_stat_statements" in cursor.fetchone()[0]
    if is_loaded:
        assert part.found
        # Which one is the slowest may change from one look to the next.
        assert sum(escape(one.text) in page for one in part.found) >= len(part.found) // 2 > 0
        assert 0 < part.found[0].share <= 1
    else:
        assert "restart PostgreSQL" in part.problem
        assert part.problem in page


def test_an_order_that_is_none_is_the_usual_one(admin_client: Client) -> None:
    page = admin_client.get(f"{PAGE}?by=total;DROP TABLE users_user")

    assert page.context["order"] == "total"


def test_the_page_asks_little(admin_client: Client) -> None:
    admin_client.get(PAGE)
    with CaptureQueriesContext(connection) as queries:
        assert admin_client.get(PAGE).status_code == 200

    # Who asks, and what the menu shows; the page's own questions go over a connection of their own.
    assert len(queries) <= 10
