"""A real web server and a real worker: one request's id stands in the lines of both, and a failed task is an alert."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import requests
from celery import Celery

from monitoring.logs.raising import EVENT
from monitoring.models import Alert
from tests.backups.cluster import wait_until
from tests.monitoring.measuring.test_several_processes import Start, Web, environment, start  # noqa: F401  (fixtures)
from users.models import User

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

SENDS_MAIL = "users.tasks.send_waiting_mails"
FAILS = "orders.tasks.run_batch"


@pytest.fixture
def folder(environment: dict[str, str], tmp_path: Path) -> Path:  # noqa: F811
    """Where the programs write their lines."""
    environment |= {
        "LOG_DIR": str(tmp_path / "lines"),
        "SPOOL_DIR": str(tmp_path / "spool"),
        "EMAIL_URL": f"filemail://{tmp_path}/mail",
    }
    return tmp_path / "lines"


def lines_in(folder: Path, name: str = "app.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


def ask_for_a_new_password(web: Web, email: str) -> str:
    """As a browser does; returns the request's id."""
    session = requests.Session()
    page = session.get(f"{web.address}/accounts/password/reset/", timeout=60)
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert token, page.text
    asked = session.post(page.url, {"csrfmiddlewaretoken": token[1], "email": email}, timeout=60)
    assert asked.ok
    return asked.history[0].headers["X-Request-ID"]


def test_a_requests_id_goes_from_the_web_server_into_the_workers_lines_and_a_failed_task_is_an_alert(
    folder: Path,
    environment: dict[str, str],  # noqa: F811
    start: Start,  # noqa: F811
    tmp_path: Path,
) -> None:
    User.objects.create_user("ivan@shop.example", "secret-tea-pot")
    web = Web(start)
    worker = start(*("celery", "--app", "project", "--quiet", "worker", "--concurrency", "2", "--loglevel", "INFO"))
    request_id = ask_for_a_new_password(web, "ivan@shop.example")

    def done() -> list[dict[str, Any]]:
        mine = [line for line in lines_in(folder) if line.get("request_id") == request_id]
        return mine if any(line["event"] == "task_succeeded" for line in mine) else []

    lines = wait_until(done, seconds=90)
    assert {(line["event"], line["program"]) for line in lines} >= {
        ("request_finished", "web"),
        ("task_enqueued", "web"),
        ("task_started", "worker"),
        ("task_succeeded", "worker"),
    }
    enqueued = next(line for line in lines if line["event"] == "task_enqueued")
    at_work = [line for line in lines if line["program"] == "worker"]
    assert {line["task_id"] for line in at_work} == {enqueued["child_task_id"]}

    app = Celery(broker=environment["CELERY_BROKER_URL"])
    app.conf.broker_transport_options = json.loads(environment["CELERY_BROKER_TRANSPORT_OPTIONS"])
    for _time in range(3):
        app.send_task(FAILS, args=["no batch of ivan@mail.ru"])
    alert = wait_until(lambda: Alert.objects.filter(event=EVENT, count=3).first(), seconds=90)
    assert alert.subject.startswith("ValidationError in ")
    assert alert.details["program"] == "worker"
    (first, *_others) = [line for line in lines_in(folder, "errors.jsonl") if line["event"] == "task_failed"]
    assert alert.details["task_id"] in {
        line["task_id"] for line in lines_in(folder, "errors.jsonl") if line["event"] == "task_failed"
    }
    assert first["exception"].startswith("Traceback")

    worker.terminate()
    worker.wait(60)
    for path in (*folder.iterdir(), tmp_path / "log"):
        assert "ivan" not in path.read_text()
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
