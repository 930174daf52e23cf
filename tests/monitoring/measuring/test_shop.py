"""The registered figures: read rarely, one by one, and without the database where it is away."""

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from foundation.counting_folder import why_not
from monitoring.measuring import shop
from monitoring.measuring.page import metrics_text
from monitoring.measuring.shared import asked_once, one_reading
from monitoring.measuring.shop import FileKeeper, Keeper, Reading, readings_of_the_shop
from monitoring.registry import Metric, register_metric
from tests.monitoring.measuring.told import value, values

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_other_metrics")]


class Figure:
    """A metric that counts how often it is read."""

    def __init__(self, name: str, **more: Any) -> None:
        self.times = 0
        register_metric(Metric(name, "h", (), self.collect, **more))

    def collect(self) -> Iterable[Any]:
        self.times += 1
        return [({}, self.times)]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The seconds since 1970 are the test's."""

    class Clock:
        now = 1_000_000.0

    monkeypatch.setattr(shop.time, "time", lambda: Clock.now)
    return Clock


def ask(statement: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def test_a_figure_is_read_again_only_when_it_is_old(clock: Any) -> None:
    quick, slow = Figure("quick"), Figure("slow", fresh_for=300)
    readings_of_the_shop()
    clock.now += 9.9
    readings_of_the_shop()
    assert (quick.times, slow.times) == (1, 1)

    clock.now += 0.1
    assert value(metrics_text(), "quick") == 2
    clock.now += 289.9
    readings_of_the_shop()
    assert (quick.times, slow.times) == (3, 1)

    # A clock that was put back makes nothing fresh.
    clock.now -= 100_000
    readings_of_the_shop()
    assert (quick.times, slow.times) == (4, 2)


def test_one_that_fails_is_named_and_the_rest_is_told(client: Client) -> None:
    register_metric(Metric("a_broken", "h", (), lambda: ask("SELECT nonsense")))
    register_metric(Metric("b_labels", "h", ("status",), lambda: [({"other": "x"}, 1)]))
    register_metric(Metric("c_fine", "h", ("status", "kind"), lambda: [({"kind": 'a"b\n', "status": "x"}, 2.5)]))
    register_metric(Metric("d_total", "h", (), lambda: [({}, 7)], kind="counter"))

    text = client.get("/metrics").content

    assert values(text, "samovar_metric_failed") == {("a_broken",): 1, ("b_labels",): 1}
    assert values(text, "c_fine") == {('a"b\n', "x"): 2.5}
    assert value(text, "d_total") == 7
    assert values(text, "a_broken") == {}
    assert b"# TYPE d_total counter" in text


def test_a_statement_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitoring.selectors.LONGEST_STATEMENT", 20)
    register_metric(Metric("a_slow", "h", (), lambda: [({}, len(ask("SELECT pg_sleep(20)")))]))
    fine = Figure("b_fine")

    readings = readings_of_the_shop()

    assert (readings["a_slow"].has_failed, readings["b_fine"].has_failed, fine.times) == (True, False, 1)


def test_what_is_not_reached_in_time_is_told_as_it_was_and_comes_first_next_time(
    clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = Figure("a_first"), Figure("b_second")
    readings_of_the_shop()
    clock.now += 20
    with monkeypatch.context() as patch:
        patch.setattr(shop, "BUDGET", -1.0)
        assert value(metrics_text(), "a_first") == 1
        assert value(metrics_text(), "samovar_metrics_age_seconds") == 20
        # What is as old as that is no news.
        clock.now += 300
        assert values(metrics_text(), "samovar_metric_failed") == {("a_first",): 1, ("b_second",): 1}
    clock.now += 10
    readings_of_the_shop()
    assert (first.times, second.times) == (2, 2)


def test_a_question_of_several_metrics_is_asked_once(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    question = asked_once(lambda: ask("SELECT 3"))
    for name in ("a", "b", "c"):
        register_metric(Metric(name, "h", (), lambda: [({}, question()[0][0])]))

    # Once to see whether it is there; of each its transaction and its time limit; and the question.
    with django_assert_num_queries(1 + 3 * 3 + 1):
        text = metrics_text()

    assert [value(text, name) for name in ("a", "b", "c")] == [3, 3, 3]
    with one_reading(), django_assert_num_queries(1):
        assert question() == question()
    with django_assert_num_queries(2):
        assert question() == question()


@pytest.mark.parametrize("is_shared", [True, False], ids=["in a folder", "in one process"])
def test_two_who_ask_at_once_read_once(is_shared: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    began, may_end = threading.Event(), threading.Event()
    times: list[int] = []

    def collect() -> Iterable[Any]:
        times.append(1)
        began.set()
        assert may_end.wait(30)
        return [({}, 1)]

    register_metric(Metric("slow", "h", (), collect, needs_database=False))
    where = Keeper()
    # Each with eyes of its own, as two processes have.
    monkeypatch.setattr(shop, "keeper", lambda: FileKeeper(tmp_path) if is_shared else where)
    answers: list[Any] = []
    asking = [threading.Thread(target=lambda: answers.append(readings_of_the_shop())) for _ in range(2)]
    asking[0].start()
    assert began.wait(30)
    asking[1].start()
    may_end.set()
    for thread in asking:
        thread.join(30)

    assert len(times) == 1
    assert [[tuple(one) for one in answer["slow"].samples] for answer in answers] == [[({}, 1.0)]] * 2


def test_who_finds_another_one_reading_too_long_takes_what_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shop, "PATIENCE", 0.0)
    figure = Figure("figure", needs_database=False)
    keeper = FileKeeper(tmp_path)
    keeper.save({"figure": Reading(at=5.0, seconds=0.1, samples=[({}, 9.0)])})
    monkeypatch.setattr(shop, "keeper", lambda: keeper)

    with FileKeeper(tmp_path).alone():
        assert value(metrics_text(), "figure") == 9
    assert figure.times == 0
    assert value(metrics_text(), "figure") == 1


@pytest.mark.parametrize("words", ["", "[1, 2]", '{"figure": 3}', '{"figure": {"at": 1}}', "\x00"])
def test_kept_figures_that_cannot_be_read_are_read_anew(
    words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Figure("figure", needs_database=False)
    monkeypatch.setattr(shop, "keeper", lambda: FileKeeper(tmp_path))
    (tmp_path / shop.KEPT).write_text(words)

    assert value(metrics_text(), "figure") == 1


def test_a_folder_that_is_gone_hinders_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Figure("figure", needs_database=False)
    monkeypatch.setattr(shop, "keeper", lambda: FileKeeper(tmp_path / "gone"))

    assert value(metrics_text(), "figure") == 1


def test_a_folder_that_cannot_be_used_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    assert why_not(tmp_path / "new" / "folder") == ""
    assert why_not(tmp_path / "file") == "File exists"
    assert why_not(tmp_path / "file" / "folder") == "Not a directory"
