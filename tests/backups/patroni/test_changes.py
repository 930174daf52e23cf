"""What the watch makes of what real nodes have answered while things were done to them."""

import datetime

import pytest

from backups.cluster.changes import what_happened
from backups.cluster.look import Own, put_together
from backups.cluster.watched import Plan, Watched
from tests.backups.patroni.recorded import after, frames, look_of, recording, replay

# node1 leads, on timeline 2.
NODE1_LEADS = recording("switchover")[0]
PLAN = Plan("node1", "node3", "anna@samovar.example", "A new disk", began_at=after(2))

HAPPENED = {
    # kill -9 of the leader's server; its Patroni gives the lead back at once.
    "postgres_killed": [(4.0, "leader_lost", "node2"), (9.0, "leader_elected", "node1")],
    # kill -9 of the leader's server and its Patroni, and its return. The others still call it the leader for 17 s.
    "node_killed": [
        (4.0, "leader_lost", "node3"),
        (4.0, "member_lost", "node3"),
        (21.0, "leader_elected", "node2"),
        (43.0, "member_back", "node3"),
    ],
    "paused": [(3.0, "paused", ""), (7.0, "resumed", "")],
    # Both standbys killed, and back.
    "alone": [
        (3.0, "member_lost", "node1"),
        (3.0, "member_lost", "node3"),
        (9.0, "sync_lost", ""),
        (38.0, "member_back", "node1"),
        (38.0, "member_back", "node3"),
        (41.0, "sync_back", ""),
    ],
    # Without its store Patroni stops the leader, and nobody can be asked about the cluster.
    "etcd_lost": [(8.0, "leader_lost", "node2"), (31.0, "leader_elected", "node2")],
    # kill -STOP of the Patroni of a standby.
    "frozen": [(3.0, "member_lost", "node3"), (28.0, "member_back", "node3")],
    # A planned switchover of which nobody here knows.
    "switchover": [(3.0, "leader_lost", "node1"), (6.0, "leader_elected", "node3")],
}


@pytest.mark.parametrize("name", HAPPENED)
def test_each_fault_is_told_when_it_begins_and_when_it_has_ended(name: str) -> None:
    replayed = replay(name)
    assert replayed.told == HAPPENED[name]
    assert (replayed.watched.troubles, replayed.watched.doubts) == ({}, {})


def test_a_new_leader_says_its_timeline_whom_it_follows_and_for_how_long_nothing_could_be_saved() -> None:
    lost, elected = replay("postgres_killed").events
    assert (lost.leader, lost.timeline, lost.details) == ("node2", 1, {})
    assert (elected.leader, elected.timeline, elected.details) == ("node1", 2, {"before": "node2", "seconds": 5.0})
    assert replay("etcd_lost").events[1].details == {"before": "node2", "seconds": 23.0}


def test_a_planned_switchover_is_no_failure_and_says_who_wanted_it() -> None:
    (event,) = replay("switchover", plan=PLAN).events
    assert (event.kind, event.member, event.timeline) == ("switchover", "node3", 3)
    assert event.details == {
        "before": "node1",
        "seconds": 3.0,
        "by": "anna@samovar.example",
        "reason": "A new disk",
    }


@pytest.mark.parametrize(
    "plan",
    [
        Plan("node2", "node3", "", "Another leader", began_at=after(2)),
        Plan("node1", "node3", "", "Long ago", began_at=after(-100)),
        Plan("node1", "node3", "", "Ended long ago", began_at=after(-100), ended_at=after(-60)),
    ],
    ids=lambda plan: plan.reason,
)
def test_a_plan_for_something_else_explains_nothing(plan: Plan) -> None:
    assert replay("switchover", plan=plan).told == HAPPENED["switchover"]


def test_a_planned_switchover_that_leaves_nobody_leading_is_a_failure_after_all() -> None:
    watched = replay("switchover", plan=PLAN, until=3.0).watched
    frame = recording("switchover")[1]
    late = after(3.0) + datetime.timedelta(seconds=31)
    watched, events = what_happened(watched, look_of(frame, at=late), plan=PLAN)
    assert [(event.kind, event.at, event.member) for event in events] == [
        ("leader_lost", after(3.0), "node1"),
        ("member_lost", after(3.0), "node1"),
    ]
    assert sorted(watched.troubles) == ["leader", "member:node1"]


def test_what_was_remembered_survives_the_agent() -> None:
    replayed = replay("node_killed", until=16.0)
    watched = Watched.from_json(replayed.watched.to_json())
    assert watched == replayed.watched
    assert {about: (one.kind.value, one.since, one.member) for about, one in watched.troubles.items()} == {
        "leader": ("leader_lost", after(4.0), "node3"),
        "member:node3": ("member_lost", after(4.0), "node3"),
    }
    for text in ("", "[]", "{", '{"troubles": {"leader": 1}}', '{"looked_at": "soon"}'):
        assert Watched.from_json(text) == Watched()


def test_who_took_the_lead_while_nobody_watched_is_told() -> None:
    watched = Watched(looked_at=after(-3600), leader="node2", timeline=4)
    watched, (event,) = what_happened(watched, look_of(NODE1_LEADS, at=after(0)))
    assert (event.kind, event.member, event.details) == ("leader_elected", "node1", {"before": "node2"})
    assert (watched.leader, watched.timeline) == ("node1", 2)


def test_the_first_look_at_a_cluster_that_works_tells_nothing() -> None:
    watched, events = what_happened(Watched(), look_of(NODE1_LEADS, at=after(0)))
    assert events == []
    assert (watched.leader, sorted(watched.members)) == ("node1", ["node1", "node2", "node3"])


def test_one_look_that_went_wrong_is_no_fault() -> None:
    watched, _none = what_happened(Watched(), look_of(NODE1_LEADS, at=after(0)))
    silent = {**NODE1_LEADS, "patroni": {**NODE1_LEADS["patroni"], "node1": None}}
    watched, first = what_happened(watched, look_of(silent, at=after(1), names=watched.names))
    watched, second = what_happened(watched, look_of(NODE1_LEADS, at=after(2), names=watched.names))
    assert first == second == []
    assert watched.doubts == {}


def test_nobody_answering_is_told_once_and_blames_no_node() -> None:
    watched, _none = what_happened(Watched(), look_of(NODE1_LEADS, at=after(0)))
    nobody = {"patroni": dict.fromkeys(("node1", "node2", "node3")), "cluster": None}
    told = []
    for second in range(1, 20):
        watched, events = what_happened(watched, look_of(nobody, at=after(second), names=watched.names))
        told += [(second, event.kind, event.at) for event in events]
    watched, events = what_happened(watched, look_of(NODE1_LEADS, at=after(20), names=watched.names))
    assert told == [(6, "unreachable", after(1))]
    assert [(event.kind, event.details) for event in events] == [("reachable", {"seconds": 19.0})]


def test_a_node_that_is_taken_out_of_the_cluster_and_the_settings_is_forgotten() -> None:
    watched, _none = what_happened(Watched(), look_of(NODE1_LEADS, at=after(0)))
    left = {**NODE1_LEADS["cluster"]}
    left["members"] = [member for member in left["members"] if member["name"] != "node2"]
    owns = [Own(f"http://{node}:8008", NODE1_LEADS["patroni"][node]) for node in ("node1", "node3")]
    for second in range(1, 20):
        look = put_together(owns, at=after(second), cluster=left, names=watched.names)
        watched, events = what_happened(watched, look)
        assert events == []
    assert sorted(watched.members) == ["node1", "node3"]


def test_a_node_that_was_dead_before_anybody_looked_is_known_by_its_address() -> None:
    dead = {**NODE1_LEADS, "patroni": {**NODE1_LEADS["patroni"], "node2": None}}
    others = [member for member in dead["cluster"]["members"] if member["name"] != "node2"]
    dead["cluster"] = {**dead["cluster"], "members": others}
    watched, told = Watched(), []
    for second in range(12):
        watched, events = what_happened(watched, look_of(dead, at=after(second), names=watched.names))
        told += [(event.kind, event.member) for event in events]
    assert told == [("member_lost", "node2:8008")]
    watched, _none = what_happened(watched, look_of(NODE1_LEADS, at=after(12), names=watched.names))
    assert (sorted(watched.members), watched.troubles) == (["node1", "node2", "node3"], {})


def test_of_two_lists_the_last_one_left_is_the_same_node() -> None:
    """The settings may know a node by another address than the cluster does."""
    owns = [Own(f"http://{node}.example", NODE1_LEADS["patroni"][node]) for node in ("node2", "node3")]
    look = put_together([Own("http://10.0.0.1", trouble="-"), *owns], at=after(0), cluster=NODE1_LEADS["cluster"])
    assert next((node.name, node.url, node.answers) for node in look.nodes) == ("node1", "http://10.0.0.1", False)
    assert (len(look.nodes), look.leading) == (3, None)


def test_synchronous_mode_that_is_not_asked_for_is_not_missed() -> None:
    watched = replay("alone", until=25.0).watched
    assert "sync" in watched.troubles
    frame = dict(frames("alone"))[25.0]
    owns = [Own(f"http://{node}:8008", said) for node, said in frame["patroni"].items()]
    look = put_together(owns, at=after(26), cluster=frame["cluster"], config={"synchronous_mode": False})
    watched, events = what_happened(watched, look)
    assert events == []
    assert "sync" not in watched.troubles
