"""How the public pages answer: whole pages for a browser, parts of them for htmx, and never for anybody else's eyes."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.cache import patch_cache_control, patch_vary_headers

from orders.pages.session_cart import Cart

LONGEST_ID = 18


def wants_part(request: HttpRequest, target: str = "") -> bool:
    """Whether htmx asks for a part of the page (for the element with this id), and not a browser for a page."""
    if "HX-Request" not in request.headers or "HX-History-Restore-Request" in request.headers:
        return False
    return not target or request.headers.get("HX-Target") == target


def page(request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """A page, or a part of one. A browser keeps it and asks each time whether it is still so: availability and the
    number in the cart change with every sale."""
    response = render(request, template, context, status=status)
    patch_cache_control(response, private=True, no_cache=True)
    patch_vary_headers(response, ["Cookie", "Accept-Language", "HX-Request", "HX-Target"])
    return response


def with_frame(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Adds to a part what changes around it: the number in the cart and what is to be said."""
    frame = {"out_of_band": True, "count": Cart(request.session).count, "messages": messages.get_messages(request)}
    for template in ("shop/cart_count.html", "shop/messages.html"):
        response.write(render_to_string(template, frame, request=request))
    return response


def as_id(text: str | None) -> int | None:
    """The id that a query or a form names, None for anything else."""
    if text and text.isascii() and text.isdigit() and len(text) <= LONGEST_ID:
        return int(text)
    return None
