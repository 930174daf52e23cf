"""A recovered server: it is nobody else's, can be put aside and opened again, and several do not meet."""

import os
import shutil
from pathlib import Path

import pytest

from backups.engine import beside as besides
from backups.engine.recovery import (
    closed_recoveries,
    discard_leftover_recoveries,
    discard_recovery,
    open_beside,
    recover_beside,
)
from backups.engine.repository import Repository, now
from backups.engine.targets import Target
from backups.errors import Busy, Interrupted, NothingRecovered
from tests.backups.cluster import Cluster, wait_until
from tests.backups.recovering import folder_of, numbers, programs_of, recover, server_of

pytestmark = pytest.mark.slow


def test_a_recovery_can_be_put_aside_and_opened_again(archive: Repository, cluster: Cluster) -> None:
    folder, programs = folder_of(cluster), programs_of(cluster)
    with recover(archive, cluster, Target.latest(), name="evening") as beside:
        assert beside.server.ask("CREATE TABLE noted (text text)") == []
        socket = Path(beside.server.host)
        assert socket.stat().st_mode & 0o777 == 0o700
        with pytest.raises(Busy), recover(archive, cluster, Target.latest(), name="evening"):
            pass
        beside.close()
    assert discard_leftover_recoveries(folder) == []
    assert [one.name for one in closed_recoveries(folder)] == ["evening"]
    with open_beside(folder, "evening", programs=programs) as again:
        assert numbers(again.server.ask) == [1, 2, 3, 4]
        assert again.server.ask("SELECT count(*) FROM noted") == [(0,)]
        with pytest.raises(Busy), open_beside(folder, "evening", programs=programs):
            pass
        # Killed while it is open: nothing is lost, as long as the machine itself goes on.
        server_of(folder).kill()
        wait_until(lambda: not again.is_running())
        with pytest.raises(Interrupted):
            again.close()
        again.let_go()
    with open_beside(folder, "evening", programs=programs) as again:
        assert numbers(again.server.ask) == [1, 2, 3, 4]
        again.close()
    assert discard_leftover_recoveries(folder, older_than=now()) == ["evening"]
    for name in ("evening", "..", "", "a/b"):
        with pytest.raises(NothingRecovered):
            open_beside(folder, name, programs=programs)
        with pytest.raises(NothingRecovered):
            discard_recovery(folder, name)


def test_what_was_open_when_the_machine_went_down_is_not_used_again(
    archive: Repository, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    with recover(archive, cluster, Target.latest(), name="evening") as beside:
        beside.close()
    again = open_beside(folder_of(cluster), "evening", programs=programs_of(cluster))
    again.stop()
    again.let_go()
    monkeypatch.setattr(besides, "this_run", lambda: "after the power cut")
    with pytest.raises(NothingRecovered):
        open_beside(folder_of(cluster), "evening", programs=programs_of(cluster))


def test_two_recoveries_at_once_do_not_meet(archive: Repository, cluster: Cluster) -> None:
    with (
        recover(archive, cluster, Target.latest()) as one,
        recover(archive, cluster, Target.as_backed_up()) as other,
    ):
        one.server.ask("DELETE FROM sales WHERE id = 1")
        assert (numbers(one.server.ask), numbers(other.server.ask)) == ([2, 3, 4], [])
        assert cluster.value("SELECT count(*) FROM sales") == 4


def test_a_recovered_server_belongs_to_nobody_but_its_account(archive: Repository, cluster: Cluster) -> None:
    with recover(archive, cluster, Target.latest()) as beside:
        ask = beside.server.ask
        assert ask("SHOW listen_addresses") == [("",)]
        assert ask("SHOW archive_mode") == [("off",)]
        assert ask("SELECT pg_is_in_recovery(), count(*) FROM pg_replication_slots") == [(False, 0)]
        assert ask("SELECT system_identifier::text FROM pg_control_system()") == [
            (archive.backups()[-1].manifest.system_identifier,)
        ]


def test_a_short_way_is_found_for_a_socket_in_a_deep_folder(archive: Repository, cluster: Cluster) -> None:
    folder = folder_of(cluster) / ("д" * 60)
    folder.mkdir(parents=True)
    if os.geteuid() == 0:
        for one in (folder, folder.parent):
            shutil.chown(one, "nobody")
    with recover_beside(archive, Target.latest(), folder=folder, programs=programs_of(cluster)) as beside:
        assert numbers(beside.server.ask) == [1, 2, 3, 4]
        socket = Path(beside.server.host)
        assert socket.is_dir()
    assert not socket.exists()
    assert list(folder.iterdir()) == []
    folder.rmdir()
