"""The figures that apps have registered, read rarely, by one process at a time, and never for long."""

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Lock

import structlog
from django.db import connection

from foundation.counting_folder import VARIABLE
from foundation.database.lost import is_lost, reason_of
from foundation.files import Held, alone
from monitoring.measuring.folder import folder_in_use
from monitoring.measuring.shared import one_reading
from monitoring.registry import LabelValues, Metric, metrics
from monitoring.selectors import samples_of

# Seconds that one reading of many metrics may take: Prometheus waits for ten. What is left waits for the next one.
BUDGET = 5.0
# Who finds another process reading waits for it so long, and then takes what there is.
PATIENCE = 5.0
LOOK_EVERY = 0.05
# What could not be read again for so long is not told any more.
TOO_OLD = 300.0
KEPT, LOCK = "shop.json", "shop.lock"

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Reading:
    """One metric as it was read. `at`: seconds since 1970; `samples`: labels and value; `has_failed`: nothing was."""

    at: float
    seconds: float
    samples: Sequence[tuple[LabelValues, float]] = field(default_factory=list)
    has_failed: bool = False


Readings = Mapping[str, Reading]


class Keeper:
    """Where the last readings are, and who may make new ones: in this process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: Readings = {}

    def load(self) -> Readings:
        return self._kept

    def save(self, readings: Readings) -> None:
        self._kept = readings

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Raises Held if somebody else is at it."""
        if not self._lock.acquire(blocking=False):
            raise Held
        try:
            yield
        finally:
            self._lock.release()


class FileKeeper(Keeper):
    """The same for all processes that share a folder. What is not there or can't be read was never read."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def load(self) -> Readings:
        try:
            kept = json.loads((self.folder / KEPT).read_text(encoding="utf-8"))
            return {name: Reading(**reading) for name, reading in kept.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def save(self, readings: Readings) -> None:
        # A folder that is full: the next who asks reads for themselves.
        with suppress(OSError):
            new = self.folder / f"{KEPT}.new"
            # It tells what the shop earns.
            handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump({name: asdict(one) for name, one in readings.items()}, file)
            new.replace(self.folder / KEPT)

    @contextmanager
    def alone(self) -> Iterator[None]:
        # Threads of one process too: each opens the file for itself.
        with alone(self.folder / LOCK, waits=False):
            yield


_in_memory = Keeper()


def keeper() -> Keeper:
    folder = folder_in_use()
    return FileKeeper(folder) if folder else _in_memory


def readings_of_the_shop() -> Readings:
    """The registered metrics by name, none of them older than it says that it may be, if they can be read in time."""
    where, until = keeper(), time.monotonic() + PATIENCE
    while True:
        kept = where.load()
        if not due(kept):
            return kept
        try:
            with where.alone():
                # Somebody else may have read them meanwhile.
                readings = read_again(where.load())
                where.save(readings)
                return readings
        except Held:
            if time.monotonic() > until:
                return kept
            time.sleep(LOOK_EVERY)
        except OSError as error:
            logger.warning("metrics_not_kept", folder=VARIABLE, reason=str(error))
            return read_again(kept)


def due(kept: Readings) -> list[Metric]:
    """What is to be read again, what waits longest first."""
    now = time.time()

    def age(metric: Metric) -> float:
        reading = kept.get(metric.name)
        # A clock that was put back makes no reading fresh.
        return float("inf") if reading is None or reading.at > now else now - reading.at

    return sorted((metric for metric in metrics.all() if age(metric) >= metric.fresh_for), key=age, reverse=True)


def read_again(kept: Readings) -> Readings:
    """The same, with those that were due read anew. One that fails is marked, and the others are read."""
    began, is_there = time.monotonic(), None
    readings = {metric.name: kept[metric.name] for metric in metrics.all() if metric.name in kept}
    with one_reading():
        for metric in due(kept):
            if time.monotonic() - began > BUDGET:
                if metric.name not in readings or time.time() - readings[metric.name].at > TOO_OLD:
                    readings[metric.name] = Reading(time.time(), 0.0, has_failed=True)
                continue
            if metric.needs_database and is_there is None:
                is_there = is_database_there()
            if metric.needs_database and not is_there:
                readings[metric.name] = Reading(time.time(), 0.0, has_failed=True)
                continue
            readings[metric.name], error = read(metric)
            if is_lost(error):
                is_there = False
                connection.close()
    return readings


def read(metric: Metric) -> tuple[Reading, Exception | None]:
    began = time.monotonic()
    try:
        samples = [(sample.labels, sample.value) for sample in samples_of(metric)]
    except Exception as error:
        if is_lost(error):
            logger.warning("metrics_without_database", reason=reason_of(error))
        else:
            logger.exception("metric_failed", metric=metric.name)
        return Reading(time.time(), round(time.monotonic() - began, 6), has_failed=True), error
    return Reading(time.time(), round(time.monotonic() - began, 6), samples), None


def is_database_there() -> bool:
    """Asked once, and not by each metric in its turn: every attempt takes seconds where a machine has died."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception as error:
        logger.warning("metrics_without_database", reason=reason_of(error))
        return False
    return True
