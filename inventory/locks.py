"""The locks of the store room, last in the documented order: stock levels by ingredient id, then location.

`inventory.services.ledger` takes the same locks in the same order inside its own statement.
"""

from collections.abc import Collection

from django.db import connection

from inventory.errors import UnknownLevel
from inventory.models import StockLevel


def lock_level(level_id: int) -> StockLevel:
    """Locks the level until the end of the transaction and returns it as it is now. Raises UnknownLevel."""
    level = StockLevel.objects.select_for_update(no_key=True).filter(pk=level_id).first()
    if level is None:
        raise UnknownLevel(level_id)
    return level


def lock_levels(*, location_ids: Collection[int], ingredient_ids: Collection[int]) -> list[StockLevel]:
    """Locks the levels of these ingredients at these locations until the end of the transaction."""
    return list(
        StockLevel.objects.select_for_update(no_key=True)
        .filter(location_id__in=location_ids, ingredient_id__in=ingredient_ids)
        .order_by("ingredient_id", "location_id")
    )


def lock_ledger() -> None:
    """Waits for everybody who is writing to the ledger, and holds up those who come later, until the end of the
    transaction: what the ledger does not know then, it does not get to know meanwhile. To be taken before any row."""
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE inventory_stockmovement IN SHARE MODE")


def lock_menu() -> None:
    """Holds up everybody else who writes categories, ingredients, options or products until the end of the
    transaction. Nobody who reads them or sells from them waits."""
    with connection.cursor() as cursor:
        cursor.execute(
            "LOCK TABLE inventory_category, inventory_ingredient, inventory_optiongroup, inventory_product "
            "IN SHARE ROW EXCLUSIVE MODE"
        )
