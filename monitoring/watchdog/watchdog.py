"""The watchdog: a program of its own that sends alerts, so that they arrive whatever else stands still.

It needs no broker and no worker, and with the database away it sends what waits in the spool. Nobody else sends.
See docs/adr/0070-who-sends-and-why.md.
"""

import threading
import time
import uuid
from collections.abc import Callable
from functools import partial

import structlog
from django.db import Error, connections
from django.utils import timezone

from foundation.database.lost import reason_of
from foundation.files import alone, write_whole
from foundation.shop import forget_shop
from monitoring.channels.base import LONGEST_SEND
from monitoring.registry import Check, checks
from monitoring.services.dispatch import plan_deliveries
from monitoring.services.heartbeats import WATCHDOG, PulseThread
from monitoring.services.sending import LONGEST_ROUND, send_due
from monitoring.services.spooled import PlanningIsGoingOn, bring_in
from monitoring.spool import Spool
from monitoring.watchdog.away import tell
from monitoring.watchdog.copy import KeptCopy
from monitoring.watchdog.health import HealthWatch
from monitoring.watchdog.messages import forget_messages, read_messages

LOOK_EVERY = 1.0
# Seconds after which the sealed copy of channels is compared again.
COPY_EVERY = 5.0
# Seconds that a database may take to answer who has something else to do meanwhile.
PATIENCE = 5.0
PATIENCE_WITH_A_FILE = 0.05
# Seconds of rest after a fault of ours, which the next round would only repeat.
REST = 5.0

logger = structlog.get_logger("monitoring.watchdog")


class Watchdog:
    """Plans and sends, keeps the spool, and looks after health, until it is stopped; each in a thread of its own, so
    that what hangs keeps nothing else waiting.

    Args:
        pace: how many times faster than in earnest health is looked at, for tests.
    """

    def __init__(self, spool: Spool, *, pace: float = 1.0) -> None:
        self.spool, self.pace = spool, pace
        self.copy = KeptCopy(spool)
        self.stopped = threading.Event()
        self.pulse = PulseThread(WATCHDOG)
        # A round that waits for a channel that hangs is no round that hangs.
        self.pulse.HANGS_AFTER = LONGEST_ROUND + LONGEST_SEND + 30
        self.health = HealthWatch(pace=pace)
        self.at_database: threading.Thread | None = None
        self.copy_due_at = 0.0
        self.is_telling = False
        self.reason = ""

    def run(self) -> None:
        """Raises Held if another watchdog has this spool, OSError if the spool can't be written."""
        self.spool.make()
        with alone(self.spool.folder / "watchdog", waits=False):
            sender = f"watchdog {name_of(self.spool)}"
            threads = [self.thread("spool", self.look_at_spool, every=LOOK_EVERY)]
            for every, group in by_interval().items():
                look = partial(self.health.look, group)
                threads.append(self.thread(f"health {every:g}", look, every=LOOK_EVERY / self.pace))
            self.pulse.start()
            for thread in threads:
                thread.start()
            logger.info("watchdog_begins", sender=sender)
            self.repeat(lambda: self.send(sender), every=LOOK_EVERY)
            for thread in threads:
                thread.join(timeout=10)
            self.pulse.stop()

    def stop(self) -> None:
        self.stopped.set()

    def thread(self, name: str, work: Callable[[], None], *, every: float) -> threading.Thread:
        # Daemons: a check that hangs must not keep the program from ending.
        return threading.Thread(target=lambda: self.repeat(work, every=every), name=name, daemon=True)

    def repeat(self, work: Callable[[], None], *, every: float) -> None:
        """Does it again and again. A database that is away is said once; what else goes wrong is a fault of ours, said
        each time, and no reason to end."""
        is_away = False
        while not self.stopped.is_set():
            try:
                work()
                is_away = False
            except (Error, OSError) as error:
                if not is_away:
                    logger.warning("watchdog_hindered", at=threading.current_thread().name, reason=reason_of(error))
                is_away = True
                connections.close_all()
            except Exception:
                logger.exception("watchdog_stumbled", at=threading.current_thread().name)
                connections.close_all()
                self.stopped.wait(REST)
            self.stopped.wait(every)
        connections.close_all()

    # --- what it does -------------------------------------------------------------------------------------

    def send(self, sender: str) -> None:
        """Puts what has happened into messages and sends those that are due."""
        self.pulse.turn()
        plan_deliveries(at=timezone.now())
        send_due(sender=sender, at=timezone.now(), turn=self.pulse.turn)
        self.pulse.turn()

    def look_at_spool(self) -> None:
        """Brings what waits in the spool into the database; sends it from there while the database is away. With an
        empty spool, the copy of channels is kept up to date."""
        if not self.spool.is_empty() or any(self.spool.messages_folder.glob("*.json")):
            # Each file takes its statements.
            if self.in_time(self.bring_in, patience=PATIENCE + PATIENCE_WITH_A_FILE * self.spool.size()):
                return
            if not self.is_telling:
                logger.warning("watchdog_tells_without_database", reason=self.reason)
            self.is_telling = True
            if (copy := self.copy.read()) is not None:
                tell(self.spool, copy, at=timezone.now())
        elif time.monotonic() >= self.copy_due_at and self.in_time(self.keep_copy, patience=PATIENCE):
            self.copy_due_at = time.monotonic() + COPY_EVERY
            self.spool.reserve_room()

    def bring_in(self, is_abandoned: threading.Event) -> None:
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT 1")
        if is_abandoned.is_set():
            # The server was asleep. Meanwhile what waits here has been sent.
            return
        alerts, messages = self.spool.take(), read_messages(self.spool)
        if self.is_telling:
            forget_shop()
            self.is_telling = False
        try:
            number = bring_in(alerts=alerts, messages=messages, at=timezone.now(), is_abandoned=is_abandoned.is_set)
        except PlanningIsGoingOn:
            return
        self.spool.forget(alerts)
        forget_messages(self.spool, messages)
        logger.info("spool_brought_in", alerts=number, messages=len(messages))

    def keep_copy(self, is_abandoned: threading.Event) -> None:
        self.copy.keep()

    def in_time(self, work: Callable[[threading.Event], None], *, patience: float) -> bool:
        """Does something with the database, and says whether it answered in time. One that hangs is asked nothing more
        until it goes on."""
        if self.at_database is not None and self.at_database.is_alive():
            return False
        is_abandoned, errors = threading.Event(), list[BaseException]()

        def run() -> None:
            try:
                work(is_abandoned)
            except BaseException as error:
                errors.append(error)
            finally:
                # Connections belong to threads, and this one ends.
                connections.close_all()

        self.at_database = threading.Thread(target=run, name="at the database", daemon=True)
        self.at_database.start()
        self.at_database.join(patience)
        if self.at_database.is_alive():
            is_abandoned.set()
            self.reason = "no answer in time"
            return False
        if errors and not isinstance(errors[0], Error):
            raise errors[0]
        self.reason = reason_of(errors[0]) if errors else ""
        return not errors


def by_interval() -> dict[float, list[Check]]:
    """The checks, by how often they are looked at: those that take long keep nobody waiting who comes often."""
    groups: dict[float, list[Check]] = {}
    for check in checks.all():
        groups.setdefault(check.every, []).append(check)
    return groups


def name_of(spool: Spool) -> str:
    """A name that stays the same when the watchdog starts again, and is nobody else's: what it had claimed is its
    own."""
    path = spool.folder / "name"
    if not path.is_file():
        write_whole(path, f"{uuid.uuid4()}\n")
    return path.read_text(encoding="ascii").strip()
