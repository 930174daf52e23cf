"""The answer to whom the shop can't serve just now: a page for people, JSON for programs, and when to come again."""

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils import translation

# What asks for a thing and changes none: RFC 9110, 9.2.1.
SAFE = {"GET", "HEAD", "OPTIONS", "TRACE"}


@dataclass(frozen=True, slots=True)
class Told:
    """What is said: the page's heading, what to do about something that was just sent, and the `detail` of JSON."""

    heading: str
    advice: str
    detail: str


def come_again(request: HttpRequest, *, kind: str, tell: Callable[[], Told], after: int) -> HttpResponse:
    """Answers 503, in the language of the browser: whose account it is can't be asked.

    Args:
        kind: the `type` of the API's error.
        tell: says it, once the language is set.
        after: seconds after which it is worth coming again.
    """
    with translation.override(translation.get_language_from_request(request)):
        told = tell()
        if request.path_info.startswith("/api/"):
            response: HttpResponse = JsonResponse({"type": kind, "detail": told.detail}, status=503)
        else:
            said = {"told": told, "after": after, "is_form": request.method not in SAFE}
            response = HttpResponse(render_to_string("come_again.html", said), status=503)
        response.headers["Content-Language"] = translation.get_language()
    response.headers["Retry-After"] = str(after)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Vary"] = "Accept-Language, Cookie"
    return response
