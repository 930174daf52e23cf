"""What a finding means for recovery, and what is said of the receiver."""

import datetime
from pathlib import Path

from backups.engine.manifest import Kind as BackupKind
from backups.engine.manifest import Manifest, State
from backups.engine.receiver_state import ReceiverState
from backups.engine.repository import Stored
from backups.engine.slots import SlotState
from backups.engine.spans import Ends, Span
from backups.engine.wal_names import Segment, format_lsn
from backups.engine.wal_pages import Kind
from backups.engine.wal_report import WalReport, about_receiver, meaning

SIZE = 16 * 1024**2
NOON = datetime.datetime(2026, 11, 1, 12, tzinfo=datetime.UTC)


def hours(number: int) -> datetime.datetime:
    return NOON + datetime.timedelta(hours=number)


def backup(name: str, number: int) -> Stored:
    """One that was begun in this segment."""
    segment = Segment(number, 1, SIZE)
    return Stored(
        Path("/nowhere") / name,
        Manifest(
            id=name,
            kind=BackupKind.PHYSICAL,
            started_at=NOON,
            completed_at=NOON,
            server_version=180006,
            system_identifier="7",
            database="",
            size=0,
            timeline=1,
            segment_size=SIZE,
            start_lsn=format_lsn(segment.start + 40),
            stop_lsn=format_lsn(segment.start + 400),
            start_wal=segment.name,
            stop_wal=segment.name,
        ),
        State(),
    )


def span(name: str, start: int, end: int) -> Span:
    return Span(name, 1, hours(start), hours(end), Segment(9, 1, SIZE), Ends.NOTHING_MORE)


BACKUPS = [backup("first", 3), backup("second", 8)]


def test_between_two_backups_a_hole_costs_the_moments_up_to_the_later_one() -> None:
    spans = [span("first", 0, 2), span("second", 5, 9)]
    assert meaning(Segment(5, 1, SIZE), BACKUPS, spans, is_missing=True) == (
        "Recovery is possible up to 2026-11-01 14:00:00 UTC, and from 2026-11-01 17:00:00 UTC on; not to a moment "
        "between them."
    )


def test_behind_the_last_backup_it_costs_all_that_comes_later() -> None:
    spans = [span("first", 0, 6), span("second", 5, 6)]
    assert meaning(Segment(9, 1, SIZE), BACKUPS, spans, is_missing=True) == (
        "Recovery is possible up to 2026-11-01 18:00:00 UTC; to a later moment only after a new physical backup."
    )


def test_in_the_first_backups_own_time_it_costs_that_backup() -> None:
    assert meaning(Segment(3, 1, SIZE), BACKUPS, [span("second", 5, 9)], is_missing=False) == (
        "Recovery is possible from 2026-11-01 17:00:00 UTC on, and to no moment before."
    )


def test_with_one_backup_it_may_cost_everything() -> None:
    assert meaning(Segment(3, 1, SIZE), BACKUPS[:1], [], is_missing=False) == (
        "Nothing can be recovered to a moment until there is a new physical backup."
    )


def test_where_nothing_was_written_between_two_backups_nothing_is_lost() -> None:
    spans = [span("first", 0, 5), span("second", 5, 9)]
    assert meaning(Segment(5, 1, SIZE), BACKUPS, spans, is_missing=True) == (
        "A later backup takes over before it, so no moment is lost."
    )


def test_a_receiver_that_works_is_not_worth_a_word() -> None:
    slot = SlotState(True, True, "0/5000000", "reserved", 1024, None)
    assert about_receiver(slot, "", ReceiverState()) == []
    assert about_receiver(None, "", ReceiverState()) == []


def test_one_that_is_far_behind_is() -> None:
    slot = SlotState(True, True, "0/5000000", "extended", 300 * 1024**2, None)
    (finding,) = about_receiver(slot, "", ReceiverState())
    assert (finding.kind, finding.sentence) == (Kind.BEHIND, "The archive is 300 MB behind the server.")


def test_one_that_is_off_is_told_with_its_last_error() -> None:
    slot = SlotState(True, False, "0/5000000", "reserved", 0, None)
    (finding,) = about_receiver(slot, "", ReceiverState(last_error="The disk is full."))
    assert (finding.kind, finding.sentence) == (
        Kind.RECEIVER,
        "Nobody receives the WAL, so what is written now can't be recovered. Start the receiver. Its last error: The "
        "disk is full.",
    )


def test_a_report_says_what_can_be_recovered_whichever_backup_it_begins_with() -> None:
    report = WalReport(NOON, spans=(span("first", 0, 2), span("second", 1, 3), span("third", 5, 6)))
    assert report.recoverable == [(hours(0), hours(3)), (hours(5), hours(6))]
    assert (report.is_sound, report.lag_bytes, report.refetchable) == (True, None, [])
