"""What is written beside the test's own transaction, on a connection that commits: and taken away again after it."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from monitoring.connecting import fresh_connection


def run_apart(statement: str, values: Sequence[Any] | None = None) -> None:
    """Runs the statement, and commits it."""
    with fresh_connection() as connection, connection.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.fixture
def no_signs_of_life(db: None) -> Iterator[None]:
    """Programs that a test starts or plays leave no sign to the next one."""
    yield
    run_apart("DELETE FROM monitoring_heartbeat")
