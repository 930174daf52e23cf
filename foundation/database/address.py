"""What DATABASE_URL says: one host, or several of which one leads."""

import re
from collections.abc import Mapping
from typing import Any

import environ
import psycopg2
from psycopg2.extensions import parse_dsn

# A machine that has died answers nothing at all. Seconds until another host is tried, of each host:
CONNECT_TIMEOUT = 3
# ... and until a connection to it, at work or idle, is given up: 5 + 2 x 2, and 9.
KEEPALIVES = {"keepalives": 1, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 2}
TCP_USER_TIMEOUT = 9_000


def database_config(url: str) -> dict[str, Any]:
    """Returns Django's entry of DATABASES. HOST and PORT may be lists with commas, which libpq takes as they are; of
    several hosts the one that takes writes is wanted unless the address says otherwise.

    Raises ValueError if the address can't be read.
    """
    config: dict[str, Any] = environ.Env.db_url_config(url)
    options = config.setdefault("OPTIONS", {})
    # Those of the query are libpq's own way to write them: …@/samovar?host=a,b&port=5432,5433
    if "host" in options:
        config["HOST"], config["PORT"] = options.pop("host"), options.pop("port", config.get("PORT") or "")
    elif "," in config["HOST"]:
        config["HOST"], config["PORT"] = several_hosts(url)
    several = "," in str(config["HOST"])
    if several:
        options.setdefault("target_session_attrs", "read-write")
    for name, value in {
        "connect_timeout": CONNECT_TIMEOUT,
        **KEEPALIVES,
        "tcp_user_timeout": TCP_USER_TIMEOUT,
    }.items():
        options.setdefault(name, value)
    return config


def several_hosts(url: str) -> tuple[str, str]:
    """As libpq reads them: addresses of IPv6 without brackets, and a host without a port keeps its place."""
    # Python's own reader of addresses takes brackets in the first place only.
    hosts = re.split("[/?#]", url.partition("://")[2], maxsplit=1)[0].rpartition("@")[2]
    try:
        said = parse_dsn(f"postgres://{hosts}/")
    except psycopg2.ProgrammingError as error:
        raise ValueError(f"The hosts {hosts} can't be read.") from error
    ports = said.get("port", "")
    return said["host"], ports if ports.strip(",") else ""


def has_several_hosts(config: Mapping[str, Any]) -> bool:
    """Whether that entry of DATABASES names more than one."""
    return "," in str(config.get("HOST") or "")
