"""What looks wrong about the marketplaces, and saying so once: an alert opens when something begins, and is closed when
it has ended."""

import datetime
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from marketplaces.anomaly_selectors import (
    ImportFigures,
    StockJumps,
    accounts_with_a_piece_since,
    accounts_without_a_piece,
    gates_of,
    newest_imports,
    stock_jumps,
)
from marketplaces.models import ApiGate, SellerAccount, StockOperation, SyncRun
from marketplaces.monitor_selectors import OperationFigures, SyncHealth, operation_figures, sync_health
from marketplaces.services.alarms import close_shortages
from monitoring.services.alerts import AlertText
from monitoring.services.standing import tell_what_stands

ANOMALY = "marketplaces.anomaly"

# A rate says something from so many runs or operations on.
LEAST_RUNS, LEAST_OPERATIONS = 4, 5
LOWEST_SUCCESS_RATE = 0.5
HIGHEST_SHARE = 0.2
# An account without a piece is nothing new if it had none for so long.
LATELY = datetime.timedelta(days=7)
# The newest import against the mean of so many before it.
RUNS_BEFORE = 5
LEAST_ITEMS, FALL_TO = 10, 0.5
HIGHEST_SKIPPED = 0.05
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
    accounts = SellerAccount.objects.filter(is_active=True).select_related("location")
    found = find_anomalies(accounts=list(accounts), now=now)
    tell_what_stands(
        event=ANOMALY,
        alerts=[AlertText(anomaly.subject, anomaly.sentence, anomaly.all_details()) for anomaly in found],
    )
    close_shortages()
    return found


def find_anomalies(*, accounts: Collection[SellerAccount], now: datetime.datetime) -> list[Anomaly]:
    """What looks wrong about these accounts now. A constant number of queries, if their locations are at hand."""
    ids = [account.pk for account in accounts]
    stock = StockFigures.of(accounts, now)
    imports = newest_imports(account_ids=ids, most=RUNS_BEFORE + 1)
    gates = gates_of(accounts=accounts)
    operations = operation_figures(account_ids=ids, now=now)
    found = [anomaly for health in sync_health(accounts=accounts, now=now) for anomaly in of_sync(health)]
    for account in accounts:
        found += of_stock(account, stock)
        found += of_imports(account, imports.get(account.pk, []))
        found += of_calls(account, gates.get(account.pk), now)
        found += of_operations(account, operations[account.pk])
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


@dataclass(frozen=True, slots=True)
class StockFigures:
    """Which accounts have nothing at all, which of these had something lately, and what jumped today elsewhere."""

    empty: Collection[UUID]
    emptied: Collection[UUID]
    jumps: Mapping[UUID, StockJumps]

    @classmethod
    def of(cls, accounts: Collection[SellerAccount], now: datetime.datetime) -> "StockFigures":
        today = {account.pk: account.location.today(now) for account in accounts}
        empty = accounts_without_a_piece(account_ids=list(today))
        return cls(
            empty,
            accounts_with_a_piece_since(days={pk: day - LATELY for pk, day in today.items() if pk in empty}),
            stock_jumps(days={pk: day for pk, day in today.items() if pk not in empty}),
        )


def of_stock(account: SellerAccount, stock: StockFigures) -> Iterator[Anomaly]:
    if account.pk in stock.emptied:
        yield Anomaly("all_zero", account)
    if jumps := stock.jumps.get(account.pk):
        examples = ", ".join(f"{sku} ({before} → {after})" for sku, before, after in jumps.examples)
        yield Anomaly("stock_jump", account, {"number": jumps.number, "examples": examples})


def of_imports(account: SellerAccount, imports: Sequence[ImportFigures]) -> Iterator[Anomaly]:
    """Looks at the newest of these imports, and compares it with the others."""
    if not imports:
        return
    newest, *before = imports
    if newest.processed and newest.skipped / newest.processed > HIGHEST_SKIPPED:
        yield Anomaly("rows_left_out", account, {"skipped": newest.skipped, "processed": newest.processed})
    if before:
        mean = sum(one.processed for one in before) / len(before)
        if mean >= LEAST_ITEMS and newest.processed < mean * FALL_TO:
            yield Anomaly("fewer_items", account, {"items": newest.processed, "before": round(mean)})


def of_calls(account: SellerAccount, gate: ApiGate | None, now: datetime.datetime) -> Iterator[Anomaly]:
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
