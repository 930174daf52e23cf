"""A request whose database went away is carried out again, or answered with 503."""

import sys
import time
from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.core.signals import got_request_exception
from django.http import HttpRequest, HttpResponse

from foundation.database.lost import is_lost, reason_of
from foundation.database.repeating import Original, may_be_repeated, work_begins
from foundation.database.unavailable import unavailable
from foundation.database.waiting import LOOK_EVERY, let_go, wait_for_database

LOST = "samovar.database_lost"
MOST_REPEATS = 5

logger = structlog.get_logger("foundation.database")


class DatabaseMiddleware:
    """Waits for a database that restarts or changes its leader, and carries out again what may be: see `repeating`.
    All else, and what still fails after DATABASE_PATIENCE, is told to come again.

    Stands before everything that needs the database. A request that goes well costs it no query.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        original = Original(request)
        response = self.get_response(request)
        if LOST not in request.META:
            return response
        return self.come_back(original, request)

    def process_view(self, request: HttpRequest, *args: Any) -> None:
        work_begins(request)

    def come_back(self, original: Original, request: HttpRequest) -> HttpResponse:
        began = time.monotonic()
        until = began + settings.DATABASE_PATIENCE
        asked = f"{request.method} {request.path}"
        logger.warning("database_lost", request=asked, reason=request.META[LOST])
        for number in range(MOST_REPEATS):
            fresh = original.again() if may_be_repeated(request) else None
            # The second loss in a row has another reason than the first: not at once.
            time.sleep(number * LOOK_EVERY)
            if fresh is None or not wait_for_database(until=until):
                break
            request, response = fresh, self.get_response(fresh)
            if LOST not in request.META:
                waited = round(time.monotonic() - began, 1)
                logger.info("request_repeated", request=asked, waited_s=waited, code=response.status_code)
                return response
        let_go()
        logger.warning("database_unavailable", request=asked, waited_s=round(time.monotonic() - began, 1))
        return unavailable(request)


def notice_loss(sender: Any, request: HttpRequest | None = None, **kwargs: Any) -> None:
    """A receiver of `got_request_exception`: whoever turns an error into an answer sends it, Django for views and
    middleware, the API for its own."""
    error = sys.exc_info()[1]
    if request is not None and error is not None and is_lost(error):
        request.META[LOST] = reason_of(error)


got_request_exception.connect(notice_loss, dispatch_uid="foundation.middleware")
