"""One node of the trial cluster: a folder, four ports, an etcd and a Patroni that looks after a PostgreSQL."""

import socket
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from project.embedded.errors import CannotStart

NAMES = ("node1", "node2", "node3")
HOST = "127.0.0.1"


@dataclass(frozen=True)
class Ports:
    """The ports of one node: PostgreSQL's, that of Patroni's REST API, etcd's for clients and for its peers."""

    postgres: int
    rest: int
    etcd: int
    peer: int

    def all(self) -> tuple[int, ...]:
        return self.postgres, self.rest, self.etcd, self.peer


@dataclass(frozen=True)
class Node:
    """Where a node keeps its things and at which ports it answers."""

    name: str
    home: Path
    ports: Ports

    @property
    def data(self) -> Path:
        """The folder of its PostgreSQL."""
        return self.home / "postgres"

    @property
    def etcd_data(self) -> Path:
        return self.home / "etcd"

    @property
    def rest_url(self) -> str:
        return f"http://{HOST}:{self.ports.rest}"

    @property
    def etcd_url(self) -> str:
        return f"https://{HOST}:{self.ports.etcd}"

    @property
    def peer_url(self) -> str:
        return f"https://{HOST}:{self.ports.peer}"


def nodes_in(home: Path, ports: dict[str, Ports]) -> list[Node]:
    """The three nodes, with their folders below `home`."""
    return [Node(name, home / name, ports[name]) for name in NAMES]


def choose_ports() -> dict[str, Ports]:
    """Four free ports for each node, all different.

    Raises:
        CannotStart: there are none left.
    """
    with ExitStack() as held:
        numbers = []
        for _place in range(4 * len(NAMES)):
            probe = held.enter_context(socket.socket())
            try:
                probe.bind((HOST, 0))
            except OSError:
                raise CannotStart("This machine has no free ports left for a cluster.") from None
            numbers.append(probe.getsockname()[1])
    return {name: Ports(*numbers[4 * place : 4 * place + 4]) for place, name in enumerate(NAMES)}


def refuse_taken(nodes: list[Node]) -> None:
    """Raises CannotStart if another program listens at a port that a node had before: the nodes know each other by
    them."""
    for node in nodes:
        for port in node.ports.all():
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((HOST, port))
                except OSError:
                    raise CannotStart(
                        f"Port {port}, which {node.name} of the cluster had before, is taken by another program: stop "
                        f"that program, or delete the cluster's folder to begin anew."
                    ) from None
