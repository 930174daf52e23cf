"""Asking Patroni, whoever of its nodes is dead, hangs or talks nonsense."""

import time
from typing import Any

import pytest

from backups.cluster.patroni import Patroni, Turn
from backups.errors import ClusterSilent, SwitchoverRefused
from tests.backups.patroni.server import Nodes


def states(patroni: Patroni) -> list[tuple[str, str, str, bool]]:
    return [(node.name, node.role, node.state, node.answers) for node in patroni.look().nodes]


def test_a_cluster_that_works_says_all_of_it(patroni: Patroni) -> None:
    look = patroni.look()
    assert [(node.name, node.role, node.state, node.timeline, node.lag, node.version) for node in look.nodes] == [
        ("node1", "sync_standby", "streaming", 1, 0, 180006),
        ("node2", "leader", "running", 1, None, 180006),
        ("node3", "replica", "streaming", 1, 0, 180006),
    ]
    assert all(node.is_well for node in look.nodes)
    assert look.leading is not None
    assert (look.leading.name, look.leading.host, look.leading.port) == ("node2", "127.0.0.1", 27102)
    assert (look.scope, look.is_in_synchronous_mode, look.is_paused, look.is_agreed) == ("samovar", True, False, True)
    assert [node.name for node in look.candidates] == ["node1"]


def test_without_synchronous_mode_any_standby_may_take_the_lead(patroni: Patroni, nodes: Nodes) -> None:
    for answers in nodes.answers.values():
        answers["config"]["synchronous_mode"] = False
    assert [node.name for node in patroni.look().candidates] == ["node1", "node3"]


def test_the_timelines_come_the_newest_first(patroni: Patroni, nodes: Nodes) -> None:
    nodes.stop("node1")
    newest, oldest = patroni.history()
    assert (newest.timeline, newest.leader, newest.reason) == (3, "node3", "no recovery target specified")
    assert (oldest.timeline, oldest.leader) == (2, "node1")
    assert newest.since is not None
    assert f"{newest.since:%Y-%m-%d %H:%M:%S %Z}" == "2026-11-22 02:46:40 UTC"
    nodes.answers["node2"]["history"] = [[4], "x", [5, 1, "why"], [6, 1, "why", "soon", 7]]
    assert patroni.history() == [Turn(7, None, "7", "why"), Turn(6, None, "", "why")]


def test_the_next_node_is_asked_where_one_is_dead(patroni: Patroni, nodes: Nodes) -> None:
    nodes.stop("node2")
    look = patroni.look()
    # The others call it the leader until its lease has run out; it does not lead all the same.
    assert (look.leader.name if look.leader else "", look.leading) == ("node2", None)
    assert [(node.name, node.answers, node.trouble) for node in look.nodes] == [
        ("node1", True, ""),
        ("node2", False, "no connection"),
        ("node3", True, ""),
    ]


@pytest.mark.parametrize(
    ("said", "trouble"),
    [
        ("hang", "no answer in time"),
        ("cut", "the connection was cut"),
        ((500, "Oh"), "answers 500"),
        ((200, "<html>"), "answers something else than Patroni does"),
        (["a", "list"], "answers something else than Patroni does"),
    ],
    ids=str,
)
def test_what_is_wrong_with_a_node_is_said_in_words(patroni: Patroni, nodes: Nodes, said: Any, trouble: str) -> None:
    nodes.answers["node3"]["patroni"] = said
    assert [node.trouble for node in patroni.look().nodes] == ["", "", trouble]


def test_answers_of_other_types_than_patroni_s_count_as_not_said(patroni: Patroni, nodes: Nodes) -> None:
    nodes.answers["node3"]["patroni"] = {"state": ["running"], "timeline": "one", "patroni": "node3", "pause": 1}
    nodes.answers["node2"]["cluster"] = {"members": [{"name": "node2", "role": "leader", "port": "x", "lag": True}, 7]}
    look = patroni.look(names={nodes.urls[2]: "node3"})
    assert [(node.name, node.state, node.timeline, node.port, node.lag) for node in look.nodes] == [
        ("node1", "streaming", 1, None, None),
        ("node2", "running", 1, None, None),
        ("node3", "", None, None, None),
    ]


def test_without_its_store_patroni_is_not_kept_busy_with_questions_that_nobody_can_answer(
    patroni: Patroni, nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    for answers in nodes.answers.values():
        answers["cluster"] = "hang"
    for _second in range(3):
        look = patroni.look()
        assert (look.is_agreed, look.leading.name if look.leading else "") == (False, "node2")
    assert [asked for asked in nodes.asked if asked.endswith("cluster")] == ["node2/cluster"]
    assert [node.role for node in look.nodes] == ["sync_standby", "leader", "replica"]
    monkeypatch.setattr(patroni, "not_before", time.monotonic())
    patroni.look()
    assert len([asked for asked in nodes.asked if asked.endswith("cluster")]) == 2


def test_the_account_is_told_to_nobody_who_does_not_need_it(patroni: Patroni, nodes: Nodes) -> None:
    seen = []
    send = patroni.sessions[nodes.urls[0]].send

    def watched(request: Any, **more: Any) -> Any:
        seen.append((request.method, "Authorization" in request.headers))
        return send(request, **more)

    patroni.sessions[nodes.urls[0]].send = watched  # type: ignore[method-assign]
    patroni.look()
    patroni.switch_over(leader="node2", candidate="node1")
    assert seen == [("GET", False), ("POST", True)]


# --- a planned switchover ---------------------------------------------------------------------------------


def test_a_switchover_says_what_patroni_says(patroni: Patroni, nodes: Nodes) -> None:
    nodes.stop("node1")
    assert patroni.switch_over(leader="node2", candidate="node1") == 'Successfully switched over to "node1"'
    assert nodes.switched == [{"leader": "node2", "candidate": "node1"}]


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (
            {"leader": "node2", "candidate": "node3"},
            "Patroni did not do it: candidate name does not match with sync_standby",
        ),
        ({"leader": "node1", "candidate": "node3"}, "Patroni did not do it: leader name does not match"),
    ],
)
def test_what_patroni_refuses_is_said_in_its_words(
    patroni: Patroni, nodes: Nodes, asked: dict[str, str], sentence: str
) -> None:
    with pytest.raises(SwitchoverRefused) as refused:
        patroni.switch_over(**asked)
    assert str(refused.value) == sentence
    assert nodes.switched == []


@pytest.mark.parametrize(("user", "words"), [("", "no auth header received"), ("thief", "not authenticated")])
def test_without_its_account_patroni_takes_no_orders(nodes: Nodes, user: str, words: str) -> None:
    with pytest.raises(SwitchoverRefused) as refused:
        Patroni(nodes.urls, user=user, password="secret-tea").switch_over(leader="node2", candidate="node1")
    assert str(refused.value) == (
        f"Patroni takes it from nobody but its own account: set PATRONI_USER and PATRONI_PASSWORD ({words})."
    )
    assert nodes.switched == []


def test_an_answer_that_is_lost_is_not_asked_for_again(patroni: Patroni, nodes: Nodes) -> None:
    """The first one may be doing it."""
    nodes.answers["node1"]["switchover"] = "cut"
    with pytest.raises(ClusterSilent, match="the connection was cut"):
        patroni.switch_over(leader="node2", candidate="node1")
    assert [asked for asked in nodes.asked if "switchover" in asked] == ["node1/switchover"]


def test_nobody_answering_is_a_sentence(patroni: Patroni, nodes: Nodes) -> None:
    for node in nodes.servers:
        nodes.stop(node)
    assert patroni.look().is_silent
    for ask in (patroni.history, lambda: patroni.switch_over(leader="node2", candidate="node1")):
        with pytest.raises(ClusterSilent, match=r"^No Patroni of the cluster answers \(127\.0\.0\.1:\d+: no connect"):
            ask()
    assert Patroni([]).look().is_silent


def test_an_account_in_an_address_is_shown_to_nobody() -> None:
    unreachable = Patroni(["http://samovar:kettle-and-cup@127.0.0.1:9"])
    with pytest.raises(ClusterSilent) as silent:
        unreachable.history()
    assert "(127.0.0.1:9: no connection)" in str(silent.value)
    assert [(node.name, node.trouble) for node in unreachable.look().nodes] == [("127.0.0.1:9", "no connection")]
