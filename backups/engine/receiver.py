"""Receiving the WAL without a pause: pg_receivewal with a slot, started again whenever it ends.

What the server writes is in the archive within moments. While the receiver is off, the slot has the server keep what
was not received, up to max_slot_wal_keep_size; beyond that the WAL is lost, which is said and survived: receiving
begins anew behind the gap, and a new base backup makes the time after it recoverable.
"""

import contextlib
import os
import re
import time
from collections.abc import Callable
from dataclasses import replace

import structlog
from django.utils.translation import gettext as _

from backups.engine.children import Ended, failure_of, start_tool, wait_for
from backups.engine.programs import find_programs
from backups.engine.receiver_state import LOCK, Gap, ReceiverState, read_state, receiver_state, write_state
from backups.engine.replication import forks, identify
from backups.engine.repository import Repository, now
from backups.engine.server import Server
from backups.engine.slots import SlotState, drop_slot, make_slot, slot_state
from backups.engine.wal_archive import (
    begin_at,
    forget_wal_before,
    keep_wal_since,
    leave_other_history,
    mend,
    newest_received,
    refuse_other_server,
    set_aside_wal,
)
from backups.engine.wal_names import Archive, Lineage, Segment, parse_lsn
from backups.errors import BackupFailed, Interrupted

__all__ = [
    "SLOT",
    "Receiver",
    "ReceiverState",
    "SlotState",
    "forget_wal_before",
    "keep_wal_since",
    "receive_wal",
    "receiver_state",
    "set_aside_wal",
    "slot_state",
]

SLOT = "samovar"
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
# One that ran that long did not end for the same reason as the one before it.
STEADY_AFTER = 60.0
SAY_EVERY = 5.0
LOOK_EVERY = 0.1
# Who only looks whether a receiver runs has the lock for a moment too.
PATIENCE_WITH_THE_LOCK = 2.0
# The server lets go of a slot a moment after pg_receivewal has ended.
PATIENCE_WITH_THE_SLOT = 5.0

REMOVED = re.compile(r"requested WAL segment (?P<name>[0-9A-F]{24}) has already been removed")
OTHER_HISTORY = re.compile(r"is not in this server's history|is ahead of the WAL flush position")

logger = structlog.get_logger("backups.receiver")


def receive_wal(
    repository: Repository, server: Server, *, slot: str = SLOT, is_stopped: Callable[[], bool] = lambda: False
) -> None:
    """Receives until it is stopped, whatever happens to the server, the disk or pg_receivewal meanwhile. What went
    wrong last stands in receiver.json, and is tried again after 1 to 30 seconds.

    Raises Busy if another one receives into this repository.
    """
    doing = _("The receiver of WAL")
    with repository.lock_when_free(LOCK, doing=doing, is_stopped=is_stopped, seconds=PATIENCE_WITH_THE_LOCK):
        Receiver(repository, server, slot, is_stopped).run()


class Receiver:
    """Looks after one pg_receivewal; the lock is its caller's."""

    def __init__(self, repository: Repository, server: Server, slot: str, is_stopped: Callable[[], bool]) -> None:
        self.repository, self.server, self.slot, self.is_stopped = repository, server, slot, is_stopped
        before = read_state(repository)
        self.state = ReceiverState(
            pid=os.getpid(),
            slot=slot,
            since=now(),
            last_error=before.last_error,
            last_error_at=before.last_error_at,
            gaps=before.gaps,
        )
        self.segment_size = 0
        self.said_at = 0.0

    def run(self) -> None:
        pause = FIRST_PAUSE
        self.say()
        while not self.is_stopped():
            began = time.monotonic()
            try:
                self.prepare()
                ended = self.receive()
                if self.is_stopped():
                    break
                if self.follow(ended):
                    continue
                self.fail(str(failure_of(["pg_receivewal"], ended, self.repository.wal)))
            except BackupFailed as error:
                self.fail(str(error))
            if time.monotonic() - began > STEADY_AFTER:
                pause = FIRST_PAUSE
            self.rest(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
        self.say()

    def prepare(self) -> None:
        """Has everything ready for a start. Raises BackupFailed."""
        identity = identify(self.server)
        self.segment_size = self.server.facts().segment_size
        archive = self.archive()
        refuse_other_server(archive, identity.system_identifier)
        state = slot_state(self.server, self.slot)
        if state.is_lost:
            logger.warning("slot_lost", slot=self.slot)
            drop_slot(self.server, self.slot)
        if state.is_lost or not state.exists:
            make_slot(self.server, self.slot)
        mend(archive)

    def receive(self) -> Ended:
        """Runs pg_receivewal until it ends or is stopped. Raises NoPrograms."""
        programs = find_programs(server_major=self.server.facts().major)
        process = start_tool(
            [
                programs.path("pg_receivewal"),
                f"--directory={self.repository.wal}",
                f"--slot={self.slot}",
                "--synchronous",
                "--no-loop",
                "--status-interval=1",
                "--no-password",
                f"--dbname={self.server.address(replicates=True)}",
            ],
            environment=self.server.environment(),
            folder=self.repository.wal,
        )
        self.state.tool_pid = process.pid
        self.say()
        try:
            return wait_for(process, is_stopped=self.is_stopped_meanwhile)
        except Interrupted:
            return Ended(0, ())
        finally:
            self.state.tool_pid = 0
            # A full disk has room for our words again then.
            mend(self.archive())

    def follow(self, ended: Ended) -> bool:
        """What pg_receivewal can't get over by being started again. Returns whether it was got over. Raises
        BackupFailed."""
        if removed := REMOVED.search(ended.words):
            return self.pass_over_gap(Segment.named(removed["name"], size=self.segment_size))
        if OTHER_HISTORY.search(ended.words):
            timeline = identify(self.server).timeline
            return leave_other_history(self.archive(), self.lineage(timeline))
        return False

    def pass_over_gap(self, removed: Segment) -> bool:
        """The server has thrown away what comes next, this segment: begins anew with what it keeps for the slot.
        Raises BackupFailed."""
        lineage = self.lineage(identify(self.server).timeline)
        first = self.kept(lineage)
        if first is None or first.number <= removed.number:
            # pg_receivewal says at once how far it is, and the server may believe it before it looks for the segment:
            # then the slot stands where nothing is any more, and would for ever.
            self.make_slot_anew()
            first = self.kept(lineage)
        archive = self.archive()
        last = newest_received(archive)
        if first is None or last is None or first.number <= removed.number:
            return False
        gap = self.note_gap(last, first)
        self.fail(
            _(
                "The server has thrown away WAL behind %(before)s before it was received, and receiving goes on with "
                "%(after)s: no recovery passes over this gap. Make a physical backup now."
            )
            % {"before": gap.before_segment, "after": gap.after_segment}
        )
        begin_at(archive, first)
        return True

    def note_gap(self, last: Segment, first: Segment) -> Gap:
        """Remembers that nothing is received between these two. Where nothing came since the gap before, it is that
        gap, grown: the slot may have stood at a segment that was gone as well."""
        for gap in [one for one in self.state.gaps if one.before_segment == last.name]:
            if gap.after_segment == first.name:
                return gap
            self.state.gaps.remove(gap)
        self.state.gaps.append(Gap(now(), last.name, first.name))
        return self.state.gaps[-1]

    def kept(self, lineage: Lineage) -> Segment | None:
        """The first segment that the server keeps for the slot. Raises ServerGone."""
        restart_lsn = slot_state(self.server, self.slot).restart_lsn
        if not restart_lsn:
            return None
        position = parse_lsn(restart_lsn)
        return Segment.at(position, timeline=lineage.timeline_at(position), size=self.segment_size)

    def make_slot_anew(self) -> None:
        """Has the server keep all it still has behind its last checkpoint. Raises ServerGone, ToolFailed."""
        logger.warning("slot_made_anew", slot=self.slot)
        deadline = time.monotonic() + PATIENCE_WITH_THE_SLOT
        while slot_state(self.server, self.slot).active and time.monotonic() < deadline:
            time.sleep(LOOK_EVERY)
        drop_slot(self.server, self.slot)
        make_slot(self.server, self.slot)

    def archive(self) -> Archive:
        return Archive.read(self.repository.wal, segment_size=self.segment_size)

    def lineage(self, timeline: int) -> Lineage:
        ends = {one: parse_lsn(end) for one, end in forks(self.server, timeline).items()}
        return Lineage(timeline, tuple(sorted(ends.items())))

    def rest(self, seconds: float) -> None:
        """Waits before the next start."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self.is_stopped_meanwhile():
            time.sleep(LOOK_EVERY)

    def is_stopped_meanwhile(self) -> bool:
        """Asked all the time; says now and then that somebody is at it."""
        if time.monotonic() - self.said_at > SAY_EVERY:
            self.say()
        return self.is_stopped()

    def fail(self, sentence: str) -> None:
        """Notes what went wrong."""
        logger.warning("receiver_ended", reason=sentence, restarts=self.state.restarts)
        self.state.restarts += 1
        self.state.last_error, self.state.last_error_at = sentence, now()
        self.say()

    def say(self) -> None:
        """Writes down how it is. A full disk is no reason to stop: the WAL may lie on another one."""
        self.said_at = time.monotonic()
        with contextlib.suppress(BackupFailed):
            write_state(self.repository, replace(self.state, at=now()))
