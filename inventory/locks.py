"""The locks of the store room, in the documented order: location, document (purchase order, count, preparation), the
record that is changed (supplier, shelf), stock levels by ingredient id, then location, and last of all the table of
suppliers' packs: a receipt knows only then which prices it changes. Whoever holds the packs takes no level any more,
and writes the lines of orders that name a pack only afterwards. What locks the ledger or the menu as a whole does so
first.

`inventory.services.ledger` takes the same locks in the same order inside its own statement.
"""

from collections.abc import Collection

from django.db import connection

from inventory.errors import UnknownCount, UnknownLevel, UnknownLot, UnknownPreparation, UnknownPurchaseOrder
from inventory.models import Location, Preparation, PurchaseOrder, StockCount, StockLevel, StockLot


def lock_location(location_id: int) -> Location:
    """Locks the location until the end of the transaction and returns it as it is now: who starts a count there,
    arranges its shelves, or orders what is low, does so alone. Nobody waits who sells or receives there."""
    return Location.objects.select_for_update(no_key=True).get(pk=location_id)


def lock_count(count_id: int) -> StockCount:
    """Locks the count until the end of the transaction and returns it as it is now. Raises UnknownCount."""
    counts = StockCount.objects.select_for_update(of=("self",), no_key=True).select_related("location")
    count = counts.filter(pk=count_id).first()
    if count is None:
        raise UnknownCount(count_id)
    return count


def lock_purchase_order(order_id: int) -> PurchaseOrder:
    """Locks the purchase order until the end of the transaction and returns it as it is now, with its supplier and its
    location. To be taken before any level. Raises UnknownPurchaseOrder."""
    order = (
        PurchaseOrder.objects.select_for_update(of=("self",), no_key=True)
        .select_related("supplier", "location")
        .filter(pk=order_id)
        .first()
    )
    if order is None:
        raise UnknownPurchaseOrder(order_id)
    return order


def lock_packs() -> None:
    """Holds up everybody else who writes suppliers' packs until the end of the transaction: which pack of an
    ingredient is preferred concerns the packs of all suppliers. Nobody who reads them waits."""
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE inventory_supplierpack IN SHARE ROW EXCLUSIVE MODE")


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


def lock_lot(lot_id: int) -> StockLot:
    """Locks the level of the lot, and with it all of its lots, until the end of the transaction. Returns the lot as it
    is now, with its ingredient and its location. Raises UnknownLot."""
    lots = StockLot.objects.select_related("ingredient", "location").filter(pk=lot_id)
    lot = lots.first()
    if lot is None:
        raise UnknownLot(lot_id)
    lock_levels(location_ids=[lot.location_id], ingredient_ids=[lot.ingredient_id])
    return lots.get()


def lock_ledger() -> None:
    """Waits for everybody who is writing to the ledger, and holds up those who come later, until the end of the
    transaction: what the ledger does not know then, it does not get to know meanwhile. To be taken before any row."""
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE inventory_stockmovement IN SHARE MODE")


def lock_quantities() -> None:
    """Waits for everybody who is writing down a quantity of an ingredient, in the ledger or anywhere else, and holds up
    those who come later, until the end of the transaction. To be taken before any row.

    In the order in which others get to these tables: a count writes its lines before the ledger, a receipt the packs
    and then the lines of its order after it.
    """
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE inventory_stockcountline IN SHARE MODE")
    lock_ledger()
    lock_menu()
    with connection.cursor() as cursor:
        cursor.execute(
            "LOCK TABLE inventory_recipeline, inventory_optioneffect, inventory_preparationrecipe, "
            "inventory_preparationrecipeline, inventory_supplierpack, inventory_purchaseorderline IN SHARE MODE"
        )


def lock_menu() -> None:
    """Holds up everybody else who writes categories, ingredients, options or products until the end of the
    transaction. Nobody who reads them or sells from them waits."""
    with connection.cursor() as cursor:
        cursor.execute(
            "LOCK TABLE inventory_category, inventory_ingredient, inventory_optiongroup, inventory_product "
            "IN SHARE ROW EXCLUSIVE MODE"
        )


def lock_preparation(preparation_id: int) -> Preparation:
    """Locks the preparation until the end of the transaction and returns it as it is now, with its ingredient and
    its location. Raises UnknownPreparation."""
    preparation = (
        Preparation.objects.select_for_update(of=("self",), no_key=True)
        .select_related("ingredient", "location")
        .filter(pk=preparation_id)
        .first()
    )
    if preparation is None:
        raise UnknownPreparation(preparation_id)
    return preparation


def lock_preparation_recipes() -> None:
    """Holds up everybody else who writes recipes of preparations until the end of the transaction: of two recipes
    that are written at once, each could take the other's ingredient. Nobody who prepares by them waits."""
    with connection.cursor() as cursor:
        cursor.execute(
            "LOCK TABLE inventory_preparationrecipe, inventory_preparationrecipeline IN SHARE ROW EXCLUSIVE MODE"
        )
