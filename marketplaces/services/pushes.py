"""Bringing the quantities that marketplaces show to what the stock allows.

Quantities are a state, not a stream: whatever happened before, a run compares what each listing may offer now with
what the marketplace is known to show, and writes the difference. See docs/adr/0051-quantities-are-reconciled.md.
"""

import datetime
from collections.abc import Collection
from uuid import UUID

from django.db import connection

from marketplaces.models import SyncRun


def want_pushes(*, product_ids: Collection[int], location_id: int, at: datetime.datetime) -> int:
    """Marks, in the caller's transaction, the listings whose quantity may have changed because something of these
    products left the location or came back: those of all live accounts there whose product shares an ingredient with
    one of them. Says how many. One statement, which locks the listings in the order of their ids."""
    if not product_ids:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH touched AS (
                SELECT listing.id
                FROM marketplaces_listing AS listing
                JOIN marketplaces_selleraccount AS account ON account.id = listing.account_id
                WHERE account.location_id = %(location)s AND account.is_active AND account.mode = 'live'
                  AND listing.is_active
                  AND listing.product_id IN (
                      SELECT line.product_id
                      FROM inventory_recipeline AS line
                      JOIN inventory_recipeline AS sold ON sold.ingredient_id = line.ingredient_id
                      WHERE sold.product_id = ANY(%(products)s)
                  )
                ORDER BY listing.id
                FOR NO KEY UPDATE OF listing
            )
            UPDATE marketplaces_listing SET push_wanted_at = %(at)s
            WHERE id IN (SELECT id FROM touched)
            """,
            {"location": location_id, "products": list(product_ids), "at": at},
        )
        return cursor.rowcount


def push_quantities(*, account_id: UUID, at: datetime.datetime, is_sure: bool = False) -> SyncRun | None:
    """Writes to the marketplace what the account's listings may offer now, where it differs from what is shown there,
    and reads it back. Network: never inside a transaction.

    Does nothing for an account that is read only or switched off, while the switch is off, and while another worker is
    at it; None then, and also when there was nothing to write. `is_sure`: a person has looked at it, and a change that
    would take most of the account's offers off is made.
    """
    raise NotImplementedError
