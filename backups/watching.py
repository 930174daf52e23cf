"""What backups want watched."""

from collections.abc import Iterable

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from backups.engine.repository import Repository
from backups.models import Backup
from backups.services.alarms import EVENT, trouble_sentence, troubles
from monitoring.errors import CheckFailed
from monitoring.registry import Check, Event, LabelValues, Metric, register_check, register_event, register_metric
from monitoring.severity import Severity


def register() -> None:
    """Tells monitoring about backups. Called once, when the apps are ready."""
    register_event(Event(EVENT, Severity.CRITICAL, _("Something is wrong with the backups"), tell=trouble_sentence))
    register_check(Check(name="backups", run=all_is_backed_up, timeout=10.0))
    register_metric(
        Metric("samovar_backup_age_seconds", "Seconds since the newest backup was complete.", ("kind",), backup_ages)
    )


def all_is_backed_up() -> None:
    """Raises CheckFailed with what is wrong."""
    found = troubles(Repository.of_the_shop(), now=timezone.now())
    if found:
        raise CheckFailed(" ".join(one.sentence for one in found[:3]))


def backup_ages() -> Iterable[tuple[LabelValues, float]]:
    for kind in Backup.Kinds.values:
        newest = Backup.objects.filter(kind=kind, completed_at__isnull=False).order_by("-completed_at").first()
        if newest is not None and newest.completed_at is not None:
            yield {"kind": kind}, (timezone.now() - newest.completed_at).total_seconds()
