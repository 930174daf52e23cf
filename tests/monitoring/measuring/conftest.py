from collections.abc import Iterator

import pytest

from monitoring import registry
from monitoring.measuring import shop


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What another test has read is nothing to this one."""
    monkeypatch.setattr(shop, "_in_memory", shop.Keeper())
    return


@pytest.fixture
def no_other_metrics(registered: None) -> None:
    registry.metrics.entries.clear()
