"""Opens the trial cluster, as `make cluster` does."""

import os
from pathlib import Path

from project.embedded.account import services_account
from project.embedded.cluster.cluster_file import ClusterFile
from project.embedded.cluster.etcd import need_etcd
from project.embedded.cluster.node import HOST, refuse_taken
from project.embedded.cluster.trial import TrialCluster
from project.embedded.console import Console
from project.embedded.home import earlier_homes
from project.embedded.keeping_open import keep_open
from project.embedded.leftovers import Record
from project.embedded.lock import FolderLock
from project.embedded.places import Places, make_private, write_private
from project.embedded.supervisor import Supervisor

HEADER = """\
# How a shop reaches the trial cluster. Written at every start of `make cluster`.
"""


def open_cluster(places: Places, console: Console, *, parent: int | None = None) -> int:
    """Starts the three nodes and watches them until asked to stop. Returns the exit code.

    Args:
        parent: the process that started this one; when it is gone, for example a killed make, the cluster stops.
    """
    os.umask(0o077)
    folder = places.var / "cluster"
    supervisor = Supervisor(console, Record(folder / "processes.json"), parent=parent)
    supervisor.listen()
    lock = FolderLock(folder / "lock")

    def run() -> None:
        need_etcd()
        places.make()
        make_private(folder)
        lock.acquire()
        _run(folder, console, supervisor, lock)

    end = "The cluster is stopped; its data is kept."
    return keep_open(run, lock=lock, supervisor=supervisor, console=console, end=end)


def _run(folder: Path, console: Console, supervisor: Supervisor, lock: FolderLock) -> None:
    if stopped := supervisor.record.stop_leftovers():
        console.step("Cleared", f"what was left of an earlier run: {', '.join(stopped)}")
    account = services_account()
    known = ClusterFile.load(folder / "cluster.json")
    home = known.home_of(folder, account)
    known.save(folder / "cluster.json")
    for earlier in earlier_homes(home, folder) if account else ():
        console.step("Note", f"an earlier cluster of this folder is left in {earlier}")
    console.say("The cluster is starting: three nodes, each with etcd, Patroni and PostgreSQL.")
    cluster = TrialCluster(
        home=home, logs=folder / "log", ports=known.ports, passwords=known.passwords, account=account
    )
    for node in cluster.nodes:
        cluster.stop_server_of(node)
    refuse_taken(cluster.nodes)
    cluster.start(supervisor.launch, supervisor.pause)
    # The backups in the shop's own folder are those of another server.
    variables = cluster.variables() | {"BACKUP_DIR": str(folder / "backups")}
    write_private(folder / "env", HEADER + "".join(f"{name}='{value}'\n" for name, value in variables.items()))
    lock.tell(state="open")
    _welcome(cluster, console, folder)
    supervisor.watch()


def _welcome(cluster: TrialCluster, console: Console, folder: Path) -> None:
    """Says where it is, how a shop uses it, and what it does not protect against."""
    leader = cluster.leader()
    for node in cluster.nodes:
        role = "leads" if leader and node.name == leader.name else "follows"
        console.step(
            node.name, f"{role}; PostgreSQL at {HOST}:{node.ports.postgres}, Patroni at {node.rest_url}, in {node.home}"
        )
    env = os.path.relpath(folder / "env")
    console.say(
        f"\nThe cluster is open. To run the shop on it, in another terminal:\n\n  set -a; . {env}; set +a; make run"
    )
    console.say(
        "\nIt is another shop than that of `make run` alone: unless DEMO=0 leaves it out, it gets a demo of its own, "
        "whose accounts\ntake the place of those in var/demo-accounts.json."
    )
    console.say(
        "\nAll three nodes are on this one machine, so they protect against the end of a process, to try what happens "
        "then,\nand against nothing else: not against this machine's end, not against a broken disk. For that, three "
        "machines:\ndeploy/cluster/README.md."
    )
    console.say(f"\nLogs are in {cluster.logs}. Ctrl-C stops everything; the data is kept for the next start.")
