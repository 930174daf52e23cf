"""Starts the embedded PostgreSQL and Redis, where nobody named others."""

import os
from pathlib import Path

from project.embedded.account import services_account
from project.embedded.database import need_database, need_redis
from project.embedded.home import earlier_homes, services_home
from project.embedded.places import Places
from project.embedded.postgres import PostgreSQL
from project.embedded.redis_server import Redis, file_broker, find_server
from project.embedded.secrets_file import Secrets
from project.embedded.supervisor import Supervisor


class Services:
    """The services of one shop.

    Args:
        secrets: the made-up values of this folder; ports and the folder are kept in it.
    """

    def __init__(self, places: Places, secrets: Secrets, supervisor: Supervisor) -> None:
        self.places, self.secrets, self.supervisor = places, secrets, supervisor
        self.console = supervisor.console

    def start(self) -> dict[str, str]:
        """Starts what nobody named, asks what somebody named whether it answers. Returns the variables made.

        Raises:
            CannotStart: a service does not answer or does not start.
            StopRequested: somebody wants the shop to stop.
        """
        return self.database() | self.broker()

    def database(self) -> dict[str, str]:
        if url := os.environ.get("DATABASE_URL"):
            need_database(url)
            self.console.step("PostgreSQL", "the one of DATABASE_URL")
            return {}
        server = PostgreSQL(
            home=self._home(),
            log=self.places.logs / "postgresql.log",
            password=self.secrets.postgres_password,
            account=services_account(),
        )
        server.initialise()
        port = server.start(self.supervisor.launch, self.supervisor.pause, self.secrets.postgres_port)
        self.secrets.postgres_port = port
        self.secrets.save(self.places.secrets)
        self.console.step("PostgreSQL", f"ready at 127.0.0.1:{port}, data in {server.data}")
        return {
            "DATABASE_URL": server.url(port),
            "PG_PROGRAMS": str(server.programs),
            "RECOVERY_DIR": str(server.home / "recovery"),
        }

    def broker(self) -> dict[str, str]:
        if url := os.environ.get("REDIS_URL"):
            need_redis(url)
            self.console.step("Redis", "the one of REDIS_URL")
            return {}
        program = find_server()
        if program is None:
            self.console.step("Redis", "not found; background tasks are passed on through files, a little slower")
            return file_broker(self.places.var)
        server = Redis(
            server=program,
            home=self._home(),
            log=self.places.logs / "redis.log",
            password=self.secrets.redis_password,
            account=services_account(),
        )
        port = server.start(self.supervisor.launch, self.supervisor.pause, self.secrets.redis_port)
        self.secrets.redis_port = port
        self.secrets.save(self.places.secrets)
        self.console.step("Redis", f"ready at 127.0.0.1:{port}")
        return server.environment(port)

    def _home(self) -> Path:
        account = services_account()
        home = services_home(self.places.var, self.secrets.services, account)
        if account is not None and not self.secrets.services:
            self.secrets.services = str(home)
            self.secrets.save(self.places.secrets)
            for earlier in earlier_homes(home, self.places.var.parent):
                self.console.step("Note", f"an earlier database of this folder is left in {earlier}")
        return home
