"""Looking for lines: from the end, through all files of a name, and never through more bytes than allowed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitoring import log_selectors
from monitoring.log_selectors import LogAnswer, LogQuestion, find_lines
from monitoring.logs import reading
from tests.monitoring.logs.written import line_of

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def minute(number: int) -> datetime:
    return NOON + timedelta(minutes=number)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three hundred lines, one a minute, in three files; each tenth is a warning, and stands in the other file too."""
    lines = [
        line_of(
            f"event {number}",
            at=minute(number),
            level="warning" if number % 10 == 0 else "info",
            program="worker" if number % 3 == 0 else "web",
            logger="inventory.stock" if number % 2 else "orders.services",
            request_id=f"r-{number // 2}",
        )
        for number in range(300)
    ]
    (tmp_path / "app-20260501T140000000000.jsonl").write_text("".join(lines[:120]))
    (tmp_path / "app-20260501T160000000000.jsonl").write_text("".join(lines[120:240]))
    (tmp_path / "app.jsonl").write_text("".join(lines[240:]))
    (tmp_path / "errors.jsonl").write_text("".join(lines[::10]))
    return tmp_path


def events(answer: LogAnswer) -> list[int]:
    return [int(line.event.removeprefix("event ")) for line in answer.lines]


def test_the_newest_lines_come_first_and_older_ones_on_the_next_pages(folder: Path) -> None:
    first = find_lines(LogQuestion(), folder=folder)
    second = find_lines(LogQuestion(), before=first.older, folder=folder)
    third = find_lines(LogQuestion(), before=second.older, folder=folder)
    assert events(first) + events(second) + events(third) == list(reversed(range(300)))
    assert third.older is None
    # Counted is all that was read, not only what is shown.
    assert (first.levels, first.programs) == ({"info": 270, "warning": 30}, {"web": 200, "worker": 100})
    assert first.parts == {"orders": 150, "inventory": 150}
    assert first.reached == minute(0)


@pytest.mark.parametrize(
    ("question", "found"),
    [
        (LogQuestion(text="EVENT 25"), [259, 258, 257, 256, 255, 254, 253, 252, 251, 250, 25]),
        (LogQuestion(request="r-7"), [15, 14]),
        (LogQuestion(request="r-"), []),
        (LogQuestion(level="warning", program="worker"), list(range(270, -1, -30))),
        (LogQuestion(level="error"), []),
        (LogQuestion(part="inventory", since=minute(290)), [299, 297, 295, 293, 291]),
        (LogQuestion(since=minute(10), until=minute(12)), [12, 11, 10]),
        (LogQuestion(until=minute(-1)), []),
    ],
)
def test_lines_are_found_by_text_level_source_request_and_time(
    folder: Path, question: LogQuestion, found: list[int]
) -> None:
    assert events(find_lines(question, folder=folder)) == found


def test_each_filter_counts_its_own_kinds_without_itself(folder: Path) -> None:
    answer = find_lines(LogQuestion(program="worker", part="orders"), folder=folder)
    assert answer.programs == {"web": 100, "worker": 50}
    assert answer.parts == {"orders": 50, "inventory": 50}
    assert answer.levels == {"info": 40, "warning": 10}


def test_no_more_is_read_than_allowed_and_the_next_page_goes_on_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BLOCK", 500)
    monkeypatch.setattr(log_selectors, "MOST_BYTES", 10_000)
    seen: list[int] = []
    answer = find_lines(LogQuestion(), folder=folder)
    pages = 1
    while True:
        # A line has 145 bytes or more.
        assert sum(answer.levels.values()) <= 10_000 // 145
        seen += events(answer)
        if answer.older is None:
            break
        answer = find_lines(LogQuestion(), before=answer.older, folder=folder)
        pages += 1
    assert seen == list(reversed(range(300)))
    assert pages == 5


def test_a_moment_long_ago_is_found_without_reading_all_that_came_later(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BLOCK", 500)
    monkeypatch.setattr(reading, "NEAR", 1000)
    monkeypatch.setattr(log_selectors, "MOST_BYTES", 16_000)
    assert events(find_lines(LogQuestion(until=minute(7)), folder=folder)) == [7, 6, 5, 4, 3, 2, 1, 0]


def test_the_next_page_goes_on_in_the_same_file_when_it_has_got_another_name(folder: Path) -> None:
    first = find_lines(LogQuestion(), folder=folder)
    (folder / "app.jsonl").rename(folder / "app-20260501T170000000000.jsonl")
    (folder / "app.jsonl").write_text(line_of("event 300", at=minute(300)))
    assert events(find_lines(LogQuestion(), before=first.older, folder=folder))[0] == events(first)[-1] - 1


def test_half_lines_and_other_texts_are_passed_over(folder: Path) -> None:
    with (folder / "app.jsonl").open("ab") as file:
        file.write(b'{"event": "half of a li\n[1, 2]\nnull\n\xff\xfe\n{"event": "no time"}\n' + b"x" * 200_000)
    assert events(find_lines(LogQuestion(), folder=folder))[0] == 299


def test_a_line_as_long_as_several_blocks_is_read_whole(tmp_path: Path) -> None:
    long = line_of("long", exception="Traceback\n" + "x" * 300_000)
    (tmp_path / "app.jsonl").write_text(line_of("before") + long + line_of("after"))
    answer = find_lines(LogQuestion(), folder=tmp_path)
    assert [line.event for line in answer.lines] == ["after", "long", "before"]
    assert answer.lines[1].exception.endswith("x" * 300_000)


def test_without_files_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        find_lines(LogQuestion(), folder=tmp_path)
