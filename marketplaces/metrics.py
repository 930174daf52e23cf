"""What happens on the marketplaces as figures over time."""

from collections.abc import Iterable

from django.db.models import Count, Q, Sum
from django.utils import timezone

from foundation.uuids import first_uuid7_at
from marketplaces.choices import Marketplace, OrderState
from marketplaces.models import Listing, MarketplaceOrder, SellerAccount, StockOperation, SyncRun
from marketplaces.monitor_selectors import (
    DAY,
    STUCK_AFTER,
    OperationFigures,
    SyncHealth,
    operation_figures,
    sync_health,
)
from monitoring.measuring.shared import asked_once
from monitoring.registry import LabelValues, Metric, register_metric

Values = Iterable[tuple[LabelValues, float]]


def register() -> None:
    """Called once, when the apps are ready."""
    of_subject = ("account", "what")
    for name, told, labels, collect in (
        (
            "samovar_marketplace_orders_day",
            "Orders first seen in the last 24 hours, by their state there.",
            ("account", "state"),
            orders_of_the_day,
        ),
        (
            "samovar_marketplace_revenue_day",
            "What the orders first seen in the last 24 hours amount to, cancelled ones left out.",
            ("account", "currency"),
            revenue_of_the_day,
        ),
        (
            "samovar_marketplace_sync_age_seconds",
            "Seconds since the last successful run.",
            of_subject,
            sync_ages,
        ),
        (
            "samovar_marketplace_sync_seconds",
            "How long a successful run of the last 24 hours took on average.",
            of_subject,
            run_durations,
        ),
        (
            "samovar_marketplace_sync_runs_day",
            "Runs of the last 24 hours, by how they ended.",
            (*of_subject, "status"),
            runs_of_the_day,
        ),
        ("samovar_marketplace_sync_failures", "Failed runs since the last success.", of_subject, failures_in_a_row),
        (
            "samovar_marketplace_connected",
            "1 if the marketplace takes our keys, else 0.",
            ("account",),
            connections,
        ),
        (
            "samovar_marketplace_pushes_waiting",
            "Listings whose quantity waits to be sent.",
            ("account",),
            pushes_waiting,
        ),
        (
            "samovar_stock_operations_day",
            "Stock operations created in the last 24 hours, by status.",
            ("status",),
            operations_of_the_day,
        ),
        (
            "samovar_stock_operations_unfinished",
            "Stock operations that are not at an end, by status.",
            ("status",),
            unfinished_operations,
        ),
        (
            "samovar_stock_operations_retrying",
            "Unfinished stock operations that failed at least once.",
            (),
            retrying_operations,
        ),
        (
            "samovar_stock_operations_stuck",
            "Unfinished stock operations for which no worker came ten minutes after their time.",
            (),
            stuck_operations,
        ),
        (
            "samovar_stock_operation_retries_day",
            "Failed stock operations that somebody started again in the last 24 hours.",
            (),
            retries_of_the_day,
        ),
        (
            "samovar_stock_operation_errors_day",
            "Errors of stock operations in the last 24 hours, by kind.",
            ("kind",),
            errors_of_the_day,
        ),
        (
            "samovar_stock_operation_seconds",
            "How long a stock operation of the last 24 hours took on average to complete.",
            (),
            operation_durations,
        ),
    ):
        register_metric(Metric(name, told, labels, collect))


@asked_once
def accounts_in_use() -> list[SellerAccount]:
    return list(SellerAccount.objects.filter(is_active=True).select_related("location"))


@asked_once
def health_in_use() -> list[SyncHealth]:
    return sync_health(accounts=accounts_in_use(), now=timezone.now())


@asked_once
def figures_in_use() -> OperationFigures:
    """The figures of the operations of all accounts in use."""
    ids = [account.pk for account in accounts_in_use()]
    return OperationFigures.together(operation_figures(account_ids=ids, now=timezone.now()).values())


def orders_of_the_day() -> Values:
    accounts = {account.pk: account for account in accounts_in_use()}
    rows = (
        MarketplaceOrder.objects.filter(account_id__in=accounts, pk__gte=first_uuid7_at(timezone.now() - DAY))
        .order_by()
        .values_list("account_id", "state")
        .annotate(number=Count("pk"))
    )
    for account_id, state, number in rows:
        yield {"account": str(accounts[account_id]), "state": state}, number


def revenue_of_the_day() -> Values:
    accounts = {account.pk: account for account in accounts_in_use()}
    rows = (
        MarketplaceOrder.objects.filter(
            account_id__in=accounts, pk__gte=first_uuid7_at(timezone.now() - DAY), total__isnull=False
        )
        .exclude(state=OrderState.CANCELLED)
        .order_by()
        .values_list("account_id", "currency")
        .annotate(together=Sum("total"))
    )
    for account_id, currency, together in rows:
        yield {"account": str(accounts[account_id]), "currency": currency}, float(together)


def sync_ages() -> Values:
    now = timezone.now()
    for one in health_in_use():
        if one.last_success_at is not None:
            yield {"account": str(one.account), "what": one.what}, (now - one.last_success_at).total_seconds()


def run_durations() -> Values:
    for one in health_in_use():
        if one.mean_seconds is not None:
            yield {"account": str(one.account), "what": one.what}, one.mean_seconds


def failures_in_a_row() -> Values:
    for one in health_in_use():
        yield {"account": str(one.account), "what": one.what}, one.failures


def runs_of_the_day() -> Values:
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


def connections() -> Values:
    for account in accounts_in_use():
        yield {"account": str(account)}, account.connection == SellerAccount.Connection.CONNECTED


def pushes_waiting() -> Values:
    # Of an account that is only read nothing is sent, so nothing waits.
    sending = {"account__is_active": True, "account__mode": SellerAccount.Mode.LIVE}
    rows = (
        Listing.objects.filter(is_active=True, push_wanted_at__isnull=False, **sending)
        .order_by()
        .values_list("account__marketplace", "account__name")
        .annotate(number=Count("pk"))
    )
    for marketplace, name, number in rows:
        yield {"account": f"{Marketplace(marketplace).label}: {name}"}, number


def operations_of_the_day() -> Values:
    since = first_uuid7_at(timezone.now() - DAY)
    rows = StockOperation.objects.filter(pk__gte=since).order_by().values_list("status").annotate(number=Count("pk"))
    for status, number in rows:
        yield {"status": status}, number


@asked_once
def unfinished() -> list[tuple[str, int, int, int]]:
    """(status, number, of which failed once, of which stuck)"""
    late = Q(next_attempt_at__lt=timezone.now() - STUCK_AFTER)
    return list(
        StockOperation.objects.filter(status__in=StockOperation.UNFINISHED)
        .order_by()
        .values_list("status")
        .annotate(number=Count("pk"), failed=Count("pk", filter=Q(attempts__gt=0)), stuck=Count("pk", filter=late))
    )


def unfinished_operations() -> Values:
    for status, number, _failed, _stuck in unfinished():
        yield {"status": status}, number


def retrying_operations() -> Values:
    yield {}, sum(failed for _status, _number, failed, _stuck in unfinished())


def stuck_operations() -> Values:
    yield {}, sum(stuck for _status, _number, _failed, stuck in unfinished())


def retries_of_the_day() -> Values:
    yield {}, figures_in_use().retried


def errors_of_the_day() -> Values:
    for kind, number in figures_in_use().errors_by_kind.items():
        yield {"kind": kind}, number


def operation_durations() -> Values:
    figures = figures_in_use()
    if figures.mean_seconds is not None:
        yield {}, figures.mean_seconds
