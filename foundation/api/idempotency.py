"""Writes over REST that may be repeated: the header `Idempotency-Key`."""

import hashlib
from collections.abc import Callable
from functools import partial
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.datastructures import MultiValueDict
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from foundation.api.permissions import binding_of
from foundation.database.repeating import is_repeated, work_begins, work_happens_once, work_waits
from foundation.services.idempotency import Answer, digest, run_once

PATIENCE_WITH_THE_FIRST = 5.0
HEADER = "Idempotency-Key"
WRITES = {"POST", "PUT", "PATCH", "DELETE"}


class IdempotentMixin:
    """For a DRF view: a write with an `Idempotency-Key` happens once, a repeat gets the first answer.

    The key counts for one user and one path, for seven days. Who has not signed in has no keys: the header is
    ignored. The write and its answer are committed together.
    """

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        # What interrupts the view while it finds out who asks has interrupted no work.
        work_waits(request._request)
        super().initial(request, *args, **kwargs)  # type: ignore[misc]
        work_begins(request._request)
        method = (request.method or "").lower()
        if request.method in WRITES and HEADER in request.headers and request.user.is_authenticated:
            # As viewsets do it themselves: the handler of the method is an attribute of the view's instance.
            # Where there is none, the method is refused, whatever its key was used for.
            handler: Callable[..., HttpResponseBase] | None = getattr(self, method, None)
            if handler is not None:
                setattr(self, method, partial(handle_once, handler))


def handle_once(handler: Callable[..., HttpResponseBase], request: Request, *args: Any, **kwargs: Any) -> Any:
    """Runs the handler under the request's key. Its own response is the answer of the first run."""
    fresh: list[HttpResponseBase] = []
    work_happens_once(request._request)

    def work() -> Answer:
        response = handler(request, *args, **kwargs)
        fresh.append(response)
        return as_answer(response)

    answer = run_once(
        user=request.user,
        path=request.path,
        key=request.headers[HEADER],
        request_digest=digest_of(request),
        work=work,
        binding=binding_of(request),
        # The server may not know yet that nobody waits for the first one any more.
        patience=PATIENCE_WITH_THE_FIRST if is_repeated(request._request) else 0.0,
    )
    if not answer.replayed:
        return fresh[0]
    repeat = HttpResponse(answer.body, status=answer.status, content_type=answer.content_type or None)
    if not answer.content_type:
        del repeat["Content-Type"]
    repeat["Idempotency-Replayed"] = "true"
    return repeat


def as_answer(response: HttpResponseBase) -> Answer:
    """The response as it is kept. Raises TypeError for a stream, which can't be kept."""
    if isinstance(response, Response):
        if response.data is None:
            return Answer(status=response.status_code)
        body = JSONRenderer().render(response.data).decode()
        return Answer(status=response.status_code, body=body, content_type="application/json")
    if isinstance(response, HttpResponse):
        return Answer(
            status=response.status_code, body=response.content.decode(), content_type=response["Content-Type"]
        )
    raise TypeError("A streamed answer can't be kept under an idempotency key.")


def digest_of(request: Request) -> str:
    """What was asked: method, query and body. Two spellings of one JSON value have one digest."""
    asked = [request.method, sorted(request.query_params.lists()), plain(request.data)]
    return digest(asked)


def plain(value: Any) -> Any:
    if isinstance(value, MultiValueDict):
        return [[name, [plain(item) for item in items]] for name, items in sorted(value.lists())]
    if isinstance(value, UploadedFile):
        return [value.name, content_digest(value)]
    return value


def content_digest(file: UploadedFile) -> str:
    content = hashlib.sha256()
    for chunk in file.chunks():
        content.update(chunk)
    file.seek(0)
    return content.hexdigest()
