"""The rows of marketplace stock, written many at once; and the day's snapshots with them."""

import datetime
import operator
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from marketplaces.clients.base import Problem, StockRow
from marketplaces.models import MarketplaceStock, MarketplaceStockSnapshot, SellerAccount
from marketplaces.services.payloads import REPLACEMENT, UNKEEPABLE
from marketplaces.services.runs import keep_lease

# Nobody has so many of anything: such a figure is a mistake.
MOST_PIECES = 10_000_000
LONGEST_SKU, LONGEST_WAREHOUSE_ID, LONGEST_WAREHOUSE, LONGEST_NAME, LONGEST_BARCODE = 100, 60, 200, 300, 60
LONGEST_TEXTS = (LONGEST_WAREHOUSE, LONGEST_NAME, LONGEST_BARCODE)
TEXTS = ("sku", "warehouse_id", "stock_type", "warehouse", "name", "barcode")
FIGURES = ("present", "reserved", "in_way_to_client", "in_way_from_client")
FIGURES_OF = operator.attrgetter(*FIGURES)
# Stored rows that are compared at once with what was told.
PART = 5000

UPSERT = """
    -- The account comes with the rows, so that the planner does not see which one it is. Of one that is newer than the
    -- tables' statistics it would think that it has no rows, and read all of them by another index for each given one.
    WITH given AS MATERIALIZED (
        SELECT %(account)s AS account_id, * FROM unnest(
            %(sku)s::text[], %(warehouse_id)s::text[], %(stock_type)s::text[], %(warehouse)s::text[], %(name)s::text[],
            %(barcode)s::text[], %(present)s::int[], %(reserved)s::int[], %(in_way_to_client)s::int[],
            %(in_way_from_client)s::int[]
        ) AS given (
            sku, warehouse_id, stock_type, warehouse, name, barcode, present, reserved, to_client, from_client
        )
    ),
    changed AS (
        INSERT INTO marketplaces_marketplacestock AS stock (
            account_id, product_id, source, sku, warehouse_id, stock_type, warehouse, name, barcode, present, reserved,
            in_way_to_client, in_way_from_client, snapshot_date, last_sync_at
        )
        SELECT given.account_id, listing.product_id, %(source)s, given.sku, given.warehouse_id, given.stock_type,
               given.warehouse, given.name, given.barcode, given.present, given.reserved, given.to_client,
               given.from_client, %(day)s, %(at)s
        FROM given
        LEFT JOIN marketplaces_listing AS listing ON listing.account_id = given.account_id AND listing.sku = given.sku
        ORDER BY given.sku, given.warehouse_id, given.stock_type
        ON CONFLICT (account_id, sku, source, warehouse_id, stock_type) DO UPDATE SET
            product_id = excluded.product_id,
            warehouse = coalesce(nullif(excluded.warehouse, ''), stock.warehouse),
            name = coalesce(nullif(excluded.name, ''), stock.name),
            barcode = coalesce(nullif(excluded.barcode, ''), stock.barcode),
            present = excluded.present,
            reserved = excluded.reserved,
            in_way_to_client = excluded.in_way_to_client,
            in_way_from_client = excluded.in_way_from_client,
            snapshot_date = excluded.snapshot_date,
            last_sync_at = excluded.last_sync_at
        WHERE (stock.product_id, stock.present, stock.reserved, stock.in_way_to_client, stock.in_way_from_client,
               stock.warehouse, stock.name, stock.barcode)
            IS DISTINCT FROM
              (excluded.product_id, excluded.present, excluded.reserved, excluded.in_way_to_client,
               excluded.in_way_from_client, coalesce(nullif(excluded.warehouse, ''), stock.warehouse),
               coalesce(nullif(excluded.name, ''), stock.name),
               coalesce(nullif(excluded.barcode, ''), stock.barcode))
        RETURNING stock.id, stock.present, stock.reserved, stock.in_way_to_client, stock.in_way_from_client
    ),
    kept AS (
        INSERT INTO marketplaces_marketplacestocksnapshot AS snapshot
            (stock_id, snapshot_date, present, reserved, in_way_to_client, in_way_from_client)
        SELECT id, %(day)s, present, reserved, in_way_to_client, in_way_from_client FROM changed
        ON CONFLICT (stock_id, snapshot_date) DO UPDATE SET
            present = excluded.present,
            reserved = excluded.reserved,
            in_way_to_client = excluded.in_way_to_client,
            in_way_from_client = excluded.in_way_from_client
    )
    SELECT array(SELECT id FROM changed),
           array(
               SELECT there.id FROM given
               -- The limit has each looked up by the index, whatever the statistics of a table that has just grown say.
               CROSS JOIN LATERAL (
                   SELECT stock.id FROM marketplaces_marketplacestock AS stock
                   WHERE stock.account_id = given.account_id AND stock.source = %(source)s AND stock.sku = given.sku
                     AND stock.warehouse_id = given.warehouse_id AND stock.stock_type = given.stock_type
                   LIMIT 1
               ) AS there
           )
"""


@dataclass(frozen=True, slots=True)
class Written:
    """How many rows are new or differed, and the ids of all that were told."""

    changed: int
    ids: Sequence[int]


class RowIds:
    """A set of row ids, a bit for each: rows of one account lie close together, so that it hardly grows with them."""

    PAGE = 1 << 16

    def __init__(self) -> None:
        self.pages: dict[int, bytearray] = {}

    def add(self, ids: Iterable[int]) -> None:
        for one in ids:
            page, place = divmod(one, self.PAGE)
            self.pages.setdefault(page, bytearray(self.PAGE // 8))[place >> 3] |= 1 << (place & 7)

    def __contains__(self, one: int) -> bool:
        page, place = divmod(one, self.PAGE)
        bits = self.pages.get(page)
        return bits is not None and bool(bits[place >> 3] & 1 << (place & 7))


def good_rows(rows: Iterable[StockRow]) -> tuple[list[StockRow], list[Problem]]:
    """The rows that can be stored, as they are stored, and why each other one can't. Of two with the same key the
    first counts."""
    good: dict[tuple[str, str, str], StockRow] = {}
    problems = []
    for row in rows:
        why = why_not(row)
        if why is None:
            key = row.sku, row.warehouse_id, row.stock_type
            if key not in good:
                good[key] = keepable_row(row)
                continue
            why = _("The same SKU is told twice for this warehouse.")
        problems.append(Problem(str(row.sku), why))
    return list(good.values()), problems


def why_not(row: StockRow) -> str | None:
    """Why this row can't be stored, as a sentence."""
    if not row.sku:
        return _("The SKU is missing.")
    if len(row.sku) > LONGEST_SKU or len(row.warehouse_id) > LONGEST_WAREHOUSE_ID:
        return _("Its SKU or warehouse is too long.")
    if UNKEEPABLE.search(row.sku + row.warehouse_id):
        return _("Its SKU or warehouse has signs that can't be stored.")
    for name, pieces in zip(FIGURES, FIGURES_OF(row), strict=True):
        if type(pieces) is not int:
            return _("%(name)s is no whole number: %(value)s.") % {"name": name, "value": pieces}
        if not 0 <= pieces <= MOST_PIECES:
            return _("%(name)s can't be %(value)s.") % {"name": name, "value": pieces}
    return None


def keepable_row(row: StockRow) -> StockRow:
    """The row with texts that fit their columns: nearly always the row itself."""
    texts = row.warehouse, row.name, row.barcode
    are_short = all(map(operator.le, map(len, texts), LONGEST_TEXTS))
    if are_short and not UNKEEPABLE.search("".join(texts)):
        return row
    cut = [UNKEEPABLE.sub(REPLACEMENT, text)[:longest] for text, longest in zip(texts, LONGEST_TEXTS, strict=True)]
    return row._replace(warehouse=cut[0], name=cut[1], barcode=cut[2])


def write_rows(
    *, account: SellerAccount, source: str, rows: Sequence[StockRow], day: datetime.date, at: datetime.datetime
) -> Written:
    """Writes rows of different keys (as of `good_rows`), those that differ, and the day's snapshots of these, in one
    statement."""
    columns = dict(zip(StockRow._fields, zip(*rows, strict=True), strict=True))
    with connection.cursor() as cursor:
        cursor.execute(
            UPSERT,
            {
                "account": account.pk,
                "source": source,
                "day": day,
                "at": at,
                **{name: array_of_texts(columns[name]) for name in TEXTS},
                **{name: array_of_numbers(columns[name]) for name in FIGURES},
            },
        )
        changed, there = cursor.fetchone()
    return Written(len(changed), [*changed, *there])


def array_of_texts(texts: Iterable[str]) -> str:
    """PostgreSQL's way to write an array, as one text. Given as a list, each of its thousands of elements is adapted
    and parsed as an expression of its own, which takes several times as long. The texts hold no zero character."""
    escaped = "\0".join(texts).replace("\\", "\\\\").replace('"', '\\"')
    return '{"' + escaped.replace("\0", '","') + '"}'


def array_of_numbers(numbers: Iterable[int]) -> str:
    return "{" + ",".join(map(str, numbers)) + "}"


def empty_untold(
    *,
    account: SellerAccount,
    source: str,
    told: RowIds,
    unreadable: Collection[str],
    run_id: UUID,
    day: datetime.date,
    at: datetime.datetime,
) -> int:
    """Sets to 0 what a source has stored and did not tell, and says how many rows those were. What it told in a way
    that could not be read (`unreadable`: SKUs or warehouses) stays as it is."""
    stored = (
        MarketplaceStock.objects.filter(account=account, source=source)
        .filter(Q(present__gt=0) | Q(reserved__gt=0) | Q(in_way_to_client__gt=0) | Q(in_way_from_client__gt=0))
        .exclude(Q(sku__in=unreadable) | Q(warehouse_id__in=unreadable))
        .order_by("pk")
    )
    emptied, last = 0, 0
    while part := list(stored.filter(pk__gt=last).values_list("pk", flat=True)[:PART]):
        last = part[-1]
        untold = [pk for pk in part if pk not in told]
        if untold:
            emptied += set_to_nothing(untold, run_id=run_id, day=day, at=at)
    return emptied


@transaction.atomic
def set_to_nothing(ids: Collection[int], *, run_id: UUID, day: datetime.date, at: datetime.datetime) -> int:
    nothing = dict.fromkeys(FIGURES, 0)
    emptied = MarketplaceStock.objects.filter(pk__in=ids).update(**nothing, snapshot_date=day, last_sync_at=at)
    MarketplaceStockSnapshot.objects.bulk_create(
        [MarketplaceStockSnapshot(stock_id=pk, snapshot_date=day, **nothing) for pk in ids],
        update_conflicts=True,
        unique_fields=["stock", "snapshot_date"],
        update_fields=FIGURES,
    )
    keep_lease(run_id=run_id, at=at)
    return emptied
