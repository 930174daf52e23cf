"""What the search for anomalies asks the database: of all accounts at once, each question in one query.

Each account is looked up by an index of its own rows, and no further than what answers; only `stock_jumps` reads all
rows of the accounts, once, to see which of them changed on the day.
"""

import datetime
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from marketplaces.clients.gate import digest_of
from marketplaces.models import ApiGate, SellerAccount, SyncRun

# A SKU jumps if it changes within a day by a factor of ten, and by a hundred pieces.
JUMP_FACTOR, JUMP_PIECES = 10, 100
MOST_SKUS = 5


@dataclass(frozen=True, slots=True)
class StockJumps:
    """How many rows of an account's stock jumped, and the greatest jumps: (SKU, pieces before, pieces now)."""

    number: int
    examples: Sequence[tuple[str, int, int]]


@dataclass(frozen=True, slots=True)
class ImportFigures:
    """The rows that a run saw, and those of them that it left out."""

    processed: int
    skipped: int


def accounts_without_a_piece(*, account_ids: Collection[UUID]) -> set[UUID]:
    """Those of which stock is known, and of nothing there is any."""
    with connection.cursor() as cursor:
        # The order is that of the index by account and SKU: with another one PostgreSQL may read the rows of all
        # accounts until it meets one.
        cursor.execute(
            """
            SELECT account.id
            FROM unnest(%s::uuid[]) AS account (id)
            CROSS JOIN LATERAL (
                SELECT stock.id FROM marketplaces_marketplacestock AS stock
                WHERE stock.account_id = account.id
                ORDER BY stock.sku LIMIT 1
            ) AS known
            LEFT JOIN LATERAL (
                SELECT stock.id FROM marketplaces_marketplacestock AS stock
                WHERE stock.account_id = account.id AND stock.present > 0
                ORDER BY stock.sku LIMIT 1
            ) AS there ON true
            WHERE there.id IS NULL
            """,
            [list(account_ids)],
        )
        return {account_id for (account_id,) in cursor.fetchall()}


def accounts_with_a_piece_since(*, days: Mapping[UUID, datetime.date]) -> set[UUID]:
    """{account: the day} → those that had something at the end of that day or of one after it on which it changed."""
    with connection.cursor() as cursor:
        # Rows that have not changed since have no such snapshot: the date in the row spares looking for it.
        cursor.execute(
            """
            SELECT account.id
            FROM unnest(%s::uuid[], %s::date[]) AS account (id, since)
            CROSS JOIN LATERAL (
                SELECT snapshot.id
                FROM marketplaces_marketplacestock AS stock
                JOIN marketplaces_marketplacestocksnapshot AS snapshot ON snapshot.stock_id = stock.id
                WHERE stock.account_id = account.id AND stock.snapshot_date >= account.since
                  AND snapshot.snapshot_date >= account.since AND snapshot.present > 0
                ORDER BY stock.sku LIMIT 1
            ) AS lately
            """,
            [list(days), list(days.values())],
        )
        return {account_id for (account_id,) in cursor.fetchall()}


def stock_jumps(*, days: Mapping[UUID, datetime.date]) -> dict[UUID, StockJumps]:
    """{account: the day} → what jumped on it, of the accounts where something did. Only rows that changed on the day
    are compared with the snapshot before it."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT account_id, number, sku, pieces_before, pieces_now
            FROM (
                SELECT account.id AS account_id, stock.sku, before.present AS pieces_before,
                       stock.present AS pieces_now,
                       count(*) OVER (PARTITION BY account.id) AS number,
                       row_number() OVER (
                           PARTITION BY account.id
                           ORDER BY abs(stock.present - before.present) DESC, stock.sku, stock.id
                       ) AS place
                FROM unnest(%(accounts)s::uuid[], %(days)s::date[]) AS account (id, day)
                JOIN marketplaces_marketplacestock AS stock
                    ON stock.account_id = account.id AND stock.snapshot_date = account.day
                CROSS JOIN LATERAL (
                    SELECT earlier.present FROM marketplaces_marketplacestocksnapshot AS earlier
                    WHERE earlier.stock_id = stock.id AND earlier.snapshot_date < account.day
                    ORDER BY earlier.snapshot_date DESC LIMIT 1
                ) AS before
                WHERE abs(stock.present - before.present) >= %(pieces)s
                  AND greatest(stock.present, before.present)
                      >= %(factor)s * greatest(least(stock.present, before.present), 1)
            ) AS jump
            WHERE place <= %(most)s
            ORDER BY account_id, place
            """,
            {
                "accounts": list(days),
                "days": list(days.values()),
                "pieces": JUMP_PIECES,
                "factor": JUMP_FACTOR,
                "most": MOST_SKUS,
            },
        )
        rows = cursor.fetchall()
    numbers: dict[UUID, int] = {}
    examples = defaultdict(list)
    for account_id, number, sku, before, now in rows:
        numbers[account_id] = number
        examples[account_id].append((sku, before, now))
    return {account_id: StockJumps(number, examples[account_id]) for account_id, number in numbers.items()}


def newest_imports(*, account_ids: Collection[UUID], most: int) -> dict[UUID, list[ImportFigures]]:
    """Each account's newest imports of stock that told something, the newest first."""
    found = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT account.id, newest.processed, newest.skipped
            FROM unnest(%(accounts)s::uuid[]) AS account (id)
            CROSS JOIN unnest(%(statuses)s::text[]) AS outcome (status)
            CROSS JOIN LATERAL (
                SELECT run.id, run.processed, run.skipped FROM marketplaces_syncrun AS run
                WHERE run.account_id = account.id AND run.what = %(what)s AND run.status = outcome.status
                ORDER BY run.id DESC LIMIT %(most)s
            ) AS newest
            ORDER BY newest.id DESC
            """,
            {
                "accounts": list(account_ids),
                "statuses": [SyncRun.Status.SUCCESS.value, SyncRun.Status.PARTIAL.value],
                "what": SyncRun.What.INVENTORY.value,
                "most": most,
            },
        )
        for account_id, processed, skipped in cursor.fetchall():
            found[account_id].append(ImportFigures(processed, skipped))
    return {account_id: figures[:most] for account_id, figures in found.items()}


def gates_of(*, accounts: Collection[SellerAccount]) -> dict[UUID, ApiGate]:
    """The limit under which each account calls its marketplace, of those that have called it."""
    keys = {account.pk: key for account in accounts if (key := gate_key(account))}
    gates = ApiGate.objects.in_bulk(set(keys.values()))
    return {account_id: gates[key] for account_id, key in keys.items() if key in gates}


def gate_key(account: SellerAccount) -> str:
    """The key of the account's limit; empty without credentials."""
    keys = account.credentials or {}
    credential = keys.get("client_id") or keys.get("token")
    return f"{account.marketplace}:{digest_of(credential)}" if credential else ""
