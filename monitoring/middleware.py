"""Keeps the probes away from everything that needs the database."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

PROBES = ("/health/", "/metrics")


class AnonymousProbes:
    """Takes the cookies off requests of /health/ and /metrics: a session would be looked up in the database.

    Stands before SessionMiddleware.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(PROBES):
            request.COOKIES = {}
        return self.get_response(request)
