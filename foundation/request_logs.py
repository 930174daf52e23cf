"""What django-structlog's lines about requests and tasks carry beside their own."""

import time
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse
from django_structlog import signals as request_signals
from django_structlog.celery import signals as task_signals

REQUEST_ID_HEADER = "X-Request-ID"
STARTED_AT = "samovar.started_at"


def connect() -> None:
    """Adds to django-structlog's lines what the shop wants in them. Called once, when the apps are ready."""
    request_signals.bind_extra_request_metadata.connect(start_the_clock)
    request_signals.bind_extra_request_finished_metadata.connect(finish_the_line)
    request_signals.bind_extra_request_failed_metadata.connect(add_duration)
    request_signals.update_failure_response.connect(put_request_id)
    task_signals.modify_context_before_task_publish.connect(send_only_ids_along)


def start_the_clock(sender: Any, request: HttpRequest, **kwargs: Any) -> None:
    request.META[STARTED_AT] = time.monotonic()


def finish_the_line(
    sender: Any, request: HttpRequest, response: HttpResponse, log_kwargs: dict[str, Any], **kwargs: Any
) -> None:
    add_duration(sender, request, log_kwargs)
    put_request_id(sender, response)


def add_duration(sender: Any, request: HttpRequest, log_kwargs: dict[str, Any], **kwargs: Any) -> None:
    if started_at := request.META.get(STARTED_AT):
        log_kwargs["duration_ms"] = round((time.monotonic() - started_at) * 1000, 1)


def put_request_id(sender: Any, response: HttpResponse, **kwargs: Any) -> None:
    """Lets the person who reports an error name the line of the log."""
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    if request_id:
        response[REQUEST_ID_HEADER] = request_id


def send_only_ids_along(sender: Any, context: dict[str, Any], **kwargs: Any) -> None:
    """A task's message carries who caused it, and nothing else that the log lines of a request had."""
    kept: dict[str, Any] = {
        name: context[name] for name in ("request_id", "user_id", "parent_task_id") if name in context
    }
    context.clear()
    context.update(kept)
