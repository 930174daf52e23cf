"""What mails need to know of the request that caused them."""

from django.http import HttpRequest
from django.utils import translation


def site_of(request: HttpRequest) -> str:
    """The shop's address as the browser has reached it, without a slash at the end. ALLOWED_HOSTS guards the name."""
    return request.build_absolute_uri("/").rstrip("/")


def language_of(request: HttpRequest) -> str:
    """The language in which the page is shown."""
    return translation.get_language() or ""
