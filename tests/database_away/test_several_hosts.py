"""Several hosts, of which one leads, and then another."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg2
import pytest
from django.db import connection
from pytest_django import Settings

from foundation.database.leader import LastLeader, leader_first, try_it_first
from foundation.database.lost import is_lost, reason_of
from tests.backups.cluster import Cluster
from tests.database_away.bar import Bar
from tests.database_away.conftest import point_at
from tests.database_away.meanwhile import Meanwhile
from tests.database_away.standby import standby_of, take_over


@pytest.fixture
def standby(away: Cluster, tmp_path: Path, settings: Settings) -> Iterator[Cluster]:
    settings.DATABASE_PATIENCE = 30
    with standby_of(away, tmp_path) as standby:
        yield standby


def test_when_the_leader_dies_orders_wait_for_the_next_and_none_is_lost(
    away: Cluster, standby: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = replace(
        away.server,
        host="127.0.0.1,127.0.0.1",
        port=f"{away.port},{standby.port}",
        options={"target_session_attrs": "read-write"},
    )
    with monkeypatch.context() as patch:
        point_at(both, patch)
        bar = Bar()
        assert [bar.order().status_code for _ in range(3)] == [201, 201, 201]
        assert connection.settings_dict["PORT"] == f"{away.port},{standby.port}"
        away.kill()
        order = Meanwhile(bar.order)
        order.wait_until_it_waits()
        take_over(standby)
        assert order.result().status_code == 201
        assert bar.sold() == 4
        assert connection.connection.info.port == standby.port
        assert connection.settings_dict["PORT"] == f"{standby.port},{away.port}", "the leader is tried first"


def test_a_leader_that_takes_no_writes_yet_is_waited_for(
    away: Cluster, standby: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where one address stands for all, such as a load balancer's, the connection may lead to a standby."""
    bar = Bar()
    with monkeypatch.context() as patch:
        point_at(replace(away.server, port=str(standby.port), options={"target_session_attrs": "any"}), patch)
        assert bar.till.get("orders/", location=bar.shop.location.pk)["results"] == []
        with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction) as refusal:
            standby.sql("CREATE TABLE nothing ()")
        assert is_lost(refusal.value)
        order = Meanwhile(bar.order)
        order.wait_until_it_waits()
        take_over(standby)
        assert order.result().status_code == 201
        assert bar.sold() == 1


def test_with_no_leader_at_all_the_reason_says_so(
    away: Cluster, standby: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        options = {"target_session_attrs": "read-write"}
        point_at(replace(away.server, port=str(standby.port), options=options), patch)
        with pytest.raises(Exception, match="read-only") as refusal:
            connection.ensure_connection()
        assert is_lost(refusal.value)
        assert reason_of(refusal.value).endswith("failed: session is read-only")


@pytest.mark.parametrize(
    ("hosts", "ports", "reached", "then"),
    [
        ("a,b,c", "1,2,3", ("c", 3), ("c,a,b", "3,1,2")),
        ("a,b,c", "1,2,3", ("a", 1), ("a,b,c", "1,2,3")),
        ("a,b", "", ("b", 5432), ("b,a", ",")),
        ("a,b", "6432", ("b", 6432), ("b,a", "6432,6432")),
        ("a,b", ",6432", ("b", 6432), ("b,a", "6432,")),
        ("a,b", "1,2", ("load-balancer", 9), ("a,b", "1,2")),
        ("a", 5432, ("a", 5432), ("a", 5432)),
    ],
)
def test_the_one_that_led_last_is_tried_first(
    hosts: str, ports: Any, reached: Any, then: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LastLeader, "place", None)
    config = {"HOST": hosts, "PORT": ports, "NAME": "shop"}
    info = SimpleNamespace(host=reached[0], port=reached[1])
    wrapper: Any = SimpleNamespace(settings_dict=config, connection=SimpleNamespace(info=info))
    try_it_first(None, wrapper)
    assert (wrapper.settings_dict["HOST"], wrapper.settings_dict["PORT"]) == then
    assert leader_first(config) == wrapper.settings_dict, "so in every thread"
    assert config == {"HOST": hosts, "PORT": ports, "NAME": "shop"}, "others' are as they were"
