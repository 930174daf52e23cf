"""etcd, in which the nodes agree who leads: from the system's packages."""

import http.client
import json
import os
import re
import shutil
import ssl
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from foundation.programs.account import Account
from foundation.programs.program import Program
from project.embedded.cluster.certificate import Certificate
from project.embedded.cluster.node import Node
from project.embedded.errors import CannotStart
from project.embedded.places import BASE_DIR, make_private

SETTINGS = BASE_DIR / "deploy" / "cluster" / "etcd.env"
READY_AFTER = 60.0


def find_etcd() -> str | None:
    """The program, or None if this machine has none. Debian's package puts it on the PATH."""
    return shutil.which("etcd")


def need_etcd() -> str:
    """Raises CannotStart where etcd is not installed."""
    found = find_etcd()
    if found is None:
        raise CannotStart(
            "A cluster needs etcd, which is not here: on Debian and Ubuntu run `apt install etcd-server` as root, then "
            "the same command again. The etcd that the package starts by itself is not used, and may be stopped."
        )
    return found


def etcd_program(
    node: Node, nodes: list[Node], *, program: str, certificate: Certificate, log: Path, account: Account | None
) -> Program:
    """The etcd of one node, with its data in the node's folder; it lets in who has the certificate's key."""
    make_private(node.etcd_data)
    if account:
        account.own(node.etcd_data)
    environment = {
        "PATH": os.defpath,
        **settings_of(SETTINGS),
        "ETCD_NAME": node.name,
        "ETCD_DATA_DIR": str(node.etcd_data),
        "ETCD_LISTEN_CLIENT_URLS": node.etcd_url,
        "ETCD_ADVERTISE_CLIENT_URLS": node.etcd_url,
        "ETCD_LISTEN_PEER_URLS": node.peer_url,
        "ETCD_INITIAL_ADVERTISE_PEER_URLS": node.peer_url,
        "ETCD_INITIAL_CLUSTER": ",".join(f"{other.name}={other.peer_url}" for other in nodes),
        "ETCD_INITIAL_CLUSTER_STATE": "new",
        "ETCD_INITIAL_CLUSTER_TOKEN": "samovar",
        **access_by(certificate),
    }
    return Program(
        name=f"etcd-{node.name}",
        title=f"etcd of {node.name}",
        command=[program],
        environment=environment,
        folder=node.home,
        log=log,
        account=account,
        restarts=True,
        serves=True,
    )


def settings_of(path: Path) -> dict[str, str]:
    """What a file of variables says."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return {match[1]: match[2] for line in lines if (match := re.fullmatch(r"(ETCD_\w+)=(\S*)", line.strip()))}


def access_by(certificate: Certificate) -> dict[str, str]:
    """What has etcd show this certificate, and ask for it."""
    files = {
        "CERT_FILE": str(certificate.public),
        "KEY_FILE": str(certificate.key),
        "TRUSTED_CA_FILE": str(certificate.public),
        "CLIENT_CERT_AUTH": "true",
    }
    return {f"ETCD_{prefix}{name}": value for prefix in ("", "PEER_") for name, value in files.items()}


def wait_for_etcd(
    nodes: list[Node], programs: list[Program], certificate: Certificate, pause: Callable[[float], None]
) -> None:
    """Waits until the members agree with each other.

    Raises:
        CannotStart: one of them ended, or they do not find together.
    """
    deadline = time.monotonic() + READY_AFTER
    context = certificate.context()
    while not all(is_healthy(node, context) for node in nodes):
        for program in programs:
            if not program.is_running():
                raise CannotStart(f"{program.title} did not start; its words are in {program.log}.")
        if time.monotonic() > deadline:
            raise CannotStart(f"The etcds of the cluster do not find together; their words are in {programs[0].log}.")
        pause(0.1)


def is_healthy(node: Node, context: ssl.SSLContext) -> bool:
    """Whether this member takes part in a majority."""
    try:
        with urllib.request.urlopen(f"{node.etcd_url}/health", timeout=2, context=context) as answer:  # noqa: S310 - ours
            said = json.load(answer)
    except (OSError, ValueError, http.client.HTTPException):
        return False
    return bool(said.get("health") == "true")
