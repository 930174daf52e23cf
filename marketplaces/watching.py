"""What marketplaces want watched."""

import datetime

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from foundation.services.rotation import register_listener
from marketplaces import metrics
from marketplaces.metrics import accounts_in_use
from marketplaces.models import SellerAccount, StockOperation
from marketplaces.monitor_selectors import STUCK_AFTER, sync_health
from marketplaces.services import alarms, push_alarms
from marketplaces.services.anomalies import ANOMALY, anomaly_sentence
from marketplaces.services.credentials import note_rotation
from marketplaces.services.key_alerts import (
    CONNECTION_LOST,
    KEY_EXPIRING,
    KEY_OLD,
    connection_lost_sentence,
    key_age_sentence,
)
from marketplaces.services.mirror import ORDER_UNKNOWN_STATUS, unknown_status_sentence
from marketplaces.services.runs import SYNC_FAILED, sync_failed_sentence
from monitoring.errors import CheckFailed
from monitoring.registry import Check, Event, register_check, register_event
from monitoring.severity import Severity

# Nobody learns when these are over: they are, when they were not seen for so long.
DAY, WEEK = datetime.timedelta(days=1), datetime.timedelta(weeks=1)


def register() -> None:
    """Tells monitoring about marketplaces. Called once, when the apps are ready."""
    register_event(Event(ANOMALY, Severity.WARNING, _("Something looks wrong on a marketplace"), tell=anomaly_sentence))
    register_event(
        Event(CONNECTION_LOST, Severity.CRITICAL, _("A marketplace refuses our keys"), tell=connection_lost_sentence)
    )
    register_event(Event(KEY_OLD, Severity.WARNING, _("A marketplace's key is old"), tell=key_age_sentence))
    register_event(
        Event(KEY_EXPIRING, Severity.CRITICAL, _("A marketplace's key is about to end"), tell=key_age_sentence)
    )
    register_listener(SellerAccount, note_rotation)
    for name, severity, title in (
        (push_alarms.PUSHES_HELD, Severity.CRITICAL, _("Quantities are held back")),
        (push_alarms.PUSH_REJECTED, Severity.WARNING, _("A marketplace does not take a quantity")),
        (push_alarms.PUSHES_CAPPED, Severity.INFO, _("More quantities than are sent at once")),
    ):
        register_event(Event(name, severity, title, tell=push_alarms.SENTENCES[name]))
    for name, title, tell, quiet_after in (
        (alarms.OPERATION_FAILED, _("An order of a marketplace has failed"), alarms.failed_sentence, None),
        (alarms.CANCELLATION_REFUSED, _("A marketplace refuses a cancellation"), alarms.refused_sentence, WEEK),
        (alarms.DATABASE_ERRORS, _("The database fails again and again"), alarms.database_sentence, DAY),
    ):
        register_event(Event(name, Severity.CRITICAL, title, tell=tell, quiet_after=quiet_after))
    for name, title, tell, quiet_after in (
        (ORDER_UNKNOWN_STATUS, _("A marketplace uses a status that is not known here"), unknown_status_sentence, DAY),
        (SYNC_FAILED, _("A marketplace can't be read"), sync_failed_sentence, None),
        (
            alarms.STOCK_SHORT,
            _("The stock does not suffice for an order of a marketplace"),
            alarms.short_sentence,
            None,
        ),
    ):
        register_event(Event(name, Severity.WARNING, title, tell=tell, quiet_after=quiet_after))
    register_check(
        Check(
            name="marketplace_sync",
            run=everything_is_read,
            timeout=10.0,
            every=60.0,
            title=_("Orders and stock of marketplaces"),
            advice=_("Look at the marketplace monitor: it says which account is not read, and why."),
            # The anomalies tell more of it.
            event="",
        )
    )
    register_check(
        Check(
            name="marketplace_operations",
            run=nothing_is_stuck,
            timeout=10.0,
            every=60.0,
            title=_("Stock operations"),
            advice=_("Look at the marketplace monitor, and whether a worker runs."),
            event="",
        )
    )
    metrics.register()


def everything_is_read() -> None:
    """Raises CheckFailed, naming what has not been read for long."""
    now = timezone.now()
    stale = [one for one in sync_health(accounts=accounts_in_use(), now=now) if one.is_stale]
    if stale:
        names = ", ".join(f"{one.account.name} ({one.what})" for one in stale[:3])
        more = " …" if len(stale) > 3 else ""
        raise CheckFailed(gettext_noop("Not read for long: %(names)s"), names=names + more)


def nothing_is_stuck() -> None:
    """Raises CheckFailed if operations are overdue: the worker or beat stands still."""
    overdue = StockOperation.objects.filter(
        status__in=StockOperation.UNFINISHED, next_attempt_at__lt=timezone.now() - STUCK_AFTER
    )
    number = overdue[:1000].count()
    if number:
        raise CheckFailed(gettext_noop("Stock operations that are overdue: %(number)s."), number=number)
