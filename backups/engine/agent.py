"""The agent: a program beside the web server that carries out jobs, one at a time, and has the WAL received.

It needs no database and no broker. Each job runs in a process of its own, so that one that is killed, or eats all
memory, takes nobody with it.
"""

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil
import structlog
from django.conf import settings

from backups.engine.children import end_tool
from backups.engine.jobs import Job, JobStatus, all_jobs, close_killed, forget_old
from backups.engine.repository import Repository
from backups.errors import BackupFailed, Busy
from foundation.programs.program import dies_with_parent

LOOK_EVERY = 1.0
TIDY_EVERY = 3600.0
# A job's process says with this that another one is at work: the job goes on waiting.
BUSY_EXIT = 75
RECEIVER_AGAIN_AFTER = 5.0
NEXT_JOB_AFTER = 30.0

logger = structlog.get_logger("backups.agent")
Command = Sequence[str]


def manage(*arguments: str) -> list[str]:
    """The command line of one of our commands."""
    return [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), *arguments]


class Agent:
    """Carries out what is asked for in a repository, until it is stopped."""

    def __init__(
        self,
        repository: Repository,
        *,
        command_of: Callable[[Job], Command] = lambda job: manage("backup_job", job.id),
        receiver: Command | None = None,
        put_right: Callable[[], None] = lambda: None,
        watch: Callable[[Callable[[], bool]], None] | None = None,
    ) -> None:
        self.repository, self.command_of, self.receiver_command = repository, command_of, receiver
        # Called when no job runs: a killed one may have left the shop at rest.
        self.put_right = put_right
        # What goes on beside all work, in a thread, until it is told to stop: the watch over a cluster.
        self.watch = watch
        self.job: subprocess.Popen[str] | None = None
        self.receiver: subprocess.Popen[str] | None = None
        self.receiver_ended_at = 0.0
        self.tidied_at = 0.0
        self.next_job_at = 0.0

    def run(self, *, is_stopped: Callable[[], bool]) -> None:
        """Works until it is stopped. Raises Busy if another agent has this repository."""
        with self.repository.lock("agent", doing="The agent"), self.watching():
            try:
                while not is_stopped():
                    self.look()
                    time.sleep(LOOK_EVERY)
            finally:
                for process in (self.job, self.receiver):
                    if process is not None:
                        end_tool(process)
                self.close_killed()

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        if self.watch is None:
            yield
            return
        ended = threading.Event()
        thread = threading.Thread(target=self.watch, args=(ended.is_set,), name="watch")
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def look(self) -> None:
        """One round: what has ended, what is to be begun."""
        with going_on():
            self.keep_receiving()
        with going_on():
            self.look_at_jobs()
        if time.monotonic() - self.tidied_at > TIDY_EVERY or not self.tidied_at:
            self.tidied_at = time.monotonic()
            with going_on():
                self.tidy()

    def look_at_jobs(self) -> None:
        if self.job is not None and (code := self.job.poll()) is not None:
            self.job = None
            if code not in (0, BUSY_EXIT):
                # One that can't even begin, for want of room, waits still: it is not begun every second.
                self.next_job_at = time.monotonic() + NEXT_JOB_AFTER
        if self.job is None:
            # A full disk keeps a job from being closed, not the shop from being put right.
            with going_on():
                self.close_killed()
            self.put_right()
            if time.monotonic() >= self.next_job_at:
                self.begin_next()

    def close_killed(self) -> None:
        """Closes the jobs whose processes are gone. The number of one may be another program's of the shop by now: who
        is at it has the lock."""
        close_killed(self.repository, is_running=is_ours)
        if any(job.status == JobStatus.RUNNING for job in all_jobs(self.repository)):
            with contextlib.suppress(Busy), self.repository.lock("work", doing="Looking after killed jobs"):
                close_killed(self.repository, is_running=lambda _pid: False)

    def begin_next(self) -> None:
        waiting = next((job for job in all_jobs(self.repository) if job.status == JobStatus.WAITING), None)
        if waiting is not None and not self.repository.is_locked("work"):
            logger.info("backup_job_begins", job=waiting.id, kind=waiting.kind)
            try:
                self.job = start(self.command_of(waiting))
            except OSError:
                self.next_job_at = time.monotonic() + NEXT_JOB_AFTER
                raise

    def keep_receiving(self) -> None:
        """The WAL receiver restarts its tool by itself; here it is restarted if it is killed."""
        if self.receiver_command is None:
            return
        if self.receiver is not None and self.receiver.poll() is not None:
            self.receiver, self.receiver_ended_at = None, time.monotonic()
        if self.receiver is None and time.monotonic() - self.receiver_ended_at > RECEIVER_AGAIN_AFTER:
            # One that can't be started is not tried again at once either.
            self.receiver_ended_at = time.monotonic()
            self.receiver = start(self.receiver_command)

    def tidy(self) -> None:
        forget_old(self.repository)
        with contextlib.suppress(Busy), self.repository.lock("work", doing="Tidying up"):
            for backup_id in self.repository.discard_leftovers():
                logger.info("half_backup_discarded", backup=backup_id)


@contextlib.contextmanager
def going_on() -> Iterator[None]:
    """A full disk hinders the agent until there is room, and a machine without memory for another process until there
    is some; what it receives meanwhile may lie on another one, and a receiver that runs goes on."""
    try:
        yield
    except (BackupFailed, OSError) as error:
        logger.warning("agent_hindered", reason=str(error))


def start(command: Command) -> subprocess.Popen[str]:
    """Starts one of our commands; its words go where ours go."""
    return subprocess.Popen(  # noqa: S603 - our own command
        command,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        text=True,
        preexec_fn=dies_with_parent(15),
    )


def is_ours(pid: int) -> bool:
    """Whether this process still runs and is one of our commands: numbers are used again."""
    try:
        return "manage.py" in " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        return False
