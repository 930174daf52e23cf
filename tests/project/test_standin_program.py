"""The stand-in marketplaces beside the shop: one more program with a port, a state and a token of its own."""

import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from foundation.programs.program import Program
from project.embedded.places import Places
from project.embedded.secrets_file import Secrets
from project.embedded.standin import VARIABLE, standin_program, standin_variables
from tests.project.test_supervisor import until


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    for name in ("DEMO", VARIABLE):
        monkeypatch.delenv(name, raising=False)
    made = Places(tmp_path / "var")
    made.make()
    return made


def answers(made: Mapping[str, str]) -> bool:
    try:
        urllib.request.urlopen(f"{made[VARIABLE]}/allegro-auth/skojarz-aplikacje", timeout=5).close()
    except OSError:
        return False
    return True


def test_it_answers_at_a_port_of_its_own_and_comes_back_there_after_kill_9(
    places: Places, launch: Callable[[Program], None], bare_environment: dict[str, str]
):
    secrets = Secrets()
    made = standin_variables(places, secrets)
    assert made == {VARIABLE: f"http://127.0.0.1:{secrets.standin_port}"}
    assert Secrets.load(places.secrets).standin_port == secrets.standin_port
    program = standin_program(places, secrets, bare_environment)
    assert program.restarts
    launch(program)
    until(lambda: answers(made), within=60)
    files = {file.name: file.stat().st_mode & 0o777 for file in places.standin.iterdir()}
    assert files["control-token"] == 0o600
    assert {"state.sqlite3", "control-token"} <= set(files)
    assert places.standin.stat().st_mode & 0o777 == 0o700
    token = (places.standin / "control-token").read_text()

    program.kill()
    assert not answers(made)
    program.start()
    until(lambda: answers(made), within=60)
    assert (places.standin / "control-token").read_text() == token
    assert token not in program.log.read_text()


def test_it_is_left_out_with_the_demo_or_where_another_one_is_named(places: Places, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DEMO", "0")
    assert standin_variables(places, Secrets()) == {}
    monkeypatch.setenv("DEMO", "1")
    monkeypatch.setenv(VARIABLE, "http://127.0.0.1:1")
    assert standin_variables(places, Secrets()) == {}
    assert not places.secrets.exists()
