"""A standby of the tests' server, which takes over."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from tests.backups.cluster import Cluster, running_cluster, wait_until
from tests.database_away.conftest import Lasting


class Standby(Lasting):
    """Made as a copy of the leader, which it follows."""

    def __init__(self, *, leader: Cluster, **options: Any) -> None:
        super().__init__(**options)
        self.leader = leader

    def run_initdb(self) -> None:
        subprocess.run(
            [
                *(str(self.programs / "pg_basebackup"), f"--pgdata={self.data}", "--write-recovery-conf"),
                *("--checkpoint=fast", "--no-sync"),
            ],
            env=self.leader.server.environment(),
            check=True,
        )
        if self.account:
            self.account.own(self.data)


@contextmanager
def standby_of(leader: Cluster, owner: Path) -> Iterator[Cluster]:
    """Whatever the leader acknowledges from here on, the standby has too."""
    with running_cluster(owner, make=partial(Standby, leader=leader)) as standby:
        leader.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
        leader.sql("SELECT pg_reload_conf()")
        wait_until(lambda: leader.sql("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"))
        try:
            yield standby
        finally:
            if not leader.programs[-1].is_running():
                leader.start()
            leader.sql("ALTER SYSTEM RESET synchronous_standby_names")
            leader.sql("SELECT pg_reload_conf()")


def take_over(standby: Cluster) -> None:
    assert standby.value("SELECT pg_promote()") is True
