"""The daily physical backup where the server can't build upon the one before."""

from pathlib import Path

import pytest
from pytest_django import Settings
from structlog.testing import capture_logs

from backups.engine.jobs import JobKind, JobStatus, carry_out, request_job
from backups.engine.manifest import Kind
from backups.engine.physical import take_physical
from backups.engine.repository import Repository
from backups.engine.server import Server
from backups.errors import ToolFailed
from backups.services.work import work_of
from tests.backups.cluster import Cluster, wait_until


def set_and_wait(cluster: Cluster, name: str, value: str) -> None:
    cluster.sql(f"ALTER SYSTEM SET {name} = '{value}'")
    cluster.sql("SELECT pg_reload_conf()")
    wait_until(lambda: cluster.value(f"SHOW {name}") == value)


def lose_summaries(cluster: Cluster) -> None:
    """Has the server write, and throw away, WAL that it never summarizes."""
    for name in ("min_wal_size", "max_wal_size"):
        set_and_wait(cluster, name, "32MB")
    set_and_wait(cluster, "summarize_wal", "off")
    before = cluster.value("SELECT min(name) FROM pg_ls_waldir()")
    for _number in range(6):
        cluster.switch_wal()
        cluster.sql("CHECKPOINT")
    wait_until(lambda: cluster.value("SELECT min(name) FROM pg_ls_waldir()") > before)
    set_and_wait(cluster, "summarize_wal", "on")


def test_a_full_backup_is_taken_where_no_incremental_one_can_be(
    cluster: Cluster, kept: Repository, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.BACKUP_PLACES = []
    (tmp_path / "media").mkdir()
    monkeypatch.setattr(Server, "of_the_shop", lambda: cluster.server)
    monkeypatch.setattr("backups.services.work.keep_erasures", lambda **_more: None)
    kept.make()

    def daily() -> str:
        job = request_job(kept, JobKind.BACKUP, arguments={"kind": Kind.PHYSICAL, "period": "daily"}, by="beat")
        done = carry_out(kept, job, work_of(kept), pid=1)
        assert (done.status, done.error) == (JobStatus.DONE, "")
        return kept.get(done.result["backup_id"]).manifest.base_id

    full = take_physical(kept, cluster.server)
    assert daily() == full.id
    lose_summaries(cluster)
    with pytest.raises(ToolFailed, match="WAL summaries are required"):
        take_physical(kept, cluster.server, base=full)
    with capture_logs() as logs:
        assert daily() == ""
    assert [one["log_level"] for one in logs if one["event"] == "incremental_backup_failed"] == ["warning"]
    # The next ones build upon that.
    assert daily() == kept.backups()[-2].id
