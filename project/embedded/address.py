"""The address that the shop is to answer at: HOST and PORT, 127.0.0.1:8000 unless set.

Uses the standard library alone and runs as a script too: the port is looked at before anything is installed.
"""

import errno
import os
import re
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

DOTENV = Path(__file__).resolve().parents[2] / ".env"
DEFAULTS = {"HOST": "127.0.0.1", "PORT": "8000"}


def read_address(environment: Mapping[str, str], dotenv: Path = DOTENV) -> tuple[str, str]:
    """Returns HOST and PORT, as they were written: from the environment, then from `.env`."""
    written = dict(DEFAULTS)
    if dotenv.is_file():
        for line in dotenv.read_text(encoding="utf-8", errors="replace").splitlines():
            if match := re.fullmatch(r"(?:export )?(HOST|PORT)=(['\"]?)(.+)\2", line.strip()):
                written[match[1]] = match[3]
    written |= {name: environment[name] for name in DEFAULTS if environment.get(name)}
    return written["HOST"], written["PORT"]


def why_not(host: str, port: str) -> str | None:
    """Returns the sentence that says why the shop cannot listen at this address, or None if it can."""
    if not port.isascii() or not port.isdigit() or not 1 <= int(port) <= 65535:
        return f"PORT={port} is not a port: choose a number from 1 to 65535, for example: PORT=8001 make run"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError:
        return f"HOST={host} is not an address of this machine: try HOST=127.0.0.1 make run"
    with socket.socket(family, kind, protocol) as probe:
        # Without it, connections of a shop that stopped a moment ago would look like a taken port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            return _refusal(error, host, port)
    return None


def _refusal(error: OSError, host: str, port: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} of {host} is taken by another program: stop that program, or choose another port, "
            f"for example: PORT={_free_port_after(host, int(port))} make run"
        )
    if error.errno == errno.EACCES:
        return f"Port {port} needs more rights than this account has: choose one above 1023: PORT=8000 make run"
    return f"HOST={host} is not an address of this machine: try HOST=127.0.0.1 make run"


def _free_port_after(host: str, port: int) -> int:
    for candidate in range(port + 1, min(port + 50, 65535)):
        try:
            with socket.create_server((host, candidate), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
                return candidate
        except OSError:
            continue
    return 8001


def url(host: str, port: str) -> str:
    """Returns what to type into a browser on this machine."""
    if host in {"0.0.0.0", "", "::"}:  # noqa: S104 - compared, not listened at
        host = "127.0.0.1"
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def bind(host: str, port: str) -> str:
    """Returns the address the way gunicorn wants it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


if __name__ == "__main__":
    sentence = why_not(*read_address(os.environ))
    if sentence:
        sys.stderr.write(sentence + "\n")
        sys.exit(1)
