"""Keeps the probes away from everything that needs the database."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class AnonymousProbes:
    """Takes the cookies off requests under /health/: a browser's session would be looked up in the database.

    Stands before SessionMiddleware.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith("/health/"):
            request.COOKIES = {}
        return self.get_response(request)
