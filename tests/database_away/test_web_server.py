"""The web server itself, with its threads, while the database server is killed again and again."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
import requests
from django.conf import settings
from django.db import connections

from orders.models import Order
from tests.backups.cluster import Cluster, wait_until
from tests.database_away.bar import Bar, person
from tests.project.test_bootstrap import free_port
from users.services.tokens import issue_token

CLIENTS, KILLS = 3, 3


@pytest.fixture
def address(away: Cluster, tmp_path: Path) -> Iterator[str]:
    """Where gunicorn serves the shop, as in production."""
    server, port = away.server, free_port()
    url = f"postgres://{server.user}:{server.password}@{server.host}:{server.port}/{server.database}"
    variables = {
        "DATABASE_URL": url,
        "DATABASE_PATIENCE": "60",
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "MAINTENANCE_FILE": str(tmp_path / "maintenance.json"),
        "HTTPS": "0",
    }
    command = [
        *("-m", "gunicorn", "project.wsgi", "--bind", f"127.0.0.1:{port}"),
        *("--workers", "1", "--threads", "4"),
    ]
    with (tmp_path / "log").open("wb") as log:
        web = subprocess.Popen(
            [sys.executable, *command, "--no-control-socket"],
            cwd=settings.BASE_DIR,
            env=os.environ | variables,
            stdout=log,
            stderr=log,
        )
    try:
        wait_until(lambda: answers(f"http://127.0.0.1:{port}"), seconds=60)
        yield f"http://127.0.0.1:{port}"
    finally:
        web.terminate()
        web.wait()
        words = (tmp_path / "log").read_bytes()
        assert b"request_repeated" in words
        assert b"Traceback" not in words


def answers(address: str) -> bool:
    try:
        return requests.get(f"{address}/health/live", timeout=5).ok
    except requests.RequestException:
        return False


class Till(Thread):
    """Places orders one after the other, reads the list after each, and notes what it is told."""

    def __init__(self, number: int, address: str, bar: Bar, is_over: Event) -> None:
        super().__init__(daemon=True)
        self.number, self.address, self.bar, self.is_over = number, address, bar, is_over
        self.headers = {
            "Authorization": f"Token {issue_token(user=person('barista'), name=f'till {number}').secret}",
            "Accept-Language": "en",
        }
        self.acknowledged: list[str] = []
        self.answers: Counter[int] = Counter()

    def run(self) -> None:
        with closing(requests.Session()) as session:
            while not self.is_over.is_set():
                key = f"till-{self.number}-{len(self.acknowledged)}"
                placed = session.post(
                    f"{self.address}/api/v1/orders/",
                    json=self.bar.body | {"comment": key},
                    headers={**self.headers, "Idempotency-Key": key},
                    timeout=90,
                )
                listed = session.get(f"{self.address}/api/v1/orders/", headers=self.headers, timeout=90)
                self.answers.update([placed.status_code, listed.status_code])
                if placed.status_code == 201:
                    self.acknowledged.append(key)


def test_nobody_notices_and_every_order_is_there_once(away: Cluster, address: str) -> None:
    bar, is_over = Bar(), Event()
    tills = [Till(number, address, bar, is_over) for number in range(CLIENTS)]
    connections.close_all()
    for till in tills:
        till.start()
    for _time in range(KILLS):
        seen = [len(till.acknowledged) for till in tills]
        wait_until(lambda seen=seen: all(len(till.acknowledged) > n for till, n in zip(tills, seen, strict=True)))
        away.kill()
        away.start()
    seen = [len(till.acknowledged) for till in tills]
    wait_until(lambda: all(len(till.acknowledged) > n for till, n in zip(tills, seen, strict=True)), seconds=60)
    is_over.set()
    for till in tills:
        till.join(120)
        assert set(till.answers) == {200, 201}, till.answers
    acknowledged = sorted(key for till in tills for key in till.acknowledged)
    placed: list[Any] = list(Order.objects.filter(location=bar.shop.location).values_list("comment", flat=True))
    assert sorted(placed) == acknowledged
    assert bar.sold() == len(acknowledged)
