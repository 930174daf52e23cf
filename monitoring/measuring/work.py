"""How long tasks run and wait, how they end, and which process is a worker."""

import time
from typing import Any

from celery import Task, signals
from prometheus_client import Histogram

from monitoring.measuring import processes

TASK_SECONDS = Histogram(
    "samovar_task_seconds",
    "How long tasks ran.",
    ["task", "outcome"],
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800),
)
TASK_WAIT = Histogram(
    "samovar_task_wait_seconds",
    "How long tasks waited for a worker.",
    buckets=(0.1, 0.5, 1, 2.5, 5, 15, 30, 60, 300, 900, 3600),
)
# The header that every task carries: see backups.waiting, whom nothing here may import.
SENT_AT = "sent_at"
BEGAN = "samovar_began"


def connect() -> None:
    """Counts from now on. Called once, when the apps are ready; only a worker sends these signals."""
    signals.task_prerun.connect(task_begins, dispatch_uid="monitoring.measuring")
    signals.task_postrun.connect(task_ends, dispatch_uid="monitoring.measuring")
    signals.worker_init.connect(i_am_a_worker, dispatch_uid="monitoring.measuring")
    signals.beat_init.connect(i_am_beat, dispatch_uid="monitoring.measuring")


def task_begins(task: Task, **kwargs: Any) -> None:
    request = task.request
    setattr(request, BEGAN, time.monotonic())
    sent_at = getattr(request, SENT_AT, None)
    # One that was to wait, or comes again, says nothing about workers.
    if isinstance(sent_at, int | float) and not request.eta and not request.retries:
        TASK_WAIT.observe(max(0.0, time.time() - sent_at))


def task_ends(task: Task, state: str | None = None, **kwargs: Any) -> None:
    began = getattr(task.request, BEGAN, None)
    if began is not None:
        TASK_SECONDS.labels(task.name, (state or "unknown").lower()).observe(time.monotonic() - began)


def i_am_a_worker(**kwargs: Any) -> None:
    processes.introduce(processes.WORKER)


def i_am_beat(**kwargs: Any) -> None:
    processes.introduce(processes.BEAT)
