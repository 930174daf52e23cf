"""The page of the cluster, the switchover's form, and both over REST."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from backups.cluster import patroni as client
from backups.cluster.events import Event, EventKind, write_events
from backups.cluster.watched import Trouble, Watched, write_watched
from backups.engine.jobs import JobKind, all_jobs, carry_out, request_job
from backups.engine.repository import Repository, now
from backups.errors import SwitchoverRefused
from backups.services.cluster import look_after_cluster
from tests.backups.patroni.recorded import after, replay
from tests.backups.patroni.server import Nodes
from tests.rest import Rest
from tests.shop import user_of

pytestmark = pytest.mark.django_db
LIST, SWITCH_OVER = "admin:backups_clusterevent_changelist", "admin:backups_clusterevent_switch_over"


@pytest.fixture
def admin() -> Client:
    signed_in = Client()
    signed_in.force_login(user_of("admin"))
    return signed_in


@pytest.fixture
def watched(of_the_shop: Nodes, kept: Repository) -> Nodes:
    write_watched(kept, Watched(looked_at=now(), leader="node2"))
    return of_the_shop


def text_of(response: Any) -> str:
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_the_page_shows_every_node_and_what_has_happened(
    admin: Client, watched: Nodes, kept: Repository, django_assert_max_num_queries: Any
) -> None:
    write_events(kept, replay("node_killed").events)
    look_after_cluster(repository=kept, now=after(50))
    with django_assert_max_num_queries(25):
        page = text_of(admin.get(reverse(LIST)))
    for words in (
        "<dt>Leader</dt><dd>node2</dd>",
        "synchronous standby",
        "127.0.0.1:27103",
        "18.6",
        "by the agent",
        "22 Nov 2026, 02:46:40",
        "node2 leads the cluster in the place of node3. For 17.0 s nothing could be saved.",
        reverse(SWITCH_OVER),
    ):
        assert words in page
    assert ">does not answer<" not in page


def test_the_page_of_an_event_says_who_wanted_it(admin: Client, watched: Nodes, kept: Repository) -> None:
    details = {"before": "node1", "by": "anna@samovar.example", "reason": "A new disk", "seconds": 3.0}
    event = Event(EventKind.SWITCHOVER, after(0), member="node3", leader="node3", timeline=3, details=details)
    write_events(kept, [event])
    look_after_cluster(repository=kept, now=after(1))
    page = text_of(admin.get(reverse("admin:backups_clusterevent_change", args=[event.id])))
    for words in ("node3 has taken the lead from node1, as planned.", "anna@samovar.example", "A new disk"):
        assert words in page


def test_a_node_that_is_dead_is_shown_so_and_the_page_comes_all_the_same(
    admin: Client, watched: Nodes, kept: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "READ_TIMEOUT", 1.0)
    watched.stop("node2")
    watched.answers["node3"]["patroni"] = "hang"
    troubles = {"leader": Trouble(EventKind.LEADER_LOST, now(), "node2")}
    write_watched(kept, Watched(looked_at=now(), leader="node2", troubles=troubles))
    page = text_of(admin.get(reverse(LIST)))
    assert '<dt>Leader</dt><dd><span class="sv-badge sv-badge-bad">nobody</span></dd>' in page
    assert page.count(">does not answer<") == 2
    assert "node2, which led the cluster, is lost: nothing can be saved." in page
    # It looks again by itself.
    assert "data-under-way" in page
    for node in ("node1", "node3"):
        watched.stop(node)
    assert text_of(admin.get(reverse(LIST))).count(">does not answer<") == 3


def test_without_a_cluster_the_page_says_how_to_get_one_and_the_menu_has_no_line(
    admin: Client, kept: Repository, settings: Any
) -> None:
    settings.PATRONI_URLS = []
    page = text_of(admin.get(reverse(LIST)))
    assert "<code>make cluster</code>" in page
    assert "PATRONI_URLS" in page
    assert f'href="{reverse(LIST)}"' not in text_of(admin.get(reverse("admin:index")))
    settings.PATRONI_URLS = ["http://127.0.0.1:9"]
    assert f'href="{reverse(LIST)}"' in text_of(admin.get(reverse("admin:index")))


# --- the switchover ------------------------------------------------------------------------------------------


def filled(**more: str) -> dict[str, str]:
    return {"candidate": "node1", "reason": "A new disk", "is_sure": "on", "leader": "node2", **more}


def test_an_admin_asks_for_a_switchover(admin: Client, watched: Nodes, kept: Repository) -> None:
    form = text_of(admin.get(reverse(SWITCH_OVER)))
    assert "Now node2 leads." in form
    assert 'value="node1"' in form
    assert 'value="node3"' not in form
    assert admin.post(reverse(SWITCH_OVER), filled()).headers["Location"] == reverse(LIST)
    (job,) = all_jobs(kept)
    assert (job.kind, job.arguments) == (JobKind.SWITCH_OVER, {"leader": "node2", "candidate": "node1"})
    assert (job.by, job.reason) == ("admin@shop.example", "A new disk")
    page = text_of(admin.get(reverse(LIST)))
    assert "node1 takes the lead." in page
    assert "data-under-way" in page


@pytest.mark.parametrize(
    "wrong", [{"candidate": "node3"}, {"candidate": "node2"}, {"reason": ""}, {"is_sure": ""}, {"leader": ""}], ids=str
)
def test_a_form_that_is_not_right_asks_for_nothing(
    admin: Client, watched: Nodes, kept: Repository, wrong: dict[str, str]
) -> None:
    values = {name: value for name, value in filled(**wrong).items() if value}
    assert admin.post(reverse(SWITCH_OVER), values).status_code == 200
    assert all_jobs(kept) == []


def test_what_the_service_refuses_is_said_above_the_form(admin: Client, watched: Nodes, kept: Repository) -> None:
    request_job(kept, JobKind.DRILL)
    assert "Drill is under way. Wait until it is done." in text_of(admin.post(reverse(SWITCH_OVER), filled()))
    assert [job.kind for job in all_jobs(kept)] == [JobKind.DRILL]


def test_where_nobody_can_take_the_lead_the_form_says_so(admin: Client, watched: Nodes) -> None:
    for answers in watched.answers.values():
        answers["cluster"]["members"] = [one for one in answers["cluster"]["members"] if one["name"] == "node2"]
    for node in ("node1", "node3"):
        watched.stop(node)
    assert "No node can take the lead now" in text_of(admin.get(reverse(SWITCH_OVER)))


def test_one_that_failed_is_shown_with_its_reason(admin: Client, watched: Nodes, kept: Repository) -> None:
    def refuse(*_arguments: Any) -> dict[str, Any]:
        raise SwitchoverRefused("Patroni did not do it: leader name does not match")

    carry_out(kept, request_job(kept, JobKind.SWITCH_OVER, arguments={"candidate": "node1"}), refuse, pid=1)
    assert "Patroni did not do it: leader name does not match" in text_of(admin.get(reverse(LIST)))


@pytest.mark.parametrize("role", ["manager", "barista"])
def test_only_the_admin_sees_and_switches(role: str, watched: Nodes, kept: Repository) -> None:
    signed_in = Client()
    user = user_of(role)
    signed_in.force_login(user)
    assert signed_in.get(reverse(LIST)).status_code == 403
    assert signed_in.post(reverse(SWITCH_OVER), filled()).status_code == 403
    for path in ("cluster/", "cluster/events/"):
        Rest(user).refused("get", path, status=403, kind="permission_denied")
    assert all_jobs(kept) == []


# --- REST ----------------------------------------------------------------------------------------------------


def test_a_program_reads_how_the_cluster_stands(watched: Nodes) -> None:
    said = Rest(user_of("admin")).get("cluster/")
    assert (said["has_cluster"], said["detail"], said["leader"], said["timeline"]) == (True, "", "node2", 1)
    assert (said["is_synchronous"], said["is_paused"], said["is_watched"], said["troubles"]) == (True, False, True, [])
    assert [(node["name"], node["role"], node["lag"], node["can_take_over"]) for node in said["nodes"]] == [
        ("node1", "sync_standby", 0, True),
        ("node2", "leader", None, False),
        ("node3", "replica", 0, False),
    ]
    assert [(turn["timeline"], turn["leader"]) for turn in said["history"]] == [(3, "node3"), (2, "node1")]


def test_without_a_cluster_a_program_is_told_so(kept: Repository, settings: Any) -> None:
    settings.PATRONI_URLS = []
    said = Rest(user_of("admin")).get("cluster/")
    assert (said["has_cluster"], said["leader"], said["nodes"]) == (False, "", [])
    assert said["detail"].startswith("There is no cluster of databases here.")


def test_a_program_reads_what_has_happened(watched: Nodes, kept: Repository) -> None:
    write_events(kept, replay("postgres_killed").events)
    look_after_cluster(repository=kept, now=after(20))
    rest = Rest(user_of("admin"))
    said = rest.get("cluster/events/")
    assert [(event["kind"], event["member"], event["timeline"]) for event in said["results"]] == [
        ("leader_elected", "node1", 2),
        ("leader_lost", "node2", 1),
    ]
    assert said["results"][0]["details"] == {"before": "node2", "seconds": 5.0}
    assert said["results"][1]["sentence"] == "node2, which led the cluster, is lost: nothing can be saved."
    found = rest.get("cluster/events/", kind="leader_lost")
    assert [event["kind"] for event in found["results"]] == ["leader_lost"]
