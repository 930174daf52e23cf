"""What the tests of the embedded services share: folders of their own, programs that are stopped afterwards."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from foundation.programs.account import Account
from foundation.programs.program import Program
from project.embedded.account import services_account
from project.embedded.home import new_home
from project.embedded.places import BASE_DIR

NOT_COPIED = shutil.ignore_patterns(
    ".*", "var", "tests", "benchmarks", "docs", "htmlcov", "__pycache__", "deploy", "*.jpg"
)
# What a test must not pass on: the services and secrets of the test run itself.
OF_THE_RUN = {
    *("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "CELERY_BROKER_TRANSPORT_OPTIONS"),
    *("SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "DJANGO_SETTINGS_MODULE", "HTTPS", "HOST", "PORT", "DEMO", "CI"),
    *("STATICFILES_STORAGE", "WHITENOISE_USE_FINDERS", "STATIC_ROOT", "MEDIA_ROOT", "BACKUP_DIR", "RECOVERY_DIR"),
    *("LANG", "LC_ALL", "LC_CTYPE", "LANGUAGE", "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PYTHON", "PYTHONPATH"),
}


@pytest.fixture
def bare_environment() -> dict[str, str]:
    """The environment of a newcomer: no service, no secret, no locale."""
    names = [name for name in os.environ if name in OF_THE_RUN or name.startswith(("COV_", "COVERAGE_", "PYTEST_"))]
    return {name: value for name, value in os.environ.items() if name not in names}


@pytest.fixture
def kept_signals() -> Iterator[None]:
    """Puts back what a supervisor in this process changed: signal handlers and the umask."""
    umask = os.umask(0)
    os.umask(umask)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    os.umask(umask)
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def account() -> Account | None:
    return services_account()


@pytest.fixture
def home(account: Account | None, tmp_path: Path) -> Iterator[Path]:
    """A folder for services, where the account that they run as can reach it."""
    if account is None:
        yield tmp_path
        return
    folder = new_home(account, owner=tmp_path, prefix="samovar-test-")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def launch() -> Iterator[Callable[[Program], None]]:
    """Starts programs; afterwards they are stopped, the last one first."""
    started: list[Program] = []

    def start(program: Program) -> None:
        started.append(program)
        program.start()

    yield start
    for program in reversed(started):
        program.stop()


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Path]:
    """A copy of the project in a folder with a space and Cyrillic in its name. Nothing of it may go on running."""
    with copy_of_the_project(tmp_path / "Чайная лавка") as folder:
        yield folder


@contextmanager
def copy_of_the_project(folder: Path) -> Iterator[Path]:
    """Nothing of it may go on running afterwards."""
    shutil.copytree(BASE_DIR, folder, ignore=NOT_COPIED)
    (folder / ".venv").symlink_to(sys.prefix)
    try:
        yield folder
    finally:
        left = processes_of(folder)
        for process in left:
            process.kill()
        for services in Path("/var/lib").glob("samovar-*/belongs-to") if os.geteuid() == 0 else ():
            if services.read_text().strip() == str(folder):
                shutil.rmtree(services.parent)
    assert not left


def processes_of(folder: Path) -> list[psutil.Process]:
    """Returns the processes that work in `folder` or carry its name, or that of its services' folder."""
    names = [str(folder)]
    for services in Path("/var/lib").glob("samovar-*/belongs-to") if os.geteuid() == 0 else ():
        if services.read_text().strip() == str(folder):
            names.append(str(services.parent))
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
                continue
            signs = [process.cwd(), *process.cmdline()]
        except psutil.Error:
            continue
        if any(sign.startswith(name) or f"={name}" in sign for sign in signs for name in names):
            found.append(process)
    return found


def run_up(checkout: Path, environment: dict[str, str], **changes: str) -> subprocess.CompletedProcess[str]:
    """Runs `manage.py up` where it is expected to refuse."""
    return subprocess.run(
        [sys.executable, "manage.py", "up"],
        cwd=checkout,
        env=environment | changes,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
