"""Calls of a marketplace's API: one session per account, patient, within the limits, and silent about secrets."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from marketplaces.clients.answers import Answer
from marketplaces.clients.gate import Gate

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 30.0


def pause(seconds: float) -> None:
    """Waits. The one place where this app's clients do; tests put another one in its place."""
    time.sleep(seconds)


class ApiSession:
    """The connections of one account to one API.

    `headers(False)` gives the credentials of a call; after a 401 it is asked again with True, for new ones (and may
    raise NotAuthorised). If they are the same as before, the 401 stands. `gates` are passed by every call; the first
    one's circuit breaker counts. `penalty`: so many further slots a 4xx costs (Wildberries: 9).
    `marketplace` and `account` stand in the log.

    May be used by several threads. Refuses to work inside a transaction.
    """

    def __init__(
        self,
        *,
        base_url: str,
        gate: Gate | Sequence[Gate],
        headers: Callable[[bool], Mapping[str, str]],
        marketplace: str,
        account: str,
        read_timeout: float = READ_TIMEOUT,
        connect_timeout: float = CONNECT_TIMEOUT,
        penalty: int = 0,
    ) -> None:
        raise NotImplementedError

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        is_safe: bool,
        cost: int = 1,
        gates: Sequence[Gate] = (),
        accept: Collection[int] = (200, 201, 202, 204),
    ) -> Answer:
        """One call of `path` (or of a whole address at the same host), with its JSON answer checked to be JSON.

        `is_safe`: it may be sent twice. Such a call is repeated up to three times, with a growing delay, when no
        usable answer came; any other only if it surely never arrived (no connection, 401, 429). `gates` are passed
        besides the session's. `accept` are the statuses to hand back; put e.g. 409 there to read its body.

        Raises NotAuthorised (401, 403), NotFound (404, 410), Refused (other 4xx), RateLimited, ServerError, Timeout,
        Unreachable, BadAnswer (no JSON, cut off, too large, a redirect), BreakerOpen.
        """
        raise NotImplementedError

    def download(self, url: str, *, allowed_hosts: Collection[str]) -> Iterator[bytes]:
        """The bytes of a file that the marketplace offers, piece by piece: https (unless the API itself is http), at
        the API's own host or one of these, without credentials, no redirects. Raises Refused for any other address."""
        raise NotImplementedError
