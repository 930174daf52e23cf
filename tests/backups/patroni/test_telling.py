"""People are told what begins, that it has ended, and who leads."""

import datetime
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.utils import timezone, translation

from backups import tasks
from backups.cluster.events import Event, EventKind, file_of, write_events
from backups.cluster.sentences import sentence_of
from backups.cluster.watched import Trouble, Watched, write_watched
from backups.engine.repository import Repository
from backups.metrics import cluster_lags, cluster_troubles
from backups.models import ClusterEvent
from backups.services.cluster import DOWN, LEADS, WEAK, look_after_cluster
from backups.watching import all_nodes_work
from monitoring.errors import CheckFailed
from monitoring.models import Alert
from tests.backups.patroni.recorded import after, replay
from tests.backups.patroni.server import Nodes

pytestmark = pytest.mark.django_db
NOBODY_WATCHES = "Nobody watches the cluster. Start the agent: manage.py backup_agent"


def alerts(event: str) -> list[tuple[str, str, bool]]:
    """Subject and sentence of each, the oldest first, and whether it is still open."""
    found = Alert.objects.filter(event=event).order_by("id")
    return [(alert.subject, alert.message, alert.resolved_at is None) for alert in found]


def remember(repository: Repository, name: str, *, until: float) -> list[Event]:
    """The folder as the watch has left it, so many seconds after a fault was recorded. Returns all events."""
    replayed = replay(name, until=until)
    file_of(repository).unlink(missing_ok=True)
    write_events(repository, replayed.events)
    write_watched(repository, replayed.watched)
    return replayed.events


def test_a_lost_leader_is_told_until_another_one_leads(kept: Repository) -> None:
    events = remember(kept, "node_killed", until=8)
    lost = look_after_cluster(repository=kept, now=after(8))
    assert [event.kind for event in lost] == [EventKind.LEADER_LOST]
    sentence = "node3, which led the cluster, is lost: nothing can be saved."
    assert alerts(DOWN) == [("leader", sentence, True)]

    for event in replay("node_killed").events[1:]:
        events.append(event)
    write_events(kept, events[1:])
    write_watched(kept, replay("node_killed", until=30).watched)
    look_after_cluster(repository=kept, now=after(30))
    assert alerts(DOWN) == [("leader", sentence, False)]
    assert alerts(LEADS) == [
        (
            "node2",
            "node2 leads the cluster in the place of node3. For 17.0 s nothing could be saved.",
            False,
        )
    ]
    assert [(subject, is_open) for subject, _sentence, is_open in alerts(WEAK)] == [("member:node3", True)]

    write_watched(kept, replay("node_killed").watched)
    look_after_cluster(repository=kept, now=after(44))
    assert [(subject, is_open) for subject, _sentence, is_open in alerts(WEAK)] == [("member:node3", False)]
    assert Alert.objects.get(event=WEAK).message.startswith("The node node3 is lost: its server does not run")


def test_what_began_and_ended_between_two_looks_is_told_once(kept: Repository) -> None:
    remember(kept, "postgres_killed", until=14)
    for _time in range(2):
        look_after_cluster(repository=kept, now=after(14))
    assert [(subject, is_open) for subject, _sentence, is_open in alerts(DOWN)] == [("leader", False)]
    assert [subject for subject, _sentence, _is_open in alerts(LEADS)] == ["node1"]
    assert Alert.objects.get(event=DOWN).count == 1
    assert list(ClusterEvent.objects.values_list("kind", "member", "leader", "timeline")) == [
        ("leader_elected", "node1", "node1", 2),
        ("leader_lost", "node2", "node2", 1),
    ]


def test_the_table_is_rebuilt_from_the_folder_without_telling_old_news(kept: Repository) -> None:
    events = remember(kept, "postgres_killed", until=14)
    late = after(14) + datetime.timedelta(hours=2)
    write_watched(kept, Watched(looked_at=late))
    assert len(look_after_cluster(repository=kept, now=late)) == 2
    assert (Alert.objects.count(), ClusterEvent.objects.count()) == (0, 2)

    ClusterEvent.objects.all().delete()
    look_after_cluster(repository=kept, now=late)
    assert {str(row.pk) for row in ClusterEvent.objects.all()} == {event.id for event in events}
    file_of(kept).unlink()
    look_after_cluster(repository=kept, now=late)
    assert (Alert.objects.count(), ClusterEvent.objects.count()) == (0, 0)


def test_standbys_that_are_lost_and_a_pause_are_told_too(kept: Repository) -> None:
    remember(kept, "alone", until=25)
    look_after_cluster(repository=kept, now=after(25))
    assert [subject for subject, _sentence, _is_open in alerts(WEAK)] == ["member:node1", "member:node3", "sync"]
    remember(kept, "paused", until=5)
    look_after_cluster(repository=kept, now=after(5))
    assert alerts(WEAK)[-1] == (
        "pause",
        "Patroni is paused: if the leader is lost now, nobody takes its place.",
        True,
    )
    assert [is_open for _subject, _sentence, is_open in alerts(WEAK)] == [False, False, False, True]


def test_that_nobody_watches_is_told_after_a_minute(kept: Repository) -> None:
    write_watched(kept, Watched(looked_at=after(0)))
    look_after_cluster(repository=kept, now=after(60))
    assert alerts(WEAK) == []
    look_after_cluster(repository=kept, now=after(61))
    assert alerts(WEAK) == [("unwatched", NOBODY_WATCHES, True)]
    write_watched(kept, Watched(looked_at=after(70)))
    look_after_cluster(repository=kept, now=after(71))
    assert alerts(WEAK) == [("unwatched", NOBODY_WATCHES, False)]


def test_the_check_and_the_metrics_say_it_without_a_database(
    of_the_shop: Nodes, kept: Repository, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        with pytest.raises(CheckFailed, match=NOBODY_WATCHES.replace(".", r"\.")):
            all_nodes_work()
        at = timezone.now()
        write_watched(kept, Watched(looked_at=at, lags={"node1": 0, "node3": 4096}))
        all_nodes_work()
        assert list(cluster_troubles()) == []
        assert list(cluster_lags()) == [({"node": "node1"}, 0), ({"node": "node3"}, 4096)]
        troubles = {"leader": Trouble(EventKind.LEADER_LOST, at), "pause": Trouble(EventKind.PAUSED, at)}
        write_watched(kept, Watched(looked_at=at, troubles=troubles))
        with pytest.raises(CheckFailed) as failed:
            all_nodes_work()
        assert str(failed.value) == (
            "Nobody leads the cluster: nothing can be saved. "
            "Patroni is paused: if the leader is lost now, nobody takes its place."
        )
        assert list(cluster_troubles()) == [({"about": "leader"}, 1), ({"about": "pause"}, 1)]


def test_a_shop_without_a_cluster_pays_nothing(kept: Repository, settings: Any, django_assert_num_queries: Any) -> None:
    settings.PATRONI_URLS = []
    with django_assert_num_queries(0):
        tasks.watch_cluster()
        all_nodes_work()
        assert [*cluster_lags(), *cluster_troubles()] == []
    assert not (kept.root / "cluster").exists()


def test_the_timetable_looks_every_ten_seconds(of_the_shop: Nodes, kept: Repository) -> None:
    entries = [
        entry for entry in django_settings.CELERY_BEAT_SCHEDULE.values() if entry["task"] == tasks.watch_cluster.name
    ]
    assert [entry["schedule"] for entry in entries] == [10]
    write_events(kept, [Event(EventKind.PAUSED, after(0))])
    tasks.watch_cluster()
    assert ClusterEvent.objects.get().kind == "paused"


def test_an_alert_speaks_the_reader_s_language(kept: Repository) -> None:
    remember(kept, "postgres_killed", until=14)
    with translation.override("ru"):
        look_after_cluster(repository=kept, now=after(14))
    with translation.override("en"):
        assert Alert.objects.get(event=DOWN).text == "node2, which led the cluster, is lost: nothing can be saved."
        assert Alert.objects.get(event=LEADS).text == (
            "node1 leads the cluster in the place of node2. For 5.0 s nothing could be saved."
        )


@pytest.mark.parametrize(
    ("seconds", "sentence"),
    [
        (3.0, "The node node1 is back. It lasted 3.0 s."),
        (119.96, "The node node1 is back. It lasted 120.0 s."),
        (132.4, "The node node1 is back. It lasted 2 min."),
        (7800, "The node node1 is back. It lasted 2 h 10 min."),
    ],
)
def test_how_long_it_lasted_is_told_as_people_say_it(seconds: float, sentence: str) -> None:
    assert sentence_of(EventKind.MEMBER_BACK, member="node1", details={"seconds": seconds}) == sentence
