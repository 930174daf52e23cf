"""`manage.py cluster`: how the cluster stands, for when the page can't be opened because nobody leads."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from backups.cluster.events import read_events
from backups.cluster.look import Node
from backups.cluster.sentences import sentence_of
from backups.cluster_selectors import ClusterOverview, cluster_overview
from backups.engine.repository import Repository
from backups.errors import BackupFailed, NoCluster

COLUMNS = "{:<14} {:<15} {:<13} {:>8} {:>12}  {}"


class Command(BaseCommand):
    help = (
        "Asks Patroni who leads the cluster, who follows, and how far behind, and shows what has happened lately. "
        "Needs no database. To change something: the page of the cluster in the admin, or patronictl."
    )
    requires_system_checks: Any = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--events", type=int, default=10, help="so many of the last events (10)")

    def handle(self, *, events: int, **options: Any) -> None:
        try:
            overview = cluster_overview()
            happened = read_events(Repository.of_the_shop())
        except BackupFailed as failure:
            raise CommandError(str(failure)) from None
        if overview is None:
            raise CommandError(NoCluster().detail)
        self.show_nodes(overview)
        for sentence in overview.troubles:
            self.stdout.write(self.style.ERROR(sentence))
        for event in happened[-events:] if events > 0 else []:
            at = timezone.localtime(event.at)
            sentence = sentence_of(event.kind, member=event.member, details=event.details)
            self.stdout.write(f"{at:%Y-%m-%d %H:%M:%S %Z}  {sentence}")
        if overview.look.leading is None:
            raise CommandError("Nobody leads the cluster.")

    def show_nodes(self, overview: ClusterOverview) -> None:
        self.stdout.write(COLUMNS.format("node", "role", "state", "timeline", "behind by", "address").rstrip())
        for node in overview.look.nodes:
            line = COLUMNS.format(*cells_of(node)).rstrip()
            self.stdout.write(line if node.is_well else self.style.WARNING(line))


def cells_of(node: Node) -> tuple[str, ...]:
    state = node.trouble if node.is_asked and not node.answers else node.state
    lag = "" if node.lag is None or node.is_leader else f"{node.lag} B"
    address = f"{node.host}:{node.port}" if node.port else node.host
    return node.name, node.role or "?", state or "?", str(node.timeline or "?"), lag, address
