"""What synchronous mode is for: the same fault loses acknowledged writes without it, and none with it.

The fault is made certain: the leader's WAL reaches nobody for a moment, as on a slow network, and then the leader is
killed.
"""

import pytest

from tests.backups.cluster import wait_until
from tests.cluster.nodes import Nodes, cut_off
from tests.cluster.writers import WRITERS, lost, writing

pytestmark = [pytest.mark.cluster, pytest.mark.slow]


def test_without_synchronous_mode_acknowledged_writes_are_lost(nodes: Nodes):
    with nodes.asynchronous():
        with writing(nodes) as written:
            wait_until(lambda: len(written.numbers) > 100)
            with cut_off(nodes) as leader:
                before = len(written.numbers)
                wait_until(lambda: len(written.numbers) >= before + 100)
                nodes.kill_server(leader)
            nodes.wait_for_another(leader)
            after = len(written.numbers)
            wait_until(lambda: len(written.numbers) > after + 10)
        assert len(lost(nodes, written)) >= 100


def test_with_synchronous_mode_the_same_fault_loses_nothing(nodes: Nodes):
    with writing(nodes) as written:
        wait_until(lambda: len(written.numbers) > 100)
        with cut_off(nodes) as leader:
            # Nobody is told that a row is safe while it is not.
            wait_until(lambda: waiting_for_a_standby(nodes) == WRITERS)
            before = len(written.numbers)
            nodes.kill_server(leader)
        assert len(written.numbers) == before
        nodes.wait_for_another(leader)
        wait_until(lambda: len(written.numbers) > before + 10)
    assert lost(nodes, written) == []


def waiting_for_a_standby(nodes: Nodes) -> int:
    count: int = nodes.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
    return count
