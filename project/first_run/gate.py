"""Leads whoever opens an empty shop to the first-run page.

A shop that is known to be set up is not asked about again for a while: its pages pay nothing for this.
"""

import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from foundation.shop import current_shop
from inventory.models import Location
from users.models import User

# As `project.urls` has them. Written out: this runs for every request, also under addresses of a test's own.
FRONT, HOME, SIGN_IN = "/", "/admin/", "/admin/login/"
# Seconds until a process looks again whether somebody has emptied the shop.
MEMORY = 30.0
_open_until = 0.0


def is_new_shop() -> bool:
    """Whether there is no account, or neither settings nor a location."""
    global _open_until
    if time.monotonic() < _open_until:
        return False
    is_open = User.objects.exists() and (current_shop().is_set_up or Location.objects.exists())
    _open_until = time.monotonic() + MEMORY if is_open else 0.0
    return not is_open


def look_again() -> None:
    """Makes this process look anew, after the shop was emptied."""
    global _open_until
    _open_until = 0.0


def take_for_open() -> None:
    """Makes this process take the shop for one that is set up, until `look_again`; for tests."""
    global _open_until
    _open_until = float("inf")


class FirstRunMiddleware:
    """The front page, the admin's home and its sign-in of a new shop lead to the first-run page; nothing else does."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method == "GET" and self.is_entrance(request) and is_new_shop():
            return HttpResponseRedirect(reverse("first_run:start"))
        return self.get_response(request)

    def is_entrance(self, request: HttpRequest) -> bool:
        """Whether somebody comes in here who may set the shop up, or of whom nobody knows yet who it is."""
        if request.path not in (FRONT, HOME, SIGN_IN):
            return False
        if request.path == SIGN_IN:
            return not User.objects.exists()
        return not request.user.is_authenticated or request.user.has_perm("foundation.change_shop")
