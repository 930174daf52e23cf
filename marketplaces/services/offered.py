"""How many pieces each listing may offer now: one rule, in five queries for any number of listings.

What can be sold of an ingredient is what has not expired, less its minimum, less what orders have claimed that came
from the marketplaces and are not paid or not deducted yet. The scarcest ingredient of a usual portion says for how many
portions that is enough; whole pieces of them, less what is kept back, are offered.

Claims are counted in ingredients, not in pieces of one listing: three lattes ordered on one marketplace leave less
milk for the cocoa on another one, as they will once they are deducted.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from inventory.menu import load_menu
from marketplaces.models import Listing
from marketplaces.portions import usual_portion

# No marketplace takes more of one thing. Source: Wildberries' PUT /api/v3/stocks, `amount`.
MOST_PIECES = 100_000


class WhyNot(Enum):
    """What keeps a listing from being offered by its stock."""

    UNTRACKED = "untracked"
    OFF_THE_MENU = "off_the_menu"
    CLOSED = "closed"

    @property
    def sentence(self) -> Promise:
        return SENTENCES[self]


SENTENCES = {
    WhyNot.UNTRACKED: _("The product has no recipe: nobody knows how much of it there is, and nothing is sent."),
    WhyNot.OFF_THE_MENU: _("The product is off the menu."),
    WhyNot.CLOSED: _("The location is closed."),
}


@dataclass(frozen=True, slots=True)
class Offer:
    """`pieces` that a listing may offer now; None if that can't be told. `why_not` says what else than the stock
    decided it."""

    pieces: int | None
    why_not: WhyNot | None = None


PRODUCTS = """
SELECT listing.product_id
FROM marketplaces_listing AS listing
WHERE {condition}
UNION
SELECT sold.product_id
FROM ({open}) AS claim
JOIN marketplaces_marketplaceorderline AS bought ON bought.order_id = claim.order_id
JOIN marketplaces_listing AS sold ON sold.account_id = claim.account_id AND sold.sku = bought.sku
"""
OFFERS = """
WITH takes AS MATERIALIZED (
    SELECT *
    FROM unnest(%(products)s::bigint[], %(ingredients)s::bigint[], %(quantities)s::numeric[])
        AS given (product_id, ingredient_id, quantity)
), asked AS MATERIALIZED (
    SELECT listing.id, listing.product_id, listing.quantity, listing.buffer, account.location_id,
           location.is_active AS is_open, product.is_listed
    FROM marketplaces_listing AS listing
    JOIN marketplaces_selleraccount AS account ON account.id = listing.account_id
    JOIN inventory_location AS location ON location.id = account.location_id
    JOIN inventory_product AS product ON product.id = listing.product_id
    WHERE {condition}
), need AS MATERIALIZED (
    SELECT asked.id, asked.location_id, takes.ingredient_id, takes.quantity
    FROM asked
    JOIN takes ON takes.product_id = asked.product_id
), claimed AS MATERIALIZED (
    -- Numeric from the start: an absurd order must not end the statement.
    SELECT account.location_id, takes.ingredient_id, sum(takes.quantity * bought.quantity * sold.quantity) AS quantity
    FROM ({open}) AS claim
    JOIN marketplaces_selleraccount AS account ON account.id = claim.account_id
    JOIN marketplaces_marketplaceorderline AS bought ON bought.order_id = claim.order_id
    JOIN marketplaces_listing AS sold ON sold.account_id = claim.account_id AND sold.sku = bought.sku
    JOIN takes ON takes.product_id = sold.product_id
    WHERE account.location_id IN (SELECT location_id FROM asked)
    GROUP BY account.location_id, takes.ingredient_id
), expired AS MATERIALIZED (
    SELECT lot.location_id, lot.ingredient_id, sum(lot.quantity) AS quantity
    FROM inventory_stocklot AS lot
    WHERE lot.expires_at <= %(at)s AND lot.quantity > 0
      AND (lot.location_id, lot.ingredient_id) IN (SELECT location_id, ingredient_id FROM need)
    GROUP BY lot.location_id, lot.ingredient_id
), scarcest AS (
    SELECT need.id,
           min(div(greatest(coalesce(level.quantity, 0) - coalesce(expired.quantity, 0) - coalesce(level.minimum, 0)
                            - coalesce(claimed.quantity, 0), 0), need.quantity)) AS portions
    FROM need
    LEFT JOIN inventory_stocklevel AS level USING (location_id, ingredient_id)
    LEFT JOIN expired USING (location_id, ingredient_id)
    LEFT JOIN claimed USING (location_id, ingredient_id)
    GROUP BY need.id
)
SELECT asked.id, asked.is_open, asked.is_listed,
       -- NULL stays NULL: `greatest` would make 0 of it.
       CASE WHEN scarcest.portions IS NOT NULL
            THEN least(greatest(div(scarcest.portions, asked.quantity) - asked.buffer, 0), %(most)s)::integer END
FROM asked
LEFT JOIN scarcest USING (id)
"""
# The orders that have claimed something and not taken it yet: those of sale operations (one that is asked to end claims
# nothing), and those that are bought and not paid. The marketplace has taken these off what it shows; whoever writes a
# quantity without counting them puts them back on sale.
OPEN = """
    SELECT operation.order_id, operation.account_id
    FROM marketplaces_stockoperation AS operation
    WHERE operation.kind = 'sale' AND operation.status IN ('pending', 'processing')
      AND operation.stock_deducted_at IS NULL AND operation.cancellation_requested_at IS NULL
    UNION
    SELECT waiting.id, waiting.account_id
    FROM marketplaces_marketplaceorder AS waiting
    JOIN marketplaces_selleraccount AS seller ON seller.id = waiting.account_id AND seller.is_active
    WHERE waiting.state = 'waiting' AND waiting.scheme IN ('FBS', 'realFBS')
      AND waiting.vanished_at IS NULL AND waiting.merged_into_id IS NULL
      AND NOT EXISTS (SELECT FROM marketplaces_stockoperation AS known WHERE known.order_id = waiting.id)
"""


def offers_of_account(account_id: UUID, *, at: datetime) -> dict[int, Offer]:
    """{listing id: what it may offer at the moment `at`} for all listings of the account. Five queries."""
    return offers("listing.account_id = %(account)s", {"account": account_id}, at=at)


def offers_of(listing_ids: Collection[int], *, at: datetime) -> dict[int, Offer]:
    """{listing id: what it may offer at the moment `at`} for these listings, of whichever accounts. Five queries."""
    return offers("listing.id = ANY(%(ids)s)", {"ids": list(listing_ids)}, at=at) if listing_ids else {}


def attach_offers(listings: Iterable[Listing], *, at: datetime) -> None:
    """Gives each of these listings its `offer`, for lists that show them. Five queries."""
    rows = list(listings)
    offers = offers_of([listing.pk for listing in rows], at=at)
    for listing in rows:
        # One that was deleted meanwhile has none.
        listing.__dict__["offer"] = offers.get(listing.pk, Offer(None))


def offers(condition: str, parameters: dict[str, Any], *, at: datetime) -> dict[int, Offer]:
    """What the listings that fulfil the condition may offer."""
    with connection.cursor() as cursor:
        cursor.execute(PRODUCTS.format(condition=condition, open=OPEN), parameters)
        product_ids = [pk for (pk,) in cursor.fetchall()]
    takes = [
        (product.id, ingredient_id, quantity)
        for product in load_menu(product_ids).values()
        for ingredient_id, quantity in usual_portion(product).items()
    ]
    columns = {
        name: [row[place] for row in takes] for place, name in enumerate(("products", "ingredients", "quantities"))
    }
    with connection.cursor() as cursor:
        cursor.execute(
            OFFERS.format(condition=condition, open=OPEN), {**parameters, **columns, "at": at, "most": MOST_PIECES}
        )
        return {
            pk: offer(pieces, is_open=is_open, is_listed=is_listed)
            for pk, is_open, is_listed, pieces in cursor.fetchall()
        }


def offer(pieces: int | None, *, is_open: bool, is_listed: bool) -> Offer:
    """`pieces` as the stock alone would have it."""
    if pieces is None:
        return Offer(None, WhyNot.UNTRACKED)
    if not is_open:
        return Offer(0, WhyNot.CLOSED)
    return Offer(pieces) if is_listed else Offer(0, WhyNot.OFF_THE_MENU)
