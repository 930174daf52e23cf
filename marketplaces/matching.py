"""Questions about what stands on a marketplace and is matched with no product, and what it might be."""

import datetime
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.db.models import Count
from django.db.models.functions import Upper

from inventory.models import Product
from inventory.search import plain_words
from marketplaces.models import MarketplaceStock

# Who sells something has sold it lately: of an account's orders so many are looked at, the newest ones.
NEWEST_ORDERS = 20_000
# From there on a name looks like another one: half of what the longer and the shorter view say.
LIKE = 0.45
IN_BRACKETS = re.compile(r"\(([^()]+)\)$")
# For each word of a name so many products that have it are compared: a rare word finds all that have it.
COMPARED = 50


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A SKU that the account's stock or orders name and no listing matches. `pieces` are those in stock there, `sold`
    those in its newest orders."""

    sku: str
    name: str
    barcode: str
    pieces: int
    sold: int
    seen_at: datetime.datetime


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The product that a SKU might be: the same number stands at both (`is_sure`), or it is called alike."""

    product_id: int
    name: str
    is_sure: bool


UNMATCHED = """
WITH seen AS (
    SELECT stock.sku, stock.name, stock.barcode, stock.present AS pieces, 0 AS sold, stock.last_sync_at AS seen_at
    FROM marketplaces_marketplacestock AS stock
    WHERE stock.account_id = %(account)s AND stock.product_id IS NULL
    UNION ALL
    SELECT line.sku, line.name, line.barcode, 0, line.quantity, newest.synced_at
    FROM (SELECT id, synced_at FROM marketplaces_marketplaceorder
          WHERE account_id = %(account)s ORDER BY id DESC LIMIT %(newest)s) AS newest
    JOIN marketplaces_marketplaceorderline AS line ON line.order_id = newest.id
)
SELECT seen.sku, max(seen.name), max(seen.barcode), sum(seen.pieces), sum(seen.sold), max(seen.seen_at)
FROM seen
WHERE seen.sku > %(after)s AND NOT EXISTS (
    SELECT FROM marketplaces_listing AS listing
    WHERE listing.account_id = %(account)s AND listing.sku = seen.sku
)
GROUP BY seen.sku
ORDER BY seen.sku
LIMIT %(most)s
"""


def unmatched_skus(*, account_id: UUID, after: str = "", most: int) -> list[Unmatched]:
    """The SKUs of the account that no listing matches, by SKU, from the one after `after` on. One query."""
    with connection.cursor() as cursor:
        cursor.execute(UNMATCHED, {"account": account_id, "after": after, "most": most, "newest": NEWEST_ORDERS})
        return [Unmatched(*row) for row in cursor.fetchall()]


def unmatched_stock() -> dict[UUID, int]:
    """{account id: how many of its SKUs in stock no listing matches}, for all accounts that have such. One query."""
    rows = MarketplaceStock.objects.filter(product=None).order_by().values_list("account_id")
    return dict(rows.annotate(number=Count("sku", distinct=True)))


def suggestions(rows: Collection[Unmatched]) -> dict[str, Suggestion]:
    """{SKU: what it might be} for those of the rows where something comes into question. Two queries.

    A product with the same SKU or barcode, whatever the case of its letters, is meant; where two are, the SKU decides.
    The seller's own number of an offer counts like the SKU: see `own_number`.
    One that is only called alike is a guess for a person to look at.
    """
    found = same_numbers(rows)
    unsure = [row for row in rows if row.sku not in found and row.name]
    return found | called_alike(unsure)


def same_numbers(rows: Collection[Unmatched]) -> dict[str, Suggestion]:
    numbers = {text.upper() for row in rows for text in (row.sku, row.barcode, own_number(row)) if text}
    if not numbers:
        return {}
    upper = Product.objects.annotate(upper_sku=Upper("sku"), upper_barcode=Upper("barcode")).order_by("pk")
    products = list(
        (upper.filter(upper_sku__in=numbers) | upper.filter(upper_barcode__in=numbers)).values_list(
            "pk", "name", "upper_sku", "upper_barcode"
        )
    )
    by_sku = {sku: (pk, name) for pk, name, sku, _barcode in products if sku}
    by_barcode = {barcode: (pk, name) for pk, name, _sku, barcode in products if barcode}
    found = {}
    for row in rows:
        sku, barcode, own = row.sku.upper(), row.barcode.upper(), own_number(row).upper()
        product = by_sku.get(sku) or by_barcode.get(barcode) or by_barcode.get(sku) or by_sku.get(barcode)
        product = product or by_sku.get(own)
        if product is not None:
            found[row.sku] = Suggestion(*product, is_sure=True)
    return found


def own_number(row: Unmatched) -> str:
    """The number that the seller has given an offer, where the marketplace's name for it is another: Allegro's stands
    in brackets behind the name, and Wildberries' in the place of one."""
    in_brackets = IN_BRACKETS.search(row.name)
    return in_brackets[1] if in_brackets else row.name


ALIKE = """
SELECT given.sku, best.id, best.name
FROM (
    SELECT sku, lower(name) AS name, string_to_array(words, ' ') AS words
    FROM unnest(%(skus)s::text[], %(names)s::text[], %(words)s::text[]) AS asked (sku, name, words)
) AS given
CROSS JOIN LATERAL (
    SELECT product.id, product.name,
           (similarity(lower(product.name), given.name) + word_similarity(lower(product.name), given.name)) / 2 AS score
    FROM (
        SELECT DISTINCT with_word.product_id
        FROM unnest(given.words) AS word
        CROSS JOIN LATERAL (
            SELECT words.product_id
            FROM inventory_productwords AS words
            WHERE words.name @@ (plainto_tsquery('simple', word) || plainto_tsquery('russian', word))
            LIMIT %(compared)s
        ) AS with_word
    ) AS near
    JOIN inventory_product AS product ON product.id = near.product_id
    ORDER BY score DESC, product.id
    LIMIT 1
) AS best
WHERE best.score >= %(like)s
"""


def called_alike(rows: Sequence[Unmatched]) -> dict[str, Suggestion]:
    """Of the products whose names share a word with the row's, the one whose name looks most like it."""
    asked = [(row, " ".join(plain_words(row.name))) for row in rows]
    asked = [(row, words) for row, words in asked if words]
    if not asked:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            ALIKE,
            {
                "skus": [row.sku for row, _words in asked],
                "names": [row.name for row, _words in asked],
                "words": [words for _row, words in asked],
                "compared": COMPARED,
                "like": LIKE,
            },
        )
        return {sku: Suggestion(pk, name, is_sure=False) for sku, pk, name in cursor.fetchall()}
