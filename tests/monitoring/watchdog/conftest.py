from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from foundation.shop import forget_shop
from monitoring.services.apart import Rest
from monitoring.spool import Spool
from tests.monitoring.watching import receiver

__all__ = ["receiver"]


@pytest.fixture
def spool(tmp_path: Path, settings: Settings) -> Iterator[Spool]:
    """The shop's, empty."""
    settings.SPOOL_DIR = tmp_path / "spool"
    Rest.until = 0.0
    made = Spool.of_the_shop()
    made.make()
    yield made
    Rest.until = 0.0
    forget_shop()
