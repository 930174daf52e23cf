"""A planned switchover: asked for by a person, done by the agent, and nothing else at the same time."""

import datetime
from typing import Any

import pytest

from backups.cluster import patroni as client
from backups.cluster.patroni import Patroni
from backups.cluster.watch import ClusterWatch
from backups.cluster.watched import Watched, read_plan, write_watched
from backups.engine.jobs import Job, JobKind, JobStatus, all_jobs, carry_out, get_job, request_job, save
from backups.engine.repository import Repository, now
from backups.errors import Busy, NoAgent, NoCluster
from backups.services import switchover
from backups.services.switchover import request_switchover
from backups.services.work import work_of
from foundation.errors import InvalidInput
from tests.backups.patroni.server import PASSWORD, USER, Nodes

ASKED = {"leader": "node2", "candidate": "node1", "by": "anna@samovar.example", "reason": "A new disk"}


@pytest.fixture
def watched(of_the_shop: Nodes, kept: Repository) -> Nodes:
    """The shop's cluster, and an agent that watches it."""
    write_watched(kept, Watched(looked_at=now(), leader="node2"))
    return of_the_shop


def done(repository: Repository, job: Job) -> Job:
    """The job after the agent's process has carried it out."""
    carry_out(repository, job, work_of(repository), pid=1)
    return get_job(repository, job.id)


def test_another_node_leads_and_the_event_says_who_wanted_it_and_why(watched: Nodes, kept: Repository) -> None:
    watch = ClusterWatch(kept, Patroni(watched.urls, user=USER, password=PASSWORD))
    watch.look()
    job = request_switchover(**ASKED)
    assert (job.kind, job.by, job.reason) == (JobKind.SWITCH_OVER, "anna@samovar.example", "A new disk")
    ended = done(kept, job)
    assert (ended.status, ended.error) == (JobStatus.DONE, "")
    assert ended.result == {
        "leader": "node1",
        "before": "node2",
        "words": 'Successfully switched over to "node1"',
    }
    (event,) = watch.look()
    assert (event.kind, event.member, event.timeline) == ("switchover", "node1", 2)
    assert event.details == {"before": "node2", "by": "anna@samovar.example", "reason": "A new disk"}


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"candidate": "node3"}, "Patroni did not do it: candidate name does not match with sync_standby"),
        ({"leader": "node3"}, "Patroni did not do it: leader name does not match"),
    ],
)
def test_what_patroni_refuses_fails_and_nothing_has_changed(
    watched: Nodes, kept: Repository, asked: dict[str, str], sentence: str
) -> None:
    ended = done(kept, request_switchover(**ASKED | asked))
    assert (ended.status, ended.error, ended.error_kind) == (JobStatus.FAILED, sentence, "switchover_refused")
    assert watched.switched == []
    plan = read_plan(kept)
    assert plan is not None
    assert plan.ended_at is not None


def test_an_answer_that_was_lost_is_found_out_by_looking(watched: Nodes, kept: Repository) -> None:
    watched.answers["node1"]["switchover"] = "cut"
    watched.lead("node1", before="node2")
    ended = done(kept, request_switchover(**ASKED))
    assert (ended.status, ended.result["leader"], ended.result["words"]) == (JobStatus.DONE, "node1", "")


def test_a_word_of_patroni_without_a_new_leader_is_a_failure(
    watched: Nodes, kept: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switchover, "LEADS_WITHIN", 0.0)
    for answers in watched.answers.values():
        answers["switchover"] = (200, 'Successfully switched over to "node1"')
    ended = done(kept, request_switchover(**ASKED))
    assert (ended.status, ended.error_kind) == (JobStatus.FAILED, "switchover_late")
    assert ended.error == (
        'Patroni says “Successfully switched over to "node1"”, but nobody leads yet. Look at the page of the cluster.'
    )


def test_nobody_answering_is_a_sentence(watched: Nodes, kept: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "READ_TIMEOUT", 1.0)
    job = request_switchover(**ASKED)
    for node in watched.servers:
        watched.stop(node)
    ended = done(kept, job)
    assert (ended.status, ended.error_kind) == (JobStatus.FAILED, "cluster_silent")
    assert ended.error.startswith("No Patroni of the cluster answers (127.0.0.1:")


def test_one_that_waited_too_long_is_not_meant_any_more(watched: Nodes, kept: Repository) -> None:
    job = request_switchover(**ASKED)
    job.requested_at -= datetime.timedelta(minutes=3)
    save(kept, job)
    ended = done(kept, job)
    assert ended.error == "It was asked for too long ago. Look who leads, and ask again if it is still wanted."
    assert watched.switched == []


# --- what is refused at once -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "field", "sentence"),
    [
        ({"candidate": "node2"}, "candidate", "Choose one that does not lead yet."),
        ({"candidate": ""}, "candidate", "Choose one that does not lead yet."),
        ({"reason": "  "}, "reason", "Say why."),
    ],
)
def test_it_needs_somebody_else_and_a_reason(
    watched: Nodes, kept: Repository, asked: dict[str, Any], field: str, sentence: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        request_switchover(**ASKED | asked)
    assert refused.value.errors == {field: [sentence]}
    assert all_jobs(kept) == []


def test_it_would_break_a_backup_that_is_under_way(watched: Nodes, kept: Repository) -> None:
    request_job(kept, JobKind.BACKUP, arguments={"kind": "physical"})
    with pytest.raises(Busy, match=r"^Backup is under way\. Wait until it is done\.$"):
        request_switchover(**ASKED)
    assert [job.kind for job in all_jobs(kept)] == [JobKind.BACKUP]


def test_without_an_agent_nobody_would_do_it(watched: Nodes, kept: Repository) -> None:
    write_watched(kept, Watched(looked_at=now() - datetime.timedelta(minutes=1)))
    with pytest.raises(NoAgent, match=r"manage\.py backup_agent"):
        request_switchover(**ASKED)
    assert all_jobs(kept) == []


def test_without_a_cluster_nobody_can_take_the_lead(kept: Repository, settings: Any) -> None:
    settings.PATRONI_URLS = []
    with pytest.raises(NoCluster, match="PATRONI_URLS names its nodes"):
        request_switchover(**ASKED)
    assert all_jobs(kept) == []
