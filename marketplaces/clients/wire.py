"""One request and its answer over the wire: patience, size and gzip; nothing is repeated here."""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3.exceptions
from django.conf import settings
from django.utils.translation import gettext as _
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies

from marketplaces.errors import BadAnswer, MarketplaceError, Timeout, Unreachable

LARGEST_ANSWER = 64 * 1024 * 1024
PIECE = 64 * 1024
# An answer that comes drop by drop never runs into the read timeout.
LONGEST_ANSWER_SECONDS = 600.0
LOOPBACK = ("127.0.0.1", "localhost", "::1")

# What is behind an error that says that no byte of the request was sent.
NOT_SENT = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.NameResolutionError,
    urllib3.exceptions.ProxyError,
    urllib3.exceptions.SSLError,
)


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """A whole answer as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def new_session(base_url: str) -> requests.Session:
    """A session that keeps its connections, and takes no credentials from anywhere but its caller."""
    session = requests.Session()
    # A .netrc would replace our Authorization header; proxies and certificates are read by hand instead.
    session.trust_env = False
    if urlsplit(base_url).hostname not in LOOPBACK:
        session.proxies.update(get_environ_proxies(base_url))
    session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    adapter = HTTPAdapter(pool_connections=2, pool_maxsize=8, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.headers.update(
        {
            "User-Agent": settings.MARKETPLACE_USER_AGENT,
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
        }
    )
    return session


def send(
    session: requests.Session,
    method: str,
    url: str,
    *,
    call: str,
    timeout: tuple[float, float],
    **parts: Any,
) -> RawAnswer:
    """Sends one request and reads the whole answer.

    Raises Timeout, Unreachable (with `may_have_acted` False if the request surely never arrived) or BadAnswer. Their
    sentences hold `call`, and nothing of the address or the headers.
    """
    response = opened(session, method, url, call=call, timeout=timeout, **parts)
    with response:
        body = b"".join(pieces(response, call=call, largest=LARGEST_ANSWER))
        return RawAnswer(response.status_code, response.headers, body)


def opened(
    session: requests.Session, method: str, url: str, *, call: str, timeout: tuple[float, float], **parts: Any
) -> requests.Response:
    """Sends one request and reads the answer's head; the body is still to come, and the response to be closed."""
    try:
        return session.request(method, url, timeout=timeout, allow_redirects=False, stream=True, **parts)
    except requests.ConnectTimeout:
        fault: MarketplaceError = Timeout(_("%(call)s: no connection in time.") % {"call": call})
        fault.may_have_acted = False
    except requests.Timeout:
        fault = Timeout(_("%(call)s: no answer in time.") % {"call": call})
    except requests.ConnectionError as error:
        if is_unsent(error):
            fault = Unreachable(_("%(call)s: no connection.") % {"call": call})
            fault.may_have_acted = False
        else:
            fault = Unreachable(_("%(call)s: the connection was cut.") % {"call": call})
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        fault = BadAnswer(
            _("%(call)s: the request or the answer is no HTTP (%(kind)s).")
            % {"call": call, "kind": type(error).__name__}
        )
    # Outside of `except`, so that the error of requests, whose text holds the whole address, does not hang on it.
    raise fault


def is_unsent(error: requests.ConnectionError) -> bool:
    inner = error.args[0] if error.args else None
    return isinstance(getattr(inner, "reason", inner), NOT_SENT)


def pieces(response: requests.Response, *, call: str, largest: int) -> Iterator[bytes]:
    """The body, unpacked, piece by piece; stops with BadAnswer where it is larger than `largest`."""
    begun, size = time.monotonic(), 0
    stream = response.raw.stream(PIECE, decode_content=True)
    while True:
        piece, fault = next_piece(stream, call)
        if fault is not None:
            raise fault
        if piece is None:
            return
        size += len(piece)
        if size > largest:
            raise BadAnswer(
                _("%(call)s: the answer is larger than %(size)d MB.") % {"call": call, "size": largest // 1024**2},
                code="too_large",
            )
        if time.monotonic() - begun > LONGEST_ANSWER_SECONDS:
            raise Timeout(_("%(call)s: the answer comes too slowly.") % {"call": call})
        yield piece


def next_piece(stream: Iterator[bytes], call: str) -> tuple[bytes | None, MarketplaceError | None]:
    try:
        return next(stream, None), None
    except urllib3.exceptions.TimeoutError:
        return None, Timeout(_("%(call)s: the answer stopped coming.") % {"call": call})
    except urllib3.exceptions.DecodeError:
        return None, BadAnswer(_("%(call)s: the answer can't be unpacked.") % {"call": call})
    except (urllib3.exceptions.HTTPError, OSError):
        return None, Unreachable(_("%(call)s: the connection was cut in mid-answer.") % {"call": call})


def parsed(body: bytes) -> Any:
    """The JSON of an answer; None for an empty one. Raises ValueError."""
    if not body.strip():
        return None
    try:
        data = json.loads(body, parse_constant=refuse_constant)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    # What PostgreSQL keeps in no text: the zero character, and halves of a pair.
    if b"\\u0000" in body or b"\\ud" in body.lower():
        return storable(data)
    return data


def storable(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "").encode(errors="replace").decode()
    if isinstance(value, dict):
        return {storable(name): storable(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [storable(inner) for inner in value]
    return value


def refuse_constant(name: str) -> Callable[[], None]:
    raise ValueError(f"{name} is no JSON")
