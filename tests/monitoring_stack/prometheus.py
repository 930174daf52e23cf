"""Prometheus and promtool, as the machine has them, and the files with which the shop is watched by them."""

import json
import re
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from project.embedded.places import BASE_DIR

STACK = BASE_DIR / "deploy" / "monitoring"
CONFIGURATION = STACK / "prometheus"
RULES = sorted((CONFIGURATION / "rules").glob("*.yml"))
DASHBOARDS = sorted((STACK / "grafana" / "dashboards").glob("*.json"))
TESTS_OF_RULES = Path(__file__).parent / "rules"


def no_prometheus() -> str | None:
    missing = [name for name in ("prometheus", "promtool") if shutil.which(name) is None]
    return f"{' and '.join(missing)} not found (apt install prometheus)" if missing else None


def promtool(*arguments: str | Path, folder: Path = CONFIGURATION) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["promtool", *map(str, arguments)], cwd=folder, capture_output=True, encoding="utf-8")


def rules_of(path: Path) -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]]


class Prometheus:
    """A running one, asked over its own API: https://prometheus.io/docs/prometheus/latest/querying/api/"""

    def __init__(self, port: int) -> None:
        self.port = port

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=5) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    def ask(self, path: str, **values: str) -> Any:
        """Raises AssertionError with what it says of a question that it does not understand."""
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(values)}"
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{values}: {error.read().decode()}") from error

    def query(self, expression: str) -> list[dict[str, Any]]:
        """What it is now, without what is no number: a mean of nothing."""
        found: list[dict[str, Any]] = self.ask("query", query=expression)["result"]
        return [one for one in found if one["value"][1] != "NaN"]

    def target(self) -> dict[str, Any]:
        (target,) = self.ask("targets")["activeTargets"]
        found: dict[str, Any] = target
        return found


@contextmanager
def running_prometheus(folder: Path, *, shop: int, token: str, port: int) -> Iterator[Prometheus]:
    """One with the files of deploy/monitoring, that asks the shop at this port, every three seconds instead of 15."""
    shutil.copytree(CONFIGURATION, folder)
    configuration = folder / "prometheus.yml"
    quick, times = re.subn(r"(scrape|evaluation)_interval: 15s", r"\1_interval: 3s", configuration.read_text())
    assert times == 2
    # It may not wait for an answer for longer than until its next question.
    configuration.write_text(quick.replace("scrape_timeout: 10s", "scrape_timeout: 3s"))
    (folder / "targets" / "samovar.yml").write_text(yaml.safe_dump([{"targets": [f"127.0.0.1:{shop}"]}]))
    (folder / "secrets").mkdir()
    (folder / "secrets" / "metrics_token").write_text(token)
    command = [
        *["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data", "--log.level=warn"],
        *[f"--web.listen-address=127.0.0.1:{port}", "--web.console.templates=.", "--web.console.libraries=."],
    ]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, cwd=folder, stdout=log, stderr=log) as process:
        try:
            yield Prometheus(port)
        finally:
            process.terminate()
            process.wait(60)
