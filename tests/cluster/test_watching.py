"""The watch, the page's questions and the planned switchover, of real nodes; and that the answers with which the other
tests work are such as real ones give."""

from functools import partial
from typing import Any

import pytest

from backups.cluster.events import Event, EventKind
from backups.cluster.patroni import Patroni
from backups.cluster.watch import ClusterWatch
from backups.cluster.watched import Watched, read_watched, write_watched
from backups.engine.jobs import JobStatus, carry_out, get_job
from backups.engine.repository import Repository, now
from backups.errors import SwitchoverRefused
from backups.services.switchover import request_switchover
from backups.services.work import work_of
from project.embedded.cluster.node import Node
from tests.backups.cluster import wait_until
from tests.backups.patroni.recorded import REFUSALS, recording
from tests.cluster.nodes import Nodes

pytestmark = [pytest.mark.cluster, pytest.mark.slow]


@pytest.fixture
def shop(nodes: Nodes, repository: Repository, settings: Any) -> Repository:
    """The folder of a shop that works with this cluster."""
    variables = nodes.cluster.variables()
    settings.PATRONI_URLS = variables["PATRONI_URLS"].split(",")
    settings.PATRONI_USER, settings.PATRONI_PASSWORD = variables["PATRONI_USER"], variables["PATRONI_PASSWORD"]
    settings.BACKUP_DIR = repository.root
    return repository


class Watching:
    """A watch that looks when it is asked to, and what it has told."""

    def __init__(self, repository: Repository) -> None:
        self.watch = ClusterWatch(repository, Patroni.of_the_shop())
        self.events: list[Event] = []
        self.events += self.watch.look()

    def wait_for(self, kind: EventKind, member: str) -> Event:
        """Looks until that is told of this node."""

        def told() -> Event | None:
            self.events += self.watch.look()
            return next((event for event in self.events if (event.kind, event.member) == (kind, member)), None)

        found: Event = wait_until(told, seconds=120)
        return found


def test_a_failover_is_told_with_who_leads_and_on_which_timeline(nodes: Nodes, shop: Repository) -> None:
    watching = Watching(shop)
    before, timeline = nodes.leader(), watching.watch.watched.timeline
    assert watching.watch.watched.leader == before.name
    assert timeline is not None
    nodes.kill_server(before)
    lost = watching.wait_for(EventKind.LEADER_LOST, before.name)
    another = nodes.wait_for_another(before)
    elected = watching.wait_for(EventKind.LEADER_ELECTED, another.name)
    assert (elected.leader, elected.timeline, elected.details["before"]) == (another.name, timeline + 1, before.name)
    assert lost.at < elected.at
    # In a failover that takes long the old leader is told as lost in between.
    events = [event.kind for event in watching.events if event.kind != EventKind.MEMBER_LOST]
    assert events[:2] == [EventKind.LEADER_LOST, EventKind.LEADER_ELECTED]
    # The new leader writes down its timeline a little after it has begun.
    wait_until(lambda: [turn.timeline for turn in Patroni.of_the_shop().history()][:1] == [timeline + 1])
    assert Patroni.of_the_shop().history()[0].leader == another.name


def test_a_node_that_is_lost_and_comes_back_is_told(nodes: Nodes, shop: Repository) -> None:
    watching = Watching(shop)
    standby = next(node for node in nodes.all if node.name != nodes.leader().name)
    nodes.kill_node(standby)
    watching.wait_for(EventKind.MEMBER_LOST, standby.name)
    assert list(read_watched(shop).troubles) == [f"member:{standby.name}"]
    nodes.start_node(standby)
    watching.wait_for(EventKind.MEMBER_BACK, standby.name)
    assert read_watched(shop).troubles == {}


def test_a_planned_switchover_gives_the_lead_to_who_was_chosen(nodes: Nodes, shop: Repository) -> None:
    watching = Watching(shop)
    before = nodes.leader().name
    (candidate,) = (node.name for node in Patroni.of_the_shop().look().candidates)
    write_watched(shop, Watched(looked_at=now(), leader=before))
    job = request_switchover(leader=before, candidate=candidate, by="anna@samovar.example", reason="A new disk")
    carry_out(shop, job, work_of(shop), pid=1)
    ended = get_job(shop, job.id)
    assert (ended.status, ended.error, ended.result["leader"]) == (JobStatus.DONE, "", candidate)
    assert ended.result["words"] == f'Successfully switched over to "{candidate}"'
    event = watching.wait_for(EventKind.SWITCHOVER, candidate)
    assert {name: event.details[name] for name in ("before", "by", "reason")} == {
        "before": before,
        "by": "anna@samovar.example",
        "reason": "A new disk",
    }
    assert EventKind.LEADER_LOST not in [event.kind for event in watching.events]


# --- the recorded answers ----------------------------------------------------------------------------------


def shape(said: Any) -> Any:
    """Names and types of what was answered."""
    if isinstance(said, dict):
        return {name: shape(value) for name, value in said.items()}
    if isinstance(said, list):
        return [shape(one) for one in said]
    return type(said).__name__


def missing(patroni: Patroni, node: Node, path: str) -> list[str]:
    """What the recorded answer of a node in its role has, and this one has not."""
    roles = {known.name: known.role for known in patroni.look().nodes}
    recorded = {"leader": "node2", "sync_standby": "node1", "replica": "node3"}
    said = shape(patroni.get(node.rest_url, path, kind=object))
    known = shape(recording("steady")[recorded[roles[node.name]]][path])
    if path == "cluster":
        # Each member as the recorded one in its role.
        said, known = ({member["role"]: member for member in answer["members"]} for answer in (said, known))
    if path == "history":
        said, known = said[:1], known[:1]
    return [name for name in known if name not in said]


@pytest.mark.parametrize("path", ["patroni", "cluster", "history"])
def test_real_nodes_answer_as_the_recorded_ones(nodes: Nodes, shop: Repository, path: str) -> None:
    for node in nodes.all:
        # One that has just come back says a moment later whom it follows, or who follows it.
        wait_until(partial(is_complete, Patroni.of_the_shop(), node, path))


def is_complete(patroni: Patroni, node: Node, path: str) -> bool:
    return missing(patroni, node, path) == []


def test_patroni_refuses_in_the_recorded_words(nodes: Nodes, shop: Repository, settings: Any) -> None:
    patroni = Patroni.of_the_shop()
    look = patroni.look()
    leader = nodes.leader().name
    synchronous = look.candidates[0].name
    other = next(node.name for node in look.standbys if node.name != synchronous)
    for asked, why in (
        ({"leader": leader, "candidate": other}, "not synchronous"),
        ({"leader": other, "candidate": synchronous}, "another leads"),
    ):
        with pytest.raises(SwitchoverRefused) as refused:
            patroni.switch_over(**asked)
        assert str(refused.value).endswith(f": {REFUSALS[why][1]}")
    for user, why in (("", "no account"), ("thief", "wrong password")):
        with pytest.raises(SwitchoverRefused) as refused:
            Patroni(settings.PATRONI_URLS, user=user, password="x").switch_over(leader=leader, candidate=synchronous)
        assert f"({REFUSALS[why][1]})" in str(refused.value)
    assert nodes.leader().name == leader
