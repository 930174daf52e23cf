"""Which errors say that the database went away, and how long it is waited for."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg2
import pytest
from django.db import Error, connection, connections, transaction
from pytest_django import Settings

from foundation.database import waiting
from foundation.database.lost import is_lost, reason_of, tell_in_a_line
from foundation.database.waiting import absence, wait_for_database


@pytest.fixture
def other(db: None) -> Iterator[psycopg2.extensions.connection]:
    """A connection beside the test's own."""
    parameters = connection.get_connection_params()
    made = psycopg2.connect(**{name: value for name, value in parameters.items() if name != "cursor_factory"})
    made.autocommit = True
    yield made
    made.close()


def error_of(work: Callable[[], Any]) -> BaseException:
    with pytest.raises((psycopg2.Error, Error)) as caught:
        work()
    return caught.value


def run(on: Any, statement: str) -> None:
    with on.cursor() as cursor:
        cursor.execute(statement)


def send_away(other: psycopg2.extensions.connection) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [other.info.backend_pid])
        assert cursor.fetchone() == (True,)


def test_a_connection_that_the_server_ended_is_lost_and_stays_so(other: Any) -> None:
    send_away(other)
    first, second = (error_of(lambda: run(other, "SELECT 1")) for _ in range(2))
    assert (first.pgcode, is_lost(first)) in {("57P01", True), (None, True)}
    assert (str(second), is_lost(second)) == ("connection already closed", True)


def test_a_server_that_is_not_there_is_lost(other: Any) -> None:
    error = error_of(lambda: psycopg2.connect(host="127.0.0.1", port=1, user="nobody"))
    assert is_lost(error)
    assert "Connection refused" in reason_of(error)
    assert "\n" not in reason_of(error)


def test_a_transaction_that_may_only_read_is_one_of_a_server_that_leads_no_longer(other: Any) -> None:
    run(other, "SET default_transaction_read_only TO on")
    error = error_of(lambda: run(other, "CREATE TABLE nothing ()"))
    assert (error.pgcode, is_lost(error)) == ("25006", True)


@pytest.mark.parametrize("code", ["57P01", "57P02", "57P03", "57P05", "25P03", "25006", "08000", "08006", "08P01"])
def test_what_says_so_is_lost(other: Any, code: str) -> None:
    error = error_of(lambda: run(other, f"DO $$ BEGIN RAISE EXCEPTION 'gone' USING ERRCODE = '{code}'; END $$"))
    assert (error.pgcode, is_lost(error)) == (code, True)


@pytest.mark.parametrize("code", ["57014", "53100", "53200", "40001", "40P01", "55P03", "23505", "22012", "42703"])
def test_other_errors_of_the_server_are_not(other: Any, code: str) -> None:
    error = error_of(lambda: run(other, f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END $$"))
    assert (error.pgcode, is_lost(error)) == (code, False)


@pytest.mark.django_db
def test_djangos_errors_are_known_by_their_cause() -> None:
    def fail() -> None:
        with transaction.atomic():
            run(connection, "DO $$ BEGIN RAISE EXCEPTION 'gone' USING ERRCODE = '57P03'; END $$")

    error = error_of(fail)
    assert isinstance(error, Error)
    assert is_lost(error)
    assert reason_of(error).startswith("gone")
    assert is_lost(caused_by(error))


def caused_by(error: BaseException) -> BaseException:
    try:
        raise RuntimeError("nothing could be counted") from error
    except RuntimeError as caught:
        return caught


@pytest.mark.parametrize("error", [None, ValueError("closed"), Error("closed"), psycopg2.InterfaceError("wrong type")])
def test_what_has_nothing_to_do_with_it_is_not_lost(error: BaseException | None) -> None:
    assert not is_lost(error)


# --- log lines ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("as_what", [lambda error: error, lambda error: (type(error), error, error.__traceback__)])
def test_its_line_of_the_log_has_a_reason_and_no_traceback(other: Any, as_what: Callable[[Any], Any]) -> None:
    lost = error_of(lambda: psycopg2.connect(host="127.0.0.1", port=1, user="nobody"))
    line = tell_in_a_line(None, "error", {"event": "request_failed", "level": "error", "exc_info": as_what(lost)})
    assert line == {"event": "request_failed", "level": "warning", "reason": reason_of(lost)}


def test_the_line_of_another_error_is_as_it_was() -> None:
    line = {"event": "request_failed", "level": "error", "exc_info": ValueError("no")}
    assert tell_in_a_line(None, "error", {**line}) == line
    assert tell_in_a_line(None, "info", {"event": "fine"}) == {"event": "fine"}
    assert tell_in_a_line(None, "error", {"event": "x", "exc_info": True}) == {"event": "x", "exc_info": True}


# --- waiting -----------------------------------------------------------------------------------------------


class Clock:
    """Time passes only while somebody pauses."""

    def __init__(self) -> None:
        self.now, self.pauses = 1_000.0, 0

    def monotonic(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.now += seconds
        self.pauses += 1


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[Clock]:
    clock = Clock()
    monkeypatch.setattr(waiting, "time", clock)
    monkeypatch.setattr(waiting, "pause", clock.pause)
    settings.DATABASE_PATIENCE = 5
    absence.ends()
    yield clock
    absence.ends()


@pytest.fixture
def nobody_there(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The shop's connection leads nowhere; the test's own is put back."""
    of_the_test = connections["default"]
    made = of_the_test.copy()
    made.settings_dict = {**of_the_test.settings_dict, "HOST": "127.0.0.1", "PORT": "1"}
    connections["default"] = made
    yield
    connections["default"] = of_the_test


def test_it_is_waited_for_as_long_as_the_settings_say(clock: Clock, nobody_there: None) -> None:
    assert wait_for_database() is False
    assert (clock.pauses, round(clock.now - 1_000, 1)) == (24, 4.8)


def test_who_comes_after_that_time_does_not_wait(clock: Clock, nobody_there: None) -> None:
    wait_for_database()
    clock.now += 60
    before = clock.pauses
    assert wait_for_database() is False
    assert clock.pauses == before


def test_who_comes_in_the_middle_waits_for_the_rest(clock: Clock, nobody_there: None) -> None:
    assert wait_for_database(until=clock.now + 2) is False
    assert round(clock.now - 1_000, 1) == 1.8
    assert wait_for_database() is False
    assert round(clock.now - 1_000, 1) == 4.8


@pytest.mark.django_db(transaction=True)
def test_when_it_answers_the_time_begins_anew(clock: Clock) -> None:
    absence.begins()
    assert wait_for_database() is True
    assert (clock.pauses, absence.is_on) == (0, False)
