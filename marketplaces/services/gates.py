"""The limits and circuit breakers of the marketplaces, shared by all workers on all machines through PostgreSQL.

The limit is the generic cell rate algorithm: `next_at` is the theoretical arrival time, one statement moves it and
says how long to wait. A 429 halves the rate, ten quiet minutes bring it back. Several slots are taken at once where
many are needed, and used within a moment, so that not every call asks PostgreSQL.

The breaker opens after five failures in a row, for half a minute and then longer each time; after that a single call
tries whether the marketplace is back. See docs/adr/0052-limits-in-postgresql.md.
"""

import datetime
import threading
import time
from collections import deque
from dataclasses import dataclass

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from marketplaces.clients.gate import Gate
from marketplaces.errors import BreakerOpen, RateLimited
from marketplaces.models import ApiGate

# Who would have to wait longer than this comes back another time instead of holding a worker.
LONGEST_WAIT = 60.0
# Slots that were taken together are used within this time, or not at all.
LEASE_SECONDS = 0.2
MOST_SLOTS = 100
# The rate never falls below this part of what the marketplace allows, and takes this long to come back in full.
LOWEST_PART = 1 / 16
RECOVERY_SECONDS = 600.0
FAILURES_TO_OPEN = 5
# A usual hour is a mean in which each new hour weighs so little; hours without calls do not count.
HOURS_OF_USUAL = 12
OPEN_SECONDS = 30.0
LONGEST_OPEN_SECONDS = 600.0
# A call that tries whether the marketplace is back has this long; if its worker dies, another one tries then.
PROBE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Pass:
    """May go in `wait` seconds. `is_probe`: the breaker was open, and this call is the one that tries.
    `failures` in a row so far."""

    wait: float
    is_probe: bool = False
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Slot:
    """A call that may be made from `due` on, by this process's monotonic clock."""

    due: float
    use_until: float
    failures: int


class InsideATransaction(transaction.TransactionManagementError):
    """Somebody calls a marketplace inside a transaction: its locks would be held for as long as the network takes."""


def outside_a_transaction() -> None:
    """Raises InsideATransaction inside one; that of a test case does not count (as for Django's `durable`)."""
    if connection.in_atomic_block and not getattr(connection.atomic_blocks[-1], "_from_testcase", False):
        raise InsideATransaction("No network call is made inside a transaction.")


def pass_gate(gate: Gate, *, cost: int = 1, patience: float = LONGEST_WAIT) -> Pass:
    """Takes `cost` slots and says how long to wait for them.

    Raises BreakerOpen while the marketplace is left alone, RateLimited if the wait would be longer than `patience`;
    no slot is taken then.
    """
    if cost == 1 and (slot := leased_slot(gate.key)):
        return Pass(wait=max(0.0, slot.due - time.monotonic()), failures=slot.failures)
    slots = max(cost, min(gate.burst, int(gate.rate * LEASE_SECONDS), MOST_SLOTS))
    row = one_row(TAKE, values(gate, slots=slots, patience=patience))
    if row is None:
        raise why_refused(gate)
    wait, step, failures, is_probe = row[0], row[1], int(row[2]), bool(row[3])
    if slots > cost and not is_probe:
        keep_slots(gate.key, last_due=time.monotonic() + wait, step=step, number=slots - cost, failures=failures)
    return Pass(wait=max(0.0, wait - step * (slots - cost)), is_probe=is_probe, failures=failures)


def slow_down(gate: Gate, *, retry_after: float, cost: int = 1) -> float:
    """After a 429: nobody passes for so many seconds, the rate is halved (once, however many calls were answered so at
    that moment), and the caller has the first slot after that. Returns how long it has to wait for it."""
    drop_slots(gate.key)
    row = one_row(SLOW_DOWN, values(gate, slots=cost, retry_after=retry_after))
    return retry_after if row is None else float(row[0])


def charge(gate: Gate, slots: int) -> None:
    """Takes slots that were used already: nobody waits now, the next ones wait longer."""
    drop_slots(gate.key)
    one_row(CHARGE, values(gate, slots=slots))


def count_failure(gate: Gate, *, is_probe: bool = False) -> None:
    """Another failure in a row. What comes back late from before the breaker opened does not count again."""
    drop_slots(gate.key)
    one_row(FAIL, values(gate, is_probe=is_probe))


def count_success(gate: Gate) -> None:
    """The marketplace works: the breaker closes."""
    drop_slots(gate.key)
    one_row(SUCCEED, values(gate))


def give_probe_back(gate: Gate) -> None:
    """The call that should have tried was not made: the next one tries."""
    one_row(GIVE_BACK, values(gate))


def why_refused(gate: Gate) -> BreakerOpen | RateLimited:
    row = ApiGate.objects.get(pk=gate.key)
    now = timezone.now()
    if row.open_until is not None and row.open_until > now:
        return BreakerOpen(
            _("The marketplace failed several times in a row and is left alone until %(time)s.")
            % {"time": f"{row.open_until:%H:%M:%S} UTC"},
            until=row.open_until,
        )
    burst_over = row.next_at - datetime.timedelta(seconds=gate.burst / row.rate)
    until = max(row.blocked_until or burst_over, burst_over)
    return RateLimited(
        _("The marketplace's limit is used up for longer than one call may wait."),
        retry_after=max(1.0, (until - now).total_seconds()),
    )


# --- slots that this process has taken and not used yet -----------------------------------------------

slots_at_hand: dict[str, deque[Slot]] = {}
guard = threading.Lock()


def leased_slot(key: str) -> Slot | None:
    now = time.monotonic()
    with guard:
        slots = slots_at_hand.get(key, ())
        while slots:
            slot = slots.popleft()
            if now <= slot.use_until:
                return slot
    return None


def keep_slots(key: str, *, last_due: float, step: float, number: int, failures: int) -> None:
    dues = [last_due - step * before for before in range(number - 1, -1, -1)]
    now = time.monotonic()
    with guard:
        slots_at_hand[key] = deque(Slot(due, max(now, due) + LEASE_SECONDS, failures) for due in dues)


def drop_slots(key: str) -> None:
    with guard:
        slots_at_hand.pop(key, None)


def forget_slots() -> None:
    """Drops all slots at hand: another process, or another test, begins."""
    with guard:
        slots_at_hand.clear()


# --- the statements, each of them alone and committed at once -------------------------------------------

NOW = "statement_timestamp()"
HOUR = f"date_trunc('hour', {NOW}, 'UTC')"
# What the rate has grown back to by now.
RATE = f"""least(%(rate)s, gate.rate + %(rate)s / {RECOVERY_SECONDS}
             * greatest(0, extract(epoch FROM {NOW} - gate.updated_at)))::float8"""
NEXT_AT = f"(greatest(gate.next_at, {NOW}) + make_interval(secs => %(slots)s / {RATE}))"
DUE = f"greatest({NEXT_AT} - make_interval(secs => %(burst)s / {RATE}), gate.blocked_until)"

TAKE = f"""
    INSERT INTO {{table}} AS gate (key, next_at, rate, failures, updated_at, hour, calls)
    VALUES (%(key)s, {NOW} + make_interval(secs => %(slots)s / %(rate)s::float8), %(rate)s, 0, {NOW},
            {HOUR}, %(slots)s)
    ON CONFLICT (key) DO UPDATE SET
        rate = {RATE},
        next_at = {NEXT_AT},
        open_until = CASE WHEN gate.open_until IS NULL THEN NULL
                          ELSE {NOW} + make_interval(secs => {PROBE_SECONDS}) END,
        calls = CASE WHEN gate.hour = {HOUR} THEN gate.calls ELSE 0 END + %(slots)s,
        usual_calls = CASE WHEN gate.hour = {HOUR} THEN gate.usual_calls
                           ELSE coalesce(gate.usual_calls + (gate.calls - gate.usual_calls) / {HOURS_OF_USUAL},
                                         gate.calls) END,
        hour = {HOUR},
        updated_at = {NOW}
    WHERE (gate.open_until IS NULL OR gate.open_until <= {NOW})
      AND {DUE} <= {NOW} + make_interval(secs => %(patience)s)
    RETURNING extract(epoch FROM greatest(gate.next_at - make_interval(secs => %(burst)s / gate.rate),
                                          gate.blocked_until) - {NOW})::float8,
              1 / gate.rate, gate.failures, gate.open_until IS NOT NULL
"""  # noqa: S608
# The slot of the caller is the first one after the pause, and no burst follows it.
SLOWED = f"""(CASE WHEN gate.blocked_until > {NOW} THEN gate.rate
              ELSE greatest(gate.rate / 2, %(rate)s * {LOWEST_PART}) END)"""
SLOW_DOWN = f"""
    UPDATE {{table}} AS gate SET
        rate = {SLOWED},
        blocked_until = greatest(gate.blocked_until, {NOW} + make_interval(secs => %(retry_after)s)),
        next_at = greatest(gate.next_at, {NOW} + make_interval(secs => %(retry_after)s)
                           + make_interval(secs => (%(burst)s - %(slots)s) / {SLOWED}))
                  + make_interval(secs => %(slots)s / {SLOWED}),
        updated_at = {NOW}
    WHERE key = %(key)s
    RETURNING extract(epoch FROM gate.next_at - make_interval(secs => %(burst)s / gate.rate) - {NOW})::float8
"""  # noqa: S608 (only constants of this file are put together)
CHARGE = f"""
    UPDATE {{table}} AS gate
    SET next_at = greatest(next_at, {NOW}) + make_interval(secs => %(slots)s / rate)
    WHERE key = %(key)s
    RETURNING 1
"""  # noqa: S608
FAIL = f"""
    UPDATE {{table}} AS gate SET
        failures = failures + 1,
        open_until = CASE WHEN failures + 1 >= {FAILURES_TO_OPEN} THEN {NOW} + make_interval(
            secs => least({LONGEST_OPEN_SECONDS},
                          {OPEN_SECONDS} * 2 ^ least(failures + 1 - {FAILURES_TO_OPEN}, 10))) END
    WHERE key = %(key)s AND (open_until IS NULL OR open_until <= {NOW} OR %(is_probe)s)
    RETURNING 1
"""  # noqa: S608
SUCCEED = """
    UPDATE {table} SET failures = 0, open_until = NULL
    WHERE key = %(key)s AND (failures > 0 OR open_until IS NOT NULL)
    RETURNING 1
"""
GIVE_BACK = f"""
    UPDATE {{table}} SET open_until = {NOW} WHERE key = %(key)s AND open_until IS NOT NULL RETURNING 1
"""  # noqa: S608


def values(gate: Gate, **more: float | bool) -> dict[str, str | float | bool]:
    return {"key": gate.key, "rate": gate.rate, "burst": gate.burst, **more}


def one_row(statement: str, parameters: dict[str, str | float | bool]) -> tuple[float, ...] | None:
    outside_a_transaction()
    table = connection.ops.quote_name(ApiGate._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(statement.format(table=table), parameters)
        row: tuple[float, ...] | None = cursor.fetchone()
    return row
