from collections.abc import Iterator

import pytest
from django.utils.translation import gettext_lazy as _

from monitoring import registry
from monitoring.registry import Event
from monitoring.severity import Severity

LOW = "test.stock_low"
LATE = "test.late"


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Registries of the test's own, with two events."""
    for entries in (registry.events, registry.checks, registry.metrics):
        monkeypatch.setattr(entries, "entries", dict(entries.entries))
    registry.register_event(Event(LOW, Severity.WARNING, _("Low stock")))
    registry.register_event(Event(LATE, Severity.CRITICAL, _("Late")))
    return
