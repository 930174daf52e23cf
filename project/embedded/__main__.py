"""The command line of the embedded services.

python -m project.embedded up                          opens the shop; so does `manage.py up`
python -m project.embedded cluster                     starts three nodes with Patroni, for trying
python -m project.embedded with-services -- COMMAND    runs a command beside a scratch PostgreSQL and Redis
"""

import argparse
import sys

from project.embedded.cluster.opening import open_cluster
from project.embedded.console import Console
from project.embedded.places import BASE_DIR, Places
from project.embedded.up import open_shop
from project.embedded.with_services import run_with_services


def main(arguments: list[str]) -> int:
    """Does what `arguments` say. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m project.embedded", description="The shop on one machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="open the shop: database, broker, web server, worker and beat")
    up.add_argument("--parent", type=int, metavar="PID", help="stop when this process is no longer the parent")
    cluster = commands.add_parser("cluster", help="start three nodes with Patroni on this machine, for trying")
    cluster.add_argument("--parent", type=int, metavar="PID", help="stop when this process is no longer the parent")
    with_services = commands.add_parser("with-services", help="run a command beside a scratch PostgreSQL and Redis")
    with_services.add_argument("--scratch", action="store_true", help="even if DATABASE_URL or REDIS_URL is set")
    with_services.add_argument("--durable", action="store_true", help="write as safely as the shop's own: to measure")
    with_services.add_argument("program", nargs=argparse.REMAINDER, metavar="-- COMMAND", help="the command")
    options = parser.parse_args(arguments)
    if options.command == "up":
        return open_shop(Places(BASE_DIR / "var"), Console(), parent=options.parent)
    if options.command == "cluster":
        return open_cluster(Places(BASE_DIR / "var"), Console(), parent=options.parent)
    program = options.program[1:] if options.program[:1] == ["--"] else options.program
    if not program:
        with_services.error("which command? Put it after --")
    return run_with_services(program, Console(), scratch=options.scratch, durable=options.durable)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
