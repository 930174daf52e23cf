"""The names of WAL: positions, segments, timelines."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backups.engine.wal_names import Archive, Lineage, Segment, format_lsn, parse_lsn, read_history
from backups.errors import Damaged
from tests.backups.cluster import Cluster

MB = 1024**2
SIZE = 16 * MB
# The third timeline: the second left the first at 0/5000000, the third the second in the middle of a segment.
THIRD = Lineage(3, ((1, 0x5000000), (2, 0x8400000)))


@given(st.integers(0, 2**64 - 1))
def test_a_position_is_read_as_it_is_written(lsn: int) -> None:
    assert parse_lsn(format_lsn(lsn)) == lsn


@given(st.sampled_from([MB, 16 * MB, 64 * MB, 1024 * MB]), st.integers(1, 2**32 - 1), st.integers(0, 2**64 - 1))
def test_a_name_leads_to_the_segment_that_it_is_of(size: int, timeline: int, lsn: int) -> None:
    segment = Segment.at(lsn, timeline=timeline, size=size)
    assert Segment.named(segment.name, size=size) == segment
    assert segment.start <= lsn < segment.end
    assert segment.next().previous() == segment
    assert segment.next().start == segment.end


def test_the_server_gives_segments_the_same_names(cluster: Cluster) -> None:
    for text in ("0/1000000", "0/FFFFFFFF", "1/0", "16/B374D848", "FFF/FE000000"):
        ours = Segment.at(parse_lsn(text), timeline=1, size=SIZE).name
        assert cluster.value("SELECT pg_walfile_name(%s)", text) == ours


@pytest.mark.parametrize("name", ["", "00000001", "00000002.history", "00000001000000000000000g", "0" * 25])
def test_what_is_no_segment_has_no_number(name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}$"):
        Segment.named(name, size=SIZE)


def test_segments_follow_each_other_over_the_end_of_a_half() -> None:
    last = Segment.named("0000000100000000000000FF", size=SIZE)
    assert last.next().name == "000000010000000100000000"
    assert last.on(7).name == "0000000700000000000000FF"


def test_a_lineage_knows_whose_a_byte_is() -> None:
    assert [THIRD.timeline_at(lsn) for lsn in (0, 0x4FFFFFF, 0x5000000, 0x83FFFFF, 0x8400000)] == [1, 1, 2, 2, 3]
    assert [THIRD.begins_at(timeline) for timeline in (1, 2, 3)] == [0, 0x5000000, 0x8400000]
    assert THIRD.holds(1, 0x5000000)
    assert not THIRD.holds(1, 0x5000001)
    assert THIRD.holds(3, 0x8400000)
    assert not THIRD.holds(4, 0x8400000)


def test_a_timeline_holds_its_first_segment_though_that_begins_before_it() -> None:
    names = [
        "000000030000000000000007",
        "000000030000000000000008",
        "000000020000000000000008",
        "000000010000000000000006",
    ]
    assert [THIRD.holds_segment(Segment.named(name, size=SIZE)) for name in names] == [False, True, True, False]
    # One that was left between two segments begins with the next.
    second = Lineage(2, THIRD.ends[:1])
    assert [second.holds_segment(Segment(number, 2, SIZE)) for number in (4, 5)] == [False, True]


def test_where_a_timeline_begins_two_segments_will_do() -> None:
    def names(number: int) -> list[str]:
        return [segment.name for segment in THIRD.candidates(number, size=SIZE)]

    assert names(4) == ["000000010000000000000004"]
    assert names(5) == ["000000020000000000000005"]
    assert names(8) == ["000000030000000000000008", "000000020000000000000008"]
    assert names(9) == ["000000030000000000000009"]


def test_a_history_says_where_timelines_were_left(tmp_path: Path) -> None:
    path = tmp_path / "00000003.history"
    path.write_text("1\t0/5000000\tno recovery target specified\n\n2\t0/8400000\tbefore 2026-11-21 20:00:00+00\n")
    assert read_history(path) == THIRD


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "1\t0/zz\treason",
        "2\t0/8400000\tx\n1\t0/5000000\tx",
        "1\t0/8400000\tx\n2\t0/5000000\tx",
        "3\t0/5000000\tx",
    ],
)
def test_what_is_no_history_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "00000003.history"
    path.write_text(text)
    with pytest.raises(Damaged, match=r"^00000003\.history is no history of a timeline\.$"):
        read_history(path)


def test_a_folder_of_wal_is_read_by_its_names(tmp_path: Path) -> None:
    for name in (
        "000000010000000000000004",
        "000000010000000000000005.partial",
        "000000020000000000000005.partial",
        "00000002.history",
        "notes.txt",
    ):
        (tmp_path / name).write_text("1\t0/5000000\tx\n")
    archive = Archive.read(tmp_path, segment_size=SIZE)
    assert list(archive.complete) == ["000000010000000000000004"]
    assert list(archive.partial) == ["000000010000000000000005", "000000020000000000000005"]
    assert archive.timelines() == [1, 2]
    assert archive.lineage(2) == Lineage(2, ((1, 0x5000000),))
    assert archive.path(archive.partial["000000020000000000000005"]).name == "000000020000000000000005.partial"
    with pytest.raises(Damaged, match=r"^00000003\.history is missing: where the timeline begins is unknown\.$"):
        archive.lineage(3)


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert Archive.read(tmp_path / "gone", segment_size=SIZE).timelines() == []
