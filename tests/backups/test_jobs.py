"""Work that is asked for in a file: what becomes of it, whoever dies meanwhile."""

import errno
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from backups.engine.agent import Agent, is_ours, start
from backups.engine.children import end_tool
from backups.engine.jobs import (
    Job,
    JobKind,
    JobStatus,
    all_jobs,
    ask_to_stop,
    carry_out,
    close_killed,
    forget_old,
    get_job,
    request_job,
    save,
    say_done,
)
from backups.engine.manifest import Kind
from backups.engine.repository import Repository
from backups.errors import Busy, Damaged, Interrupted, UnknownJob
from tests.backups.assembled import fill, small_disk
from tests.backups.cluster import wait_until

Work = Callable[[Job, Any, Callable[[], bool]], dict[str, Any]]


def asked(repository: Repository, **more: Any) -> Job:
    return request_job(repository, JobKind.BACKUP, arguments={"kind": "logical"}, by="anna@samovar.example", **more)


def test_what_is_asked_for_stands_in_a_file_until_it_is_done(repository: Repository) -> None:
    job = asked(repository, reason="Перед переездом ☕")
    assert get_job(repository, job.id) == job
    assert (job.status, job.reason) == (JobStatus.WAITING, "Перед переездом ☕")
    seen = []

    def work(running: Job, progress: Any, is_stopped: Callable[[], bool]) -> dict[str, Any]:
        progress("dumping", 0.25)
        seen.append(get_job(repository, running.id))
        assert not is_stopped()
        return {"backup_id": running.id}

    carry_out(repository, job, work, pid=1)
    assert [(one.status, one.stage, one.share) for one in seen] == [(JobStatus.RUNNING, "dumping", 0.25)]
    done = get_job(repository, job.id)
    assert (done.status, done.share, done.result) == (JobStatus.DONE, 1.0, {"backup_id": job.id})
    assert done.ended_at is not None


@pytest.mark.parametrize(
    ("error", "status", "kind", "sentence"),
    [
        (Damaged("base/1 is damaged."), JobStatus.FAILED, "damaged", "base/1 is damaged."),
        (Interrupted("pg_dump was killed."), JobStatus.FAILED, "interrupted", "pg_dump was killed."),
        (Busy("A drill"), JobStatus.FAILED, "busy", "A drill is under way. Wait until it is done."),
    ],
)
def test_what_fails_says_why(
    repository: Repository, error: Exception, status: JobStatus, kind: str, sentence: str
) -> None:
    def work(*_arguments: Any) -> dict[str, Any]:
        raise error

    carry_out(repository, job := asked(repository), work, pid=1)
    ended = get_job(repository, job.id)
    assert (ended.status, ended.error_kind, ended.error) == (status, kind, sentence)


def test_our_own_mistake_ends_the_job_without_its_secrets_and_is_raised(repository: Repository) -> None:
    def work(*_arguments: Any) -> dict[str, Any]:
        raise KeyError("postgres://samovar:tea-and-honey@db/shop")

    with pytest.raises(KeyError):
        carry_out(repository, job := asked(repository), work, pid=1)
    ended = get_job(repository, job.id)
    assert (ended.status, ended.error_kind) == (JobStatus.FAILED, "error")
    assert "KeyError" in ended.error
    assert "tea-and-honey" not in ended.error


def test_somebody_stops_a_job_that_waits_and_one_that_runs(repository: Repository) -> None:
    waiting = asked(repository)
    assert ask_to_stop(repository, waiting.id).status == JobStatus.STOPPED
    running = asked(repository)

    def work(_job: Job, _progress: Any, is_stopped: Callable[[], bool]) -> dict[str, Any]:
        assert not is_stopped()
        ask_to_stop(repository, running.id)
        assert is_stopped()
        raise Interrupted("It was stopped.")

    carry_out(repository, running, work, pid=1)
    assert {job.status for job in all_jobs(repository)} == {JobStatus.STOPPED}
    assert [path.suffix for path in repository.jobs.iterdir()] == [".json", ".json"]


def test_a_job_whose_process_was_killed_is_closed(repository: Repository) -> None:
    lost, alive = asked(repository), asked(repository)
    for job, pid in ((lost, 1), (alive, 2)):
        job.status, job.pid = JobStatus.RUNNING, pid
        save(repository, job)
    close_killed(repository, is_running=lambda pid: pid == 2)
    assert get_job(repository, alive.id).status == JobStatus.RUNNING
    closed = get_job(repository, lost.id)
    assert (closed.status, closed.error_kind) == (JobStatus.FAILED, "interrupted")
    assert closed.error == "Its process was killed. Nothing of it is left; ask for it again."


def test_of_a_killed_swap_nobody_says_that_nothing_is_left(repository: Repository) -> None:
    job = request_job(repository, JobKind.RESTORE, arguments={"backup_id": "7"})
    job.status, job.pid = JobStatus.RUNNING, 1
    save(repository, job)
    (closed,) = close_killed(repository, is_running=lambda pid: False)
    assert closed.error.startswith("Its process was killed. Look at the shop before you ask for it again")

    say_done(repository, job.id, {"kept": "shop_before"})
    done = get_job(repository, job.id)
    assert (done.status, done.error, done.error_kind, done.share) == (JobStatus.DONE, "", "", 1.0)
    assert done.result == {"backup_id": "7", "kept": "shop_before"}
    say_done(repository, "no-such", {})


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"kind": "unknown", "id": "1"}', "\x00"])
def test_a_file_that_is_no_job_hides_no_other(repository: Repository, text: str) -> None:
    job = asked(repository)
    (repository.jobs / "0.json").write_text(text)
    assert [one.id for one in all_jobs(repository)] == [job.id]
    with pytest.raises(UnknownJob):
        get_job(repository, "0")


@pytest.mark.parametrize("name", ["../jobs/x", "", "no-such"])
def test_an_id_of_a_job_leads_nowhere_else(repository: Repository, name: str) -> None:
    (repository.root / "x.json").write_text(asked(repository).to_json())
    with pytest.raises(UnknownJob):
        get_job(repository, name)


def test_old_jobs_are_forgotten_and_waiting_ones_are_not(repository: Repository) -> None:
    old, waiting = asked(repository), asked(repository)
    carry_out(repository, old, lambda *_arguments: {}, pid=1)
    forget_old(repository, days=0)
    assert [job.id for job in all_jobs(repository)] == [waiting.id]


# --- the agent --------------------------------------------------------------------------------------------


def program(tmp_path: Path, text: str) -> list[str]:
    """A command like one of manage.py's, which does this."""
    path = tmp_path / "manage.py"
    path.write_text(text)
    return [sys.executable, str(path)]


WORKS = """
import sys, pathlib
pathlib.Path(sys.argv[2]).write_text(sys.argv[1])
"""


def test_the_agent_starts_what_waits_one_after_the_other(repository: Repository, tmp_path: Path) -> None:
    first, second = asked(repository), asked(repository)
    command = program(tmp_path, WORKS)

    def command_of(job: Job) -> list[str]:
        # The process of a job says in the file that it runs: here, before it is started.
        job.status = JobStatus.DONE
        save(repository, job)
        return [*command, job.id, str(tmp_path / job.id)]

    agent = Agent(repository, command_of=command_of)
    agent.look()
    started = agent.job
    assert started is not None
    wait_until(lambda: started.poll() is not None)
    agent.look()
    started = agent.job
    assert started is not None
    assert started.wait(timeout=60) == 0
    assert [(tmp_path / job.id).read_text() for job in (first, second)] == [first.id, second.id]


def test_the_agent_starts_nothing_while_somebody_else_is_at_work(repository: Repository, tmp_path: Path) -> None:
    job = asked(repository)
    agent = Agent(repository, command_of=lambda _job: program(tmp_path, WORKS))
    with repository.lock("work", doing="A restore at the terminal"):
        agent.look()
    assert (agent.job, get_job(repository, job.id).status) == (None, JobStatus.WAITING)


def test_the_agent_starts_a_killed_receiver_again(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backups.engine.agent.RECEIVER_AGAIN_AFTER", 0)
    agent = Agent(repository, receiver=program(tmp_path, "import time; time.sleep(600)"))
    agent.look()
    first = agent.receiver
    assert first is not None
    first.kill()
    first.wait()
    agent.look()
    assert agent.receiver is not None
    assert agent.receiver.pid != first.pid
    agent.receiver.kill()


def test_a_killed_job_is_closed_though_its_number_is_another_programs_by_now(
    repository: Repository, tmp_path: Path
) -> None:
    other = subprocess.Popen(program(tmp_path, "import time; time.sleep(600)"))
    try:
        job = asked(repository)
        job.status, job.pid = JobStatus.RUNNING, other.pid
        save(repository, job)
        wait_until(lambda: is_ours(other.pid))
        agent = Agent(repository)
        with repository.lock("work", doing="The job itself"):
            agent.look()
            assert get_job(repository, job.id).status == JobStatus.RUNNING
        agent.look()
        assert get_job(repository, job.id).status == JobStatus.FAILED
        assert not repository.is_locked("work")
    finally:
        other.kill()
        other.wait()


def test_there_is_one_agent(repository: Repository) -> None:
    with repository.lock("agent", doing="The agent"), pytest.raises(Busy, match="The agent is under way"):
        Agent(repository).run(is_stopped=lambda: True)


def test_the_agent_discards_what_a_killed_backup_left(repository: Repository) -> None:
    _backup_id, partial = repository.begin(Kind.LOGICAL)
    Agent(repository).look()
    assert not partial.exists()


def test_the_agent_puts_right_what_a_killed_job_left_before_the_next_one(
    repository: Repository, tmp_path: Path
) -> None:
    asked(repository)
    order: list[str] = []

    def command_of(job: Job) -> list[str]:
        order.append("job")
        return program(tmp_path, "")

    agent = Agent(repository, command_of=command_of, put_right=lambda: order.append("put right"))
    agent.look()
    assert order == ["put right", "job"]
    assert agent.job is not None
    agent.job.wait()


def test_a_job_that_can_not_begin_is_not_begun_every_second(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(repository)
    begun: list[str] = []

    def command_of(job: Job) -> list[str]:
        begun.append(job.id)
        return program(tmp_path, "raise SystemExit(1)")

    agent = Agent(repository, command_of=command_of)
    for _round in range(3):
        agent.look()
        if agent.job is not None:
            agent.job.wait()
    assert len(begun) == 1
    agent.next_job_at = 0
    agent.look()
    assert len(begun) == 2
    assert agent.job is not None
    agent.job.wait()


NO_MEMORY = OSError(errno.ENOMEM, "Cannot allocate memory")


def refused_once(monkeypatch: pytest.MonkeyPatch, command: list[str], error: OSError) -> None:
    """Has the system refuse the next start of this command, and only that."""
    errors = [error]

    def refused(asked_for: Sequence[str]) -> subprocess.Popen[str]:
        if list(asked_for) == command and errors:
            raise errors.pop()
        return start(asked_for)

    monkeypatch.setattr("backups.engine.agent.start", refused)


def test_the_agent_goes_on_where_the_receiver_can_not_be_started(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = program(tmp_path, "import time; time.sleep(600)")
    refused_once(monkeypatch, command, NO_MEMORY)
    _backup_id, partial = repository.begin(Kind.LOGICAL)
    agent = Agent(repository, receiver=command)
    with capture_logs() as logs:
        agent.look()
    assert [(one["event"], one["reason"]) for one in logs if one["log_level"] == "warning"] == [
        ("agent_hindered", "[Errno 12] Cannot allocate memory")
    ]
    assert agent.receiver is None
    assert not partial.exists()
    # Not at once again.
    agent.look()
    assert agent.receiver is None
    monkeypatch.setattr("backups.engine.agent.RECEIVER_AGAIN_AFTER", 0)
    agent.look()
    assert agent.receiver is not None
    end_tool(agent.receiver)


def test_the_agent_goes_on_where_a_job_can_not_be_started(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = asked(repository)
    command = program(tmp_path, "")
    refused_once(monkeypatch, command, NO_MEMORY)
    agent = Agent(repository, command_of=lambda _job: command)
    for _round in range(2):
        agent.look()
        assert (agent.job, get_job(repository, job.id).status) == (None, JobStatus.WAITING)
    agent.next_job_at = 0
    agent.look()
    assert agent.job is not None
    agent.job.wait()


def test_the_agent_goes_on_where_its_folder_became_read_only(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = [OSError(errno.EROFS, "Read-only file system")]

    def forget(_repository: Repository) -> None:
        if errors:
            raise errors.pop()

    monkeypatch.setattr("backups.engine.agent.forget_old", forget)
    agent = Agent(repository)
    agent.look()
    assert not errors
    agent.look()


@pytest.mark.as_root
def test_the_agent_survives_a_full_disk(tmp_path: Path) -> None:
    """A job that was killed on it is closed as soon as there is room; the receiver is started meanwhile."""
    with small_disk(tmp_path / "disk", megabytes=1) as folder:
        repository = Repository(folder)
        repository.make()
        job = asked(repository)
        job.status, job.pid = JobStatus.RUNNING, 2**22
        save(repository, job)
        filler = fill(folder)
        put_right: list[str] = []
        agent = Agent(
            repository,
            receiver=program(tmp_path, "import time; time.sleep(600)"),
            put_right=lambda: put_right.append("the shop"),
        )
        agent.look()
        assert put_right == ["the shop"]
        assert agent.receiver is not None
        assert agent.receiver.poll() is None
        agent.receiver.kill()
        assert get_job(repository, job.id).status == JobStatus.RUNNING
        filler.unlink()
        agent.look()
        assert get_job(repository, job.id).status == JobStatus.FAILED
