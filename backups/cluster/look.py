"""One look at a cluster: what its nodes answered at a moment, put together.

Each node is asked about itself, and one of them about all. The first says at once that its server was killed; the
second says whom Patroni has given the lead, and goes on naming a dead leader until its lease has run out (`ttl`).
"""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

PRIMARY = ("primary", "master")
SYNCHRONOUS = ("sync_standby", "quorum_standby")
LEADERS = ("leader", "standby_leader")
RUNNING = "running"
FOLLOWING = ("streaming", "in archive recovery")


@dataclass(frozen=True, slots=True)
class Own:
    """What a node says of itself; `trouble` is why it says nothing."""

    url: str
    said: Mapping[str, Any] | None = None
    trouble: str = ""

    @property
    def name(self) -> str:
        return text(mapping(self.said, "patroni"), "name")


@dataclass(frozen=True, slots=True)
class Node:
    """A server of the cluster. `role` is Patroni's word (leader, standby_leader, sync_standby, quorum_standby, replica;
    "" if the others do not know it), `lag` how many bytes of WAL it has not received; `is_asked`: PATRONI_URLS names
    it."""

    name: str
    url: str = ""
    role: str = ""
    state: str = ""
    timeline: int | None = None
    lag: int | None = None
    host: str = ""
    port: int | None = None
    version: int | None = None
    is_asked: bool = False
    answers: bool = False
    is_primary: bool = False
    is_running: bool = False
    needs_restart: bool = False
    trouble: str = ""

    @property
    def is_leader(self) -> bool:
        return self.role in LEADERS

    @property
    def is_synchronous(self) -> bool:
        """Whether nothing is acknowledged that this standby does not have."""
        return self.role in SYNCHRONOUS

    @property
    def can_lead(self) -> bool:
        """Whether it holds the lead and its server takes writes, as far as can be known."""
        if not self.is_leader or not self.is_running:
            return False
        return self.answers and self.is_primary if self.is_asked else True

    @property
    def is_there(self) -> bool:
        """Whether its server runs, and its Patroni answers."""
        return self.is_running and (self.answers or not self.is_asked)

    @property
    def is_well(self) -> bool:
        """Whether it leads, or follows who does."""
        return self.is_there and (self.is_leader or self.state in FOLLOWING)


@dataclass(frozen=True, slots=True)
class Look:
    """The cluster at a moment. `is_agreed`: somebody could say how all of it stands; without the store in which Patroni
    keeps that (etcd), nobody can. `is_in_synchronous_mode` is None where that is not known."""

    at: datetime.datetime
    nodes: tuple[Node, ...] = ()
    scope: str = ""
    is_agreed: bool = False
    is_in_synchronous_mode: bool | None = None
    is_paused: bool = False
    trouble: str = ""
    planned: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_silent(self) -> bool:
        """Whether nobody answers."""
        return not any(node.answers for node in self.nodes)

    @property
    def leader(self) -> Node | None:
        """Who holds the lead, whether or not it works."""
        return next((node for node in self.nodes if node.is_leader), None)

    @property
    def leading(self) -> Node | None:
        """The leader, if it works."""
        return next((node for node in self.nodes if node.can_lead), None)

    @property
    def standbys(self) -> list[Node]:
        return [node for node in self.nodes if not node.is_leader]

    @property
    def candidates(self) -> list[Node]:
        """Who may take the lead over in a planned switchover: in synchronous mode only who has all that was
        acknowledged."""
        return [
            node
            for node in self.standbys
            if node.is_well and node.answers and (node.is_synchronous or not self.is_in_synchronous_mode)
        ]


def put_together(
    owns: Sequence[Own],
    *,
    at: datetime.datetime,
    cluster: Mapping[str, Any] | None = None,
    config: Mapping[str, Any] | None = None,
    names: Mapping[str, str] | None = None,
    trouble: str = "",
) -> Look:
    """Makes a look of what each node says of itself, and of what one of them says about all (`cluster`) and of its
    settings (`config`). `names` are those by which silent addresses were known before."""
    members = {text(member, "name"): member for member in listed(cluster, "members")}
    nodes: dict[str, Node] = {}
    for own, name in named(owns, members, names or {}):
        nodes[name] = asked_node(name, own, members.get(name, {}))
    for name, member in members.items():
        nodes.setdefault(name, node_of(name, member))
    planned = mapping(cluster, "scheduled_switchover")
    return Look(
        at=at,
        nodes=tuple(sorted(nodes.values(), key=lambda node: node.name)),
        scope=text(cluster, "scope"),
        is_agreed=cluster is not None,
        is_in_synchronous_mode=None if config is None else is_synchronous(config),
        is_paused=any(said.get("pause") is True for said in (cluster or {}, *(own.said or {} for own in owns))),
        trouble=trouble,
        planned={name: text(planned, name) for name in ("at", "from", "to") if text(planned, name)},
    )


def named(
    owns: Sequence[Own], members: Mapping[str, Mapping[str, Any]], names: Mapping[str, str]
) -> list[tuple[Own, str]]:
    """Who is asked at which address. One that says nothing is known from before, by the address that the others know,
    or because it is the only one left; else the address itself has to do."""
    places = {place_of(text(member, "api_url")): name for name, member in members.items()}
    found = [(own, own.name or names.get(own.url, "") or places.get(place_of(own.url), "")) for own in owns]
    left = sorted(set(members) - {name for _own, name in found})
    nameless = [own for own, name in found if not name]
    only = left[0] if len(left) == len(nameless) == 1 else ""
    return [(own, name or only or place_of(own.url)) for own, name in found]


def place_of(url: str) -> str:
    """Host and port of an address, and nothing of an account that it may name."""
    return urlsplit(url).netloc.rpartition("@")[2]


def node_of(name: str, member: Mapping[str, Any]) -> Node:
    """A node as the others know it."""
    state = text(member, "state")
    return Node(
        name=name,
        url=text(member, "api_url").removesuffix("/patroni"),
        role=text(member, "role"),
        state=state,
        timeline=number(member, "timeline"),
        lag=first_number(member, "receive_lag", "lag"),
        host=text(member, "host"),
        port=number(member, "port"),
        is_running=state == RUNNING or state in FOLLOWING,
        needs_restart=bool(member.get("pending_restart")),
    )


def asked_node(name: str, own: Own, member: Mapping[str, Any]) -> Node:
    """The same, of one that was asked about itself: what it says is newer."""
    known = node_of(name, member)
    common: dict[str, Any] = {
        "name": name,
        "url": own.url,
        "role": known.role,
        "lag": known.lag,
        "host": known.host or (urlsplit(own.url).hostname or ""),
        "port": known.port,
        "needs_restart": known.needs_restart,
        "is_asked": True,
    }
    if own.said is None:
        return Node(**common, state=known.state, timeline=known.timeline, trouble=own.trouble)
    state = text(own.said, "state")
    role = text(own.said, "role")
    if not member:
        # The others do not know it, or nobody could be asked.
        common["role"] = "leader" if role in PRIMARY and state == RUNNING else own_role(own.said)
    return Node(
        **common,
        # A standby is "running" whether or not it follows: a second word says that, and so do the others.
        state=(text(own.said, "replication_state") or known.state or state) if state == RUNNING else state,
        timeline=number(own.said, "timeline") or known.timeline,
        version=number(own.said, "server_version"),
        answers=True,
        is_primary=role in PRIMARY,
        is_running=state == RUNNING,
    )


def own_role(said: Mapping[str, Any]) -> str:
    """What a standby takes itself for."""
    return next((role for role in SYNCHRONOUS if said.get(role) is True), "replica")


def is_synchronous(config: Mapping[str, Any]) -> bool:
    """Whether the settings ask for it: True or "quorum", also written as the word "on"."""
    return str(config.get("synchronous_mode", "")).lower() in ("true", "on", "yes", "1", "quorum")


# --- reading what came over the network: what has another type counts as not said --------------------------------


def text(said: Mapping[str, Any] | None, name: str) -> str:
    value = (said or {}).get(name)
    return value if isinstance(value, str) else ""


def number(said: Mapping[str, Any], name: str) -> int | None:
    value = said.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def first_number(said: Mapping[str, Any], *names: str) -> int | None:
    """The first of these that is a number: Patroni before 4.1 tells the lag under another name."""
    return next((value for name in names if (value := number(said, name)) is not None), None)


def mapping(said: Mapping[str, Any] | None, name: str) -> Mapping[str, Any]:
    value = (said or {}).get(name)
    return value if isinstance(value, dict) else {}


def listed(said: Mapping[str, Any] | None, name: str) -> list[Mapping[str, Any]]:
    value = (said or {}).get(name)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
