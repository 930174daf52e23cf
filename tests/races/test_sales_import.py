"""Imports of sales that are killed, cut off, or made by several at once: each order is there once in the end."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from django.conf import settings
from django.db import connection

from inventory.models import Location, Product, StockMovement
from orders import sales_survey
from orders.models import Order, OrderEvent, OrderItem, SalesImport, SalesImportPart
from orders.services.sales_import import import_next_part, import_sales, keep_survey, start_import
from tests.orders.sales_files import BAKERY, survey_of
from tests.orders.snapshot import everything
from tests.races.test_faults import cut_after, die_after
from tests.races.threads import at_once, kinds
from tests.shop import NOBODY

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

PART_STATEMENTS = 13
LINES = [f"2017-05-01,10:{number:02},{number},{item}" for number in range(10) for item in ("Tea", "Scone")]

# What `manage.py import_sales` does, in the tests' database.
IMPORT = """
import json, os, sys
import django
from django.conf import settings
settings.DATABASES["default"].update(json.loads(os.environ["TESTS_DATABASE"]))
django.setup()
from django.core.management import call_command
call_command("import_sales", sys.argv[1])
"""


@pytest.fixture
def bakery() -> Location:
    return Location.objects.create(name="Bakery", time_zone="Europe/London")


def start_command() -> subprocess.Popen[str]:
    database = {key: connection.settings_dict[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")}
    return subprocess.Popen(
        [sys.executable, "-c", IMPORT, str(BAKERY)],
        env=os.environ | {"TESTS_DATABASE": json.dumps(database), "DJANGO_SETTINGS_MODULE": "project.settings"},
        cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE,
        text=True,
    )


def end_of(command: subprocess.Popen[str]) -> str:
    """The last thing that it says; it must end well."""
    out, _err = command.communicate(timeout=300)
    assert command.returncode == 0, out
    return out.splitlines()[-1]


def wait_until(is_so: Callable[[], bool], command: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while not is_so():
        assert command.poll() is None, "the import ended before it could be killed"
        assert time.monotonic() < deadline, "the import wrote nothing"
        time.sleep(0.01)


def wait_until_nobody_writes() -> None:
    """Until the server has ended what the killed one had asked for."""
    deadline = time.monotonic() + 60
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND xact_start IS NOT NULL"
            )
            if not cursor.fetchone()[0]:
                return
        assert time.monotonic() < deadline, "somebody else is still there"
        time.sleep(0.01)


def assert_the_shipped_file_is_there_once() -> None:
    assert Order.objects.count() == Order.objects.values("import_key").distinct().count() == 9_465
    assert OrderItem.objects.count() == 18_887
    assert OrderEvent.objects.count() == 9_465
    assert Product.objects.count() == 94
    assert not StockMovement.objects.exists()


def test_an_import_that_is_killed_in_the_middle_and_run_again_ends_in_exactly_9465_orders(bakery: Location) -> None:
    command = start_command()
    try:
        wait_until(lambda: SalesImport.objects.filter(done_count__gte=3_000).exists(), command)
    finally:
        command.send_signal(signal.SIGKILL)
        command.communicate()
    assert command.returncode == -signal.SIGKILL
    wait_until_nobody_writes()
    killed = SalesImport.objects.get()
    there = Order.objects.count()
    assert killed.status == "running", "nobody could say that it ended"
    # What it was just writing has never been.
    assert 3_000 <= there == killed.done_count < 9_465
    assert there == OrderEvent.objects.count()

    said = end_of(start_command())

    assert said == f"{9_465 - there:,} orders imported, {there:,} already there."
    assert_the_shipped_file_is_there_once()


def test_two_imports_of_one_file_at_the_same_time_import_it_once(bakery: Location) -> None:
    commands = [start_command(), start_command()]
    for command in commands:
        end_of(command)

    runs = list(SalesImport.objects.values_list("status", "done_count"))
    assert runs == [("finished", 9_465)] * 2
    assert sum(SalesImport.objects.values_list("imported_count", flat=True)) == 9_465
    assert_the_shipped_file_is_there_once()


def test_eight_imports_of_the_same_sales_in_threads_make_each_order_and_product_once(bakery: Location) -> None:
    surveys = [survey_of(bakery, *LINES) for _number in range(8)]

    outcomes = at_once(
        [
            lambda survey=survey: import_sales(survey=survey, file_name="till.csv", actor=NOBODY)  # type: ignore[misc]
            for survey in surveys
        ]
    )

    assert kinds(outcomes) == {"SalesImport": 8}
    assert sorted(outcome.imported_count for outcome in outcomes) == [0] * 7 + [10]
    assert (Order.objects.count(), OrderItem.objects.count(), Product.objects.count()) == (10, 20, 2)


def test_of_eight_who_start_an_import_one_does(bakery: Location) -> None:
    sales_import = keep_survey(survey=survey_of(bakery, *LINES), file_name="till.csv", actor=NOBODY)

    outcomes = at_once([lambda: start_import(import_id=sales_import.pk)] * 8)

    assert kinds(outcomes) == {"SalesImport": 1, "SalesImportBegun": 7}


def test_eight_workers_on_one_import_write_each_part_once(bakery: Location, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sales_survey, "PART", 2)
    sales_import = keep_survey(survey=survey_of(bakery, *LINES), file_name="till.csv", actor=NOBODY)
    start_import(import_id=sales_import.pk)

    outcomes = at_once([lambda: import_next_part(import_id=sales_import.pk)] * 8)

    assert sorted(outcomes) == [False] * 4 + [True] * 4
    sales_import.refresh_from_db()
    assert (sales_import.status, sales_import.done_count, sales_import.imported_count) == ("finished", 10, 10)
    assert (Order.objects.count(), SalesImportPart.objects.count()) == (10, 0)


@pytest.mark.parametrize("fault", [die_after, cut_after])
@pytest.mark.parametrize("statement", range(1, PART_STATEMENTS + 1))
def test_a_worker_that_dies_in_a_part_leaves_it_to_the_next_one(
    bakery: Location,
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[[int, Callable[[], object]], None],
    statement: int,
) -> None:
    monkeypatch.setattr(sales_survey, "PART", 5)
    sales_import = keep_survey(survey=survey_of(bakery, *LINES), file_name="till.csv", actor=NOBODY)
    start_import(import_id=sales_import.pk)
    assert import_next_part(import_id=sales_import.pk)
    before = everything()

    fault(statement, lambda: import_next_part(import_id=sales_import.pk))

    assert everything() == before
    assert import_next_part(import_id=sales_import.pk) is False
    sales_import.refresh_from_db()
    assert (sales_import.status, sales_import.imported_count) == ("finished", 10)
    assert Order.objects.count() == 10
