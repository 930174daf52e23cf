"""The locks of the store room, last in the documented order: stock levels by ingredient id, then location.

`inventory.services.ledger` takes the same locks in the same order inside its own statement.
"""

from collections.abc import Collection

from inventory.models import StockLevel


def lock_levels(*, location_ids: Collection[int], ingredient_ids: Collection[int]) -> list[StockLevel]:
    """Locks the levels of these ingredients at these locations until the end of the transaction."""
    return list(
        StockLevel.objects.select_for_update(no_key=True)
        .filter(location_id__in=location_ids, ingredient_id__in=ingredient_ids)
        .order_by("ingredient_id", "location_id")
    )
