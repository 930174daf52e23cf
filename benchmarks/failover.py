"""How long orders are not taken when the leading server, or the whole leading node, of a cluster is killed."""

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from project.embedded.cluster.node import Node
from tests.backups.cluster import wait_until
from tests.cluster.nodes import Nodes, running_nodes
from tests.cluster.shop import run, web_server
from tests.cluster.tills import TILLS, Sold, selling

Row = tuple[str, str, str, str]


def measure(*, servers: int, nodes: int) -> Iterator[Row]:
    """The rows of the table: the fault, seconds until an order is acknowledged again, the limit, and what was lost."""
    with tempfile.TemporaryDirectory(prefix="samovar-bench-") as name, running_nodes(Path(name)) as cluster:
        run("make", cluster)
        with web_server(cluster, Path(name) / "web.log") as port:
            for title, kill, times, limit in (
                ("the leading server", cluster.kill_server, servers, "6 s"),
                ("the leading node", cluster.kill_node, nodes, "20 s"),
                # Where that one led the others, they count the time anew.
                ("the leading node and its etcd", cluster.kill_machine, nodes, ""),
            ):
                menu = run("make", cluster)
                with selling(port, menu) as sold:
                    pauses = [pause(cluster, sold, kill) for _time in range(times)]
                yield (
                    f"kill -9 of {title}, {times} times",
                    f"{median(pauses):.1f} s, at most {max(pauses):.1f} s",
                    limit,
                    f"{lost(cluster, menu, sold)} of {len(sold.orders):,} lost",
                )


def pause(cluster: Nodes, sold: Sold, kill: Callable[[Node], None]) -> float:
    """Kills the leader while orders are taken; seconds until they are taken again. The cluster is whole afterwards."""
    before = len(sold.orders)
    wait_until(lambda: len(sold.orders) > before + 50, seconds=60)
    leader = cluster.leader()
    moment = time.monotonic()
    kill(leader)
    cluster.wait_for_another(leader)
    again = time.monotonic()
    wait_until(lambda: sold.since(again) > 2 * TILLS, seconds=120)
    end = sold.end_of_longest_pause(moment)
    cluster.start_node(leader)
    cluster.wait_until_whole()
    return end - moment


def lost(cluster: Nodes, menu: dict[str, int], sold: Sold) -> int:
    """How many acknowledged orders are not there."""
    there = set(run("found", cluster)["orders"][str(menu["location"])])
    return len(set(sold.orders.values()) - there)
