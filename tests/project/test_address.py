"""The address that the shop listens at: a taken or impossible one is refused with one sentence."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from project.embedded import address
from project.embedded.places import BASE_DIR


@pytest.fixture
def taken_port() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield str(server.getsockname()[1])


def test_a_free_port_is_fine():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert address.why_not("127.0.0.1", str(port)) is None


def test_a_taken_port_is_named_with_the_way_to_another(taken_port):
    sentence = address.why_not("127.0.0.1", taken_port)
    assert sentence.startswith(f"Port {taken_port} of 127.0.0.1 is taken by another program")
    suggested = sentence.split("PORT=")[1].split()[0]
    assert address.why_not("127.0.0.1", suggested) is None


@pytest.mark.parametrize("port", ["", "0", "65536", "eight", "-1", "8000 ", "٨٠٠٠"])
def test_what_is_no_port_is_refused(port):
    assert address.why_not("127.0.0.1", port) == (
        f"PORT={port} is not a port: choose a number from 1 to 65535, for example: PORT=8001 make run"
    )


@pytest.mark.parametrize("host", ["203.0.113.7", "no such host"])
def test_an_address_of_another_machine_is_refused(host):
    assert address.why_not(host, "8000") == (
        f"HOST={host} is not an address of this machine: try HOST=127.0.0.1 make run"
    )


def test_the_environment_comes_before_dotenv_and_dotenv_before_the_default(tmp_path: Path):
    dotenv = tmp_path / ".env"
    assert address.read_address({}, dotenv) == ("127.0.0.1", "8000")
    dotenv.write_text("# PORT=1\nexport PORT='8007'\nHOST=0.0.0.0\nPORTAL=3\n")
    assert address.read_address({}, dotenv) == ("0.0.0.0", "8007")
    assert address.read_address({"PORT": "8009", "HOST": ""}, dotenv) == ("0.0.0.0", "8009")


@pytest.mark.parametrize(
    ("host", "url", "bind"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000/", "127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000/", "0.0.0.0:8000"),
        ("::1", "http://[::1]:8000/", "[::1]:8000"),
        ("::", "http://127.0.0.1:8000/", "[::]:8000"),
    ],
)
def test_the_printed_address_can_be_opened_in_a_browser(host, url, bind):
    assert (address.url(host, "8000"), address.bind(host, "8000")) == (url, bind)


def test_as_a_script_it_needs_nothing_but_the_standard_library(taken_port, bare_environment):
    script = BASE_DIR / "project" / "embedded" / "address.py"
    asked = subprocess.run(
        [sys.executable, "-I", "-S", script],
        env=bare_environment | {"PORT": taken_port},
        capture_output=True,
        text=True,
    )
    assert asked.returncode == 1
    assert asked.stderr.startswith(f"Port {taken_port} of 127.0.0.1 is taken")
