"""The files of log lines: many programs write, the files turn, and a disk that fails disturbs nobody."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from foundation.logs import MASK
from monitoring.logs import file as log_file
from monitoring.logs.file import LogFile, older_files
from monitoring.logs.handlers import StandardError
from monitoring.logs.program import program_of
from tests.monitoring.logs.written import line_of, with_our_lines


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., LogFile]]:
    """Makes handlers that write plain texts; a disk that failed is tried again at once."""
    monkeypatch.setattr(log_file, "TRIED_EVERY", 0.0)
    made: list[LogFile] = []

    def new(path: Path = tmp_path / "log" / "app.jsonl", days: int = 30, megabytes: int = 10) -> LogFile:
        made.append(LogFile(path, days=days, megabytes=megabytes))
        return made[-1]

    yield new
    for handler in made:
        handler.close()


def say(handler: logging.Handler, text: str) -> None:
    handler.handle(logging.makeLogRecord({"msg": text}))


WRITER = """
import logging, sys
from pathlib import Path
from monitoring.logs.file import LogFile

handler = LogFile(Path(sys.argv[1]), days=30, megabytes=1)
for number in range(600):
    handler.handle(logging.makeLogRecord({"msg": f"{sys.argv[2]} {number} " + "x" * 200}))
"""


def test_no_line_is_lost_or_mixed_while_several_programs_write_and_turn_the_files(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), name], cwd=settings.BASE_DIR) for name in "abcd"
    ]
    assert [writer.wait(60) for writer in writers] == [0] * 4

    files = [*older_files(path), path]
    lines = [line for file in files for line in file.read_text().splitlines()]
    assert sorted(lines) == sorted(f"{name} {number} {'x' * 200}" for name in "abcd" for number in range(600))
    # A tenth of a megabyte each, and what others wrote while it was renamed.
    assert len(files) >= 4
    assert max(file.stat().st_size for file in files) < 130_000
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_the_oldest_files_go_when_there_is_too_much(make: Callable[..., LogFile]) -> None:
    handler = make(megabytes=1)
    for number in range(3000):
        say(handler, f"{number} " + "x" * 1000)

    files = [*older_files(handler.path), handler.path]
    assert 800_000 < sum(file.stat().st_size for file in files) <= 1024 * 1024
    assert files[-1].read_text().splitlines()[-1].startswith("2999 ")


def test_a_file_of_an_earlier_day_is_renamed_and_one_of_long_ago_deleted(make: Callable[..., LogFile]) -> None:
    handler = make(days=30)
    folder = handler.path.parent
    folder.mkdir()
    yesterday = datetime.now(UTC) - timedelta(days=1)
    handler.path.write_text(line_of("of yesterday", at=yesterday))
    long_ago, lately = folder / "app-20200101T000000000000.jsonl", folder / "app-20200202T000000000000.jsonl"
    for file, days in ((long_ago, 31), (lately, 29)):
        file.write_text("old\n")
        at = (datetime.now(UTC) - timedelta(days=days)).timestamp()
        os.utime(file, (at, at))

    say(handler, "of today")

    assert handler.path.read_text() == "of today\n"
    assert not long_ago.exists()
    lately_kept, renamed = older_files(handler.path)
    assert lately_kept == lately
    assert json.loads(renamed.read_text())["event"] == "of yesterday"


def test_folder_and_files_are_their_owners_alone(make: Callable[..., LogFile]) -> None:
    handler = make()
    before = os.umask(0)
    try:
        say(handler, "hush")
    finally:
        os.umask(before)
    assert handler.path.stat().st_mode & 0o777 == 0o600
    assert handler.path.parent.stat().st_mode & 0o777 == 0o700

    handler.path.chmod(0o644)
    handler.close()
    say(handler, "hush")
    assert handler.path.stat().st_mode & 0o777 == 0o600


def test_a_link_somewhere_else_is_not_followed(
    make: Callable[..., LogFile], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    handler = make(tmp_path / "app.jsonl")
    (tmp_path / "app.jsonl").symlink_to(tmp_path / "elsewhere")
    say(handler, "hush")
    assert not (tmp_path / "elsewhere").exists()
    assert "can't be written" in capsys.readouterr().err


@pytest.mark.as_root
def test_a_command_of_root_does_not_shut_the_service_out(make: Callable[..., LogFile]) -> None:
    handler = make()
    handler.path.parent.mkdir()
    os.chown(handler.path.parent, 65534, 65534)
    say(handler, "by root")
    assert (handler.path.stat().st_uid, handler.path.stat().st_gid) == (65534, 65534)


def test_a_folder_that_is_none_is_said_once_and_the_shop_goes_on(
    make: Callable[..., LogFile], tmp_path: Path, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "log").write_text("a file is in its place")
    with with_our_lines(make()) as handler:
        assert [client.get("/health/live").status_code for _time in range(3)] == [200] * 3
        said = capsys.readouterr().err
        assert said.count("can't be written") == 1
        assert said.startswith(f"Log lines can't be written into {handler.path}: ")

        (tmp_path / "log").unlink()
        assert client.get("/health/live").status_code == 200
    assert capsys.readouterr().err == f"Log lines are written into {handler.path} again; 3 were left out.\n"
    (line,) = handler.path.read_text().splitlines()
    assert json.loads(line)["request"] == "GET /health/live"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.mark.as_root
@pytest.mark.on_linux
def test_a_full_disk_does_not_disturb_the_shop(
    make: Callable[..., LogFile], small_disk: Path, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    ballast = small_disk / "ballast"
    with with_our_lines(make(small_disk / "app.jsonl")) as handler:
        client.get("/health/live")
        with ballast.open("wb", buffering=0) as file:
            while True:
                try:
                    file.write(b"x" * 512)
                except OSError:
                    break
        # What is left of the file's own page takes some lines yet.
        assert [client.get("/health/live").status_code for _time in range(40)] == [200] * 40
        assert capsys.readouterr().err.count("can't be written") == 1
        ballast.unlink()
        client.get("/health/live")
    assert "were left out" in capsys.readouterr().err
    lines = handler.path.read_text().splitlines()
    # At most the one that the disk cut in two is spoilt; the last one stands on a line of its own.
    assert sum(not whole(line) for line in lines) <= 1
    assert whole(lines[-1])


def whole(line: str) -> bool:
    try:
        return json.loads(line)["request"] == "GET /health/live"
    except ValueError:
        return False


def test_a_line_that_cannot_be_put_together_costs_itself_only(
    make: Callable[..., LogFile], capsys: pytest.CaptureFixture[str]
) -> None:
    for handler in (make(), StandardError()):
        handler.handle(logging.makeLogRecord({"msg": "%d", "args": ("hunter2",), "pathname": "shop.py", "lineno": 7}))
    assert capsys.readouterr().err == "A log line of shop.py:7 could not be written: TypeError.\n" * 2


def test_a_closed_standard_error_is_nobodys_trouble(
    make: Callable[..., LogFile], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "log").write_text("a file is in its place")
    closed = (tmp_path / "closed").open("w")
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    say(make(), "heard by nobody")


def test_lines_name_the_program_and_hide_what_gunicorn_says_too(make: Callable[..., LogFile]) -> None:
    with with_our_lines(make()) as handler:
        logging.getLogger("gunicorn.error").warning("worker failed at /?token=%s", "hunter2")
    line = json.loads(handler.path.read_text())
    assert (line["event"], line["logger"]) == (f"worker failed at /?token={MASK}", "gunicorn.error")
    assert line["program"]


@pytest.mark.parametrize(
    ("arguments", "program"),
    [
        (["/srv/.venv/lib/gunicorn/__main__.py", "project.wsgi"], "web"),
        (["/srv/.venv/bin/gunicorn", "project.wsgi"], "web"),
        (["/srv/.venv/lib/celery/__main__.py", "--app", "project", "worker"], "worker"),
        (["/srv/.venv/bin/celery", "--app", "project", "beat"], "beat"),
        (["manage.py", "backup_agent"], "backup_agent"),
        (["/srv/manage.py"], "manage.py"),
        (["/srv/project/embedded/prepare.py"], "prepare"),
        (["-c"], "-c"),
        ([], "python"),
    ],
)
def test_a_program_is_known_by_how_it_was_started(arguments: list[str], program: str) -> None:
    assert program_of(arguments) == program
