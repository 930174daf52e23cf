"""Calls of a marketplace's API: one session per account, patient, within the limits, and silent about secrets."""

import random
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from marketplaces.clients import downloads, wire
from marketplaces.clients.answers import Answer
from marketplaces.clients.counting import count_call
from marketplaces.clients.faults import asked_to_wait, fault_of, secrets_in
from marketplaces.clients.gate import Gate
from marketplaces.clients.parallel import at_home
from marketplaces.errors import (
    BadAnswer,
    BreakerOpen,
    MarketplaceError,
    NotAuthorised,
    RateLimited,
    ServerError,
    Timeout,
    Unreachable,
)
from marketplaces.services import gates as gate_keeper
from marketplaces.services.gates import LONGEST_WAIT, Pass

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 30.0
# A call is repeated so often, after about 1, 2 and 4 seconds.
MOST_REPEATS = 3
FIRST_DELAY = 1.0
JITTER = 0.2
# Waits longer than this are worth a line of the log.
WORTH_A_LINE = 0.5
USUAL_STATUSES = (200, 201, 202, 204)
# Another attempt would be answered in the same way.
POINTLESS_TO_REPEAT = ("too_large", "redirect")

logger = structlog.get_logger("marketplaces.http")


def pause(seconds: float) -> None:
    """Waits. The one place where this app's clients do; tests put another one in its place."""
    time.sleep(seconds)


@dataclass(slots=True)
class Call:
    """A call while it is being made, maybe several times."""

    method: str
    path: str
    parts: Mapping[str, Any]
    headers: Mapping[str, str]
    is_safe: bool
    cost: int
    gates: Sequence[Gate]
    accept: Collection[int]
    secrets: Mapping[str, str]
    credentials: Mapping[str, str]
    attempt: int = 0
    has_new_credentials: bool = False
    # What the marketplace asked for with its last answer.
    asked_to_wait: float | None = None

    @property
    def name(self) -> str:
        """For sentences and the log: without the query, which may hold a secret."""
        return f"{self.method} {urlsplit(self.path).path}"


class ApiSession:
    """The connections of one account to one API.

    `headers(False)` gives the credentials of a call; after a 401 it is asked again with True, for new ones (and may
    raise NotAuthorised). If they are the same as before, the 401 stands. `gate` are the limits that every call passes;
    the first one's circuit breaker counts. `penalty`: so many further slots a 4xx costs (Wildberries: 9).
    Who would have to wait longer than `patience` seconds, for a limit or because the marketplace asks for it, gets
    RateLimited. `marketplace` and `account` stand in the log.

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
        patience: float = LONGEST_WAIT,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.pace = pace_of(self.base_url)
        self.gates = [quicker(each, self.pace) for each in ([gate] if isinstance(gate, Gate) else gate)]
        self.headers = headers
        self.penalty = penalty
        self.patience = patience
        self.timeout = (connect_timeout, read_timeout)
        self.session = wire.new_session(self.base_url)
        self.marketplace = marketplace
        self.logger = logger.bind(marketplace=marketplace, account=account)

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
        accept: Collection[int] = USUAL_STATUSES,
    ) -> Answer:
        """One call of `path` (or of a whole address at the same host), with its JSON answer checked to be JSON.

        `is_safe`: it may be sent twice. Such a call is repeated up to three times, with a growing delay, when no
        usable answer came; any other only if it surely never arrived (no connection, 401, 429). `gates` are passed
        besides the session's. `accept` are the statuses to hand back; put e.g. 409 there to read its body.

        Raises NotAuthorised (401, 403), NotFound (404, 410), Refused (other 4xx), RateLimited, ServerError, Timeout,
        Unreachable, BadAnswer (no JSON, cut off, too large, a redirect), BreakerOpen.
        """
        gate_keeper.outside_a_transaction()
        call = Call(
            method=method,
            path=self.path_of(path),
            parts={"params": params, "json": json, "data": form},
            headers=headers or {},
            is_safe=is_safe,
            cost=cost,
            gates=[*self.gates, *(quicker(gate, self.pace) for gate in gates)],
            accept=accept,
            secrets=form or {},
            credentials=at_home(lambda: self.headers(False)),
        )
        passed = self.pass_gates(call)
        wait = passed.wait
        while True:
            call.attempt += 1
            self.rest(wait, call)
            try:
                return self.attempt(call, passed)
            except MarketplaceError as error:
                wait, passed = self.before_repeating(call, error)

    def download(self, url: str, *, allowed_hosts: Collection[str]) -> Iterator[bytes]:
        """The bytes of a file that the marketplace offers, piece by piece: https (unless the API itself is http), at
        the API's own host or one of these, without credentials, no redirects. Raises Refused for any other address.

        A file that does not begin is asked for again like any other call; one that breaks off raises Unreachable.
        """
        gate_keeper.outside_a_transaction()
        return downloads.pieces_of(
            downloads.checked_address(url, base_url=self.base_url, allowed_hosts=allowed_hosts),
            timeout=self.timeout,
            logger=self.logger,
            wait=lambda attempt: self.say_and_pause(growing_delay(attempt), "GET file", attempt),
        )

    # --- one attempt ------------------------------------------------------------------------------------

    def attempt(self, call: Call, passed: Pass) -> Answer:
        """Sends the call once, writes its line, tells the gate how it went. Raises what the answer came to."""
        begun = time.perf_counter()
        raw, data, fault = self.exchange(call)
        took, status = time.perf_counter() - begun, raw.status if raw else None
        count_call(marketplace=self.marketplace, status=status, fault=fault, seconds=took)
        self.logger.info(
            "marketplace_call",
            method=call.method,
            path=urlsplit(call.path).path,
            status=status,
            ms=round(took * 1000),
            attempt=call.attempt,
            error=fault.kind if fault else None,
        )
        at_home(lambda: self.tell_gate(call, passed, raw, fault))
        if raw is None or fault is not None:
            raise cast(MarketplaceError, fault)
        return Answer(raw.status, data, raw.headers)

    def exchange(self, call: Call) -> tuple[wire.RawAnswer | None, Any, MarketplaceError | None]:
        """(what came, its JSON, what is wrong with it)"""
        call.asked_to_wait = None
        try:
            raw = wire.send(
                self.session,
                call.method,
                self.base_url + call.path,
                call=call.name,
                timeout=self.timeout,
                headers={**call.credentials, **call.headers},
                **call.parts,
            )
        except MarketplaceError as error:
            return None, None, error
        call.asked_to_wait = asked_to_wait(raw.headers, now=timezone.now())
        try:
            data = wire.parsed(raw.body)
        except ValueError:
            return raw, None, self.fault_without_json(call, raw.status)
        return raw, data, self.fault_in(call, raw.status, data)

    def fault_in(self, call: Call, status: int, data: Any) -> MarketplaceError | None:
        if status == 429:
            asked = call.asked_to_wait
            return RateLimited(
                _("%(call)s: too many calls.") % {"call": call.name},
                retry_after=growing_delay(call.attempt) if asked is None else asked,
            )
        if 300 <= status < 400:
            return BadAnswer(
                _("%(call)s points to another address, which is not followed.") % {"call": call.name},
                status=status,
                code="redirect",
            )
        if status in call.accept:
            return None
        return fault_of(status, data, call=call.name, secrets=secrets_in(call.credentials, call.secrets))

    def fault_without_json(self, call: Call, status: int) -> MarketplaceError | None:
        if status in call.accept or (status < 500 and status not in (401, 429)):
            # A page that says 404 or 403 comes from something in between: it says nothing about the order or the key.
            return BadAnswer(
                _("%(call)s was answered with something that is no JSON (%(status)d).")
                % {"call": call.name, "status": status},
                status=status,
                code="redirect" if 300 <= status < 400 else "",
            )
        return self.fault_in(call, status, None)

    def tell_gate(self, call: Call, passed: Pass, raw: wire.RawAnswer | None, fault: MarketplaceError | None) -> None:
        main = self.gates[0]
        if is_failure(fault):
            gate_keeper.count_failure(main, is_probe=passed.is_probe)
        elif passed.is_probe or passed.failures:
            gate_keeper.count_success(main)
        if self.penalty and raw and 400 <= raw.status < 500 and raw.status != 429:
            gate_keeper.charge(main, self.penalty)

    # --- waiting ----------------------------------------------------------------------------------------

    def pass_gates(self, call: Call) -> Pass:
        """Takes a slot at each gate; the wait is the longest of them."""
        return at_home(lambda: pass_all(call.gates, call.cost, self.patience))

    def before_repeating(self, call: Call, error: MarketplaceError) -> tuple[float, Pass]:
        """How long to wait before the call is repeated, and the slot that it then has. Raises the error where it is
        not repeated."""
        is_last = call.attempt > MOST_REPEATS
        if isinstance(error, RateLimited):
            # What lowers the rate takes the slot after the pause as well.
            wait = at_home(lambda: gate_keeper.slow_down(call.gates[-1], retry_after=error.retry_after, cost=call.cost))
            if is_last or wait > self.patience:
                raise RateLimited(str(error), retry_after=wait)
            return wait, Pass(wait=wait)
        if is_last:
            raise error
        if isinstance(error, NotAuthorised) and error.status == 401 and not call.has_new_credentials:
            renewed = at_home(lambda: self.headers(True))
            if renewed == call.credentials:
                raise error
            call.credentials, call.has_new_credentials = renewed, True
            passed = self.pass_gates(call)
            return passed.wait, passed
        if not is_failure(error) or (error.may_have_acted and not call.is_safe):
            raise error
        if error.code in POINTLESS_TO_REPEAT or (call.asked_to_wait or 0) > self.patience:
            raise error
        try:
            passed = self.pass_gates(call)
        except (BreakerOpen, RateLimited):
            raise error from None
        return max(passed.wait, growing_delay(call.attempt), call.asked_to_wait or 0), passed

    def rest(self, wait: float, call: Call) -> None:
        if wait > 0:
            self.say_and_pause(wait, call.name, call.attempt)

    def say_and_pause(self, seconds: float, name: str, attempt: int) -> None:
        if seconds > WORTH_A_LINE:
            self.logger.info("marketplace_wait", call=name, seconds=round(seconds, 3), attempt=attempt)
        pause(seconds)

    def path_of(self, address: str) -> str:
        """The path within this API. Raises BadAnswer for an address of another host."""
        if address.startswith("/"):
            return address
        if not address.startswith(f"{self.base_url}/"):
            raise BadAnswer(_("The marketplace points to another host, which is not asked."), code="redirect")
        return address.removeprefix(self.base_url)


def pass_all(gates: Sequence[Gate], cost: int, patience: float) -> Pass:
    main = gate_keeper.pass_gate(gates[0], cost=cost, patience=patience)
    try:
        waits = [gate_keeper.pass_gate(gate, cost=cost, patience=patience).wait for gate in gates[1:]]
    except MarketplaceError:
        if main.is_probe:
            gate_keeper.give_probe_back(gates[0])
        raise
    return Pass(wait=max([main.wait, *waits]), is_probe=main.is_probe, failures=main.failures)


def pace_of(base_url: str) -> float:
    """How many times faster than its original this API may be asked: only the stand-in may."""
    standin = settings.MARKETPLACE_STANDIN_URL.rstrip("/")
    is_standin = bool(standin) and base_url.startswith(f"{standin}/")
    return settings.MARKETPLACE_STANDIN_PACE if is_standin else 1.0


def quicker(gate: Gate, pace: float) -> Gate:
    return gate if pace == 1 else replace(gate, rate=gate.rate * pace, burst=round(gate.burst * pace))


def is_failure(fault: MarketplaceError | None) -> bool:
    """Whether the marketplace itself did not work, as opposed to having said no."""
    return isinstance(fault, Timeout | Unreachable | ServerError | BadAnswer)


def growing_delay(attempt: int) -> float:
    """About 1, 2, 4, … seconds: not exactly, so that workers who failed together do not come back together."""
    return FIRST_DELAY * 2 ** (attempt - 1) * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
