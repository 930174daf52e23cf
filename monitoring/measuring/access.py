"""Who may read the metrics: whoever has the token, and the networks that were named. Nobody else; they tell what the
shop earns."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from foundation.client_address import client_address

# What a proxy adds. Where none of ours is known, somebody else's stands between, and the connection's address is its.
MARKS_OF_PROXIES = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via")


def may_read(request: HttpRequest) -> bool:
    """Whether the request brings METRICS_TOKEN, or comes from one of METRICS_NETWORKS."""
    return has_token(request) or is_from_network(request)


def has_token(request: HttpRequest) -> bool:
    """Whether it says `Authorization: Bearer` and the token. Without a token nobody has it."""
    scheme, _space, given = request.headers.get("Authorization", "").partition(" ")
    wanted = settings.METRICS_TOKEN
    return bool(wanted) and scheme.lower() == "bearer" and constant_time_compare(given.strip(), wanted)


def is_from_network(request: HttpRequest) -> bool:
    """Whether its client is in one of the networks, as far as that is known."""
    if not settings.TRUSTED_PROXIES and any(mark in request.headers for mark in MARKS_OF_PROXIES):
        return False
    try:
        address = ipaddress.ip_address(client_address(request))
    except ValueError:
        # A socket of the file system has no address.
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in network for network in settings.METRICS_NETWORKS)
