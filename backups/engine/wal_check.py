"""Whether the archive of WAL is whole: every segment that a backup needs, byte by byte.

What must be there is computed from the oldest backup and from what the server's slot has as received. Each segment is
walked page by page (wal_pages), the checksums of records are left to pg_waldump, over all segments that follow each
other; and who was sound once must still have the same digest (wal_memory).
"""

import contextlib
import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from backups.engine import manifest as manifests
from backups.engine.programs import find_programs
from backups.engine.receiver_state import receiver_state
from backups.engine.repository import Repository, now
from backups.engine.server import Server
from backups.engine.slots import SlotState, slot_state
from backups.engine.spans import lineage_of, own_segments, recoverable_spans
from backups.engine.wal_dump import BrokenRecord, broken_record, linked, waldump_for
from backups.engine.wal_memory import Memory, digest, remembered
from backups.engine.wal_names import Archive, Lineage, Segment, history_name, parse_lsn
from backups.engine.wal_pages import Kind, Walked, walk
from backups.engine.wal_reading import read_segment
from backups.engine.wal_report import Finding, Flawed, WalReport, about_receiver, finding_of
from backups.errors import BackupFailed, Damaged, DiskIsFull, Interrupted, NotWritable, ToolFailed

STAGE = gettext_noop("Reading the WAL")
SLOT = "samovar"
DEFAULT_SEGMENT_SIZE = 16 * 1024 * 1024

logger = structlog.get_logger("backups.wal")


def check_wal(
    repository: Repository,
    *,
    server: Server | None = None,
    slot: str = SLOT,
    progress: Callable[[str, float | None], None] = lambda stage, share: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> WalReport:
    """Reads the archive from the oldest backup's beginning to its end. The receiver may go on meanwhile.

    Args:
        server: what it says was received must be there, and its slot is looked at. Without it, or when it does not
            answer, the archive itself tells how far it goes, and what earlier checks have seen.

    Raises Interrupted, NoPrograms, WrongVersion.
    """
    return _Check(repository, server, slot, progress, is_stopped).run()


@dataclass(slots=True)
class _Seen:
    """A segment that is there, and that walks well. `walked` is None for one that is known from an earlier check."""

    segment: Segment
    path: Path
    is_partial: bool
    digest: str
    walked: Walked | None = None


class _Check:
    def __init__(
        self,
        repository: Repository,
        server: Server | None,
        slot: str,
        progress: Callable[[str, float | None], None],
        is_stopped: Callable[[], bool],
    ) -> None:
        self.repository, self.progress, self.is_stopped = repository, progress, is_stopped
        # The server is asked first: what it has as received by now must be in the archive.
        self.slot: SlotState | None = None
        facts = None
        self.failure = ""
        try:
            if server is not None:
                facts = server.facts()
                self.slot = slot_state(server, slot)
        except BackupFailed as error:
            self.failure = str(error)
        physical = [one for one in repository.backups() if one.manifest.kind == manifests.Kind.PHYSICAL]
        newest = physical[-1].manifest if physical else None
        self.system_identifier = facts.system_identifier if facts else newest.system_identifier if newest else ""
        self.backups = [one for one in physical if one.manifest.system_identifier == self.system_identifier]
        self.version = facts.version if facts else newest.server_version if newest else 0
        self.version = self.version or find_programs().major * 10_000
        size = facts.segment_size if facts else newest.segment_size if newest else DEFAULT_SEGMENT_SIZE
        self.archive = Archive.read(repository.wal, segment_size=size)
        self.memory = remembered(repository, self.system_identifier)
        self.acknowledged = parse_lsn(self.slot.restart_lsn) if self.slot and self.slot.restart_lsn else 0
        self.raw: dict[str, Flawed] = {}
        self.digests: dict[str, str] = {}
        self.reached, self.timeline = 0, 1
        self.checked = self.read = self.size = 0
        self.names: list[str] = []

    def run(self) -> WalReport:
        findings = self._check_histories()
        ranges = self._ranges()
        total = sum(last - first + 1 for _lineage, first, last in ranges) or 1
        for lineage, first, last in ranges:
            self._check_range(lineage, first, last, total)
        ours = {one.id for one in self.backups}
        spans = [one for one in recoverable_spans(self.repository, broken=self._broken()) if one.backup_id in ours]
        for one in sorted(self.raw.values(), key=lambda raw: raw.segment):
            findings.append(finding_of(one, self.backups, spans))
        if not self.backups:
            findings.append(
                Finding("", Kind.BACKUP, _("There is no physical backup: WAL alone can't be recovered. Make one."))
            )
        findings += about_receiver(self.slot, self.failure, receiver_state(self.repository))
        self._remember()
        return WalReport(
            checked_at=now(),
            findings=tuple(findings),
            spans=tuple(spans),
            first=self.names[0] if self.names else "",
            last=self.names[-1] if self.names else "",
            checked=self.checked,
            read=self.read,
            size=self.size,
            receiver=receiver_state(self.repository),
            slot=self.slot,
        )

    # --- what must be there -----------------------------------------------------------------------------

    def _ranges(self) -> list[tuple[Lineage, int, int]]:
        """For each line of timelines that backups can be followed along, the numbers of the segments."""
        firsts: dict[Lineage, int] = {}
        for stored in self.backups:
            lineage = lineage_of(stored, self.archive)
            start = own_segments(stored).start
            firsts[lineage] = min(start, firsts.get(lineage, start))
        if not firsts:
            firsts = self._without_backups()
        return [(lineage, first, self._last_of(lineage, first)) for lineage, first in firsts.items()]

    def _without_backups(self) -> dict[Lineage, int]:
        segments = [*self.archive.complete.values(), *self.archive.partial.values()]
        if not segments:
            return {}
        newest = max(segment.timeline for segment in segments)
        try:
            return {self.archive.lineage(newest): min(segment.number for segment in segments)}
        except Damaged:
            return {Lineage(newest): min(one.number for one in segments if one.timeline == newest)}

    def _last_of(self, lineage: Lineage, first: int) -> int:
        """The number of the last segment that must be there, or is."""
        segments = (*self.archive.complete.values(), *self.archive.partial.values())
        numbers = [one.number for one in segments if lineage.holds_segment(one)]
        return max([first, *numbers, (self._must_reach(lineage) - 1) // self.archive.segment_size])

    def _must_reach(self, lineage: Lineage) -> int:
        """Up to where there must be WAL: what the server has as received, and what was seen before."""
        seen = self.memory.reached if lineage.holds(self.memory.timeline, self.memory.reached) else 0
        return max(self.acknowledged, seen)

    def _check_histories(self) -> list[Finding]:
        found = []
        for timeline in self.archive.timelines():
            name = history_name(timeline)
            try:
                if timeline == 1:
                    continue
                self.archive.lineage(timeline)
                now_digest = digest((self.archive.folder / name).read_bytes())
                if self.memory.digests.get(name, now_digest) != now_digest:
                    raise Damaged(_("%(file)s was changed since it was last checked.") % {"file": name})
                self.digests[name] = now_digest
            except Damaged as error:
                sentence = _("%(why)s Recovery can't follow the timeline %(timeline)d without it.") % {
                    "why": error,
                    "timeline": timeline,
                }
                found.append(Finding(name, Kind.HISTORY, sentence, is_refetchable=True))
        return found

    # --- what is there ----------------------------------------------------------------------------------

    def _check_range(self, lineage: Lineage, first: int, last: int, total: int) -> None:
        run: list[_Seen] = []
        for number in range(first, last + 1):
            if self.is_stopped():
                raise Interrupted(_("It was stopped."))
            self.progress(STAGE, min(1.0, len(self.names) / total))
            seen = self._look(lineage, number, is_last=number == last)
            if seen is not None:
                run.append(seen)
            else:
                self._check_records(lineage, run)
                run = []
        self._check_records(lineage, run)

    def _look(self, lineage: Lineage, number: int, *, is_last: bool) -> _Seen | None:
        """Reads a segment and walks through it. None, if it is not there or not whole, which was noted then."""
        candidates = lineage.candidates(number, size=self.archive.segment_size)
        self.names.append(candidates[0].name)
        for is_second_look in (False, True):
            segment = next((one for one in candidates if self.archive.holds(one)), None)
            is_partial = segment is not None and segment.name not in self.archive.complete
            if segment is not None and (is_last or not is_partial):
                path = self.archive.path(segment)
                try:
                    data = read_segment(path, segment_size=segment.size, is_partial=is_partial)
                except FileNotFoundError:
                    pass
                except OSError as error:
                    self._note(segment, Kind.DAMAGED, _("it can't be read (%(why)s)") % {"why": error.strerror})
                    return None
                else:
                    return self._read(lineage, segment, path, data, is_partial=is_partial)
            if not is_second_look:
                # It may have been completed or deleted since the folder was read.
                self.archive = Archive.read(self.repository.wal, segment_size=self.archive.segment_size)
        if segment is None or segment != candidates[0]:
            self._note(candidates[0], Kind.MISSING, "")
        else:
            self._note(segment, Kind.MISSING, _("only a part of it was received"), is_partial=True)
        return None

    def _read(self, lineage: Lineage, segment: Segment, path: Path, data: bytes, *, is_partial: bool) -> _Seen | None:
        self.checked += 1
        self.size += len(data)
        if is_partial and not data:
            data = bytes(segment.size)
        seen = _Seen(segment, path, is_partial, digest(data))
        if segment.name in self.archive.complete and segment.name in self.archive.partial:
            self._note(segment, Kind.DOUBLE, "", is_breaking=False)
        known = self.memory.digests.get(segment.name)
        if not is_partial and known == seen.digest:
            return seen
        self.read += 1
        seen.walked = walk(
            data, segment, system_identifier=self.system_identifier, lineage=lineage, is_partial=is_partial
        )
        flaw = seen.walked.flaw
        if flaw is None and is_partial and self._falls_short(lineage, seen.walked):
            self._note(segment, Kind.DAMAGED, _("it has less WAL in it than was received"), is_partial=True)
        elif flaw is not None:
            self._note(segment, flaw.kind, flaw.sentence, is_partial=is_partial)
            return None
        elif not is_partial and known is not None:
            self._note(segment, Kind.CHANGED, "", is_breaking=False)
        return seen

    def _falls_short(self, lineage: Lineage, walked: Walked) -> bool:
        """Whether there is less in what is still being received than there was. Of its last record a part may be
        missing, if there are pages as far as that was received."""
        is_cut = walked.last == walked.end
        return self._must_reach(lineage) > (walked.known if is_cut else _aligned(walked.end))

    # --- records ----------------------------------------------------------------------------------------

    def _check_records(self, lineage: Lineage, run: list[_Seen]) -> None:
        """Has pg_waldump read segments that follow each other: those that are not known yet, and their neighbours,
        because records reach from one to the next."""
        new = [index for index, seen in enumerate(run) if seen.walked is not None]
        if new:
            self._dump(lineage, run[max(0, new[0] - 1) : new[-1] + 2])
        for index, seen in enumerate(run):
            self._conclude(seen, run[index + 1] if index + 1 < len(run) else None)

    def _dump(self, lineage: Lineage, run: list[_Seen]) -> None:
        last = run[-1]
        # The bytes up to there stay what they are, while the receiver writes behind them.
        end = _aligned(last.walked.end) if last.is_partial and last.walked else last.segment.end
        while run:
            start = self._first_record(run[0], lineage)
            if start is None or start >= end:
                run = run[1:]
                continue
            broken = self._broken_record(lineage, run, start, end)
            if broken is None or broken.lsn >= end:
                return
            index = next((i for i, seen in enumerate(run) if broken.lsn < seen.segment.end), len(run) - 1)
            seen, walked = run[index], run[index].walked
            if walked is not None and seen.is_partial and self._is_cut(lineage, walked, broken.lsn):
                seen.walked = dataclasses.replace(walked, end=broken.lsn)
                end = broken.lsn
                continue
            suspects = run[index : index + 1]
            if index + 1 < len(run) and self._reaches_over(seen, broken.lsn):
                suspects = [one for one in run[index : index + 2] if one.walked is not None] or suspects
            for one in suspects:
                self._note(one.segment, Kind.DAMAGED, broken.words, is_partial=one.is_partial)
            run = run[run.index(suspects[-1]) + 1 :]

    def _broken_record(self, lineage: Lineage, run: list[_Seen], start: int, end: int) -> BrokenRecord | None:
        programs, files = waldump_for(self.version), {seen.segment: seen.path for seen in run}
        for is_second_try in (False, True):
            with linked(files, timeline=lineage.timeline) as folder:
                try:
                    return broken_record(
                        programs,
                        folder,
                        timeline=lineage.timeline,
                        start=start,
                        end=end,
                        is_stopped=self.is_stopped,
                    )
                except ToolFailed:
                    # The newest segment may have been completed meanwhile, and has another name now.
                    if is_second_try:
                        raise
        return None

    def _first_record(self, seen: _Seen, lineage: Lineage) -> int | None:
        if seen.walked is None:
            # Known to be sound, but not where its records begin.
            return walk(seen.path.read_bytes(), seen.segment, lineage=lineage).first
        return seen.walked.first

    def _is_cut(self, lineage: Lineage, walked: Walked, lsn: int) -> bool:
        """Whether the record at this position is the last one, of which only a part was received."""
        return lsn == walked.last and self._must_reach(lineage) < walked.end

    def _reaches_over(self, seen: _Seen, lsn: int) -> bool:
        """Whether the record at this position may go on in the next segment."""
        return seen.walked is None or (seen.walked.last == lsn and seen.walked.rest > 0)

    def _conclude(self, seen: _Seen, following: _Seen | None) -> None:
        """Remembers a sound segment. One whose last record goes on where it was not read is looked at again."""
        raw = self.raw.get(seen.segment.name)
        if raw is not None and raw.is_breaking:
            return
        walked = seen.walked
        if seen.is_partial and walked is not None:
            self._reach(walked.end, seen.segment.timeline)
            return
        self._reach(seen.segment.start if walked is None else walked.end, seen.segment.timeline)
        if raw is not None and raw.kind == Kind.CHANGED:
            self.digests[seen.segment.name] = self.memory.digests[seen.segment.name]
        elif walked is None or walked.rest == 0 or following is not None:
            self.digests[seen.segment.name] = seen.digest

    def _reach(self, lsn: int, timeline: int) -> None:
        if lsn > self.reached:
            self.reached, self.timeline = lsn, timeline

    # --- what is said -----------------------------------------------------------------------------------

    def _note(
        self, segment: Segment, kind: Kind, why: str, *, is_partial: bool = False, is_breaking: bool = True
    ) -> None:
        """The first thing that is wrong with a segment is the one that is told."""
        if segment.name not in self.raw or (is_breaking and not self.raw[segment.name].is_breaking):
            self.raw[segment.name] = Flawed(segment, kind, why, is_partial, is_breaking)

    def _broken(self) -> list[str]:
        """Segments that recovery can't pass. Of one that is still being received the beginning can be used."""
        return [name for name, raw in self.raw.items() if raw.is_breaking and not raw.is_partial]

    def _remember(self) -> None:
        before = self.memory
        if before.reached > self.reached and self.raw:
            # What is missing now is missing until it was received again.
            self.reached, self.timeline = before.reached, before.timeline
        for name, known in before.digests.items():
            # The digest that a broken segment had when it was sound tells whether a new copy is the right one.
            if name in self.raw:
                self.digests.setdefault(name, known)
        memory = Memory(self.system_identifier, self.digests, self._broken(), self.reached, self.timeline)
        with contextlib.suppress(DiskIsFull, NotWritable):
            memory.save(self.repository)


def _aligned(lsn: int) -> int:
    """Where the next record begins."""
    return -(-lsn // 8) * 8
