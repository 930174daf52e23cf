"""Three nodes of a test's own, whose servers and machines may be killed."""

import fcntl
import json
import os
import shutil
import signal
import tempfile
import time
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg2

from backups.engine.server import Server
from foundation.programs.program import Program
from project.embedded.account import services_account
from project.embedded.cluster.node import HOST, Node, choose_ports
from project.embedded.cluster.passwords import Passwords
from project.embedded.cluster.patroni import REST_USER
from project.embedded.cluster.trial import SHOP, TrialCluster
from project.embedded.home import new_home
from project.embedded.postgres import DATABASE
from tests.backups.cluster import wait_until

# Three nodes are as much as two cores bear: whoever else wants some waits.
TURN = Path(tempfile.gettempdir()) / "samovar-test-cluster.lock"


class Nodes:
    """A running cluster. Nobody starts a killed node again but the test."""

    def __init__(self, cluster: TrialCluster) -> None:
        self.cluster = cluster
        self.programs: list[Program] = []
        cluster.start(self._launch, time.sleep)

    @property
    def all(self) -> list[Node]:
        return self.cluster.nodes

    @property
    def server(self) -> Server:
        """How the shop reaches it: through all three addresses."""
        return Server(
            ",".join(HOST for _node in self.all),
            ",".join(str(node.ports.postgres) for node in self.all),
            SHOP,
            self.cluster.passwords.shop,
            DATABASE,
            {"target_session_attrs": "read-write"},
        )

    @property
    def programs_folder(self) -> Path:
        """PostgreSQL's programs, where the nodes' account can run them."""
        return self.cluster.postgresql

    def environment(self) -> dict[str, str]:
        """For a program that works with this cluster."""
        return os.environ | self.cluster.variables()

    def leader(self) -> Node:
        """Waits for one."""
        found: Node = wait_until(self.cluster.leader, seconds=90)
        return found

    def wait_until_whole(self) -> None:
        """Waits until one node leads, the others follow it, and COMMIT waits for one of them."""
        self.cluster.wait_until_whole(time.sleep, seconds=120)

    def wait_for_another(self, than: Node) -> Node:
        """Waits until another node leads and takes writes, and returns it."""

        def another() -> Node | None:
            leader = self.cluster.leader()
            if leader is None or leader.name == than.name:
                return None
            try:
                self.cluster.connect().close()
            except psycopg2.OperationalError:
                return None
            return leader

        found: Node = wait_until(another, seconds=120)
        return found

    def kill_server(self, node: Node) -> None:
        """Kills the PostgreSQL of a node, as kill -9 does; its Patroni is left to see to it."""
        for process in self.cluster.server_processes(node):
            with suppress(psutil.Error):
                process.kill()

    def kill_node(self, node: Node) -> None:
        """Kills the PostgreSQL of a node and what looks after it."""
        self._kill(node, [self.cluster.patronis[node.name]])

    def kill_machine(self, node: Node) -> None:
        """Kills all that runs on a node, etcd among it, as if the machine's power went."""
        self._kill(node, [self.cluster.patronis[node.name], self.cluster.etcds[node.name]])

    def _kill(self, node: Node, programs: list[Program]) -> None:
        processes = self.cluster.server_processes(node)
        # First of all those that could tell anybody.
        for program in programs:
            if program.pid is not None:
                with suppress(psutil.Error):
                    processes = [psutil.Process(program.pid), *processes]
        for process in processes:
            with suppress(psutil.Error):
                process.kill()
        for program in programs:
            program.kill()

    def start_node(self, node: Node) -> None:
        """Starts again what was killed of a node."""
        for program in (self.cluster.etcds[node.name], self.cluster.patronis[node.name]):
            if not program.is_running():
                program.start()

    @contextmanager
    def asynchronous(self) -> Iterator[None]:
        """Inside, COMMIT waits for no standby."""
        self.change({"synchronous_mode": False})
        self.cluster.is_synchronous = False
        wait_until(lambda: self.value("SHOW synchronous_standby_names") == "")
        try:
            yield
        finally:
            self.change({"synchronous_mode": True})
            self.cluster.is_synchronous = True

    def change(self, configuration: dict[str, Any]) -> None:
        """Changes the configuration of all nodes, as `patronictl edit-config` does."""
        word = b64encode(f"{REST_USER}:{self.cluster.passwords.rest}".encode()).decode()
        request = urllib.request.Request(
            f"{self.leader().rest_url}/config",
            data=json.dumps(configuration).encode(),
            headers={"Authorization": f"Basic {word}"},
            method="PATCH",
        )
        urllib.request.urlopen(request, timeout=10).close()

    def sql(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Asks whoever leads, and returns the rows."""
        return self.server.ask(query, *values)

    def value(self, query: str, *values: Any) -> Any:
        return self.sql(query, *values)[0][0]

    def end(self) -> None:
        """Nothing of it is wanted any more."""
        for node in self.all:
            self.kill_machine(node)

    def _launch(self, program: Program) -> None:
        self.programs.append(program)
        program.start()


@contextmanager
def running_nodes(owner: Path) -> Iterator[Nodes]:
    """A new cluster, thrown away afterwards; while another one runs, it is waited for. `owner` is the test's folder."""
    account = services_account()
    with TURN.open("a") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        home = owner / "nodes" if account is None else new_home(account, owner=owner, prefix="samovar-test-")
        home.mkdir(exist_ok=True)
        cluster = TrialCluster(
            home=home,
            logs=owner / "log",
            ports=choose_ports(),
            passwords=Passwords(),
            account=account,
        )
        nodes = None
        try:
            nodes = Nodes(cluster)
            yield nodes
        finally:
            if nodes is not None:
                nodes.end()
            shutil.rmtree(home, ignore_errors=True)


@contextmanager
def cut_off(nodes: Nodes) -> Iterator[Node]:
    """Inside, nothing that the leader writes gets to the other nodes, as if the network to them were slow without end:
    both ends of the replication stand still. Yields the leader. What receives WAL for backups goes on."""
    leader = nodes.leader()
    senders = {
        pid for (pid,) in nodes.sql("SELECT pid FROM pg_stat_replication WHERE application_name <> 'pg_receivewal'")
    }
    processes = [one for one in nodes.cluster.server_processes(leader) if one.pid in senders]
    for node in nodes.all:
        processes += [one for one in nodes.cluster.server_processes(node) if "walreceiver" in " ".join(one.cmdline())]
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    try:
        yield leader
    finally:
        for process in processes:
            with suppress(psutil.Error):
                process.send_signal(signal.SIGCONT)
