"""The leader is killed while orders are placed: none that was acknowledged is lost, and each is there once."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from project.embedded.cluster.node import Node
from tests.backups.cluster import wait_until
from tests.cluster.nodes import Nodes
from tests.cluster.shop import RECEIVED, TAKEN, copy_tables, run, web_server
from tests.cluster.tills import Sold, selling

pytestmark = [pytest.mark.cluster, pytest.mark.slow]


@pytest.fixture(scope="module")
def port(running: Nodes, django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The web server of a shop on the cluster."""
    running.wait_until_whole()
    copy_tables(running)
    run("make", running)
    with web_server(running, tmp_path_factory.mktemp("web") / "words.log") as answering:
        yield answering


@pytest.fixture
def menu(nodes: Nodes, port: int) -> Any:
    """A location of the test's own, and the one tea that is sold there."""
    return run("make", nodes)


def fault(nodes: Nodes, sold: Sold, kill: Callable[[Node], None]) -> Node:
    """Kills the leader while orders are taken, and waits until they are taken again. Returns the killed node."""
    before = len(sold.orders)
    wait_until(lambda: len(sold.orders) > before + 20, seconds=60)
    leader = nodes.leader()
    kill(leader)
    moment = time.monotonic()
    nodes.wait_for_another(leader)
    wait_until(lambda: sold.since(moment) > 20, seconds=120)
    return leader


def assert_nothing_is_lost(nodes: Nodes, sold: Sold, menu: dict[str, Any]) -> None:
    """Every acknowledged order is there once, no other one is, and the stock is what the ledger says."""
    location = str(menu["location"])
    shop = run("found", nodes)
    assert sorted(shop["orders"][location]) == sorted(sold.orders.values())
    assert len(set(sold.orders.values())) == len(sold.orders)
    assert float(shop["stock"][location]) == RECEIVED - TAKEN * len(sold.orders)
    assert shop["differing"] == 0
    assert sold.refusals == []


def test_no_order_is_lost_when_the_leading_server_is_killed(nodes: Nodes, port: int, menu: dict[str, Any]):
    with selling(port, menu) as sold:
        fault(nodes, sold, nodes.kill_server)
    assert_nothing_is_lost(nodes, sold, menu)


@pytest.mark.slow
def test_no_order_is_lost_when_the_leading_server_is_killed_nine_times_more(
    nodes: Nodes, port: int, menu: dict[str, Any]
):
    with selling(port, menu) as sold:
        for _time in range(9):
            fault(nodes, sold, nodes.kill_server)
            # The killed one has to come back by itself.
            nodes.wait_until_whole()
    assert_nothing_is_lost(nodes, sold, menu)


@pytest.mark.slow
def test_no_order_is_lost_when_the_leading_machine_dies_three_times(nodes: Nodes, port: int, menu: dict[str, Any]):
    """With its etcd, which may be the one that leads the other two."""
    with selling(port, menu) as sold:
        for _time in range(3):
            killed = fault(nodes, sold, nodes.kill_machine)
            nodes.start_node(killed)
            nodes.wait_until_whole()
    assert_nothing_is_lost(nodes, sold, menu)
