"""How the synchronisation with the marketplaces is doing: the figures of the monitor's page, its report, and health.

Everything asked of large tables asks for what came since a moment, by keys that carry the moment in them.
"""

import datetime
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Q, QuerySet, Sum, Window
from django.db.models.fields.json import KT
from django.db.models.functions import RowNumber

from foundation.uuids import first_uuid7_at
from marketplaces.models import (
    ApiGate,
    Listing,
    MarketplaceSwitch,
    OperationLog,
    SellerAccount,
    StockOperation,
    SyncRun,
    SyncState,
)

DAY = datetime.timedelta(hours=24)
# An unfinished operation whose next attempt is over by so much is stuck: no worker has come for it.
STUCK_AFTER = datetime.timedelta(minutes=10)
# An operation that is not finished after so long is said to take long.
LONG_AFTER = datetime.timedelta(hours=1)
# What was last read so many intervals ago is stale.
STALE_AFTER_INTERVALS = 3
MOST_NAMED = 50
NO_TIME = datetime.timedelta()


@dataclass(frozen=True, slots=True)
class SyncHealth:
    """One subject (orders, stock, quantities) of one account.

    `success_rate` is the share, 0 to 1, of the last 24 hours' finished runs that succeeded, None without any;
    `mean_seconds` how long those took on average; `items` the newest successful run's figures by source.
    """

    account: SellerAccount
    what: str
    last_success_at: datetime.datetime | None
    is_stale: bool
    runs: int
    success_rate: float | None
    mean_seconds: float | None
    items: Mapping[str, int]
    failures: int
    next_due_at: datetime.datetime | None
    last_error: str


@dataclass(frozen=True, slots=True)
class OperationFigures:
    """Stock operations of the last 24 hours, and what is wrong with those that are unfinished, however old.

    `took`: how long the completed ones took together, and how many they are.
    """

    by_status: Mapping[str, int]
    errors_by_kind: Mapping[str, int]
    took: tuple[datetime.timedelta, int]
    stuck: Sequence[StockOperation]
    long: Sequence[StockOperation]
    retried: int

    @property
    def created(self) -> int:
        return sum(self.by_status.values())

    @property
    def mean_seconds(self) -> float | None:
        """How long a completed one took on average, None without any."""
        together, number = self.took
        return together.total_seconds() / number if number else None

    def share(self, status: str) -> float:
        """The share, 0 to 1, of those created in the last 24 hours that have this status."""
        return self.by_status.get(status, 0) / self.created if self.created else 0.0

    @classmethod
    def together(cls, figures: Iterable["OperationFigures"]) -> "OperationFigures":
        """What the figures of several accounts amount to; of the unfinished ones the oldest are named."""
        given = list(figures)
        return cls(
            by_status=sum((Counter(one.by_status) for one in given), Counter()),
            errors_by_kind=sum((Counter(one.errors_by_kind) for one in given), Counter()),
            took=(sum((one.took[0] for one in given), NO_TIME), sum(one.took[1] for one in given)),
            stuck=sorted((row for one in given for row in one.stuck), key=attrgetter("next_attempt_at"))[:MOST_NAMED],
            long=sorted((row for one in given for row in one.long), key=attrgetter("created_at"))[:MOST_NAMED],
            retried=sum(one.retried for one in given),
        )


@dataclass(frozen=True, slots=True)
class Monitor:
    """Everything that the page shows."""

    at: datetime.datetime
    syncs: Sequence[SyncHealth]
    operations: OperationFigures
    waiting_pushes: int
    refused_pushes: int
    gates: Sequence[ApiGate]
    switch: MarketplaceSwitch | None = field(default=None)

    @property
    def is_well(self) -> bool:
        """Nothing needs anybody."""
        return not (
            any(sync.is_stale or sync.failures for sync in self.syncs)
            or self.operations.stuck
            or self.operations.by_status.get(StockOperation.Status.FAILED)
            or self.refused_pushes
            or (self.switch and self.switch.pushes_stopped_at)
        )


def monitor(*, accounts: Collection[SellerAccount], now: datetime.datetime) -> Monitor:
    """The state of these accounts. A constant number of queries."""
    ids = [account.pk for account in accounts]
    pushes = Listing.objects.filter(account_id__in=ids, is_active=True).aggregate(
        waiting=Count("pk", filter=Q(push_wanted_at__isnull=False)), refused=Count("pk", filter=~Q(push_error=""))
    )
    return Monitor(
        at=now,
        syncs=sync_health(accounts=accounts, now=now),
        operations=OperationFigures.together(operation_figures(account_ids=ids, now=now).values()),
        waiting_pushes=pushes["waiting"],
        refused_pushes=pushes["refused"],
        gates=list(ApiGate.objects.filter(Q(open_until__gt=now) | Q(blocked_until__gt=now)).order_by("key")),
        switch=MarketplaceSwitch.objects.first(),
    )


def sync_health(*, accounts: Collection[SellerAccount], now: datetime.datetime) -> list[SyncHealth]:
    """Orders and stock of every account, and quantities where they were ever sent. Four queries."""
    ids = [account.pk for account in accounts]
    states = {(state.account_id, state.what): state for state in SyncState.objects.filter(account_id__in=ids)}
    lately = SyncRun.objects.filter(account_id__in=ids, id__gte=first_uuid7_at(now - DAY), started_at__gte=now - DAY)
    took = ExpressionWrapper(F("completed_at") - F("started_at"), output_field=DurationField())
    figures = {
        (row["account_id"], row["what"]): row
        for row in lately.order_by()
        .values("account_id", "what")
        .annotate(
            finished=Count("pk", filter=~Q(status=SyncRun.Status.RUNNING)),
            succeeded=Count("pk", filter=Q(status=SyncRun.Status.SUCCESS)),
            mean=Avg(took, filter=Q(status=SyncRun.Status.SUCCESS)),
        )
    }
    newest = newest_runs(account_ids=ids)
    health = []
    for account in accounts:
        for what in SyncRun.What:
            key = (account.pk, what.value)
            state, row = states.get(key), figures.get(key)
            if what == SyncRun.What.TRANSACTIONS and state is None:
                continue
            last = newest.get(key, {})
            succeeded, latest = last.get(SyncRun.Status.SUCCESS), last.get("latest")
            finished = row["finished"] if row else 0
            health.append(
                SyncHealth(
                    account=account,
                    what=what.value,
                    last_success_at=state.last_success_at if state else None,
                    is_stale=is_stale(account, what, state, now),
                    runs=finished,
                    success_rate=row["succeeded"] / finished if row and finished else None,
                    mean_seconds=row["mean"].total_seconds() if row and row["mean"] is not None else None,
                    items=succeeded.counts if succeeded else {},
                    failures=state.failures if state else 0,
                    next_due_at=state.next_due_at if state else None,
                    last_error=latest.message if latest and latest.status != SyncRun.Status.SUCCESS else "",
                )
            )
    return health


def newest_runs(*, account_ids: Collection[UUID]) -> dict[tuple[UUID, str], dict[str, SyncRun]]:
    """{(account, what): {status: its newest run, "latest": the newest finished one}}. Two queries."""
    finished = [status.value for status in SyncRun.Status if status != SyncRun.Status.RUNNING]
    with connection.cursor() as cursor:
        # Each is found by its index, however many runs there are: DISTINCT ON would sort all of them.
        cursor.execute(
            """
            SELECT newest.id
            FROM unnest(%s::uuid[]) AS account (id)
            CROSS JOIN unnest(%s::text[]) AS subject (what)
            CROSS JOIN unnest(%s::text[]) AS outcome (status)
            CROSS JOIN LATERAL (
                SELECT run.id FROM marketplaces_syncrun AS run
                WHERE run.account_id = account.id AND run.what = subject.what AND run.status = outcome.status
                ORDER BY run.id DESC LIMIT 1
            ) AS newest
            """,
            [list(account_ids), SyncRun.What.values, finished],
        )
        ids = [row[0] for row in cursor.fetchall()]
    found: dict[tuple[UUID, str], dict[str, SyncRun]] = {}
    for run in SyncRun.objects.filter(pk__in=ids).order_by("pk"):
        of_subject = found.setdefault((run.account_id, run.what), {})
        of_subject[run.status] = of_subject["latest"] = run
    return found


def interval_of(account: SellerAccount, what: SyncRun.What) -> datetime.timedelta | None:
    """How often this is read; None for what has no timetable."""
    if what == SyncRun.What.ORDERS:
        return datetime.timedelta(seconds=account.orders_every)
    if what == SyncRun.What.INVENTORY:
        return datetime.timedelta(minutes=account.stock_every)
    return None


def is_stale(account: SellerAccount, what: SyncRun.What, state: SyncState | None, now: datetime.datetime) -> bool:
    """Whether what the shop knows is older than three intervals (at least ten minutes), of an account in use."""
    interval = interval_of(account, what)
    if interval is None or not account.is_active or account.connection == SellerAccount.Connection.NONE:
        return False
    since = state.last_success_at if state and state.last_success_at else account.created_at
    return now - since > max(interval * STALE_AFTER_INTERVALS, datetime.timedelta(minutes=10))


def operation_figures(*, account_ids: Collection[UUID], now: datetime.datetime) -> dict[UUID, OperationFigures]:
    """What became of each account's operations of the last 24 hours, and which unfinished ones need a look. Four
    queries."""
    operations = StockOperation.objects.filter(account_id__in=account_ids)
    completed = Q(status=StockOperation.Status.COMPLETED, finished_at__isnull=False)
    took = ExpressionWrapper(F("finished_at") - F("created_at"), output_field=DurationField())
    lately: dict[UUID, list[Any]] = {account_id: [] for account_id in account_ids}
    for row in (
        operations.filter(pk__gte=first_uuid7_at(now - DAY))
        .order_by()
        .values("account_id", "status")
        .annotate(
            number=Count("pk"),
            retried=Count("pk", filter=Q(retry_of__isnull=False)),
            completed=Count("pk", filter=completed),
            took=Sum(took, filter=completed),
        )
    ):
        lately[row["account_id"]].append(row)
    errors: dict[UUID, Counter[str]] = {account_id: Counter() for account_id in account_ids}
    for account_id, kind, number in (
        OperationLog.objects.filter(
            created_at__gte=now - DAY, error_details__isnull=False, operation__account_id__in=account_ids
        )
        .order_by()
        .values_list("operation__account_id", KT("error_details__kind"))
        .annotate(number=Count("pk"))
    ):
        errors[account_id][kind or "error"] += number
    unfinished = operations.filter(status__in=StockOperation.UNFINISHED)
    stuck = oldest_by_account(unfinished.filter(next_attempt_at__lt=now - STUCK_AFTER), "next_attempt_at")
    long = oldest_by_account(unfinished.filter(created_at__lt=now - LONG_AFTER), "created_at")
    return {
        account_id: OperationFigures(
            by_status={row["status"]: row["number"] for row in rows},
            errors_by_kind=errors[account_id],
            took=(sum((row["took"] or NO_TIME for row in rows), NO_TIME), sum(row["completed"] for row in rows)),
            stuck=stuck.get(account_id, []),
            long=long.get(account_id, []),
            retried=sum(row["retried"] for row in rows),
        )
        for account_id, rows in lately.items()
    }


def oldest_by_account(operations: QuerySet[StockOperation], moment: str) -> dict[UUID, list[StockOperation]]:
    """Of each account the first of these by this moment, as many as are named. One query."""
    place = Window(RowNumber(), partition_by="account_id", order_by=moment)
    found: dict[UUID, list[StockOperation]] = {}
    for operation in (
        operations.alias(place=place).filter(place__lte=MOST_NAMED).select_related("order", "account").order_by(moment)
    ):
        found.setdefault(operation.account_id, []).append(operation)
    return found
