"""Patroni, which looks after the PostgreSQL of a node: with the configuration of deploy/cluster."""

import http.client
import json
import os
import shutil
import urllib.request
from pathlib import Path
from typing import Any

from foundation.programs.account import Account
from foundation.programs.program import Program
from project.embedded.cluster.certificate import Certificate
from project.embedded.cluster.node import HOST, Node
from project.embedded.cluster.packages import patroni_command
from project.embedded.cluster.passwords import Passwords
from project.embedded.places import BASE_DIR, make_private

CONFIGURATION = BASE_DIR / "deploy" / "cluster" / "patroni.yml"
SUPERUSER, REPLICATION, REWINDING, REST_USER = "postgres", "replicator", "rewinder", "samovar"


def patroni_program(
    node: Node,
    nodes: list[Node],
    *,
    passwords: Passwords,
    postgresql: Path,
    certificate: Certificate,
    log: Path,
    account: Account | None,
) -> Program:
    """The Patroni of one node.

    Args:
        postgresql: the folder of PostgreSQL's programs.
        certificate: what etcd lets it in by.

    Raises:
        CannotStart: it is not installed, or cannot be run by `account`.
    """
    make_private(node.home)
    own_configuration = node.home / "patroni.yml"
    own_configuration.unlink(missing_ok=True)
    shutil.copyfile(CONFIGURATION, own_configuration)
    if account:
        account.own(node.home)
    command, variables = patroni_command(account, node.home.parent)
    return Program(
        name=f"patroni-{node.name}",
        title=f"Patroni of {node.name}",
        command=[*command, own_configuration.name],
        environment={
            # LC_ALL=C.UTF-8: Patroni's own words, and initdb's.
            "PATH": os.defpath,
            "LC_ALL": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            **variables,
            **variables_of(node, nodes, passwords=passwords, postgresql=postgresql),
            "PATRONI_ETCD3_PROTOCOL": "https",
            "PATRONI_ETCD3_CACERT": str(certificate.public),
            "PATRONI_ETCD3_CERT": str(certificate.public),
            "PATRONI_ETCD3_KEY": str(certificate.key),
        },
        folder=node.home,
        log=log,
        # It stops its PostgreSQL first, which writes its data.
        patience=60.0,
        account=account,
        restarts=True,
    )


def variables_of(node: Node, nodes: list[Node], *, passwords: Passwords, postgresql: Path) -> dict[str, str]:
    """What deploy/cluster/patroni.env.example names, for this node."""
    return {
        "PATRONI_NAME": node.name,
        "PATRONI_RESTAPI_LISTEN": f"{HOST}:{node.ports.rest}",
        "PATRONI_RESTAPI_CONNECT_ADDRESS": f"{HOST}:{node.ports.rest}",
        "PATRONI_RESTAPI_USERNAME": REST_USER,
        "PATRONI_RESTAPI_PASSWORD": passwords.rest,
        "PATRONI_ETCD3_HOSTS": ",".join(f"{HOST}:{other.ports.etcd}" for other in nodes),
        "PATRONI_POSTGRESQL_LISTEN": f"{HOST}:{node.ports.postgres}",
        "PATRONI_POSTGRESQL_CONNECT_ADDRESS": f"{HOST}:{node.ports.postgres}",
        "PATRONI_POSTGRESQL_DATA_DIR": str(node.data),
        "PATRONI_POSTGRESQL_BIN_DIR": str(postgresql),
        "PATRONI_POSTGRESQL_PGPASS": str(node.home / "pgpass"),
        "PATRONI_SUPERUSER_USERNAME": SUPERUSER,
        "PATRONI_SUPERUSER_PASSWORD": passwords.superuser,
        "PATRONI_REPLICATION_USERNAME": REPLICATION,
        "PATRONI_REPLICATION_PASSWORD": passwords.replication,
        "PATRONI_REWIND_USERNAME": REWINDING,
        "PATRONI_REWIND_PASSWORD": passwords.rewinding,
    }


def members(nodes: list[Node]) -> list[dict[str, Any]]:
    """What the first Patroni that answers says of all of them; nothing while none answers. It is what stands in etcd:
    of a node that died a moment ago, what that one said last."""
    for node in nodes:
        if said := _said_by(node, "cluster"):
            found: list[dict[str, Any]] = said.get("members", [])
            return found
    return []


def is_running(node: Node) -> bool:
    """Whether its own Patroni says that its PostgreSQL runs."""
    return _said_by(node, "patroni").get("state") == "running"


def _said_by(node: Node, path: str) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(f"{node.rest_url}/{path}", timeout=2) as answer:  # noqa: S310 - an address of ours
            said: dict[str, Any] = json.load(answer)
    except (OSError, ValueError, http.client.HTTPException):
        return {}
    return said
