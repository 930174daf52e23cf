"""Of several hosts, the one that led last is tried first: a dead machine at the head of the list would cost every new
connection CONNECT_TIMEOUT."""

from collections.abc import Mapping
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from foundation.database.address import has_several_hosts

DEFAULT_PORT = "5432"


class LastLeader:
    """Whom this process reached last: host and port."""

    place: tuple[str, str] | None = None


def try_it_first(sender: Any, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """A receiver of `connection_created`. What is put in order is this thread's own."""
    if has_several_hosts(connection.settings_dict):
        reached = connection.connection.info
        LastLeader.place = reached.host, str(reached.port)
        connection.settings_dict = leader_first(connection.settings_dict)


def leader_first(config: Mapping[str, Any]) -> dict[str, Any]:
    """An entry of DATABASES with its hosts in that order."""
    if not has_several_hosts(config):
        return {**config}
    hosts = str(config["HOST"]).split(",")
    ports = str(config.get("PORT") or "").split(",")
    places = list(zip(hosts, ports if len(ports) == len(hosts) else ports * len(hosts), strict=True))
    places.sort(key=lambda place: (place[0], place[1] or DEFAULT_PORT) != LastLeader.place)
    return {
        **config,
        "HOST": ",".join(host for host, _port in places),
        "PORT": ",".join(port for _host, port in places),
    }


connection_created.connect(try_it_first, dispatch_uid="foundation.database.leader")
