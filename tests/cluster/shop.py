"""A shop on the nodes of a test: its tables and its menu, made by this file run as a program, and its web server."""

import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import connection

from backups.engine.server import Server
from tests.backups.cluster import wait_until
from tests.cluster.nodes import Nodes

ROOT = Path(__file__).resolve().parents[2]
PREPARE = "import django, runpy; django.setup(); runpy.run_module('tests.cluster.shop', run_name='__main__')"
# Of the one ingredient: what was received at the beginning, and what one order takes.
RECEIVED, TAKEN = 9_000_000, 200


def run(command: str, nodes: Nodes) -> Any:
    """What the program answers. Raises CalledProcessError if it fails.

    Its commits wait for nobody: the first order that is acknowledged afterwards has a standby get all before it too.
    """
    environment = nodes.environment() | {"PGOPTIONS": "-c synchronous_commit=off"}
    done = subprocess.run(
        [sys.executable, "-c", PREPARE, command],
        cwd=ROOT,
        env=environment | {"DJANGO_SETTINGS_MODULE": "project.settings"},
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def copy_tables(nodes: Nodes) -> None:
    """Copies the tests' own database, whose tables are there already: to make them anew takes half a minute."""
    source = Server.of_the_shop().of(connection.settings_dict["NAME"])
    dump = subprocess.Popen(
        [nodes.programs_folder / "pg_dump", "--format=custom", "--compress=none"],
        env=source.environment(),
        stdout=subprocess.PIPE,
    )
    target = nodes.server.environment() | {"PGOPTIONS": "-c synchronous_commit=off"}
    restore = [
        nodes.programs_folder / "pg_restore",
        "--no-owner",
        "--exit-on-error",
        f"--dbname={target['PGDATABASE']}",
    ]
    with dump:
        subprocess.run(restore, env=target, stdin=dump.stdout, check=True)
    assert dump.returncode == 0


@contextmanager
def web_server(nodes: Nodes, log: Path, *, threads: int = 8) -> Iterator[int]:
    """The shop's web server. Yields its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    environment = nodes.environment() | {"DEBUG": "0", "HTTPS": "0", "ALLOWED_HOSTS": "127.0.0.1", "REDIS_URL": ""}
    command = [
        *[sys.executable, "-m", "gunicorn", "project.wsgi", "--bind", f"127.0.0.1:{port}", "--no-control-socket"],
        *["--workers", "1", "--threads", str(threads), "--timeout", "120", "--graceful-timeout", "2"],
    ]
    with (
        log.open("wb") as words,
        subprocess.Popen(command, env=environment, cwd=ROOT, stdout=words, stderr=words) as it,
    ):
        try:
            wait_until(lambda: is_live(port), seconds=60)
            yield port
        finally:
            it.terminate()
            it.wait(60)


def is_live(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/live", timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def make() -> dict[str, Any]:
    """Makes the tables where there are none, sells one tea, and says who may sell it over REST."""
    call_command("migrate", verbosity=0)
    place = Shop.open(f"Чайная № {Location.objects.count() + 1} 🍵")
    leaves = place.ingredient(f"Листья {place.location.pk}", "g", stock=RECEIVED)
    tea = place.product(f"Чай {place.location.pk}", "120.00", {leaves: TAKEN})
    user, is_new = User.objects.get_or_create(email="till@nodes.example", defaults={"is_staff": True})
    if is_new:
        user.groups.set([Group.objects.get(name="barista")])
    token = issue_token(user=user, name=f"till {place.location.pk}").secret
    return {"location": place.location.pk, "product": tea.pk, "token": token}


def found() -> dict[str, Any]:
    """Of each location: its orders' numbers, and what is left of its ingredient; and whether the ledger agrees."""
    return {
        "orders": {
            str(one.pk): list(Order.objects.filter(location=one).order_by("id").values_list("number", flat=True))
            for one in Location.objects.all()
        },
        "stock": {str(one.location_id): str(Decimal(one.quantity)) for one in StockLevel.objects.all()},
        "differing": len(levels_that_differ_from_the_ledger()),
    }


if __name__ == "__main__":
    from django.contrib.auth.models import Group
    from django.core.management import call_command

    from inventory.models import Location, StockLevel
    from inventory.selectors import levels_that_differ_from_the_ledger
    from orders.models import Order
    from tests.shop import Shop
    from users.models import User
    from users.services.tokens import issue_token

    sys.stdout.write(json.dumps({"make": make, "found": found}[sys.argv[1]]()))
else:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
