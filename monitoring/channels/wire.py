"""One request of a sender and its answer: patience, size, no redirects, and nothing of the address in what it says."""

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
from django.utils import timezone
from django.utils.translation import gettext as _
from requests.utils import get_environ_proxies

from monitoring.channels.base import ChannelUnreachable

CONNECT_SECONDS = 5.0
READ_SECONDS = 15.0
# An answer that comes drop by drop never runs into the read timeout.
LONGEST_ANSWER_SECONDS = 30.0
LARGEST_ANSWER = 1024 * 1024
PIECE = 64 * 1024
LOOPBACK = ("127.0.0.1", "localhost", "::1")
USER_AGENT = "Samovar/1.0"
# Nobody is believed who asks for more than a day, and without a number this is waited.
LONGEST_ASKED = 86_400.0
USUAL_WAIT = 60.0


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """A whole answer as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON, None if it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


def post(url: str, *, service: str, **parts: Any) -> RawAnswer:
    """Posts once and reads the whole answer, which may be a redirect: none is followed.

    `service` names the other side in sentences ("Telegram"); `parts` are those of requests: data, json, files, headers.
    Raises ChannelUnreachable. Its sentence and its causes hold nothing of the address, which may hold a token.
    """
    session = requests.Session()
    # A .netrc would put its own credentials in; proxies and certificates are read by hand instead.
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
    session.headers["User-Agent"] = USER_AGENT
    with session:
        answer, fault = exchanged(session, url, service, parts)
    if answer is None:
        # Outside of `except`, so that the error of requests, whose text holds the whole address, does not hang on it.
        raise ChannelUnreachable(fault)
    return answer


def exchanged(
    session: requests.Session, url: str, service: str, parts: Mapping[str, Any]
) -> tuple[RawAnswer | None, str]:
    """(the answer, or what went wrong)"""
    try:
        if urlsplit(url).hostname not in LOOPBACK:
            session.proxies.update(get_environ_proxies(url))
        with session.post(
            url, timeout=(CONNECT_SECONDS, READ_SECONDS), allow_redirects=False, stream=True, **parts
        ) as response:
            body = body_of(response)
            if body is None:
                return None, _("%(service)s answers too much or too slowly.") % {"service": service}
            return RawAnswer(response.status_code, response.headers, body), ""
    except requests.ConnectTimeout:
        return None, _("%(service)s can't be reached: no connection in time.") % {"service": service}
    except requests.Timeout:
        return None, _("%(service)s does not answer in time.") % {"service": service}
    except requests.exceptions.SSLError:
        return None, _("%(service)s can't be reached: its certificate is not trusted.") % {"service": service}
    except requests.ConnectionError:
        return None, _("%(service)s can't be reached, or cuts the connection.") % {"service": service}
    except (requests.RequestException, ValueError):
        # ValueError: a host that no name can be, such as one with an empty part.
        return None, _("%(service)s can't be asked: the address or the answer is no HTTP.") % {"service": service}


def body_of(response: requests.Response) -> bytes | None:
    """None where it is too large or comes too slowly."""
    begun, body = time.monotonic(), b""
    for piece in response.iter_content(PIECE):
        body += piece
        if len(body) > LARGEST_ANSWER or time.monotonic() - begun > LONGEST_ANSWER_SECONDS:
            return None
    return body


def asked_to_wait(headers: Mapping[str, str]) -> float:
    """The seconds of Retry-After, which may be a date too (RFC 9110, 10.2.3); a minute where nothing usable is said."""
    value = (headers.get("Retry-After") or "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:9]), LONGEST_ASKED)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return USUAL_WAIT
    aware: datetime = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max((aware - timezone.now()).total_seconds(), 1.0), LONGEST_ASKED)
