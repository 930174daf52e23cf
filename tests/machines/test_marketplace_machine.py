"""Whatever happens around a marketplace, nothing is lost and nothing is doubled.

MARKET_MACHINE_EXAMPLES=2000 pytest tests/machines/test_marketplace_machine.py
"""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.database import InMemoryExampleDatabase
from hypothesis.stateful import run_state_machine_as_test

from tests.machines.marketplace import MarketplaceMachine
from tests.marketplaces.conftest import open_markets  # noqa: F401 - a fixture

EXAMPLES = int(os.environ.get("MARKET_MACHINE_EXAMPLES", "10"))


@pytest.mark.django_db
@pytest.mark.usefixtures("open_markets")
def test_whatever_happens_the_ledger_holds_what_the_operations_hold() -> None:
    run_state_machine_as_test(
        MarketplaceMachine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=30,
            print_blob=True,
            database=InMemoryExampleDatabase(),
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
