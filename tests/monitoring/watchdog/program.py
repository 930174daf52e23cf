"""The watchdog as a program of its own, and a webhook that sees what arrives."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from project.embedded.places import BASE_DIR
from tests.marketplaces.faulty_server import FaultyServer, Received, Reply, faulty_server

# No broker and no cache answer there.
NOBODY = "redis://127.0.0.1:1/0"


class Program:
    """`manage.py watchdog`, which may be killed and started again; its words are in `log`."""

    def __init__(self, log: Path, *arguments: str, **variables: str) -> None:
        self.log, self.arguments = log, arguments
        self.environment = {
            "PATH": os.defpath,
            "SECRET_KEY": "a",
            "FIELD_ENCRYPTION_KEYS": ",".join(settings.FIELD_ENCRYPTION_KEYS),
            "DATABASE_URL": database_url(),
            "REDIS_URL": NOBODY,
            "SPOOL_DIR": str(settings.SPOOL_DIR),
            **variables,
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "watchdog", *self.arguments],
                cwd=BASE_DIR,
                env=self.environment,
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(timeout=60)

    @property
    def words(self) -> str:
        return self.log.read_text() if self.log.exists() else ""


def database_url() -> str:
    """The address of the database that this process uses."""
    config: Mapping[str, Any] = connection.settings_dict
    place = f"{config['HOST']}:{config['PORT']}" if config["PORT"] else config["HOST"]
    return f"postgres://{config['USER']}:{config['PASSWORD']}@{place}/{config['NAME']}"


class Hook:
    """A webhook. `before` is called with what arrives, before it is answered."""

    def __init__(self, server: FaultyServer) -> None:
        self.server = server
        self.before: Callable[[Received], None] | None = None
        answer = server.next_reply

        def next_reply(request: Received) -> Reply:
            reply = answer(request)
            if (before := self.before) is not None:
                before(request)
            return reply

        server.next_reply = next_reply  # type: ignore[method-assign]
        server.answer(Reply(204))

    @property
    def url(self) -> str:
        return f"{self.server.url}/alerts"

    @property
    def keys(self) -> list[str]:
        """Of all that arrived, doubles included."""
        return [request.headers["Idempotency-Key"] for request in list(self.server.received)]

    @property
    def texts(self) -> list[str]:
        """What arrived, once each: a receiver knows a double by its key."""
        return list(
            {request.headers["Idempotency-Key"]: request.json["text"] for request in self.server.received}.values()
        )


@contextmanager
def running_hook() -> Iterator[Hook]:
    with faulty_server() as server:
        yield Hook(server)
