"""Where a request comes from."""

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """Returns the client's network address, as far as it can be trusted.

    Without a proxy of our own it is the connection's. Behind TRUSTED_PROXIES proxies it is what the outermost of
    them saw: every proxy adds the address it was called from at the end of X-Forwarded-For, and what stands
    further to the left anybody may have written.
    """
    trusted = settings.TRUSTED_PROXIES
    forwarded = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    if trusted and forwarded:
        return _without_port(forwarded[-min(trusted, len(forwarded))])
    return str(request.META.get("REMOTE_ADDR", ""))


def _without_port(address: str) -> str:
    """Some proxies add the port: 192.0.2.1:4711, [2001:db8::1]:4711."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address
