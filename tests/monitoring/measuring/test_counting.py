"""What each process counts: requests, tasks, errors, the cache."""

import logging
from typing import Any

import psycopg2
import pytest
import structlog
from celery import shared_task
from celery.exceptions import Ignore
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.db.utils import OperationalError
from django.test import Client
from prometheus_client import REGISTRY

from foundation.error_types import add_error_type
from monitoring.measuring.caches import LocMemCache, RedisCache
from monitoring.measuring.errors import ErrorCounter
from monitoring.measuring.processes import Me, program_of
from monitoring.measuring.work import task_begins
from project import celery as shop_celery


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


class Growth:
    """How much something has grown since."""

    def __init__(self, name: str, **labels: str) -> None:
        self.name, self.labels = name, labels
        self.before = counted(name, **labels)

    def now(self) -> float:
        return counted(self.name, **self.labels) - self.before


# --- requests -----------------------------------------------------------------------------------------


def test_a_method_that_somebody_made_up_adds_no_line(client: Client) -> None:
    by_method = Growth("django_http_requests_total_by_method_total", method="<invalid method>")
    by_view = Growth(
        "django_http_requests_latency_seconds_by_view_method_count", view="live", method="<invalid method>"
    )

    assert client.generic("BREW", "/health/live").status_code == 405

    assert (by_method.now(), by_view.now()) == (1, 1)
    names = {sample.labels.get("method") for family in REGISTRY.collect() for sample in family.samples}
    assert "BREW" not in names


@pytest.mark.django_db
def test_refusals_of_the_api_are_counted_by_type(client: Client) -> None:
    refused = Growth("samovar_api_errors_total", type="not_authenticated")

    assert client.get("/api/v1/orders/").status_code == 401

    assert refused.now() == 1


def test_what_a_middleware_answers_itself_is_counted(client: Client, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["shop.example"]
    all_of_them, of_views = (
        Growth("samovar_http_responses_total", status="400"),
        Growth("django_http_responses_total_by_status_total", status="400"),
    )

    assert client.get("/admin/login/", headers={"Host": "evil.example"}).status_code == 400

    assert (all_of_them.now(), of_views.now()) == (1, 0)


@pytest.mark.django_db
def test_statements_of_the_database_are_counted(client: Client) -> None:
    statements = Growth("django_db_execute_total", alias="default", vendor="postgresql")

    client.get("/api/v1/orders/", headers={"Authorization": f"Token {'a' * 64}"})

    assert statements.now() >= 1


# --- tasks --------------------------------------------------------------------------------------------


@shared_task(bind=True, name="test.ends", max_retries=3)
def ends(self: Any, how: Exception | str | None) -> None:
    if isinstance(how, Exception):
        raise how
    if how == "again" and not self.request.retries:
        raise self.retry(countdown=1)


@pytest.mark.parametrize(
    ("how", "outcome"), [(None, "success"), (ValueError("x"), "failure"), (Ignore(), "ignored"), ("again", "retry")]
)
def test_a_task_is_counted_by_how_it_ended(how: Any, outcome: str) -> None:
    ended = Growth("samovar_task_seconds_count", task="test.ends", outcome=outcome)

    ends.apply([how])

    assert ended.now() == 1


@pytest.mark.parametrize(
    ("carries", "times"), [({"sent_at": 1.0}, 1), ({"sent_at": 1.0, "retries": 1}, 0), ({}, 0), ({"sent_at": "x"}, 0)]
)
def test_only_a_task_that_might_have_begun_at_once_has_waited(carries: dict[str, Any], times: int) -> None:
    waited = Growth("samovar_task_wait_seconds_count")
    # As a worker gets it: one that is applied at once has no headers.
    ends.push_request(**carries)
    try:
        task_begins(task=ends)
    finally:
        ends.pop_request()

    assert waited.now() == times


def test_the_worker_of_the_shop_takes_part() -> None:
    assert shop_celery.app.Task.abstract
    assert [program_of(["manage.py", word]) for word in ("watchdog", "backup_agent", "runserver", "migrate")] == [
        *("watchdog", "backup_agent", "web", "command"),
    ]
    assert program_of(["celery"]) == "command"


# --- errors -------------------------------------------------------------------------------------------


@pytest.fixture
def lines() -> Any:
    """A logger as the settings make it, which writes nowhere."""
    own = logging.getLogger("test.counting")
    own.propagate, own.handlers = False, [ErrorCounter(logging.ERROR)]
    return structlog.wrap_logger(
        own,
        processors=[
            structlog.stdlib.add_log_level,
            *_processors_of_the_shop(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def _processors_of_the_shop() -> list[Any]:
    chain = structlog.get_config()["processors"]
    there = [getattr(one, "__name__", "") for one in chain]
    assert there.index("tell_in_a_line") < there.index("add_error_type")
    return [one for one in chain if getattr(one, "__name__", "") in {"tell_in_a_line", "add_error_type"}]


def errors(kind: str) -> Growth:
    # A worker that another test ran in this process has given it its name.
    return Growth("samovar_errors_total", program=Me.program, type=kind)


def test_errors_are_counted_by_type_whoever_logs_them(lines: Any) -> None:
    value_errors, unnamed, keys = errors("ValueError"), errors(""), errors("KeyError")
    plain = logging.getLogger("test.counting")
    try:
        raise ValueError("x")
    except ValueError as error:
        lines.exception("failed")
        lines.error("failed", exc_info=error)
        plain.exception("failed: %s", "x")
        plain.error("failed", exc_info=(KeyError, KeyError("k"), None))
    lines.error("only words")
    plain.critical("only words")
    for quiet in (lines, plain):
        quiet.warning("no error", exc_info=ValueError("x"))

    assert (value_errors.now(), unnamed.now(), keys.now()) == (3, 2, 1)


def test_a_database_that_went_away_is_no_error(lines: Any) -> None:
    lost = OperationalError("gone")
    lost.__cause__ = psycopg2.OperationalError("server closed the connection unexpectedly")
    counted_as = errors("OperationalError")

    lines.error("failed", exc_info=lost)

    assert counted_as.now() == 0


def test_a_line_without_an_exception_has_no_type() -> None:
    assert add_error_type(None, "error", {"event": "x"}) == {"event": "x"}
    assert add_error_type(None, "error", {"exc_info": True}) == {"exc_info": True}
    assert add_error_type(None, "error", {"exc_info": (None, None, None)}) == {"exc_info": (None, None, None)}


# --- the cache ----------------------------------------------------------------------------------------


@pytest.fixture(params=["of the shop", "in memory"])
def cache(request: Any) -> BaseCache:
    return LocMemCache("counted", {}) if request.param == "in memory" else caches["default"]


def test_what_the_cache_has_and_has_not_is_counted_and_answered_as_django_does(cache: Any) -> None:
    asked, hits, misses = (
        Growth(f"django_cache_get{what}_total", backend=cache.label) for what in ("", "_hits", "_misses")
    )
    cache.set_many({"zero": 0, "empty": "", "none": None, "tea": "green"})
    try:
        assert cache.get("zero", 5) == 0
        assert cache.get("empty", "full") == ""
        assert cache.get("none", 5) is None
        assert cache.get("milk", 5) == 5
        assert cache.get_many(["tea", "zero", "milk"]) == {"tea": "green", "zero": 0}
        assert (asked.now(), hits.now(), misses.now()) == (7, 5, 2)
    finally:
        cache.delete_many(["zero", "empty", "none", "tea"])


def test_a_cache_that_does_not_answer_is_counted() -> None:
    cache, failed = RedisCache("redis://127.0.0.1:1/0", {}), Growth("django_cache_get_fail_total", backend="redis")

    for ask in (lambda: cache.get("tea"), lambda: cache.get_many(["tea", "milk"])):
        with pytest.raises(Exception, match="refused"):
            ask()

    assert failed.now() == 3
