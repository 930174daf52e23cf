"""What a person sees before a recovered database takes the place of the running one."""

import datetime
import json
import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from backups.engine.checking import check_shop
from backups.engine.comparing import OrderLine, TableCount, compare
from backups.engine.server import Server
from backups.errors import Interrupted, ServerGone
from tests.backups.cluster import Cluster
from tests.backups.recovering import clock

NOON = datetime.datetime(2026, 11, 1, 12, tzinfo=datetime.UTC)
SHOP = """
    CREATE TABLE orders_order (id bigint PRIMARY KEY, number bigint UNIQUE, placed_at timestamptz, total numeric(12,2),
                               status text);
    CREATE TABLE items (id bigserial PRIMARY KEY, order_id bigint NOT NULL REFERENCES orders_order,
                        quantity int CONSTRAINT quantity_positive CHECK (quantity > 0));
    CREATE TABLE inventory_stocklevel (location_id bigint, ingredient_id bigint, quantity numeric(14,3),
                                       value numeric(20,6), PRIMARY KEY (location_id, ingredient_id));
    CREATE TABLE inventory_stockmovement (id bigserial PRIMARY KEY, location_id bigint, ingredient_id bigint,
                                          delta numeric(14,3), value numeric(20,6));
    CREATE TABLE "дни" (day date) PARTITION BY RANGE (day);
    CREATE TABLE november PARTITION OF "дни" FOR VALUES FROM ('2026-11-01') TO ('2026-12-01');
    INSERT INTO orders_order VALUES (1, 1, '2026-11-01 12:00Z', 250, 'completed'),
                                    (2, 2, '2026-11-01 12:05Z', 310.50, 'pending');
    INSERT INTO items (order_id, quantity) VALUES (1, 1), (2, 2);
    INSERT INTO inventory_stockmovement (location_id, ingredient_id, delta, value)
        VALUES (1, 7, 500, 40), (1, 7, -125.5, -10.04);
    INSERT INTO inventory_stocklevel VALUES (1, 7, 374.5, 29.96);
    INSERT INTO "дни" VALUES ('2026-11-01');
"""


@pytest.fixture
def running(cluster: Cluster) -> Iterator[Server]:
    """A shop with two orders."""
    cluster.sql("CREATE DATABASE running", database="postgres")
    cluster.sql(SHOP, database="running")
    yield cluster.server.of("running")
    cluster.sql("DROP DATABASE running WITH (FORCE)", database="postgres")


@pytest.fixture
def recovered(cluster: Cluster, running: Server) -> Iterator[Server]:
    """The same shop, as it was at the moment of `recovered_at`."""
    cluster.sql("CREATE DATABASE recovered TEMPLATE running", database="postgres")
    yield cluster.server.of("recovered")
    cluster.sql("DROP DATABASE recovered WITH (FORCE)", database="postgres")


def line(number: int, minute: int, total: str, status: str) -> OrderLine:
    return OrderLine(number, NOON + datetime.timedelta(minutes=minute), Decimal(total), status)


def test_two_equal_ones_have_nothing_to_tell(cluster: Cluster, recovered: Server, running: Server) -> None:
    compared = compare(recovered, running, moment=clock(cluster))
    assert compared.differing == []
    assert compared.tables == (
        TableCount("public.inventory_stocklevel", 1, 1, 0),
        TableCount("public.inventory_stockmovement", 2, 2, 0),
        TableCount("public.items", 2, 2, 0),
        TableCount("public.orders_order", 2, 2, 0),
        TableCount("public.дни", 1, 1, 0),
    )
    newest = (line(2, 5, "310.50", "pending"), line(1, 0, "250.00", "completed"))
    assert compared.newest_recovered == compared.newest_running == newest
    assert (compared.orders_since, compared.orders_since_number, compared.orders_changed_since) == ((), 0, 0)
    assert (compared.checked.is_right, compared.checked.has_ledger) == (True, True)
    assert (compared.checked.foreign_keys, compared.checked.check_constraints) == (1, 1)


def test_what_was_written_after_the_moment_is_listed(cluster: Cluster, recovered: Server, running: Server) -> None:
    moment = clock(cluster)
    for statement in (
        "UPDATE orders_order SET status = 'cancelled' WHERE id = 2",
        "INSERT INTO orders_order VALUES (3, 3, '2026-11-01 12:10Z', 99.90, 'pending')",
        # An imported sale says of itself that it is old.
        "INSERT INTO orders_order VALUES (4, 4, '2025-01-01 00:00Z', 0.10, 'completed')",
        "INSERT INTO items (order_id, quantity) VALUES (3, 1)",
        'DROP TABLE "дни"',
        "CREATE TABLE extras (id int)",
        "DELETE FROM items WHERE order_id = 1",
    ):
        cluster.sql(statement, database="running")

    compared = compare(recovered, running, moment=moment)
    assert compared.differing == [
        TableCount("public.extras", None, 0, 0),
        TableCount("public.items", 2, 2, 1),
        TableCount("public.orders_order", 2, 4, 3),
        TableCount("public.дни", 1, None, None),
    ]
    assert [order.number for order in compared.orders_since] == [4, 3]
    assert (compared.orders_since_number, compared.orders_since_total) == (2, Decimal("100.00"))
    assert compared.orders_changed_since == 1
    assert compared.newest_recovered[0] == line(2, 5, "310.50", "pending")
    assert compared.newest_running[2] == line(2, 5, "310.50", "cancelled")

    said = json.loads(json.dumps(compared.as_dict()))
    assert said["orders_since"][1] == {
        "number": 3,
        "placed_at": "2026-11-01T12:10:00+00:00",
        "total": "99.90",
        "status": "pending",
    }
    assert said["checked"]["findings"] == []


def test_without_a_moment_new_orders_are_known_by_their_numbers(
    cluster: Cluster, recovered: Server, running: Server
) -> None:
    cluster.sql("INSERT INTO orders_order VALUES (3, 3, now(), 5, 'pending')", database="running")
    compared = compare(recovered, running)
    assert [order.number for order in compared.orders_since] == [3]
    assert compared.orders_changed_since is None
    assert {one.written_since for one in compared.tables} == {None}


def test_without_a_running_server_the_recovered_one_is_shown_alone(recovered: Server) -> None:
    for nobody in (None, Server("127.0.0.1", "1", "samovar", "", "samovar"), recovered.of("nothing")):
        compared = compare(recovered, nobody)
        assert not compared.is_running
        assert compared.newest_running == compared.orders_since == ()
        assert compared.tables[0] == TableCount("public.inventory_stocklevel", 1, None, None)
    with pytest.raises(ServerGone):
        compare(recovered.of("nothing"), recovered)


def test_what_is_no_shop_is_counted_too(cluster: Cluster) -> None:
    cluster.sql("CREATE TABLE IF NOT EXISTS notes (text text)")
    compared = compare(cluster.server, cluster.server, moment=clock(cluster))
    assert compared.tables == (TableCount("public.notes", 0, 0, 0),)
    assert compared.newest_recovered == ()
    assert not compared.checked.has_ledger


def test_somebody_may_stop_it(recovered: Server) -> None:
    with pytest.raises(Interrupted):
        compare(recovered, None, is_stopped=lambda: True)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (
            "UPDATE inventory_stocklevel SET quantity = 400",
            "Stock levels that are not what their ledger sums to: 1. The first is ingredient 7 at location 1: the "
            "level says 400.000 worth 29.960000, the ledger 374.500 worth 29.960000.",
        ),
        (
            "INSERT INTO inventory_stockmovement (location_id, ingredient_id, delta, value) VALUES (2, 8, 1, 0)",
            "Stock levels that are not what their ledger sums to: 1. The first is ingredient 8 at location 2: the "
            "level says 0 worth 0, the ledger 1.000 worth 0.000000.",
        ),
        (
            "SET session_replication_role = replica; DELETE FROM orders_order WHERE id = 1",
            "items has 1 rows that break the constraint items_order_id_fkey.",
        ),
        (
            "ALTER TABLE items DISABLE TRIGGER ALL; UPDATE pg_constraint SET convalidated = false "
            "WHERE conname = 'items_order_id_fkey'",
            "The constraint items_order_id_fkey was never validated.",
        ),
        (
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'items_pkey'::regclass",
            "The index items_pkey is not valid.",
        ),
    ],
)
def test_a_shop_that_is_not_right_says_what(cluster: Cluster, recovered: Server, damage: str, sentence: str) -> None:
    cluster.sql(damage, database="recovered")
    assert check_shop(recovered).findings == [sentence]


def test_a_check_that_rows_break_is_named(cluster: Cluster, recovered: Server) -> None:
    cluster.sql("ALTER TABLE items DROP CONSTRAINT quantity_positive", database="recovered")
    cluster.sql("UPDATE items SET quantity = 0", database="recovered")
    cluster.sql(
        "ALTER TABLE items ADD CONSTRAINT quantity_positive CHECK (quantity > 0) NOT VALID;"
        "UPDATE pg_constraint SET convalidated = true WHERE conname = 'quantity_positive'",
        database="recovered",
    )
    assert check_shop(recovered).findings == ["items has 2 rows that break the constraint quantity_positive."]


def test_an_index_that_lacks_a_row_is_noticed_and_nothing_is_left_behind(cluster: Cluster, recovered: Server) -> None:
    cluster.sql("INSERT INTO items (order_id, quantity) SELECT 1, 1 FROM generate_series(1, 20)", database="recovered")
    cluster.sql(
        "UPDATE pg_index SET indisready = false WHERE indexrelid = 'items_pkey'::regclass", database="recovered"
    )
    cluster.sql("INSERT INTO items (id, order_id, quantity) VALUES (999, 1, 1)", database="recovered")
    cluster.sql("UPDATE pg_index SET indisready = true WHERE indexrelid = 'items_pkey'::regclass", database="recovered")

    assert check_shop(recovered).findings == []
    checked = check_shop(recovered, with_indexes=True)
    (finding,) = checked.findings
    assert finding.startswith("items_pkey is damaged: heap tuple")
    assert checked.indexes == 5
    assert cluster.value("SELECT count(*) FROM pg_extension WHERE extname = 'amcheck'", database="recovered") == 0


def test_a_page_that_can_not_be_read_hides_no_other_finding(cluster: Cluster, recovered: Server) -> None:
    cluster.sql("UPDATE inventory_stocklevel SET quantity = 0", database="recovered")
    cluster.sql("CHECKPOINT", database="recovered")
    path = Path(cluster.value("SELECT pg_relation_filepath('items')", database="recovered"))
    cluster.stop()
    with (cluster.data / path).open("r+b") as file:
        file.seek(200)
        file.write(os.urandom(100))
    cluster.start()
    findings = check_shop(recovered).findings
    assert len(findings) >= 2
    assert findings[0].startswith("Stock levels that are not what their ledger sums to: 1.")
    assert findings[1].startswith("items is damaged: invalid page in block 0")


@pytest.mark.django_db
def test_the_tables_of_the_shop_itself_are_understood() -> None:
    checked = check_shop(Server.of_the_shop())
    assert checked.findings == []
    assert checked.has_ledger
    assert checked.foreign_keys > 100
    assert checked.check_constraints > 100
