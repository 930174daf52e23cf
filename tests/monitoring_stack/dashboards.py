"""What the dashboards ask Prometheus, as Grafana would."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Grafana's own, and those of the dashboards with everything chosen.
VARIABLES = {"$__rate_interval": "1m", "$__range": "1m", "$location": ".*", "$account": ".*"}
# Of a histogram Prometheus knows the name without these.
PARTS = re.compile(r"_(bucket|sum|count)$")


@dataclass(frozen=True)
class Question:
    """One query of a panel."""

    dashboard: str
    panel: str
    written: str

    @property
    def expression(self) -> str:
        found = self.written
        for name, value in VARIABLES.items():
            found = found.replace(name, value)
        return found

    @property
    def needs_data(self) -> str:
        """The same without the zero that stands in where there is nothing to count."""
        return self.expression.removesuffix(" or vector(0)")

    def __str__(self) -> str:
        return f"{self.dashboard}, {self.panel}: {self.written}"


def load(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def questions_of(path: Path) -> Iterator[Question]:
    for panel in load(path)["panels"]:
        for target in panel.get("targets", []):
            yield Question(path.stem, panel["title"], target["expr"])


def metrics_in(expression: str) -> set[str]:
    """The names of the metrics in a query."""
    return set(re.findall(r"\b(?:samovar|django)_[a-z0-9_]+", expression))
