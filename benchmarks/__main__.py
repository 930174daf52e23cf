"""`python -m benchmarks`: measures the shop on a database of its own and prints a table. Takes about two minutes.

DATABASE_URL names a server on which databases may be made; `make bench` starts one and hands it over.
"""

import argparse
import os
import sys

import django

from benchmarks.database import fresh_database


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="How fast is the shop?")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each pair that is measured in turns")
    parser.add_argument("--seconds", type=float, default=3, help="how long each side of a round takes")
    options = parser.parse_args(arguments)
    if not os.environ.get("DATABASE_URL"):
        parser.error("DATABASE_URL is not set; `make bench` starts a database and sets it.")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    with fresh_database() as url:
        # Only now: the settings read DATABASE_URL, and the models need the settings.
        django.setup()
        from benchmarks.suite import run  # noqa: PLC0415

        run(url, rounds=options.rounds, seconds=options.seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
