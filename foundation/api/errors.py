"""Every error of the API in one shape: {type, detail, …}, with `errors` by field where input is wrong."""

import logging
import math
from collections.abc import Iterator, Mapping
from typing import Any

import structlog
from django.core import exceptions as django_errors
from django.core.signals import got_request_exception
from django.db import DataError, IntegrityError
from django.db.models import ProtectedError, RestrictedError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views import defaults
from rest_framework import exceptions as rest_errors
from rest_framework.response import Response
from rest_framework.serializers import as_serializer_error
from rest_framework.views import set_rollback

from foundation.errors import Conflict, InvalidInput, KeyMismatch, Missing, NotPermitted, Refusal

logger = logging.getLogger(__name__)

# The first family that fits decides, so that the narrow ones come first.
STATUS_OF_REFUSAL: dict[type[Refusal], int] = {
    KeyMismatch: 422,
    InvalidInput: 400,
    NotPermitted: 403,
    Missing: 404,
    Conflict: 409,
    Refusal: 400,
}
# PostgreSQL's codes for a row that exists already and for one that is still pointed to.
UNIQUE_VIOLATION, FOREIGN_KEY_VIOLATION = "23505", "23503"
WHOLE_REQUEST = "non_field_errors"


def exception_handler(error: Exception, context: Mapping[str, Any]) -> Response:
    """DRF's EXCEPTION_HANDLER: turns whatever a view raised into an answer, and rolls back its transaction."""
    response = (
        refusal_response(error) if isinstance(error, Refusal) else rest_response(as_rest_error(error), error, context)
    )
    set_rollback()
    return response


def refusal_response(refusal: Refusal) -> Response:
    body: dict[str, Any] = {"type": refusal.code, "detail": str(refusal.detail), **refusal.extra}
    if isinstance(refusal, InvalidInput):
        body["errors"] = {field: [str(line) for line in lines] for field, lines in refusal.errors.items()}
    status = next(status for family, status in STATUS_OF_REFUSAL.items() if isinstance(refusal, family))
    return Response(body, status=status)


def rest_response(known: rest_errors.APIException | None, error: Exception, context: Mapping[str, Any]) -> Response:
    if known is None:
        return failure_response(error, context)
    if isinstance(known, rest_errors.ValidationError):
        return invalid_response(flat_errors(known.detail))
    headers = {}
    if auth_header := getattr(known, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    if wait := getattr(known, "wait", None):
        # Rounded up: who comes back at that second is let in.
        headers["Retry-After"] = str(math.ceil(wait))
    kind = "invalid" if isinstance(known, rest_errors.ParseError) else known.default_code
    return Response({"type": kind, "detail": str(known.detail)}, status=known.status_code, headers=headers)


def invalid_response(errors: dict[str, list[str]]) -> Response:
    sentences = [line for lines in errors.values() for line in lines]
    detail = (
        sentences[0]
        if len(sentences) == 1
        else ngettext("%(count)s field needs correcting.", "%(count)s fields need correcting.", len(errors))
        % {"count": len(errors)}
    )
    return Response({"type": "invalid", "detail": detail, "errors": errors}, status=400)


def failure_response(error: Exception, context: Mapping[str, Any]) -> Response:
    """The answer to a mistake of ours: it says nothing of the inside; the log has it all under the request id."""
    request = context.get("request")
    # Django's signal for a failed request: the request log writes the exception, tests re-raise it.
    got_request_exception.send(sender=failure_response, request=getattr(request, "_request", request))
    return Response(server_error(), status=500)


def server_error() -> dict[str, str]:
    body = {"type": "server_error", "detail": _("Something went wrong on our side. Nothing was changed.")}
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    return {**body, "request_id": request_id} if request_id else body


class TooLarge(rest_errors.APIException):
    status_code = 413
    default_code = "too_large"


class InUse(rest_errors.APIException):
    status_code = 409
    default_code = "conflict"


def as_rest_error(error: Exception) -> rest_errors.APIException | None:
    """The same error as DRF would say it; None for what nobody has foreseen."""
    match error:
        case rest_errors.APIException():
            return error
        case Http404():
            return rest_errors.NotFound()
        case django_errors.PermissionDenied():
            return rest_errors.PermissionDenied()
        case django_errors.ValidationError():
            return rest_errors.ValidationError(as_serializer_error(error))
        case django_errors.RequestDataTooBig():
            return TooLarge(_("The request is too large."))
        case django_errors.SuspiciousOperation():
            return rest_errors.ParseError(_("The request can't be read."))
        case ProtectedError() | RestrictedError():
            return InUse(_("It can't be deleted: other records use it. Switch it off instead."))
        case IntegrityError():
            return as_conflict(error)
        case DataError():
            # The serializers refuse numbers and texts that a column can't hold; this is the net under them.
            logger.warning("A value that the database refuses came through validation: %s", type(error.__cause__))
            return rest_errors.ValidationError(_("A number is too large or a text too long."))
        case ValueError() if "NUL (0x00)" in str(error):
            return rest_errors.ValidationError(_("A text must not contain the character NUL."))
    return None


def as_conflict(error: IntegrityError) -> rest_errors.APIException | None:
    """Two requests raced for one unique name, or one deleted what the other pointed to; else it is our mistake."""
    match getattr(error.__cause__, "pgcode", None):
        case code if code == UNIQUE_VIOLATION:
            return InUse(_("The same record exists already."))
        case code if code == FOREIGN_KEY_VIOLATION:
            return InUse(_("Another record that this one needs, or that needs this one, has just changed."))
    return None


def flat_errors(detail: Any) -> dict[str, list[str]]:
    """DRF's nested error detail by path: {"items[0].quantity": ["…"]}; "non_field_errors" is the whole request."""
    errors: dict[str, list[str]] = {}
    for path, sentence in walk(detail, ""):
        errors.setdefault(path or WHOLE_REQUEST, []).append(sentence)
    return errors


def walk(detail: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            yield from walk(inner, inner_path(path, name))
    elif isinstance(detail, list | tuple):
        for index, inner in enumerate(detail):
            yield from walk(inner, f"{path}[{index}]" if isinstance(inner, Mapping | list | tuple) else path)
    else:
        yield path, str(detail)


def inner_path(path: str, name: str | int) -> str:
    if isinstance(name, int):
        return f"{path}[{name}]"
    if name == WHOLE_REQUEST:
        return path
    return f"{path}.{name}" if path else name


def is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400."""
    if not is_api(request):
        return defaults.bad_request(request, exception)
    return JsonResponse({"type": "invalid", "detail": _("The request can't be read.")}, status=400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403."""
    if not is_api(request):
        return defaults.permission_denied(request, exception)
    return JsonResponse({"type": "permission_denied", "detail": _("You may not do this.")}, status=403)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404."""
    if not is_api(request):
        return defaults.page_not_found(request, exception)
    return JsonResponse({"type": "not_found", "detail": _("There is nothing at this address.")}, status=404)


def failed(request: HttpRequest) -> HttpResponse:
    """Django's handler500."""
    return JsonResponse(server_error(), status=500) if is_api(request) else defaults.server_error(request)
