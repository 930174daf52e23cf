"""Questions about the log: which lines there are, and how many of each level and source."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings

from monitoring.logs.reading import Budget, Place, moment_of, newest_first, parsed

# From harmless to bad.
LEVELS = ("debug", "info", "warning", "error", "critical")
# What the second file holds; there the same bytes reach much farther back.
APART = LEVELS[LEVELS.index("warning") :]
IDS = ("request_id", "task_id", "parent_task_id", "child_task_id")
SHOWN_LINES = 100
MOST_BYTES = 4 * 1024 * 1024
# Lines of several programs are not quite in order.
DISORDER = timedelta(seconds=10)
# Of a line these have a place of their own.
OWN_PLACE = {"event", "level", "logger", "timestamp", "program", "exception", "stack", *IDS}


@dataclass(frozen=True)
class LogQuestion:
    """Which lines are wanted.

    Args:
        text: stands somewhere in the line, in capital letters or small ones.
        level: of this level or a worse one.
        program: that wrote it, such as web or worker.
        part: of which part of the shop it speaks, such as orders.
        request: the id of a request or a task, whose own lines and those of the tasks that it caused are wanted.
    """

    text: str = ""
    level: str = ""
    program: str = ""
    part: str = ""
    request: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class LogLine:
    """One line as people read it."""

    fields: Mapping[str, Any]
    at: datetime
    level: str
    program: str
    part: str

    @property
    def event(self) -> str:
        return str(self.fields.get("event", ""))

    @property
    def exception(self) -> str:
        return str(self.fields.get("exception") or self.fields.get("stack") or "")

    @property
    def more(self) -> list[tuple[str, str]]:
        """What else it says, as names and values."""
        return [
            (name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
            for name, value in self.fields.items()
            if name not in OWN_PLACE and value is not None
        ]

    @property
    def request(self) -> str:
        """By which id the lines that belong to this one are found."""
        return str(self.fields.get("request_id") or self.fields.get("task_id") or "")


@dataclass
class LogAnswer:
    """The newest lines that are wanted, and how many there are of each kind in what was read.

    Args:
        reached: when the earliest line was written that was looked at.
        older: where to go on reading; None where nothing is left.
    """

    lines: list[LogLine] = field(default_factory=list)
    levels: Counter[str] = field(default_factory=Counter)
    programs: Counter[str] = field(default_factory=Counter)
    parts: Counter[str] = field(default_factory=Counter)
    reached: datetime | None = None
    older: Place | None = None


def find_lines(question: LogQuestion, *, before: Place | None = None, folder: Path | None = None) -> LogAnswer:
    """Looks through the last `MOST_BYTES` of the files, or through as much of them before the place `before`.

    Levels are counted whatever level is asked for, and so are programs and parts. Raises OSError where there are no
    files, or this account may not read them.
    """
    folder = folder or settings.LOG_DIR
    if folder is None:
        raise FileNotFoundError
    (folder / "app.jsonl").stat()
    path = folder / ("errors.jsonl" if question.level in APART else "app.jsonl")
    budget = Budget(MOST_BYTES)
    answer = LogAnswer()
    wanted = [sign.casefold() for sign in (escaped(question.text), question.request) if sign]
    last: Place | None = None
    is_full = False
    for place, line in newest_first(path, before=before, until=question.until, budget=budget):
        plain = line.decode(errors="replace").casefold()
        fields = parsed(line)
        at = moment_of(fields)
        if at is None:
            continue
        if question.since is not None and at < question.since - DISORDER:
            break
        answer.reached = at
        is_full = len(answer.lines) >= SHOWN_LINES
        if not is_full:
            last = place
        if (question.until and at > question.until) or (question.since and at < question.since):
            continue
        if not all(sign in plain for sign in wanted) or not belongs(fields, question.request):
            continue
        count(answer, read_line(fields, at), question)
    if is_full or budget.was_too_small:
        answer.older = last
    return answer


def count(answer: LogAnswer, line: LogLine, question: LogQuestion) -> None:
    """Counts a line, each filter's own kinds without that filter, and keeps it if all of them let it pass."""
    is_bad_enough = not question.level or worse(line.level) >= worse(question.level)
    is_of_program = question.program in ("", line.program)
    is_of_part = question.part in ("", line.part)
    if is_of_program and is_of_part:
        answer.levels[line.level] += 1
    if is_bad_enough and is_of_part:
        answer.programs[line.program] += 1
    if is_bad_enough and is_of_program:
        answer.parts[line.part] += 1
    if is_bad_enough and is_of_program and is_of_part and len(answer.lines) < SHOWN_LINES:
        answer.lines.append(line)


def worse(level: str) -> int:
    return LEVELS.index(level) if level in LEVELS else 0


def read_line(fields: Mapping[str, Any], at: datetime) -> LogLine:
    return LogLine(
        fields=fields,
        at=at,
        level=str(fields.get("level", "info")),
        program=str(fields.get("program", "")),
        part=str(fields.get("logger") or "").split(".")[0],
    )


def belongs(fields: Mapping[str, Any], request: str) -> bool:
    return not request or any(fields.get(name) == request for name in IDS)


def escaped(text: str) -> str:
    """As it stands in the file."""
    return json.dumps(text, ensure_ascii=False)[1:-1]
