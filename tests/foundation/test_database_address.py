"""What DATABASE_URL says, of one host and of several."""

import pytest

from foundation.database.address import database_config, has_several_hosts

NOTICED_WITHIN = {
    "connect_timeout": 3,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 9_000,
}


def test_one_host_is_read_as_ever_and_a_dead_one_is_noticed() -> None:
    config = database_config("postgres://samovar:p%40ss@db.example:5433/shop")
    assert (config["HOST"], config["PORT"], config["NAME"]) == ("db.example", 5433, "shop")
    assert (config["USER"], config["PASSWORD"]) == ("samovar", "p@ss")
    assert config["OPTIONS"] == NOTICED_WITHIN
    assert not has_several_hosts(config)


@pytest.mark.parametrize(
    ("url", "hosts", "ports"),
    [
        ("postgres://s:p@node1:5432,node2:5433,node3:5434/shop", "node1,node2,node3", "5432,5433,5434"),
        ("postgres://s:p@node1,node2/shop", "node1,node2", ""),
        ("postgres://s:p@node1,node2:5433/shop", "node1,node2", ",5433"),
        ("postgres://s:p@[::1]:5432,[fe80::2]:5433/shop", "::1,fe80::2", "5432,5433"),
        ("postgres://s:p@one:5432,[fe80::2]:5433/shop", "one,fe80::2", "5432,5433"),
        ("postgres://s:p@/shop?host=node1,node2&port=5432,5433", "node1,node2", "5432,5433"),
    ],
)
def test_several_hosts_become_the_lists_that_libpq_takes(url: str, hosts: str, ports: str) -> None:
    config = database_config(url)
    assert (config["HOST"], config["PORT"]) == (hosts, ports)
    assert config["OPTIONS"] == {"target_session_attrs": "read-write", **NOTICED_WITHIN}
    assert has_several_hosts(config)


def test_what_the_address_says_itself_is_kept() -> None:
    options = database_config("postgres://s@a,b/shop?target_session_attrs=any&connect_timeout=9&sslmode=require")[
        "OPTIONS"
    ]
    assert (options["target_session_attrs"], options["connect_timeout"], options["sslmode"]) == ("any", 9, "require")


def test_hosts_that_can_not_be_read_are_refused() -> None:
    with pytest.raises(ValueError, match="can't be read"):
        database_config("postgres://s:p@%zz,node2/shop")
