"""The limits that all workers share, and the circuit breaker."""

from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from marketplaces.clients.gate import Gate, digest_of
from marketplaces.errors import BreakerOpen, RateLimited
from marketplaces.models import ApiGate
from marketplaces.services import gates
from tests.races.threads import at_once

pytestmark = pytest.mark.django_db

# Slow enough that no slot is taken in advance, and that the test itself takes none of its time.
SLOW = Gate("test:slow", rate=1 / 60, burst=3)
QUICK = Gate("test:quick", rate=100, burst=50)


def next_at(gate: Gate) -> float:
    return ApiGate.objects.get(pk=gate.key).next_at.timestamp()


def minutes(waits: list[float]) -> list[int]:
    """Waits in whole minutes: the test itself takes some milliseconds."""
    return [round(wait / 60) for wait in waits]


def test_a_burst_passes_at_once_and_the_rest_one_after_the_other() -> None:
    waits = [gates.pass_gate(SLOW, patience=600).wait for _ in range(6)]
    assert waits[:3] == [0, 0, 0]
    assert minutes(waits[3:]) == [1, 2, 3]


def test_what_costs_ten_takes_ten_slots() -> None:
    gates.pass_gate(SLOW)
    before = next_at(SLOW)
    gates.charge(SLOW, 9)
    assert round(next_at(SLOW) - before) == 9 * 60
    assert minutes([gates.pass_gate(SLOW, patience=3600).wait]) == [8]


def test_who_would_wait_too_long_takes_no_slot() -> None:
    for _ in range(3):
        gates.pass_gate(SLOW)
    before = next_at(SLOW)
    with pytest.raises(RateLimited) as caught:
        gates.pass_gate(SLOW, patience=30)
    assert 1 <= caught.value.retry_after <= 60
    assert next_at(SLOW) == before


@pytest.mark.django_db(transaction=True)
def test_four_workers_at_one_gate_never_exceed_its_rate() -> None:
    def take_fifteen() -> list[float]:
        # Each its own process, as far as the gate can see: nobody uses a slot that another one took.
        return [one_slot() for _ in range(15)]

    def one_slot() -> float:
        row = gates.one_row(gates.TAKE, gates.values(SLOW, slots=1, patience=86_400))
        assert row is not None
        return row[0] + timezone.now().timestamp()

    began = timezone.now().timestamp()
    due = sorted(moment for outcome in at_once([take_fifteen] * 4) for moment in outcome)
    assert len(due) == 60
    # The arithmetic of the gate itself: sixty slots of a minute, none of them given out twice.
    assert 0 <= next_at(SLOW) - began - 60 * 60 < 30
    # At most three in the first minute, and one in each that follows.
    assert all(round((later - earlier) / 60) == 3 for earlier, later in zip(due, due[3:], strict=False))


@pytest.mark.django_db(transaction=True)
def test_without_the_one_statement_workers_would_exceed_the_rate() -> None:
    # The danger is real: whoever reads and then writes loses slots to the others.
    ApiGate.objects.create(key=SLOW.key, rate=SLOW.rate)
    began = next_at(SLOW)

    all_have_read = Barrier(4)

    def read_then_write() -> None:
        row = ApiGate.objects.get(pk=SLOW.key)
        all_have_read.wait(60)
        ApiGate.objects.filter(pk=SLOW.key).update(next_at=row.next_at + timedelta(minutes=1))

    at_once([read_then_write] * 4)
    assert round(next_at(SLOW) - began) == 60


def test_many_calls_ask_the_database_once() -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        for _ in range(20):
            gates.pass_gate(QUICK)
    # Twenty slots are a fifth of a second's worth; a slow machine may let some of them pass unused.
    assert 1 <= len(queries) < 20


def test_slots_taken_in_advance_are_not_used_late(monkeypatch: pytest.MonkeyPatch) -> None:
    gates.pass_gate(QUICK)
    monkeypatch.setattr(gates, "LEASE_SECONDS", -1000)
    gates.keep_slots(QUICK.key, last_due=0.0, step=0.01, number=5, failures=0)
    assert gates.leased_slot(QUICK.key) is None


# --- 429 ------------------------------------------------------------------------------------------------


def test_a_429_blocks_halves_the_rate_once_and_leaves_no_burst() -> None:
    gates.pass_gate(SLOW)
    waits = [gates.slow_down(SLOW, retry_after=120, cost=1) for _ in range(3)]
    row = ApiGate.objects.get()
    assert row.rate == SLOW.rate / 2
    # The first one after the pause, and each of the others two minutes (of the halved rate) later.
    assert minutes(waits) == [2, 4, 6]
    assert minutes([gates.pass_gate(SLOW, patience=3600).wait]) == [8]


def test_the_rate_has_a_floor_and_comes_back_in_ten_quiet_minutes() -> None:
    gates.pass_gate(QUICK)
    for _ in range(8):
        ApiGate.objects.update(blocked_until=None)
        gates.slow_down(QUICK, retry_after=0)
    assert ApiGate.objects.get().rate == QUICK.rate / 16
    rates = []
    for quiet in (timedelta(minutes=5), timedelta(minutes=5), timedelta(hours=1)):
        gates.forget_slots()
        ApiGate.objects.update(updated_at=timezone.now() - quiet, next_at=timezone.now(), blocked_until=None)
        gates.pass_gate(QUICK)
        rates.append(round(ApiGate.objects.get().rate))
    # A sixth more for each second that this machine takes meanwhile.
    assert (56 <= rates[0] <= 60, rates[1:]) == (True, [100, 100])


# --- the breaker ----------------------------------------------------------------------------------------


def open_seconds() -> int:
    """How long it stays open, to ten seconds: a slow machine may have lost some since."""
    until = ApiGate.objects.get().open_until
    return 0 if until is None else round((until - timezone.now()).total_seconds() / 10) * 10


def test_five_failures_in_a_row_open_the_breaker_and_later_ones_do_not_count() -> None:
    gates.pass_gate(SLOW)
    for failures in range(1, 5):
        gates.count_failure(SLOW)
        assert (ApiGate.objects.get().failures, open_seconds()) == (failures, 0)
    gates.count_failure(SLOW)
    assert open_seconds() == 30
    # Calls that were under way when it opened fail as well: that is nothing new.
    gates.count_failure(SLOW)
    assert (ApiGate.objects.get().failures, open_seconds()) == (5, 30)
    with pytest.raises(BreakerOpen) as caught:
        gates.pass_gate(SLOW)
    assert caught.value.until == ApiGate.objects.get().open_until


def test_one_call_tries_and_each_failure_of_it_doubles_the_pause_up_to_ten_minutes() -> None:
    gates.pass_gate(QUICK)
    for _ in range(5):
        gates.count_failure(QUICK)
    pauses = []
    for _ in range(6):
        ApiGate.objects.update(open_until=timezone.now())
        assert gates.pass_gate(QUICK).is_probe
        # While one tries, nobody else does.
        with pytest.raises(BreakerOpen):
            gates.pass_gate(QUICK)
        gates.count_failure(QUICK, is_probe=True)
        pauses.append(open_seconds())
    assert pauses == [60, 120, 240, 480, 600, 600]


def test_a_success_closes_the_breaker() -> None:
    gates.pass_gate(QUICK)
    for _ in range(5):
        gates.count_failure(QUICK)
    ApiGate.objects.update(open_until=timezone.now())
    assert gates.pass_gate(QUICK).is_probe
    gates.count_success(QUICK)
    row = ApiGate.objects.get()
    assert (row.failures, row.open_until) == (0, None)
    assert not gates.pass_gate(QUICK).is_probe


def test_a_try_that_was_not_made_leaves_it_to_the_next_call() -> None:
    gates.pass_gate(QUICK)
    for _ in range(5):
        gates.count_failure(QUICK)
    ApiGate.objects.update(open_until=timezone.now())
    gates.pass_gate(QUICK)
    gates.give_probe_back(QUICK)
    assert gates.pass_gate(QUICK).is_probe


@pytest.mark.django_db(transaction=True)
def test_a_gate_is_not_passed_inside_a_transaction() -> None:
    with transaction.atomic(), pytest.raises(gates.InsideATransaction):
        gates.pass_gate(SLOW)
    assert not ApiGate.objects.exists()


def test_the_key_of_a_gate_does_not_tell_the_credential() -> None:
    assert digest_of("secret-key") == digest_of("secret-key") != digest_of("another")
    assert "secret" not in digest_of("secret-key")
    assert len(digest_of("secret-key")) == 16
