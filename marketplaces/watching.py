"""What marketplaces want watched."""

from collections.abc import Iterable

from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from foundation.services.rotation import register_listener
from foundation.uuids import first_uuid7_at
from marketplaces.models import Listing, SellerAccount, StockOperation, SyncRun
from marketplaces.monitor_selectors import DAY, STUCK_AFTER, OperationFigures, operation_figures, sync_health
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
from monitoring.registry import Check, Event, LabelValues, Metric, register_check, register_event, register_metric
from monitoring.severity import Severity


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
    for name, title, tell in (
        (alarms.OPERATION_FAILED, _("An order of a marketplace has failed"), alarms.failed_sentence),
        (alarms.CANCELLATION_REFUSED, _("A marketplace refuses a cancellation"), alarms.refused_sentence),
        (alarms.DATABASE_ERRORS, _("The database fails again and again"), alarms.database_sentence),
    ):
        register_event(Event(name, Severity.CRITICAL, title, tell=tell))
    for name, title, tell in (
        (ORDER_UNKNOWN_STATUS, _("A marketplace uses a status that is not known here"), unknown_status_sentence),
        (SYNC_FAILED, _("A marketplace can't be read"), sync_failed_sentence),
    ):
        register_event(Event(name, Severity.WARNING, title, tell=tell))
    register_check(Check(name="marketplace_sync", run=everything_is_read, timeout=10.0))
    register_check(Check(name="marketplace_operations", run=nothing_is_stuck, timeout=10.0))
    for metric in (
        Metric(
            "samovar_marketplace_sync_age_seconds",
            "Seconds since the last successful run.",
            ("account", "what"),
            sync_ages,
        ),
        Metric(
            "samovar_marketplace_sync_runs_day",
            "Runs of the last 24 hours, by how they ended.",
            ("account", "what", "status"),
            runs_of_the_day,
        ),
        Metric(
            "samovar_marketplace_sync_seconds",
            "How long a successful run of the last 24 hours took on average.",
            ("account", "what"),
            run_durations,
        ),
        Metric(
            "samovar_stock_operations_day",
            "Stock operations created in the last 24 hours, by status.",
            ("status",),
            operations_of_the_day,
        ),
        Metric(
            "samovar_stock_operation_errors_day",
            "Errors of stock operations in the last 24 hours, by kind.",
            ("kind",),
            errors_of_the_day,
        ),
        Metric(
            "samovar_stock_operation_seconds",
            "How long a stock operation of the last 24 hours took on average to complete.",
            (),
            operation_durations,
        ),
        Metric(
            "samovar_marketplace_pushes_waiting",
            "Listings whose quantity waits to be sent.",
            ("account",),
            pushes_waiting,
        ),
    ):
        register_metric(metric)


def everything_is_read() -> None:
    """Raises CheckFailed, naming what has not been read for long."""
    now = timezone.now()
    stale = [one for one in sync_health(accounts=accounts_in_use(), now=now) if one.is_stale]
    if stale:
        names = ", ".join(f"{one.account.name} ({one.what})" for one in stale[:3])
        raise CheckFailed(f"Not read for long: {names}{' …' if len(stale) > 3 else ''}")


def nothing_is_stuck() -> None:
    """Raises CheckFailed if operations are overdue: the worker or beat stands still."""
    overdue = StockOperation.objects.filter(
        status__in=StockOperation.UNFINISHED, next_attempt_at__lt=timezone.now() - STUCK_AFTER
    )
    number = overdue[:1000].count()
    if number:
        raise CheckFailed(f"Stock operations that are overdue: {number}.")


def accounts_in_use() -> list[SellerAccount]:
    return list(SellerAccount.objects.filter(is_active=True).select_related("location"))


def figures_in_use() -> OperationFigures:
    """The figures of the operations of all accounts in use."""
    ids = [account.pk for account in accounts_in_use()]
    return OperationFigures.together(operation_figures(account_ids=ids, now=timezone.now()).values())


def sync_ages() -> Iterable[tuple[LabelValues, float]]:
    now = timezone.now()
    for one in sync_health(accounts=accounts_in_use(), now=now):
        if one.last_success_at is not None:
            yield {"account": str(one.account), "what": one.what}, (now - one.last_success_at).total_seconds()


def run_durations() -> Iterable[tuple[LabelValues, float]]:
    for one in sync_health(accounts=accounts_in_use(), now=timezone.now()):
        if one.mean_seconds is not None:
            yield {"account": str(one.account), "what": one.what}, one.mean_seconds


def runs_of_the_day() -> Iterable[tuple[LabelValues, float]]:
    since = timezone.now() - DAY
    accounts = {account.pk: account for account in accounts_in_use()}
    rows = (
        SyncRun.objects.filter(account_id__in=accounts, id__gte=first_uuid7_at(since), started_at__gte=since)
        .order_by()
        .values_list("account_id", "what", "status")
        .annotate(number=Count("pk"))
    )
    for account_id, what, status, number in rows:
        yield {"account": str(accounts[account_id]), "what": what, "status": status}, number


def operations_of_the_day() -> Iterable[tuple[LabelValues, float]]:
    since = first_uuid7_at(timezone.now() - DAY)
    rows = StockOperation.objects.filter(pk__gte=since).order_by().values_list("status").annotate(number=Count("pk"))
    for status, number in rows:
        yield {"status": status}, number


def errors_of_the_day() -> Iterable[tuple[LabelValues, float]]:
    for kind, number in figures_in_use().errors_by_kind.items():
        yield {"kind": kind}, number


def operation_durations() -> Iterable[tuple[LabelValues, float]]:
    figures = figures_in_use()
    if figures.mean_seconds is not None:
        yield {}, figures.mean_seconds


def pushes_waiting() -> Iterable[tuple[LabelValues, float]]:
    rows = (
        Listing.objects.filter(is_active=True, push_wanted_at__isnull=False)
        .order_by()
        .values_list("account__marketplace", "account__name")
        .annotate(number=Count("pk"))
    )
    for marketplace, name, number in rows:
        yield {"account": f"{marketplace}: {name}"}, number
