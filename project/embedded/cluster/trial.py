"""The trial cluster: three nodes on one machine, which protect against the end of a process and nothing else."""

import datetime
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg2
from psycopg2 import sql

from foundation.programs.account import Account
from foundation.programs.program import Program
from project.embedded.cluster.certificate import certificate_in
from project.embedded.cluster.etcd import etcd_program, need_etcd, wait_for_etcd
from project.embedded.cluster.node import HOST, Node, Ports, nodes_in
from project.embedded.cluster.passwords import Passwords
from project.embedded.cluster.patroni import REST_USER, SUPERUSER, is_running, members, patroni_program
from project.embedded.errors import CannotStart
from project.embedded.leftovers import end
from project.embedded.places import make_private, need_room
from project.embedded.postgres import DATABASE, programs_for

SHOP = "samovar"
# Three data folders with their first WAL, and root's copies of the programs.
ROOM_TO_BEGIN, ROOM_TO_GO_ON = 900, 150
READY_AFTER = 300.0


class TrialCluster:
    """Three nodes, each with an etcd and a Patroni of its own.

    Args:
        home: the folder of the nodes' data; as root, one that `account` may use.
        logs: the folder of their words.
        ports: what the nodes answer at, by their names.
    """

    # Whether COMMIT waits for a standby, as deploy/cluster says.
    is_synchronous = True

    def __init__(
        self,
        *,
        home: Path,
        logs: Path,
        ports: dict[str, Ports],
        passwords: Passwords,
        account: Account | None = None,
    ) -> None:
        self.home, self.logs, self.passwords, self.account = home, logs, passwords, account
        self.nodes = nodes_in(home, ports)
        self.postgresql = programs_for(account, home)
        self.etcds: dict[str, Program] = {}
        self.patronis: dict[str, Program] = {}

    def start(self, launch: Callable[[Program], None], pause: Callable[[float], None]) -> None:
        """Starts all nodes and waits until one leads and the others follow it.

        Args:
            launch: starts a program under the supervisor.
            pause: waits, and raises StopRequested if somebody wants the cluster to stop.

        Raises:
            CannotStart: etcd or Patroni is not here, or a node does not come up; the message says why.
        """
        program = need_etcd()
        is_new = not any(node.data.is_dir() for node in self.nodes)
        need_room(self.home, ROOM_TO_BEGIN if is_new else ROOM_TO_GO_ON)
        make_private(self.logs)
        for node in self.nodes:
            make_private(node.home)
            if self.account:
                self.account.own(node.home)
            self.stop_server_of(node)
        certificate = certificate_in(self.home, self.account, now=datetime.datetime.now(datetime.UTC))
        for node in self.nodes:
            log = self.logs / f"etcd-{node.name}.log"
            self.etcds[node.name] = etcd_program(
                node, self.nodes, program=program, certificate=certificate, log=log, account=self.account
            )
            launch(self.etcds[node.name])
        wait_for_etcd(self.nodes, list(self.etcds.values()), certificate, pause)
        for node in self.nodes:
            self.patronis[node.name] = patroni_program(
                node,
                self.nodes,
                passwords=self.passwords,
                postgresql=self.postgresql,
                certificate=certificate,
                log=self.logs / f"{node.name}.log",
                account=self.account,
            )
            launch(self.patronis[node.name])
        self.wait_until_whole(pause)
        self._make_database(pause)
        # libpq asks the nodes in their order, and takes "there is no such database" for the last word.
        while not all(self.has_database(node) for node in self.nodes):
            pause(0.1)

    def wait_until_whole(self, pause: Callable[[float], None], *, seconds: float = READY_AFTER) -> None:
        """Waits until one node leads and the two others stream from it, one of them in step with every commit.

        Raises:
            CannotStart: a Patroni ended, or it takes longer than `seconds`.
        """
        deadline = time.monotonic() + seconds
        while not self.is_whole():
            for program in self.patronis.values():
                if program.exit_code() is not None and not program.restarts:
                    raise CannotStart(f"{program.title} ended; its words are in {program.log}.")
            if time.monotonic() > deadline:
                raise CannotStart(
                    f"The nodes of the cluster did not find together within {seconds:.0f} seconds; their words are in "
                    f"{self.logs}."
                )
            pause(0.2)

    def is_whole(self) -> bool:
        """Whether one leads, all follow it, and COMMIT waits for one of them (unless the cluster is asynchronous)."""
        said = members(self.nodes)
        leaders = [member for member in said if member["role"] == "leader" and member["state"] == "running"]
        followers = [member for member in said if member["role"] != "leader" and member["state"] == "streaming"]
        return (
            len(leaders) == 1
            and all(is_running(node) for node in self.nodes)
            and len(followers) == len(self.nodes) - 1
            and all(member.get("timeline") == leaders[0].get("timeline") for member in followers)
            and (not self.is_synchronous or any(member["role"] == "sync_standby" for member in followers))
        )

    def leader(self) -> Node | None:
        """The node that leads, as the nodes agree."""
        names = [member["name"] for member in members(self.nodes) if member["role"] == "leader"]
        return next((node for node in self.nodes if node.name in names), None)

    def database_url(self) -> str:
        """What DATABASE_URL says, with all three nodes."""
        hosts = ",".join(f"{HOST}:{node.ports.postgres}" for node in self.nodes)
        return f"postgres://{SHOP}:{self.passwords.shop}@{hosts}/{DATABASE}?target_session_attrs=read-write"

    def variables(self) -> dict[str, str]:
        """What a shop needs to work with this cluster."""
        return {
            "DATABASE_URL": self.database_url(),
            "PATRONI_URLS": ",".join(node.rest_url for node in self.nodes),
            "PATRONI_USER": REST_USER,
            "PATRONI_PASSWORD": self.passwords.rest,
            "PG_PROGRAMS": str(self.postgresql),
            # Recoveries run under the nodes' account too, which cannot get into the shop's own folder.
            "RECOVERY_DIR": str(self.home / "recovery"),
        }

    def connect(self, *, user: str = SHOP, database: str = DATABASE) -> "psycopg2.extensions.connection":
        """A connection to whoever leads."""
        return psycopg2.connect(
            host=",".join(HOST for _node in self.nodes),
            port=",".join(str(node.ports.postgres) for node in self.nodes),
            user=user,
            password=self.passwords.shop if user == SHOP else self.passwords.superuser,
            dbname=database,
            connect_timeout=2,
            target_session_attrs="read-write",
        )

    def has_database(self, node: Node) -> bool:
        """Whether the shop can sign in at this node, which may follow the leader a little later."""
        try:
            psycopg2.connect(
                host=HOST,
                port=node.ports.postgres,
                user=SHOP,
                password=self.passwords.shop,
                dbname=DATABASE,
                connect_timeout=2,
            ).close()
        except psycopg2.OperationalError:
            return False
        return True

    def server_processes(self, node: Node) -> list[psutil.Process]:
        """The PostgreSQL of a node, its postmaster first; nothing where none runs. Patroni starts it in a session of
        its own, so that it outlives Patroni."""
        try:
            postmaster = psutil.Process(int((node.data / "postmaster.pid").read_text().split("\n", 1)[0]))
            if not os.path.samefile(postmaster.cwd(), node.data):
                return []
            return [postmaster, *postmaster.children(recursive=True)]
        except (OSError, ValueError, psutil.Error):
            return []

    def stop_server_of(self, node: Node) -> None:
        """Stops a PostgreSQL that a killed Patroni left."""
        if processes := self.server_processes(node):
            end(processes, stop_signal=signal.SIGINT, patience=60.0)

    def _make_database(self, pause: Callable[[float], None]) -> None:
        """Makes the shop's account and database at the first start, once the leader takes writes."""
        deadline = time.monotonic() + READY_AFTER
        while True:
            try:
                connection = self.connect(user=SUPERUSER, database="postgres")
                break
            except psycopg2.OperationalError as error:
                if time.monotonic() > deadline:
                    raise CannotStart(f"The cluster takes no writes: {' '.join(str(error).split())}") from error
            pause(0.2)
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [SHOP])
                if not cursor.fetchone():
                    statement = sql.SQL("CREATE ROLE {} LOGIN SUPERUSER REPLICATION PASSWORD {}")
                    cursor.execute(statement.format(sql.Identifier(SHOP), sql.Literal(self.passwords.shop)))
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
                if not cursor.fetchone():
                    cursor.execute(
                        sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(SHOP))
                    )
        finally:
            connection.close()
