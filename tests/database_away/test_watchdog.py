"""While the database is away the watchdog tells of it, and of what else happens; then the database learns of it."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from django.db import connection
from pytest_django import Settings

from inventory.services.low_stock import LOW_STOCK
from monitoring.models import Alert, AlertRule, Channel, Delivery, SpoolReceipt
from monitoring.services.apart import Rest, notify_apart
from monitoring.spool import Spool
from monitoring.watchdog.copy import KeptCopy
from monitoring.watchdog.health import DOWN
from monitoring.watchdog.messages import read_messages
from tests.backups import cluster
from tests.backups.cluster import Cluster
from tests.monitoring.watchdog.program import Hook, Program, running_hook
from tests.monitoring.watching import channel, rule

pytestmark = pytest.mark.slow
# Starting a program takes its time on a machine that is busy.
wait_until = partial(cluster.wait_until, seconds=120.0)


@pytest.fixture
def hook() -> Iterator[Hook]:
    with running_hook() as running:
        yield running


@pytest.fixture
def program(away: Cluster, hook: Hook, tmp_path: Path, settings: Settings) -> Iterator[Program]:
    """It runs, looks at health quickly, and knows whom to tell."""
    settings.SPOOL_DIR = tmp_path / "spool"
    Rest.until = 0.0
    forget_everything()
    rule(channel(address=hook.url), events=[DOWN, LOW_STOCK], severity="warning", group_seconds=0)
    program = Program(tmp_path / "log", "--pace", "20", REDIS_URL="", CELERY_BROKER_URL="memory://")
    program.start()
    wait_until(lambda: KeptCopy(Spool.of_the_shop()).read())
    yield program
    if program.process is not None and program.process.poll() is None:
        program.kill()
    Rest.until = 0.0
    if not away.programs[-1].is_running():
        away.start()
    connection.close()
    forget_everything()


def forget_everything() -> None:
    for model in (AlertRule, Delivery, Alert, Channel, SpoolReceipt):
        model.objects.all().delete()


def test_it_tells_of_the_database_once_and_when_it_is_back(program: Program, hook: Hook, away: Cluster) -> None:
    away.kill()
    wait_until(lambda: len(hook.texts) == 1)
    # Of a program that fails just now, in a transaction that nobody can begin.
    notify_apart(event=LOW_STOCK, subject="milk", message="Milk is low")
    wait_until(lambda: len(hook.texts) == 2)
    wait_until(lambda: not any(message.is_waiting for message in read_messages(Spool.of_the_shop())))
    # It goes on without the database where it was killed.
    program.kill()
    program.start()
    notify_apart(event=LOW_STOCK, subject="tea", message="Tea is low")
    wait_until(lambda: len(hook.texts) == 3)

    away.start()
    connection.close()
    wait_until(lambda: len(hook.texts) == 4)
    wait_until(lambda: Delivery.objects.filter(status="sent").count() == 4)

    assert hook.texts[:3] == ["Database: The database does not answer.", "Milk is low", "Tea is low"]
    assert hook.texts[3].startswith("Back to normal after ")
    assert hook.texts[3].endswith(": Database: The database does not answer.")
    assert len(hook.keys) == 4
    assert [str(key) for key in Delivery.objects.order_by("pk").values_list("key", flat=True)] == hook.keys
    # No beat and no worker runs here, which the watchdog may have found out by now.
    told = Alert.objects.exclude(event="health.failed").order_by("pk")
    assert [(one.event, one.subject, one.resolved_at is None) for one in told] == [
        (DOWN, "database", False),
        (LOW_STOCK, "milk", True),
        (LOW_STOCK, "tea", True),
    ]
    wait_until(Spool.of_the_shop().is_empty)
