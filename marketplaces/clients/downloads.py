"""Files of reports: an address that the marketplace gave is not trusted, and gets no credentials."""

import time
from collections.abc import Callable, Collection, Iterator
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3.exceptions
from django.utils.translation import gettext as _
from urllib3.util import parse_url

from marketplaces.clients import wire
from marketplaces.clients.faults import fault_of
from marketplaces.errors import BadAnswer, MarketplaceError, Refused, ServerError, Timeout, Unreachable

LARGEST_FILE = 1024 * 1024 * 1024
MOST_REPEATS = 3
CALL = "GET file"


def checked_address(url: str, *, base_url: str, allowed_hosts: Collection[str]) -> str:
    """The address, if it may be fetched: see `ApiSession.download`. Raises Refused."""
    try:
        # As `requests` reads it, so that both see the same host.
        parsed = parse_url(url)
    except urllib3.exceptions.LocationParseError:
        parsed = None
    own = urlsplit(base_url)
    if parsed is not None and parsed.auth is None and not any(sign in url for sign in "\\ \t\r\n"):
        host = (parsed.host or "").lower()
        is_own = (parsed.scheme, host, parsed.port) == (own.scheme, own.hostname, own.port)
        is_allowed = parsed.scheme == "https" and parsed.port in (None, 443) and host in allowed_hosts
        if is_own or is_allowed:
            return url
    shown = "-" if parsed is None else f"{parsed.scheme}://{parsed.host}"
    raise Refused(_("The file's address %(address)s is none that may be fetched.") % {"address": shown})


def pieces_of(url: str, *, timeout: tuple[float, float], logger: Any, wait: Callable[[int], None]) -> Iterator[bytes]:
    """The bytes of the file; asked for up to four times, with `wait(attempt)` between, as long as none has come."""
    with wire.new_session(url) as session:
        attempt = 1
        while True:
            begun = time.perf_counter()
            try:
                response = begun_file(session, url, timeout)
            except (Timeout, Unreachable, ServerError) as error:
                say(logger, url, begun, attempt, status=error.status, error=error.kind)
                if attempt > MOST_REPEATS:
                    raise
                wait(attempt)
                attempt += 1
                continue
            except MarketplaceError as error:
                say(logger, url, begun, attempt, status=error.status, error=error.kind)
                raise
            say(logger, url, begun, attempt, status=response.status_code, error=None)
            with response:
                yield from wire.pieces(response, call=CALL, largest=LARGEST_FILE)
            return


def begun_file(session: requests.Session, url: str, timeout: tuple[float, float]) -> requests.Response:
    response = wire.opened(session, "GET", url, call=CALL, timeout=timeout, headers={"Accept": "*/*"})
    if response.status_code == 200:
        return response
    response.close()
    if 300 <= response.status_code < 400:
        raise BadAnswer(
            _("The file's address points to another one, which is not followed."), status=response.status_code
        )
    raise fault_of(response.status_code, None, call=CALL)


def say(logger: Any, url: str, begun: float, attempt: int, *, status: int | None, error: str | None) -> None:
    parts = urlsplit(url)
    logger.info(
        "marketplace_call",
        method="GET",
        # Addresses of files may be signed in their query.
        path=f"{parts.netloc}{parts.path}",
        status=status,
        ms=round((time.perf_counter() - begun) * 1000),
        attempt=attempt,
        error=error,
    )
