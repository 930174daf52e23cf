"""A load that is killed, and two at the same moment: the shop is whole or empty, and its accounts' file agrees."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth import authenticate
from django.db import connection
from django.utils import timezone

from inventory.models import Ingredient, Location, Product
from orders.models import Order
from project.demo.load import load_demo
from users.errors import EmailTaken
from users.models import User

pytestmark = pytest.mark.slow

# What `manage.py load_demo` does, in the tests' database.
LOAD = """
import json, os, pathlib, sys
import django
from django.conf import settings
settings.DATABASES["default"].update(json.loads(os.environ["TESTS_DATABASE"]))
settings.VAR_DIR = pathlib.Path(sys.argv[1])
django.setup()
from django.core.management import call_command
call_command("load_demo", if_empty=True)
"""


def start_loading(folder: Path) -> subprocess.Popen:
    database = {key: connection.settings_dict[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")}
    return subprocess.Popen(
        [sys.executable, "-c", LOAD, str(folder)],
        env=os.environ | {"TESTS_DATABASE": json.dumps(database), "DJANGO_SETTINGS_MODULE": "project.settings"},
        cwd=settings.BASE_DIR,
    )


def wait_until_it_writes(loading: subprocess.Popen) -> None:
    """Until another transaction has written orders: it is in the middle of its week."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert loading.poll() is None, "the load ended before it could be killed"
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE relation = 'orders_order'::regclass "
                "AND mode = 'RowExclusiveLock' AND pid <> pg_backend_pid())"
            )
            if cursor.fetchone()[0]:
                return
        time.sleep(0.02)
    raise AssertionError("the load wrote nothing within a minute")


@pytest.mark.django_db(transaction=True)
def test_a_killed_load_leaves_nothing_and_of_the_next_two_one_does_the_whole(tmp_path, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    path = tmp_path / "demo-accounts.json"
    loading = start_loading(tmp_path)
    try:
        wait_until_it_writes(loading)
    finally:
        loading.send_signal(signal.SIGKILL)
        loading.wait()
    assert not path.exists()
    draft = json.loads((tmp_path / "demo-accounts.json.draft").read_text())
    for model in (Location, Product, Ingredient, Order, User):
        assert not model.objects.exists()

    start = threading.Barrier(2)
    shops = []

    def load() -> None:
        start.wait()
        try:
            shops.append(load_demo(accounts_path=path, now=timezone.now(), if_empty=True))
        finally:
            connection.close()

    threads = [threading.Thread(target=load) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([shop for shop in shops if shop is not None]) == 1
    assert Location.objects.count() == 2
    assert Product.objects.count() == 39
    assert list(tmp_path.iterdir()) == [path]
    accounts = json.loads(path.read_text())
    assert User.objects.count() == len(accounts) == 4
    for account, killed in zip(accounts, draft, strict=True):
        assert account["password"] != killed["password"]
        assert authenticate(username=account["email"], password=account["password"]) is not None


@pytest.mark.django_db
def test_a_load_that_fails_leaves_no_accounts_behind(tmp_path):
    """Something else holds the address of a demo account: the whole load is refused."""
    User.objects.create_user("manager@samovar.example", "correct horse battery")
    path = tmp_path / "demo-accounts.json"
    path.write_text("[]")
    with pytest.raises(EmailTaken):
        load_demo(accounts_path=path, now=timezone.now())
    assert list(tmp_path.iterdir()) == []
    assert User.objects.count() == 1
    for model in (Location, Product, Ingredient, Order):
        assert not model.objects.exists()
