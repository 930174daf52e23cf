"""A logical backup of the real shop: its migrations' tables, triggers and partitions, and people who go on selling."""

from typing import Any

import psycopg2
import pytest
from django.db import connection

from backups.engine.logical import restore_all, restore_tables, take_logical
from backups.engine.repository import Repository, Stored
from backups.engine.server import Server
from tests.backups import real_shop
from tests.backups.cluster import Cluster

# Without it the tests' database, whose tables are taken, may not be there.
pytestmark = pytest.mark.django_db

SHAPE = {
    "constraints": "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated"
    " FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2",
    "indexes": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
    "triggers": "SELECT pg_get_triggerdef(oid), tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1",
    "views": "SELECT viewname, definition FROM pg_views WHERE schemaname = 'public' ORDER BY 1",
    "columns": "SELECT table_name, column_name, data_type, column_default, is_nullable, is_identity"
    " FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2",
    "sequences": "SELECT sequencename, last_value FROM pg_sequences ORDER BY 1",
    "functions": "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
    " AND prolang <> (SELECT oid FROM pg_language WHERE lanname = 'c') ORDER BY 1",
    "partitions": "SELECT relid::text, parentrelid::text"
    " FROM pg_partition_tree(to_regclass('marketplaces_syncrun')) ORDER BY 1",
}


@pytest.fixture(scope="module")
def server(cluster: Cluster, django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """A server with the shop's tables, as the migrations made them for the other tests."""
    scratch = Repository(tmp_path_factory.mktemp("scratch") / "backups")
    scratch.make()
    migrated = take_logical(scratch, Server.of_the_shop().of(connection.settings_dict["NAME"]))
    restore_all(migrated, cluster.server, "shop")
    return cluster.server.of("shop")


@pytest.fixture(scope="module")
def shop(server: Server) -> dict[str, Any]:
    """What was found in the shop when it was saved."""
    return real_shop.run("make", server)


@pytest.fixture(scope="module")
def stored(server: Server, shop: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Stored:
    repository = Repository(tmp_path_factory.mktemp("kept") / "backups")
    repository.make()
    return take_logical(repository, server)


@pytest.fixture(scope="module")
def restored(cluster: Cluster, stored: Stored) -> str:
    """One that each test leaves as it was."""
    restore_all(stored, cluster.server, "restored")
    return "restored"


def shape(cluster: Cluster, database: str) -> dict[str, list[tuple[Any, ...]]]:
    return {name: cluster.sql(query, database=database) for name, query in SHAPE.items()}


def test_the_restored_shop_is_the_same_and_goes_on_selling(
    cluster: Cluster, shop: dict[str, Any], stored: Stored
) -> None:
    restored = "another"
    restore_all(stored, cluster.server, restored)
    was = shape(cluster, "shop")
    assert shape(cluster, restored) == was
    assert stored.manifest.tables["public.marketplaces_syncrun"] == 3
    assert not [name for name in stored.manifest.tables if name.startswith("public.marketplaces_syncrun_")]
    assert stored.manifest.tables["public.orders_order"] == 3

    assert real_shop.run("sell", cluster.server.of(restored)) == shop
    assert shop["stock"] == ["8800.000"]
    assert shop["differing"] == 0
    assert [month for month, _problems, _counts in shop["runs"]] == [3, 11, 12]
    assert (len(shop["found"]), shop["key"]) == (1, [{"api_key": "k"}])
    numbers = cluster.sql("SELECT number FROM orders_order ORDER BY id", database=restored)
    assert numbers == [(number,) for (number,) in numbers[:3]] + [(numbers[2][0] + 1,)]


@pytest.mark.parametrize(
    "tables",
    [
        ["inventory_stockmovement", "inventory_stocklevel"],
        ["marketplaces_syncrun"],
        ["orders_order", "orders_orderitem"],
        ["inventory_product", "users_user"],
    ],
    ids=lambda tables: tables[0],
)
def test_tables_of_the_shop_are_replaced_and_come_back_after_they_were_dropped(
    cluster: Cluster, stored: Stored, restored: str, tables: list[str]
) -> None:
    was = shape(cluster, restored)
    rows = {f"public.{name}": stored.manifest.tables[f"public.{name}"] for name in tables}
    assert restore_tables(stored, cluster.server, restored, tables, replace=True) == rows
    assert shape(cluster, restored) == was

    cluster.sql(f"DROP TABLE {', '.join(tables)} CASCADE", database=restored)
    assert shape(cluster, restored) != was
    assert restore_tables(stored, cluster.server, restored, tables) == rows
    assert shape(cluster, restored) == was


def test_the_ledger_is_append_only_after_it_was_restored(cluster: Cluster, stored: Stored, restored: str) -> None:
    refuse_changes(cluster, restored)
    restore_tables(stored, cluster.server, restored, ["inventory_stockmovement"], replace=True)
    refuse_changes(cluster, restored)


def refuse_changes(cluster: Cluster, database: str) -> None:
    for statement in ("UPDATE inventory_stockmovement SET delta = 1", "DELETE FROM inventory_stockmovement"):
        with pytest.raises(psycopg2.errors.RaiseException, match="Cannot update or delete rows"):
            cluster.sql(statement, database=database)
