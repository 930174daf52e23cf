"""Beginning and ceasing to keep an ingredient's stock in lots. The caller holds the lock of the whole ledger."""

from django.db import connection

from inventory.models import StockLot


def begin_lots(*, ingredient_id: int) -> None:
    """What is there now becomes the undated lot, at every location: nobody knows how long it keeps."""
    end_lots(ingredient_id=ingredient_id)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO inventory_stocklot (location_id, ingredient_id, expires_at, code, quantity)
            SELECT location_id, ingredient_id, NULL, '', quantity FROM inventory_stocklevel
            WHERE ingredient_id = %s AND quantity > 0
            ON CONFLICT (location_id, ingredient_id, expires_at, code) DO UPDATE SET quantity = excluded.quantity
            """,
            [ingredient_id],
        )


def end_lots(*, ingredient_id: int) -> None:
    """Empties the lots. The levels stay what they are; the lots' rows too, as the ledger names them."""
    StockLot.objects.filter(ingredient=ingredient_id).exclude(quantity=0).update(quantity=0)
