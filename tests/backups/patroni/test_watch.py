"""The watch writes down what happens, whatever happens to itself."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from backups.cluster.events import MOST_EVENTS, Event, EventKind, file_of, folder_of, read_events, write_events
from backups.cluster.patroni import Patroni
from backups.cluster.watch import ClusterWatch
from backups.cluster.watched import read_watched
from backups.engine.jobs import all_jobs
from backups.engine.repository import Repository, now
from tests.backups.cluster import wait_until
from tests.backups.patroni.recorded import after, recording
from tests.backups.patroni.server import Nodes

NOBODY_LEADS, NODE1_LEADS = recording("postgres_killed")[2], recording("postgres_killed")[-1]


def kinds(repository: Repository) -> list[str]:
    return [event.kind.value for event in read_events(repository)]


def test_what_happens_stands_in_the_folder_also_for_a_watch_that_was_killed(
    repository: Repository, patroni: Patroni, nodes: Nodes
) -> None:
    watch = ClusterWatch(repository, patroni)
    watch.look()
    assert (read_watched(repository).leader, kinds(repository)) == ("node2", [])
    nodes.say(NOBODY_LEADS)
    watch.look()
    assert "leader" in read_watched(repository).doubts

    another = ClusterWatch(repository, patroni)
    wait_until(another.look)
    assert (list(read_watched(repository).troubles), kinds(repository)) == (["leader"], ["leader_lost"])
    nodes.say(NODE1_LEADS)
    (elected,) = ClusterWatch(repository, patroni).look()
    assert (elected.member, elected.timeline, elected.details["before"]) == ("node1", 2, "node2")
    assert read_events(repository)[1] == elected
    assert (read_watched(repository).leader, read_watched(repository).troubles) == ("node1", {})


def test_without_news_the_file_is_left_alone_for_a_while(repository: Repository, patroni: Patroni) -> None:
    watch = ClusterWatch(repository, patroni)
    watch.look()
    first = read_watched(repository).looked_at
    watch.look()
    assert read_watched(repository).looked_at == first
    watch.written = replace(watch.written, looked_at=now() - timedelta(seconds=10))
    watch.look()
    assert read_watched(repository).looked_at != first


def test_events_wait_until_the_folder_can_be_written(repository: Repository, patroni: Patroni, nodes: Nodes) -> None:
    in_the_way = folder_of(repository)
    in_the_way.write_text("This is no folder.")
    watch = ClusterWatch(repository, patroni)
    watch.look()
    nodes.say(NOBODY_LEADS)
    wait_until(watch.look)
    nodes.say(NODE1_LEADS)
    watch.look()
    in_the_way.unlink()
    watch.look()
    assert kinds(repository) == ["leader_lost", "leader_elected"]
    assert watch.unwritten == []


def test_a_line_that_was_torn_spoils_no_other(repository: Repository) -> None:
    first, second = (Event(EventKind.PAUSED, after(second), details={"why": "Чай ☕"}) for second in (1, 2))
    write_events(repository, [first])
    with file_of(repository).open("ab") as file:
        file.write(b'{"kind": "paus\xd0')
    write_events(repository, [second])
    assert read_events(repository) == [first, second]
    assert file_of(repository).stat().st_mode & 0o777 == 0o600


def test_the_oldest_events_are_forgotten_in_the_end(repository: Repository) -> None:
    many = [Event(EventKind.PAUSED, after(second)) for second in range(MOST_EVENTS + 201)]
    write_events(repository, many[:-1])
    assert len(read_events(repository)) == MOST_EVENTS + 200
    write_events(repository, many[-1:])
    assert read_events(repository) == many[-MOST_EVENTS:]


def test_a_watch_that_fails_goes_on(repository: Repository, nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = ClusterWatch(repository, Patroni(nodes.urls))
    looked = []

    def look() -> list[Event]:
        looked.append(1)
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(watch, "look", look)
    monkeypatch.setattr("backups.cluster.watch.LOOK_EVERY", 0.0)
    watch.run(lambda: len(looked) == 3)
    assert len(looked) == 3


# --- in the agent, with no database ---------------------------------------------------------------------------


@contextmanager
def agent(tmp_path: Path, nodes: Nodes) -> Iterator[subprocess.Popen[bytes]]:
    """The agent of a shop whose database is gone altogether."""
    environment = {
        **os.environ,
        "DATABASE_URL": "postgres://samovar@127.0.0.1:9/shop",
        "BACKUP_DIR": str(tmp_path / "backups"),
        "PATRONI_URLS": ",".join(nodes.urls),
        "MAINTENANCE_FILE": str(tmp_path / "maintenance.json"),
        "LOG_LEVEL": "ERROR",
    }
    command = [sys.executable, str(django_settings.BASE_DIR / "manage.py"), "backup_agent", "--no-wal"]
    process = subprocess.Popen(command, env=environment)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def test_the_agent_watches_while_there_is_no_database(tmp_path: Path, nodes: Nodes) -> None:
    repository = Repository(tmp_path / "backups")
    with agent(tmp_path, nodes) as process:
        wait_until(lambda: read_watched(repository).leader == "node2", seconds=60)
        nodes.say(NOBODY_LEADS)
        wait_until(lambda: kinds(repository) == ["leader_lost"])
        nodes.say(NODE1_LEADS)
        wait_until(lambda: kinds(repository) == ["leader_lost", "leader_elected"])
        # The backup that it begins with fails, and it goes on.
        wait_until(lambda: [job.status.value for job in all_jobs(repository)] == ["failed"], seconds=60)
        assert process.poll() is None
    assert process.returncode == 0
