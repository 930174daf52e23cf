"""While the shop rests, everybody is told to wait, and so are tasks."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery
from celery.contrib.testing.worker import start_worker
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from backups.errors import CannotRest
from backups.maintenance import (
    begin_maintenance,
    current_maintenance,
    end_maintenance,
    is_under_maintenance,
    last_swap,
    maintenance,
    note_swap,
)
from backups.waiting import PatientTask, empty_queue
from monitoring import registry
from project.celery import app as app_of_the_shop
from tests.backups.cluster import wait_until


@pytest.fixture(autouse=True)
def own_file(settings: Settings, tmp_path: Path) -> None:
    settings.MAINTENANCE_FILE = tmp_path / "rest" / "maintenance.json"


@pytest.fixture
def at_rest(own_file: None) -> Iterator[None]:
    with maintenance():
        yield


# --- people and programs -------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/admin/", "/admin/orders/order/?q=1", "/no/such/page/", "/media/a.png"])
def test_everybody_gets_a_page_that_says_so_and_looks_again(at_rest: None, path: str) -> None:
    page = Client().get(path)
    assert (page.status_code, page.headers["Retry-After"], page.headers["Cache-Control"]) == (503, "15", "no-store")
    text = page.content.decode()
    assert "The shop is being looked after. It will be back in a moment." in text
    assert '<meta http-equiv="refresh" content="15">' in text


def test_whoever_sends_a_form_is_told_that_it_was_not_saved(at_rest: None) -> None:
    page = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "a", "password": "b"})
    assert page.status_code == 503
    text = page.content.decode()
    assert "What you have just sent was not saved." in text
    assert "http-equiv" not in text


@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
def test_a_program_gets_the_error_as_it_gets_all_errors(at_rest: None, method: str) -> None:
    answer = getattr(Client(), method)("/api/v1/orders/")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "15")
    assert answer.json() == {
        "type": "maintenance",
        "detail": "The shop is being looked after. It will be back in a moment.",
    }


def test_the_sentence_of_whoever_began_it_is_shown_and_harmless() -> None:
    with maintenance("Back at 3 a.m. <script>"):
        assert "Back at 3 a.m. &lt;script&gt;" in Client().get("/").content.decode()
        assert Client().get("/api/v1/orders/").json()["detail"] == "Back at 3 a.m. <script>"


def test_a_browser_is_answered_in_its_language(at_rest: None) -> None:
    page = Client().get("/", headers={"accept-language": "ru,en;q=0.5"})
    assert page.headers["Content-Language"] == "ru"
    assert '<html lang="ru">' in page.content.decode()


@pytest.mark.django_db
def test_nothing_asks_the_database_meanwhile(at_rest: None, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    client = Client()
    client.cookies["sessionid"] = "an-old-session-of-somebody-here"
    with django_assert_num_queries(0):
        assert client.get("/admin/").status_code == 503


def test_load_balancers_are_answered_as_ever(at_rest: None) -> None:
    assert Client().get("/health/live").json() == {"status": "ok"}


def test_prometheus_is_answered_too(at_rest: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry.metrics, "entries", {})
    assert Client().get("/metrics").status_code == 200


def test_everything_is_as_before_afterwards() -> None:
    with maintenance():
        assert Client().get("/health/live").status_code == 200
    assert not is_under_maintenance()
    assert Client().get("/no/such/api/").status_code == 404


# --- the file ------------------------------------------------------------------------------------------


def test_one_inside_of_another_ends_with_the_outer_one() -> None:
    with maintenance("outer"):
        with maintenance("inner"):
            pass
        said = current_maintenance()
        assert said is not None
        assert said.sentence == "outer"
    assert current_maintenance() is None
    assert end_maintenance() is False


def test_it_ends_when_what_is_done_meanwhile_fails() -> None:
    with pytest.raises(ZeroDivisionError), maintenance():
        raise ZeroDivisionError
    assert not is_under_maintenance()


@pytest.mark.parametrize("text", ["", "[]", '{"since": 1}', '{"since": "soon", "sentence": ""}', "\x00"])
def test_a_file_that_somebody_made_by_hand_counts_too(settings: Settings, text: str) -> None:
    begin_maintenance()
    settings.MAINTENANCE_FILE.write_text(text)
    said = current_maintenance()
    assert said is not None
    assert said.sentence == ""
    assert Client().get("/").status_code == 503


def test_a_file_that_can_not_be_written_says_so(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    settings.MAINTENANCE_FILE = tmp_path / "file" / "maintenance.json"
    with pytest.raises(CannotRest, match=r"^Nobody can be told to wait, .*MAINTENANCE_FILE\.$"), maintenance():
        pytest.fail("It went on.")
    assert not is_under_maintenance()


# --- tasks ---------------------------------------------------------------------------------------------


class Work:
    """A worker of a test's own, whose broker is in memory, and what it did."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.app = Celery("test", task_cls=PatientTask, broker="memory://", set_as_current=False)
        self.app.conf.update(task_acks_late=True, worker_prefetch_multiplier=1, task_ignore_result=True)
        self.is_begun = threading.Event()

        @self.app.task(name="do", shared=False)
        def do(name: str) -> None:
            self.done.append(name)

        self.do = do


@pytest.fixture
def work() -> Work:
    return Work()


def test_a_task_waits_until_the_shop_works_again(work: Work) -> None:
    with start_worker(work.app, perform_ping_check=False, pool="solo"):
        with maintenance():
            work.do.delay("waited")
            looked = threading.Event()
            assert not looked.wait(0.5)
            assert work.done == []
        wait_until(lambda: work.done == ["waited"])


def test_what_was_sent_before_a_swap_is_dropped_and_what_comes_after_is_done(work: Work) -> None:
    before_it = last_swap()
    assert before_it == 0.0
    with maintenance():
        work.do.delay("of the old database")
        note_swap()
        work.do.delay("of the new one")
    with start_worker(work.app, perform_ping_check=False, pool="solo"):
        wait_until(lambda: work.done)
    assert work.done == ["of the new one"]


def test_the_queue_is_emptied(work: Work) -> None:
    for number in range(3):
        work.do.delay(str(number))
    assert empty_queue(work.app) == 3
    assert empty_queue(work.app) == 0


def test_a_broker_that_does_not_answer_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    # Celery takes it for the broker of every app.
    monkeypatch.delenv("CELERY_BROKER_URL", raising=False)
    app = Celery("test", broker="redis://127.0.0.1:1/0", set_as_current=False)
    app.conf.broker_transport_options = {"socket_connect_timeout": 1}
    assert empty_queue(app) is None
    without = Celery("test", set_as_current=False)
    without.conf.broker_url = None
    assert empty_queue(without) is None


def test_every_task_of_the_shop_waits() -> None:
    app_of_the_shop.loader.import_default_modules()
    ours = [task for name, task in app_of_the_shop.tasks.items() if not name.startswith("celery.")]
    assert len(ours) > 15
    assert [task.name for task in ours if not isinstance(task, PatientTask)] == []


def test_a_task_that_is_called_directly_does_not_wait(at_rest: None, work: Work) -> None:
    work.do("called")
    work.do.apply(args=["eager"])
    assert work.done == ["called", "eager"]


def test_what_is_said_stands_in_the_file(settings: Settings) -> None:
    with maintenance("Чай ☕"):
        assert json.loads(settings.MAINTENANCE_FILE.read_text())["sentence"] == "Чай ☕"
        assert settings.MAINTENANCE_FILE.stat().st_mode & 0o777 == 0o600
