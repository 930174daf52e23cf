"""The supervisor: the order of stopping, restarts and their limit, and what a killed one leaves behind."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from foundation.programs import program as programs
from foundation.programs.program import Program
from project.embedded import supervisor as supervisors
from project.embedded.console import Console
from project.embedded.errors import CannotStart, StopRequested
from project.embedded.leftovers import Record, is_alive
from project.embedded.supervisor import REST, RESTARTS_AT_MOST, Supervisor

MakeProgram = Callable[..., Program]


def until(condition: Callable[[], object], *, within: float = 10.0) -> None:
    """Waits for what has to happen; the test fails if it does not."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


@pytest.fixture
def console() -> Console:
    return Console(io.StringIO(), io.StringIO())


@pytest.fixture
def supervisor(console: Console, tmp_path: Path, kept_signals: None) -> Iterator[Supervisor]:
    supervisor = Supervisor(console, Record(tmp_path / "processes.json"))
    supervisor.listen()
    yield supervisor
    supervisor.stop()


@pytest.fixture
def program(tmp_path: Path) -> MakeProgram:
    """Makes a program from a line of shell."""

    def make(name: str, script: str, **settings) -> Program:
        return Program(
            name=name,
            title=name.capitalize(),
            command=["/bin/sh", "-c", script],
            environment={"PATH": os.defpath},
            folder=tmp_path,
            log=tmp_path / f"{name}.log",
            **settings,
        )

    return make


def test_services_are_stopped_after_those_who_use_them_the_last_started_first(
    supervisor: Supervisor, program: MakeProgram, tmp_path: Path
):
    for name in ("database", "broker", "web"):
        script = f"trap 'echo {name} >> order; exit 0' TERM; echo ready; while :; do sleep 0.05; done"
        supervisor.launch(program(name, script, serves=name != "web", restarts=name != "database"))
    until(lambda: all("ready" in other.last_words() for other in supervisor.programs))
    supervisor.stop()
    assert (tmp_path / "order").read_text().split() == ["web", "broker", "database"]
    assert not (tmp_path / "processes.json").exists()


def test_what_does_not_want_to_stop_is_killed_with_its_children(supervisor: Supervisor, program: MakeProgram):
    stubborn = program("stubborn", "trap '' TERM; sleep 1000 & echo $!; while :; do sleep 0.05; done", patience=0.2)
    supervisor.launch(stubborn)
    until(stubborn.last_words)
    child = psutil.Process(int(stubborn.last_words()))
    supervisor.stop()
    assert stubborn.exit_code() == -signal.SIGKILL
    until(lambda: not is_alive(child))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_a_request_to_stop(supervisor: Supervisor, number):
    os.kill(os.getpid(), number)
    with pytest.raises(StopRequested):
        supervisor.pause(10)


def test_a_second_ctrl_c_ends_the_waiting(
    supervisor: Supervisor, program: MakeProgram, monkeypatch: pytest.MonkeyPatch
):
    stubborn = program("stubborn", "trap '' TERM; echo ready; while :; do sleep 0.05; done", patience=1000)
    supervisor.launch(stubborn)
    until(stubborn.last_words)
    # The second one comes when it is being stopped already.
    monkeypatch.setattr(stubborn, "ask_to_stop", lambda: os.kill(os.getpid(), signal.SIGINT))
    os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(StopRequested):
        supervisor.pause(10)
    supervisor.stop()
    assert stubborn.exit_code() == -signal.SIGKILL


def test_a_program_that_may_come_back_is_started_again(supervisor: Supervisor, program: MakeProgram, console: Console):
    worker = program("worker", "sleep 1000", restarts=True)
    supervisor.launch(worker)
    first = worker.pid
    os.kill(first, signal.SIGKILL)
    until(lambda: worker.exit_code() is not None)
    supervisor.check()
    assert worker.is_running()
    assert worker.pid != first
    assert f"Worker was killed by signal 9 and is started again; its words are in {worker.log}" in (
        console.out.getvalue()
    )
    recorded = json.loads(supervisor.record.path.read_text())["programs"]
    assert [entry["pid"] for entry in recorded] == [worker.pid]


def test_what_ends_again_and_again_stops_everything_with_its_last_words(supervisor: Supervisor, program: MakeProgram):
    supervisor.launch(program("worker", "echo the kettle is broken; exit 3", restarts=True))
    for _ in range(RESTARTS_AT_MOST):
        until(lambda: supervisor.programs[0].exit_code() is not None)
        supervisor.check()
    until(lambda: supervisor.programs[0].exit_code() is not None)
    with pytest.raises(CannotStart) as refusal:
        supervisor.check()
    assert str(refusal.value).startswith(
        f"Worker ended with exit code 3 {RESTARTS_AT_MOST + 1} times within a minute, so everything was stopped: "
        f"the kettle is broken"
    )


def test_the_shop_goes_on_without_a_program_that_it_can_do_without_and_tries_it_anew(
    supervisor: Supervisor, program: MakeProgram, console: Console, monkeypatch: pytest.MonkeyPatch
):
    watchdog = program("watchdog", "echo no eyes; exit 3", restarts=True, is_spared=True)
    supervisor.launch(watchdog)
    for _ in range(RESTARTS_AT_MOST + 1):
        until(lambda: watchdog.exit_code() is not None)
        supervisor.check()
    assert (
        f"Watchdog ended with exit code 3 {RESTARTS_AT_MOST + 1} times within a minute; the shop goes on without it, "
        f"and it is tried anew in 60 seconds: no eyes All its words are in {watchdog.log}."
    ) in console.out.getvalue()

    last = watchdog.pid
    supervisor.check()
    assert watchdog.pid == last, "it rests"
    later = time.monotonic() + REST
    monkeypatch.setattr(supervisors.time, "monotonic", lambda: later)
    supervisor.check()
    monkeypatch.undo()
    assert watchdog.pid != last
    assert "Watchdog is tried anew." in console.out.getvalue()


def test_the_end_of_the_database_stops_everything(supervisor: Supervisor, program: MakeProgram):
    supervisor.launch(program("database", "exit 1"))
    until(lambda: supervisor.programs[0].exit_code() is not None)
    with pytest.raises(CannotStart, match="Database ended with exit code 1, so everything was stopped"):
        supervisor.watch()


def test_it_stops_when_its_parent_is_gone(tmp_path: Path):
    script = (
        "import io, sys, pathlib\n"
        "from project.embedded.console import Console\n"
        "from project.embedded.errors import StopRequested\n"
        "from project.embedded.leftovers import Record\n"
        "from project.embedded.supervisor import Supervisor\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "supervisor = Supervisor(Console(), Record(folder / 'record'), parent=int(sys.argv[2]))\n"
        "(folder / 'ready').touch()\n"
        "try: supervisor.pause(60)\n"
        "except StopRequested: (folder / 'stopped').touch()\n"
    )
    # The line after it keeps the shell from becoming the program itself.
    parent = subprocess.Popen(["/bin/sh", "-c", '"$0" -c "$1" "$2" $$; exit', sys.executable, script, str(tmp_path)])
    until((tmp_path / "ready").exists)
    parent.kill()
    parent.wait()
    until((tmp_path / "stopped").exists)


@pytest.mark.on_linux
def test_the_kernel_stops_a_program_whose_supervisor_was_killed(tmp_path: Path):
    script = (
        "import sys, signal, pathlib\n"
        "from foundation.programs.program import Program\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "program = Program(name='a', title='A', command=['/bin/sleep', '1000'], environment={}, folder=folder,\n"
        "                  log=folder / 'log')\n"
        "program.start()\n"
        "print(program.pid, flush=True)\n"
        "program.process.wait()\n"
    )
    supervisor = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    child = psutil.Process(int(supervisor.stdout.readline()))
    supervisor.kill()
    supervisor.communicate()
    until(lambda: not is_alive(child))


@pytest.fixture
def outliving(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a system that does not tell children that their parent died."""
    monkeypatch.setattr(programs, "_libc", None)


@pytest.mark.usefixtures("outliving")
def test_the_next_start_stops_what_a_killed_supervisor_left(program: MakeProgram, tmp_path: Path):
    left = program("worker", "sleep 1000 & sleep 1000 & echo ready; wait")
    left.start()
    until(left.last_words)
    family = [psutil.Process(left.pid), *psutil.Process(left.pid).children()]
    assert len(family) == 3
    Record(tmp_path / "processes.json").write([left])

    assert Record(tmp_path / "processes.json").stop_leftovers() == ["worker"]
    left.process.wait()
    assert not any(is_alive(process) for process in family)
    assert Record(tmp_path / "processes.json").stop_leftovers() == []


@pytest.mark.usefixtures("outliving")
def test_children_are_found_when_their_leader_is_dead(program: MakeProgram, tmp_path: Path):
    left = program("worker", "sleep 1000 & echo ready; wait")
    left.start()
    until(left.last_words)
    children = psutil.Process(left.pid).children()
    Record(tmp_path / "processes.json").write([left])
    left.process.kill()
    left.process.wait()
    assert children[0].is_running()
    assert Record(tmp_path / "processes.json").stop_leftovers() == ["worker"]
    assert not is_alive(children[0])


@pytest.mark.parametrize(
    "difference",
    [{"created": 1.0}, {"command": ["another", "program"]}],
    ids=["started at another time", "another program"],
)
def test_a_process_that_only_has_the_same_number_is_left_alone(launch, program: MakeProgram, tmp_path, difference):
    stranger = program("stranger", "sleep 1000")
    launch(stranger)
    record = Record(tmp_path / "processes.json")
    record.write([stranger])
    content = json.loads(record.path.read_text())
    content["programs"][0] |= difference
    record.path.write_text(json.dumps(content))
    assert record.stop_leftovers() == []
    assert stranger.is_running()


def test_a_record_that_was_copied_with_the_folder_is_not_followed(launch, program: MakeProgram, tmp_path: Path):
    original = program("original", "sleep 1000")
    launch(original)
    record = Record(tmp_path / "processes.json")
    record.write([original])
    record.path.write_text(json.dumps(json.loads(record.path.read_text()) | {"folder": "/another/folder"}))
    assert record.stop_leftovers() == []
    assert original.is_running()


def test_a_damaged_record_is_no_reason_not_to_start(tmp_path: Path):
    (tmp_path / "processes.json").write_text("{")
    assert Record(tmp_path / "processes.json").stop_leftovers() == []


def test_a_large_log_is_put_aside_at_the_start(launch, program: MakeProgram, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(programs, "LOG_LIMIT", 100)
    chatty = program("chatty", "echo new")
    chatty.log.write_text("old\n" * 100)
    launch(chatty)
    until(chatty.last_words)
    assert chatty.log.read_text() == "new\n"
    assert chatty.log.with_name("chatty.log.1").read_text() == "old\n" * 100
    assert chatty.log.stat().st_mode & 0o777 == 0o600
