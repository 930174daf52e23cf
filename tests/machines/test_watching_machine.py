"""Whatever happens to channels and senders, everybody is told of everything, once and in order.

WATCHING_MACHINE_EXAMPLES=2000 pytest tests/machines/test_watching_machine.py
"""

import os

import pytest
from django.utils.translation import gettext_lazy as _
from hypothesis import HealthCheck, Phase, settings
from hypothesis.database import InMemoryExampleDatabase
from hypothesis.stateful import run_state_machine_as_test

from monitoring.registry import Event, register_event
from monitoring.severity import Severity
from tests.machines.watching import WatchingMachine
from tests.monitoring.conftest import registered  # noqa: F401 - a fixture
from tests.monitoring.receiver import Receiver

EXAMPLES = int(os.environ.get("WATCHING_MACHINE_EXAMPLES", "6"))


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.usefixtures("registered")
def test_whatever_happens_everybody_is_told_once_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    register_event(Event("test.news", Severity.INFO, _("News"), is_news=True))
    WatchingMachine.receiver = Receiver()
    # Looked up anew at each call: every example has its own receiver state.
    monkeypatch.setattr("monitoring.channels.send", WatchingMachine.receiver.send)

    run_state_machine_as_test(
        WatchingMachine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=15,
            print_blob=True,
            database=InMemoryExampleDatabase(),
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
