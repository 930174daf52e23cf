"""`manage.py cluster`, for the day on which no page can be opened."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from backups.cluster.events import EventKind, write_events
from backups.cluster.watched import Trouble, Watched, write_watched
from backups.engine.repository import Repository, now
from tests.backups.patroni.recorded import replay
from tests.backups.patroni.server import Nodes


def said(**options: Any) -> list[str]:
    out = StringIO()
    call_command("cluster", stdout=out, no_color=True, **options)
    return out.getvalue().splitlines()


def test_it_shows_nodes_and_events_and_asks_no_database(of_the_shop: Nodes, kept: Repository) -> None:
    write_watched(kept, Watched(looked_at=now()))
    write_events(kept, replay("postgres_killed").events)
    assert said() == [
        "node           role            state         timeline    behind by  address",
        "node1          sync_standby    streaming            1          0 B  127.0.0.1:27101",
        "node2          leader          running              1               127.0.0.1:27102",
        "node3          replica         streaming            1          0 B  127.0.0.1:27103",
        "2026-11-22 12:00:04 UTC  node2, which led the cluster, is lost: nothing can be saved.",
        "2026-11-22 12:00:09 UTC  node1 leads the cluster in the place of node2. For 5.0 s nothing could be saved.",
    ]
    assert len(said(events=0)) == 4


def test_without_a_leader_it_says_so_last_and_fails(of_the_shop: Nodes, kept: Repository) -> None:
    of_the_shop.stop("node2")
    troubles = {"leader": Trouble(EventKind.LEADER_LOST, now(), "node2")}
    write_watched(kept, Watched(looked_at=now(), troubles=troubles))
    out = StringIO()
    with pytest.raises(CommandError, match=r"^Nobody leads the cluster\.$"):
        call_command("cluster", stdout=out, no_color=True)
    assert out.getvalue().splitlines()[2:] == [
        "node2          leader          no connection        1               127.0.0.1:27102",
        "node3          replica         streaming            1          0 B  127.0.0.1:27103",
        "node2, which led the cluster, is lost: nothing can be saved.",
    ]


def test_without_a_cluster_it_says_how_to_get_one(kept: Repository, settings: Any) -> None:
    settings.PATRONI_URLS = []
    with pytest.raises(CommandError, match=r"^There is no cluster of databases here\."):
        said()
