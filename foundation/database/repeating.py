"""Which requests may be carried out again: safe ones, those not begun, and those with a key.

Until its view begins, nothing is written for a request. So the marks are few: `work_begins` when the view does, and
`work_waits` and `work_happens_once` from those that know better.
"""

from collections.abc import Mapping
from io import BytesIO
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from foundation.coming_again import SAFE

WORK, REPEATED = "samovar.work", "samovar.repeated"
BEGUN, ONCE = "begun", "once"


def work_begins(request: HttpRequest) -> None:
    """From here on something may be written."""
    request.META[WORK] = BEGUN


def work_waits(request: HttpRequest) -> None:
    """A view has begun, but what it looks at now writes nothing: who asks, for instance."""
    request.META.pop(WORK, None)


def work_happens_once(request: HttpRequest) -> None:
    """From here on something may be written, and a repeat does not write it again."""
    request.META[WORK] = ONCE


def may_be_repeated(request: HttpRequest) -> bool:
    return request.method in SAFE or request.META.get(WORK) != BEGUN


def is_surely_undone(request: HttpRequest) -> bool:
    """Whether nothing can have been written by it."""
    return request.method in SAFE or WORK not in request.META


def is_repeated(request: HttpRequest) -> bool:
    """Whether the same request was interrupted before, perhaps while the server was at it."""
    return REPEATED in request.META


class Original:
    """A request as it came, before anybody wrote into it. One whose body is too large to be kept has none."""

    def __init__(self, request: HttpRequest) -> None:
        self.make = type(request)
        self.environ: Mapping[str, Any] = {**request.META}
        self.body: bytes | None = b""
        if request.method not in SAFE:
            self.body = request.body if self._is_small() else None

    def again(self) -> HttpRequest | None:
        """A fresh request that asks for the same, None if that can't be."""
        if self.body is None:
            return None
        fresh = {**self.environ, "wsgi.input": BytesIO(self.body), REPEATED: True}
        return self.make(fresh)  # type: ignore[call-arg]

    def _is_small(self) -> bool:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        try:
            return limit is None or int(self.environ.get("CONTENT_LENGTH") or 0) <= limit
        except ValueError:
            return True
