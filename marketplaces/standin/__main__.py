"""`python -m marketplaces.standin`: the stand-in as a program of its own, without Django.

`manage.py marketplace_standin` does the same.
"""

import argparse
import asyncio
import os
import secrets
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from marketplaces.standin.app import App
from marketplaces.standin.program import Running
from marketplaces.standin.seeding import seed_demo
from marketplaces.standin.state import FileState, State
from marketplaces.standin.world import Options, World

# Under `make run`, where somebody watches.
USUAL_SECONDS_BETWEEN_ORDERS = 40.0
POLLS_UNTIL_APPROVED = 3
SECONDS_TO_SETTLE = 1.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="where to listen; another address than this machine's own shows the toys to others",
    )
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one and says which")
    parser.add_argument("--state", type=Path, help="the file that keeps everything; without it nothing is kept")
    parser.add_argument("--control-token", type=Path, help="the file that the token of /control/ is written to")
    parser.add_argument(
        "--orders-every", type=float, default=0.0, metavar="SECONDS", help="an order comes about so often; 0: never"
    )
    parser.add_argument(
        "--offers", type=int, default=0, metavar="N", help="so many offers more for each seller, at first"
    )
    parser.add_argument("--no-limits", action="store_true", help="answer however often somebody asks: for measuring")
    parser.add_argument(
        "--settle",
        type=float,
        default=SECONDS_TO_SETTLE,
        metavar="SECONDS",
        help="how long the marketplaces take for what they do afterwards: reports, ended offers",
    )
    parser.add_argument(
        "--approve-after",
        type=int,
        default=POLLS_UNTIL_APPROVED,
        metavar="POLLS",
        help="a device code is allowed by itself after so many polls; negative: only when somebody presses the button",
    )


def run(arguments: argparse.Namespace) -> int:
    """Serves until SIGTERM or Ctrl-C. Returns the exit code."""
    options = Options(
        has_limits=not arguments.no_limits,
        approve_after=arguments.approve_after if arguments.approve_after >= 0 else None,
        settle=arguments.settle,
        orders_every=arguments.orders_every,
    )
    world = World(options, FileState(arguments.state) if arguments.state else State())
    world.load()
    seed_demo(world, offers=arguments.offers)
    keep_token(world, arguments.control_token)
    running = Running(world, App(world))

    def when_open() -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, running.stop)
        say(f"Stand-in of Allegro, Ozon and Wildberries at http://{arguments.host}:{running.port}")
        if not arguments.control_token:
            say(f"X-Control-Token for /control/: {world.control_token}")

    try:
        asyncio.run(running.serve(arguments.host, arguments.port, when_open))
    except OSError as error:
        say(f"The stand-in cannot listen at {arguments.host}:{arguments.port}: {error.strerror or error}", sys.stderr)
        return 1
    return 0


def keep_token(world: World, path: Path | None) -> None:
    """Uses the token in the file, so that it outlives a restart; writes a new one, for its owner only, where there is
    none."""
    if path is None:
        return
    if path.is_file() and (known := path.read_text(encoding="ascii").strip()):
        world.control_token = known
        return
    world.control_token = secrets.token_urlsafe(24)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
        file.write(world.control_token)


def say(text: str, stream: TextIO | None = None) -> None:
    (stream or sys.stdout).write(f"{text}\n")
    (stream or sys.stdout).flush()


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="marketplace_standin", description="A stand-in for three marketplaces.")
    add_arguments(parser)
    return run(parser.parse_args(words))


if __name__ == "__main__":
    sys.exit(main())
