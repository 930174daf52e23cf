"""A row's own transaction may be a part of another: what is done between savepoints has a number of its own."""

from backups.engine.physical import take_physical
from backups.engine.repository import Repository
from backups.engine.targets import Target
from tests.backups.archive import receiving
from tests.backups.cluster import Cluster
from tests.backups.recovering import numbers, recover, written


def test_just_before_a_part_is_just_before_the_whole(cluster: Cluster, repository: Repository) -> None:
    cluster.sql("CREATE TABLE parts (id int PRIMARY KEY)")
    with receiving(repository, cluster):
        take_physical(repository, cluster.server)
        cluster.sql("INSERT INTO parts VALUES (1)")
        cluster.sql(
            "BEGIN; INSERT INTO parts VALUES (2); SAVEPOINT a; INSERT INTO parts VALUES (3); RELEASE a; SAVEPOINT b;"
            "INSERT INTO parts VALUES (4); ROLLBACK TO b; COMMIT"
        )
        cluster.sql("INSERT INTO parts VALUES (5)")
        written(cluster)
    cluster.sql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")
    whole, part = (xid for (xid,) in cluster.sql("SELECT xmin::text::bigint FROM parts WHERE id IN (2, 3) ORDER BY id"))
    assert part > whole
    with recover(repository, cluster, Target(xid=part, is_inclusive=False)) as beside:
        assert numbers(beside.server.ask, "parts") == [1]
