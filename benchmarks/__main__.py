"""`python -m benchmarks`: measures the shop on databases of its own and prints six tables. Takes almost half an hour.

DATABASE_URL names a server on which databases may be made; `make bench` starts one and hands it over. Each table is
taken by a process with a database of its own: `till` on an empty shop, `history` on one with years behind it,
`search` on one with a hundred thousand products, `market` on one that sells on marketplaces, `backups` on a large
table, `failover` on three nodes of its own.
"""

import argparse
import logging
import os
import subprocess
import sys

import django

from benchmarks.database import fresh_database

PARTS = ("till", "history", "search", "market", "backups", "failover")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="How fast is the shop?")
    parser.add_argument("--only", choices=PARTS, help="one of the tables")
    parser.add_argument("--rounds", type=int, default=5, help="till: rounds of each pair that is measured in turns")
    parser.add_argument("--seconds", type=float, default=3, help="till: how long each side of a round takes")
    parser.add_argument("--scale", type=int, default=1_000_000, help="history: how many orders there are")
    parser.add_argument("--requests", type=int, default=20, help="history: requests of a page in each of five turns")
    parser.add_argument("--products", type=int, default=100_000, help="search: how many products there are")
    parser.add_argument("--mirrored", type=int, default=1_000_000, help="market: how many orders are mirrored")
    parser.add_argument("--megabytes", type=int, default=1000, help="backups: how large the database is")
    parser.add_argument("--kills", type=int, default=10, help="failover: how often the leading server is killed")
    parser.add_argument("--lost-nodes", type=int, default=3, help="failover: how often the leading node is killed")
    options = parser.parse_args(arguments)
    if not os.environ.get("DATABASE_URL"):
        parser.error("DATABASE_URL is not set; `make bench` starts a database and sets it.")
    if options.only is None:
        again = [sys.executable, "-m", "benchmarks", *arguments, "--only"]
        return max(subprocess.run([*again, part], check=False).returncode for part in PARTS)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    # As the web server that is measured: this process asks for pages too, to see what they send to the database.
    os.environ |= {"DEBUG": "0", "HTTPS": "0", "ALLOWED_HOSTS": "127.0.0.1"}
    with fresh_database() as url:
        # Only now: the settings read DATABASE_URL, and the models need the settings.
        django.setup()
        # The pages that this process asks for itself are not worth a line each between the tables.
        logging.disable(logging.WARNING)
        from benchmarks import suite  # noqa: PLC0415

        if options.only == "till":
            suite.run_till(url, rounds=options.rounds, seconds=options.seconds)
        elif options.only == "search":
            suite.run_search(url, products=options.products)
        elif options.only == "market":
            suite.run_market(url, mirrored=options.mirrored)
        elif options.only == "backups":
            suite.run_backups(url, megabytes=options.megabytes, rounds=max(options.rounds - 2, 1))
        elif options.only == "failover":
            suite.run_failover(url, servers=options.kills, nodes=options.lost_nodes)
        else:
            suite.run_history(url, orders=options.scale, requests=options.requests)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
