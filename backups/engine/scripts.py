"""What pg_restore would say to a server, for a transaction of our own: statements as text, and rows as a stream."""

import contextlib
import re
import signal
import subprocess
import tempfile
from collections.abc import Callable, Collection
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import psycopg2
import psycopg2.extensions
from django.utils.translation import gettext as _

from backups.engine.children import Ended, end_tool, failure_of, run_tool
from backups.engine.programs import Programs
from backups.engine.toc import Entry, list_of, scratch_folder
from backups.errors import Damaged, Interrupted
from foundation.programs.program import dies_with_parent

# psql's own commands, which fence the script in.
FENCE = re.compile(r"^\\(?:un)?restrict \w+$", re.MULTILINE)
# Since this version pg_restore sets transaction_timeout, which older servers do not know.
SETS_TRANSACTION_TIMEOUT = 17
TRANSACTION_TIMEOUT = re.compile(r"^SET transaction_timeout = 0;$", re.MULTILINE)
PIECE = 256 * 1024


def script_of(programs: Programs, dump: Path, entries: Collection[Entry], *options: str, major: int) -> str:
    """The statements that make these entries, for a server of version `major`; `options` are more of pg_restore's."""
    with scratch_folder() as folder, list_of(entries) as chosen:
        path = folder / "script.sql"
        run_tool(
            [
                programs.path("pg_restore"),
                "--no-owner",
                "--no-tablespaces",
                *options,
                f"--use-list={chosen}",
                f"--file={path}",
                str(dump),
            ],
            environment={"LC_ALL": "C"},
            folder=dump.parent,
        )
        script = FENCE.sub("", path.read_text(encoding="utf-8"))
    return TRANSACTION_TIMEOUT.sub("", script) if major < SETS_TRANSACTION_TIMEOUT else script


class Copy:
    """The rows of one table, read by pg_restore and handed to the server as they come."""

    def __init__(
        self, programs: Programs, dump: Path, entry: Entry, *, is_stopped: Callable[[], bool] = lambda: False
    ) -> None:
        self.command = [programs.path("pg_restore"), "--data-only", "--file=-"]
        self.dump, self.entry, self.is_stopped = dump, entry, is_stopped
        self.was_stopped = False
        self.stack = ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            chosen = stack.enter_context(list_of([self.entry]))
            self.words: IO[bytes] = stack.enter_context(tempfile.TemporaryFile())
            self.process: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603 - a tool of PostgreSQL
                [*self.command, f"--use-list={chosen}", str(self.dump)],
                env={"LC_ALL": "C"},
                cwd=self.dump.parent,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=self.words,
                start_new_session=True,
                preexec_fn=dies_with_parent(signal.SIGTERM),
            )
            stack.callback(end_tool, self.process)
            self.stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stack.close()

    def into(self, cursor: psycopg2.extensions.cursor) -> None:
        """Loads the rows in the cursor's transaction, which must be given up after any error. Raises the error that
        pg_restore's words mean, Damaged, Interrupted, and psycopg2's errors."""
        output = self.process.stdout
        assert output is not None  # noqa: S101 - it was started with a pipe
        statement = next((line for line in output if line.startswith(b"COPY ")), b"").decode()
        if statement:
            try:
                cursor.copy_expert(statement.strip().removesuffix(";"), self, PIECE)
            except psycopg2.Error:
                if self.was_stopped:
                    raise Interrupted(_("It was stopped.")) from None
                raise
        # Rows that end early look complete to the server: what counts is how pg_restore ended.
        code = self.process.wait()
        if code != 0:
            self.words.seek(0)
            lines = tuple(self.words.read().decode(errors="replace").splitlines())
            raise failure_of(self.command, Ended(code, lines), self.dump.parent)
        if not statement:
            raise Damaged(_("The backup has no rows of %(table)s.") % {"table": self.entry.name})

    def read(self, size: int = -1, /) -> bytes:
        """The next rows, for the driver. What stands after the last one (a line with a backslash and a dot), the server
        ignores."""
        if self.is_stopped():
            self.was_stopped = True
            raise InterruptedError
        assert self.process.stdout is not None  # noqa: S101 - it was started with a pipe
        return self.process.stdout.read(size)

    # Belongs to what the driver takes for a file; it only reads.
    readline = read
