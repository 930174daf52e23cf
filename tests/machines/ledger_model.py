"""Looking at the whole shop in a few statements: what must hold after every step, whatever happened before."""

from decimal import Decimal

from django.db import connection

TABLES = (
    "inventory_stocklevel",
    "inventory_stockmovement",
    "inventory_stockdocument",
    "inventory_recipeline",
    "inventory_product",
    "orders_order",
    "orders_orderitem",
    "orders_cancelleditem",
    "orders_orderevent",
    "monitoring_alert",
)

# Every row of every table, as one text: two that are equal say that nothing has changed.
FINGERPRINT = "SELECT md5(concat_ws('|', {}))".format(
    ", ".join(f"(SELECT string_agg(row::text, ',' ORDER BY id) FROM {table} AS row)" for table in TABLES)
)

# Orders whose total is not what their items say, or whose items do not say what their cancellations say.
WRONG_ORDERS = """
SELECT orders_order.id FROM orders_order LEFT JOIN LATERAL (
    SELECT coalesce(sum(item.total), 0) AS total, coalesce(sum(item.quantity - item.cancelled_quantity), 0) AS left,
           bool_and(item.total = item.unit_price * (item.quantity - item.cancelled_quantity)) AS adds_up,
           bool_and(item.cancelled_quantity = (
               SELECT coalesce(sum(quantity), 0) FROM orders_cancelleditem WHERE item_id = item.id)) AS is_recorded
    FROM orders_orderitem AS item WHERE item.order_id = orders_order.id
) AS items ON true
WHERE orders_order.subtotal <> items.total OR orders_order.total <> items.total
   OR NOT items.adds_up OR NOT items.is_recorded
   OR (orders_order.status = 'cancelled') <> (items.left = 0)
   OR (orders_order.status IN ('completed', 'cancelled')) <> (orders_order.closed_at IS NOT NULL)
"""

# What cancelled orders still hold of an ingredient. Should be nothing.
STILL_HELD = """
SELECT document_id, ingredient_id, sum(delta) FROM inventory_stockmovement
JOIN orders_order ON orders_order.id = document_id::bigint
WHERE document_type = 'order' AND reason IN ('sale', 'cancellation') AND orders_order.status = 'cancelled'
GROUP BY document_id, ingredient_id HAVING sum(delta) <> 0
"""

LEVELS = """
SELECT level.location_id, level.ingredient_id, level.quantity, level.average_cost,
       coalesce((SELECT sum(delta) FROM inventory_stockmovement AS one WHERE one.location_id = level.location_id
                 AND one.ingredient_id = level.ingredient_id), 0),
       coalesce((SELECT sum(delta) FROM inventory_stockmovement AS one WHERE one.location_id = level.location_id
                 AND one.ingredient_id = level.ingredient_id AND document_type = 'order'), 0)
FROM inventory_stocklevel AS level
"""

OPEN_ALERTS = "SELECT subject FROM monitoring_alert WHERE event = 'inventory.low_stock' AND resolved_at IS NULL"
LOW_LEVELS = "SELECT location_id || ':' || ingredient_id FROM inventory_stocklevel WHERE quantity < minimum"


def rows(statement: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def fingerprint() -> str:
    return rows(FINGERPRINT)[0][0]


def wrong_orders() -> list[tuple]:
    return rows(WRONG_ORDERS)


def still_held_by_cancelled_orders() -> list[tuple]:
    return rows(STILL_HELD)


def levels() -> dict[tuple[int, int], tuple[Decimal, Decimal, Decimal, Decimal]]:
    """{(location, ingredient): (quantity, average cost, sum of the ledger, sum of what orders moved)}"""
    return {(location, ingredient): tuple(figures) for location, ingredient, *figures in rows(LEVELS)}


def subjects_of_open_alerts() -> set[str]:
    return {subject for (subject,) in rows(OPEN_ALERTS)}


def subjects_of_low_levels() -> set[str]:
    return {subject for (subject,) in rows(LOW_LEVELS)}
