"""The cluster and its events as lists and pages show them."""

from dataclasses import dataclass

from django.template.defaultfilters import filesizeformat
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from backups.cluster.events import EventKind
from backups.cluster.look import Look, Node
from backups.cluster.sentences import sentence_of
from backups.models import ClusterEvent
from backups.moments import NOTHING
from inventory.admin.shown import badge

ROLES = {
    "leader": _("leader"),
    "standby_leader": _("leader of a copy of another cluster"),
    "sync_standby": _("synchronous standby"),
    "quorum_standby": _("synchronous standby"),
    "replica": _("standby"),
}
STATES = {
    "running": _("runs"),
    "streaming": _("follows"),
    "in archive recovery": _("catches up"),
    "starting": _("starts"),
    "restarting": _("restarts"),
    "creating replica": _("is being copied"),
    "stopping": _("stops"),
    "stopped": _("stopped"),
    "crashed": _("crashed"),
    "start failed": _("does not start"),
}
ON_THE_WAY = ("starting", "restarting", "creating replica", "stopping", "in archive recovery")
EVENT_KINDS = {
    EventKind.LEADER_LOST: "bad",
    EventKind.UNREACHABLE: "bad",
    EventKind.MEMBER_LOST: "warn",
    EventKind.SYNC_LOST: "warn",
    EventKind.PAUSED: "warn",
    EventKind.LEADER_ELECTED: "info",
    EventKind.SWITCHOVER: "info",
}


@dataclass(frozen=True, slots=True)
class NodeRow:
    """A node, ready for the page's table."""

    node: Node
    role: SafeString
    state: SafeString
    lag: str
    address: str
    version: str


def rows_of(look: Look) -> list[NodeRow]:
    return [
        NodeRow(node, role_badge(node), state_badge(node), lag_of(node), address_of(node), version_of(node))
        for node in look.nodes
    ]


def role_badge(node: Node) -> SafeString:
    kind = "info" if node.is_leader else "good" if node.is_synchronous else "off"
    return badge(kind, ROLES.get(node.role) or node.role or _("unknown"))


def state_badge(node: Node) -> SafeString:
    """What its server does; why it says nothing, where it does not."""
    if node.is_asked and not node.answers:
        return badge("bad", _("does not answer"), node.trouble)
    shown = STATES.get(node.state) or node.state or _("unknown")
    if node.state in ON_THE_WAY:
        return badge("warn", shown)
    if node.is_well:
        return badge("good", shown)
    return badge("warn", _("does not follow")) if node.is_running else badge("bad", shown)


def lag_of(node: Node) -> str:
    return NOTHING if node.lag is None or node.is_leader else filesizeformat(node.lag)


def address_of(node: Node) -> str:
    return f"{node.host}:{node.port}" if node.port else node.host or NOTHING


def version_of(node: Node) -> str:
    """180006 is 18.6."""
    return NOTHING if node.version is None else f"{node.version // 10_000}.{node.version % 10_000}"


def event_badge(event: ClusterEvent) -> SafeString:
    return badge(EVENT_KINDS.get(EventKind(event.kind), "good"), event.get_kind_display())


def event_sentence(event: ClusterEvent) -> str:
    return sentence_of(EventKind(event.kind), member=event.member, details=event.details)
