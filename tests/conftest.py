"""What holds for every test: which are left out when their means are missing, and whose cache is whose.

A test whose means are missing on this machine is left out and named at the end. With CI=true it fails instead.
"""

import functools
import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.utils import translation
from hypothesis import settings as hypothesis_settings

from foundation.shop import forget_shop, remember_shop
from monitoring.logs.file import LogFile
from monitoring.logs.raising import ErrorAlerts
from project.embedded.cluster.etcd import find_etcd
from project.embedded.cluster.packages import is_installed
from project.first_run import gate
from tests.chromium import chromium_path
from tests.monitoring_stack.prometheus import no_prometheus
from tests.postgresql_15 import no_postgresql_15
from tests.specs import no_specs

CACHES_OF_WORKERS = 12

# How long an example takes is the machine's affair. All else stays as Hypothesis has it, here and in CI.
hypothesis_settings.register_profile(
    "shop",
    parent=hypothesis_settings.get_profile(hypothesis_settings.get_current_profile_name()),
    deadline=None,
)
hypothesis_settings.load_profile("shop")


@pytest.fixture(scope="session", autouse=True)
def folder_of_backups(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Backups of tests are none of the shop's."""
    settings.BACKUP_DIR = tmp_path_factory.mktemp("backups")
    settings.RECOVERY_DIR = tmp_path_factory.mktemp("recovery")


@pytest.fixture(scope="session", autouse=True)
def logs_of_nobody() -> None:
    """Lines of tests go into no file of the shop, and an error that a test causes is no alert. Programs that tests
    start write no files either, unless they are told to."""
    os.environ["LOG_DIR"] = ""
    root = logging.getLogger()
    for handler in [*root.handlers]:
        if isinstance(handler, LogFile | ErrorAlerts):
            root.removeHandler(handler)
    # A worker that a test starts beside itself sets Django up once more, and with it the log.
    wanted = settings.LOGGING["root"]["handlers"]
    wanted[:] = [name for name in wanted if name in ("stderr", "errors counted")]
    settings.LOGGING["handlers"] = {name: settings.LOGGING["handlers"][name] for name in wanted}


@pytest.fixture(scope="session", autouse=True)
def folder_of_alerts(tmp_path_factory: pytest.TempPathFactory) -> None:
    """No alert of a test is ever sent to the shop's channels."""
    settings.SPOOL_DIR = tmp_path_factory.mktemp("spool")


def no_chromium() -> str | None:
    return None if chromium_path() else "there is no Chromium (install it, or name one in CHROMIUM)"


def no_root() -> str | None:
    return None if os.geteuid() == 0 else "only root can run it"


def no_gettext() -> str | None:
    return None if shutil.which("xgettext") and shutil.which("msgattrib") else "GNU gettext is not installed"


def no_cluster() -> str | None:
    if find_etcd() is None:
        return "etcd is not installed"
    return None if is_installed() else "Patroni is not installed (pip install -r requirements-cluster.txt)"


# What a marker needs: why it is missing, or None.
MEANS: dict[str, Callable[[], str | None]] = {
    "journey": functools.cache(no_chromium),
    "as_root": functools.cache(no_root),
    "gettext": functools.cache(no_gettext),
    "cluster": functools.cache(no_cluster),
    "specs": functools.cache(no_specs),
    "prometheus": functools.cache(no_prometheus),
    "postgresql15": functools.cache(no_postgresql_15),
    "on_linux": lambda: None if sys.platform == "linux" else "it is about Linux",
}
LEFT_OUT = pytest.StashKey[dict[str, str]]()


def in_ci() -> bool:
    return os.environ.get("CI", "").lower() in {"1", "true"}


def missing_means(item: pytest.Item) -> str | None:
    return next((why for name, means in MEANS.items() if item.get_closest_marker(name) and (why := means())), None)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """At least two, so that what only breaks in parallel breaks everywhere."""
    return max(2, os.cpu_count() or 2)


def pytest_configure(config: pytest.Config) -> None:
    config.stash[LEFT_OUT] = {}
    if config.pluginmanager.hasplugin("xdist"):
        config.pluginmanager.register(WorkersReport(config))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if in_ci():
        return
    left_out = {item.nodeid: why for item in items if (why := missing_means(item))}
    if left_out:
        config.hook.pytest_deselected(items=[item for item in items if item.nodeid in left_out])
        items[:] = [item for item in items if item.nodeid not in left_out]
        config.stash[LEFT_OUT].update(left_out)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if why := missing_means(item):
        pytest.fail(f"Its means are missing: {why}. With CI=true no test may be left out.", pytrace=False)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Under xdist the workers collect; they hand to the main process what they left out."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = session.config.stash[LEFT_OUT]


class WorkersReport:
    """Takes from each worker what it left out."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: Any) -> None:
        self.config.stash[LEFT_OUT].update(getattr(node, "workeroutput", {}).get("left_out", {}))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    left_out = config.stash[LEFT_OUT]
    if left_out:
        terminalreporter.section("left out, because their means are missing")
        for name, why in sorted(left_out.items()):
            terminalreporter.write_line(f"LEFT OUT {name}: {why}")


@pytest.fixture(scope="session", autouse=True)
def own_cache() -> None:
    """Gives every parallel worker a Redis database of its own, so that one does not empty another's cache."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    options = settings.CACHES["default"]
    if worker.isdigit() and options.get("LOCATION"):
        options["LOCATION"] = f"{options['LOCATION'].rsplit('/', 1)[0]}/{2 + int(worker) % CACHES_OF_WORKERS}"


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> None:
    """Hashing is slow on purpose; tests that sign people in need not wait for it."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def empty_cache(own_cache: None) -> Iterator[None]:
    """What one test counted (sign-ins, answers) is nothing to the next."""
    yield
    cache.clear()


@pytest.fixture(autouse=True)
def settings_of_the_environment() -> Iterator[None]:
    """The shop has no row of its own, is open, and no test pays a query now and then for looking. A test that writes
    the row calls `forget_shop`, unless its commit is a real one: that does it by itself."""
    remember_shop(None)
    gate.take_for_open()
    yield
    forget_shop()
    gate.look_again()


@pytest.fixture(autouse=True)
def shops_language() -> Iterator[None]:
    """A request leaves its thread in its reader's language; the next test begins in the shop's."""
    yield
    translation.deactivate()
