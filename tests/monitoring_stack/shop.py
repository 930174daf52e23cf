"""A whole shop with its demo, in a folder of its own, and what is done in it so that there is something to see."""

import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.project.conftest import OF_THE_RUN, copy_of_the_project
from tests.project.started import Started
from tests.project.test_bootstrap import free_port

TOKEN = "let-prometheus-in"
OPEN = "Ctrl-C stops everything."


class WatchedShop:
    """The running shop. Its metrics are for who has the token, and for no network."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = int(free_port())
        ours = {name for name in os.environ if name in OF_THE_RUN or name.startswith(("COV_", "COVERAGE_", "PYTEST_"))}
        self.environment = {name: value for name, value in os.environ.items() if name not in ours} | {
            "PORT": str(self.port),
            "METRICS_TOKEN": TOKEN,
            "METRICS_NETWORKS": "192.0.2.0/24",
            "PYTHONUNBUFFERED": "1",
        }
        self.program = Started(
            [sys.executable, "manage.py", "up"], folder=folder, environment=self.environment, open_words=OPEN
        )

    def manage(self, *arguments: str) -> None:
        subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=self.folder,
            env=self.environment,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def visit(self) -> None:
        """Somebody looks at pages and asks the API for what there is and for what there is not."""
        for path in ("/", "/admin/login/", "/health/ready", "/api/v1/products/", "/api/v1/nothing/"):
            self.status_of(path)

    def status_of(self, path: str, **headers: str) -> int:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def close(self) -> None:
        if self.program.process.poll() is None:
            assert self.program.press_ctrl_c() == 0


@contextmanager
def watched_shop(folder: Path) -> Iterator[WatchedShop]:
    """It is open, and has proved a backup. The backup of its server it makes by itself, at its first start."""
    with copy_of_the_project(folder) as checkout:
        shop = WatchedShop(checkout)
        try:
            shop.manage("backup", "logical")
            shop.manage("drill")
            yield shop
        finally:
            shop.close()
            shop.program.process.stdout.close()
