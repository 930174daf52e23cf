"""A machine that does at random what people do in a shop, and looks after every step whether it is still right.

Every example is a shop of its own, in a savepoint that is rolled back. What is expected is kept beside it in a
few plain dictionaries and in books that are told the ledger line by line (`bookkeeper`). When a step breaks a rule,
hypothesis finds the shortest story that does.

    SHOP_MACHINE_EXAMPLES=2000 pytest tests/machines
"""

import os
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, Phase, settings
from hypothesis.database import InMemoryExampleDatabase
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, multiple, run_state_machine_as_test

from tests.machines.counter import Counter
from tests.machines.counting import Counting
from tests.machines.kitchen import Kitchen
from tests.machines.purchasing import Purchasing
from tests.machines.stage import orders
from tests.machines.till import Till

EXAMPLES = int(os.environ.get("SHOP_MACHINE_EXAMPLES", "25"))


class StoreRoomMachine(Purchasing, Counting, Kitchen):
    """The store room without the counter: its verbs come up more often."""

    @initialize()
    def open(self) -> None:
        self.furnish()
        self.start_purchasing()
        self.start_counting()
        self.start_cooking()

    @invariant()
    def every_key_points_to_something(self) -> None:
        """Foreign keys are checked at COMMIT, which an example never reaches."""
        connection.check_constraints()


class ShopMachine(StoreRoomMachine, Counter):
    """Everything that a shop does."""

    @initialize(target=orders)
    def open(self) -> Any:
        super().open()
        return multiple(*self.open_the_counter())


@pytest.mark.django_db
@pytest.mark.parametrize("machine", [ShopMachine, StoreRoomMachine, Till])
def test_whatever_people_do_the_shop_adds_up(machine: type[RuleBasedStateMachine]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=40,
            print_blob=True,
            database=InMemoryExampleDatabase(),
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
