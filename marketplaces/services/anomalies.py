"""What looks wrong about the marketplaces, and saying so once: an alert opens when something begins, and is closed when
it has ended."""

import datetime
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from marketplaces.clients.gate import digest_of
from marketplaces.models import (
    ApiGate,
    MarketplaceStock,
    MarketplaceStockSnapshot,
    SellerAccount,
    StockOperation,
    SyncRun,
)
from marketplaces.monitor_selectors import OperationFigures, SyncHealth, operation_figures, sync_health
from monitoring.selectors import open_alerts
from monitoring.services.alerts import AlertText, notify_many, resolve

ANOMALY = "marketplaces.anomaly"

# A rate says something from so many runs or operations on.
LEAST_RUNS, LEAST_OPERATIONS = 4, 5
LOWEST_SUCCESS_RATE = 0.5
HIGHEST_SHARE = 0.2
# A SKU jumps if it changes within a day by a factor of ten, and by a hundred pieces.
JUMP_FACTOR, JUMP_PIECES = 10, 100
# The newest import against the mean of so many before it.
RUNS_BEFORE = 5
LEAST_ITEMS, FALL_TO = 10, 0.5
HIGHEST_SKIPPED = 0.05
MOST_SKUS = 5
# Calls in an hour, against a usual one.
LEAST_CALLS, MANY_CALLS = 1000, 5

SENTENCES = {
    "stale": gettext_noop("%(account)s: nothing has been read of %(what)s since %(since)s."),
    "failing": gettext_noop("%(account)s: of the last %(runs)s runs for %(what)s, %(percent)s %% succeeded."),
    "all_zero": gettext_noop("%(account)s: the marketplace says that nothing is in stock, of anything."),
    "stock_jump": gettext_noop("%(account)s: the stock of %(number)s SKUs jumped, for example %(examples)s."),
    "fewer_items": gettext_noop("%(account)s: the last import saw %(items)s rows, before it were %(before)s."),
    "rows_left_out": gettext_noop("%(account)s: the last import left out %(skipped)s of %(processed)s rows."),
    "stuck_operations": gettext_noop(
        "%(account)s: %(number)s stock operations are overdue and nobody goes on with them."
    ),
    "long_operations": gettext_noop("%(account)s: %(number)s stock operations have been unfinished for over an hour."),
    "failed_operations": gettext_noop("%(account)s: %(percent)s %% of the stock operations of the last day failed."),
    "unusual_calls": gettext_noop("%(account)s: %(calls)s calls of the marketplace in this hour, usual are %(usual)s."),
    "cancelled_operations": gettext_noop(
        "%(account)s: %(percent)s %% of the stock operations of the last day were cancelled."
    ),
}


@dataclass(frozen=True, slots=True)
class Anomaly:
    """Something that looks wrong about an account; `details` fill the sentence of its kind."""

    kind: str
    account: SellerAccount
    details: Mapping[str, Any] = field(default_factory=dict)
    # What tells two of one kind apart: orders and stock.
    about: str = ""

    @property
    def subject(self) -> str:
        return ":".join(part for part in (self.kind, str(self.account.pk), self.about) if part)

    def all_details(self) -> dict[str, Any]:
        return {"kind": self.kind, "account": str(self.account), "account_id": str(self.account.pk), **self.details}

    @property
    def sentence(self) -> str:
        return anomaly_sentence(self.all_details())


def anomaly_sentence(details: Mapping[str, Any]) -> str:
    """What such an alert says, in the reader's language; KeyError if the details do not tell."""
    values = {**details}
    if "what" in values:
        values["what"] = SyncRun.What(values["what"]).label
    return _(SENTENCES[details["kind"]]) % values


@transaction.atomic
def watch_marketplaces(*, now: datetime.datetime) -> list[Anomaly]:
    """Looks at every active account, opens alerts of what is new and closes those of what has ended. Returns all that
    looks wrong now."""
    found = find_anomalies(accounts=list(SellerAccount.objects.filter(is_active=True)), now=now)
    by_subject = {anomaly.subject: anomaly for anomaly in found}
    known = set(open_alerts().filter(event=ANOMALY).values_list("subject", flat=True))
    notify_many(
        event=ANOMALY,
        alerts=[
            AlertText(subject, anomaly.sentence, anomaly.all_details())
            for subject, anomaly in by_subject.items()
            if subject not in known
        ],
    )
    resolve(event=ANOMALY, subjects=sorted(known - set(by_subject)))
    return found


def find_anomalies(*, accounts: Collection[SellerAccount], now: datetime.datetime) -> list[Anomaly]:
    """What looks wrong about these accounts now."""
    found = [anomaly for health in sync_health(accounts=accounts, now=now) for anomaly in of_sync(health)]
    for account in accounts:
        found += of_stock(account, now)
        found += of_imports(account)
        found += of_calls(account, now)
        found += of_operations(account, operation_figures(account_ids=[account.pk], now=now))
    return found


def of_sync(health: SyncHealth) -> Iterator[Anomaly]:
    if health.is_stale:
        since = health.last_success_at or health.account.created_at
        details = {"what": health.what, "since": since.isoformat(timespec="minutes")}
        yield Anomaly("stale", health.account, details, health.what)
    if health.success_rate is not None and health.runs >= LEAST_RUNS and health.success_rate < LOWEST_SUCCESS_RATE:
        percent = round(health.success_rate * 100)
        yield Anomaly(
            "failing", health.account, {"what": health.what, "runs": health.runs, "percent": percent}, health.what
        )


def of_stock(account: SellerAccount, now: datetime.datetime) -> Iterator[Anomaly]:
    today = account.location.today(now)
    total = MarketplaceStock.objects.filter(account=account).aggregate(pieces=Sum("present"))["pieces"]
    if total == 0:
        lately = MarketplaceStockSnapshot.objects.filter(
            stock__account=account, snapshot_date__gte=today - datetime.timedelta(days=7), present__gt=0
        )
        if lately.exists():
            yield Anomaly("all_zero", account)
        return
    jumps = stock_jumps(account_id=account.pk, day=today)
    if jumps:
        examples = ", ".join(f"{sku} ({before} → {after})" for sku, before, after in jumps[:MOST_SKUS])
        yield Anomaly("stock_jump", account, {"number": len(jumps), "examples": examples})


def stock_jumps(*, account_id: UUID, day: datetime.date) -> list[tuple[str, int, int]]:
    """(SKU, pieces before, pieces now) of what jumped on this day. Only what changed on it is looked at."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT stock.sku, before.present, today.present
            FROM marketplaces_marketplacestocksnapshot AS today
            JOIN marketplaces_marketplacestock AS stock ON stock.id = today.stock_id
            CROSS JOIN LATERAL (
                SELECT earlier.present FROM marketplaces_marketplacestocksnapshot AS earlier
                WHERE earlier.stock_id = today.stock_id AND earlier.snapshot_date < today.snapshot_date
                ORDER BY earlier.snapshot_date DESC LIMIT 1
            ) AS before
            WHERE stock.account_id = %(account)s AND today.snapshot_date = %(day)s
              AND abs(today.present - before.present) >= %(pieces)s
              AND greatest(today.present, before.present)
                  >= %(factor)s * greatest(least(today.present, before.present), 1)
            ORDER BY abs(today.present - before.present) DESC, stock.sku
            """,
            {"account": account_id, "day": day, "pieces": JUMP_PIECES, "factor": JUMP_FACTOR},
        )
        return cursor.fetchall()


def of_imports(account: SellerAccount) -> Iterator[Anomaly]:
    runs = list(
        SyncRun.objects.filter(
            account=account, what=SyncRun.What.INVENTORY, status__in=[SyncRun.Status.SUCCESS, SyncRun.Status.PARTIAL]
        ).order_by("-id")[: RUNS_BEFORE + 1]
    )
    if not runs:
        return
    newest, *before = runs
    if newest.processed and newest.skipped / newest.processed > HIGHEST_SKIPPED:
        yield Anomaly("rows_left_out", account, {"skipped": newest.skipped, "processed": newest.processed})
    if before:
        mean = sum(run.processed for run in before) / len(before)
        if mean >= LEAST_ITEMS and newest.processed < mean * FALL_TO:
            yield Anomaly("fewer_items", account, {"items": newest.processed, "before": round(mean)})


def of_calls(account: SellerAccount, now: datetime.datetime) -> Iterator[Anomaly]:
    keys = account.credentials or {}
    credential = keys.get("client_id") or keys.get("token")
    if not credential:
        return
    gate = ApiGate.objects.filter(pk=f"{account.marketplace}:{digest_of(credential)}").first()
    if gate is None or gate.usual_calls is None or gate.hour is None or now - gate.hour > datetime.timedelta(hours=1):
        return
    if gate.calls > max(LEAST_CALLS, MANY_CALLS * gate.usual_calls):
        yield Anomaly("unusual_calls", account, {"calls": gate.calls, "usual": round(gate.usual_calls)})


def of_operations(account: SellerAccount, figures: OperationFigures) -> Iterator[Anomaly]:
    if figures.stuck:
        yield Anomaly("stuck_operations", account, {"number": len(figures.stuck)})
    if figures.long:
        yield Anomaly("long_operations", account, {"number": len(figures.long)})
    if figures.created < LEAST_OPERATIONS:
        return
    for kind, status in (
        ("failed_operations", StockOperation.Status.FAILED),
        ("cancelled_operations", StockOperation.Status.CANCELLED),
    ):
        share = figures.share(status)
        if share > HIGHEST_SHARE:
            yield Anomaly(kind, account, {"percent": round(share * 100)})
