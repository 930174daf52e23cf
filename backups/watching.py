"""What backups want watched."""

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from backups import metrics
from backups.cluster.watched import read_watched
from backups.engine.repository import Repository
from backups.services.alarms import DONE, EVENT, done_sentence, trouble_sentence, troubles
from backups.services.cluster import DOWN, LEADS, WEAK, alert_of, alert_sentence, troubles_of
from monitoring.errors import CheckFailed
from monitoring.registry import Check, Event, register_check, register_event
from monitoring.severity import Severity


def register() -> None:
    """Tells monitoring about backups. Called once, when the apps are ready."""
    register_event(Event(EVENT, Severity.CRITICAL, _("Something is wrong with the backups"), tell=trouble_sentence))
    register_event(Event(DOWN, Severity.CRITICAL, _("The cluster has no leader"), tell=alert_sentence))
    register_event(Event(WEAK, Severity.WARNING, _("Something is wrong with the cluster"), tell=alert_sentence))
    register_event(Event(LEADS, Severity.INFO, _("Another node leads the cluster"), tell=alert_sentence, is_news=True))
    register_event(Event(DONE, Severity.INFO, _("A backup is complete"), tell=done_sentence, is_news=True))
    register_check(
        Check(
            name="backups",
            run=all_is_backed_up,
            timeout=10.0,
            every=60.0,
            event="",
            title=_("Backups"),
            advice=_("Look at the page of backups, and whether manage.py backup_agent runs."),
        )
    )
    register_check(
        Check(
            name="cluster",
            run=all_nodes_work,
            needs_database=False,
            event="",
            title=_("Cluster of database servers"),
            advice=_("Look at the page of the cluster, and at its nodes."),
        )
    )
    metrics.register()


def all_is_backed_up() -> None:
    """Raises CheckFailed with what is wrong."""
    found = troubles(Repository.of_the_shop(), now=timezone.now())
    if found:
        raise CheckFailed(" ".join(one.sentence for one in found[:3]))


def all_nodes_work() -> None:
    """Raises CheckFailed with what is wrong with the cluster, where there is one. Asks no database."""
    if not settings.PATRONI_URLS:
        return
    found = troubles_of(read_watched(Repository.of_the_shop()), now=timezone.now())
    if found:
        raise CheckFailed(" ".join(alert_of(about, one).message for about, one in sorted(found.items())[:3]))
