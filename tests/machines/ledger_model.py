"""Looking at the whole shop in a few statements: what must hold after every step, whatever happened before."""

import dataclasses
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db import connection

TABLES = (
    "inventory_stocklevel",
    "inventory_stocklot",
    "inventory_stockmovement",
    "inventory_stockdocument",
    "inventory_stockcount",
    "inventory_stockcountline",
    "inventory_preparation",
    "inventory_purchaseorder",
    "inventory_purchaseorderline",
    "inventory_supplierpack",
    "inventory_ingredient",
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
GROUP BY document_id, ingredient_id HAVING sum(delta) <> 0 OR sum(value) <> 0
"""

# Lines of orders that gave back more than they took, of the goods or of the money. Should be none.
WRONG_RETURNS = """
SELECT document_id, line_id, ingredient_id, sum(delta), sum(value) FROM inventory_stockmovement
WHERE document_type = 'order' AND reason IN ('sale', 'cancellation')
GROUP BY document_id, line_id, ingredient_id
HAVING sum(delta) > 0 OR sum(value) > 0 OR (sum(delta) = 0 AND sum(value) <> 0)
"""

# Transfers that made or lost something, and preparations that made or lost money. Should be none.
CREATED_FROM_NOTHING = """
SELECT document_type, document_id, sum(delta), sum(value) FROM inventory_stockmovement
WHERE document_type IN ('transfer', 'preparation')
GROUP BY document_type, document_id, CASE WHEN document_type = 'transfer' THEN ingredient_id END
HAVING sum(value) <> 0 OR (document_type = 'transfer' AND sum(delta) <> 0)
"""

# Preparations whose yield is not in the ledger, or that were cancelled and left something there. Should be none.
WRONG_PREPARATIONS = """
SELECT preparation.id, movement.ingredient_id FROM inventory_preparation AS preparation
LEFT JOIN inventory_stockmovement AS movement
    ON movement.document_type = 'preparation' AND movement.document_id = preparation.id::text
GROUP BY preparation.id, movement.ingredient_id
HAVING CASE WHEN preparation.cancelled_at IS NOT NULL THEN sum(movement.delta) <> 0
            WHEN movement.ingredient_id = preparation.ingredient_id THEN sum(movement.delta) <> preparation.quantity
            ELSE movement.ingredient_id IS NULL END
"""

# Counts whose differences are not their ledger rows: all that were counted if it is posted, else none.
WRONG_COUNTS = """
SELECT count.id, coalesce(line.ingredient_id, movement.ingredient_id)
FROM (SELECT line.count_id, line.ingredient_id, line.counted_quantity - line.expected_quantity AS difference
      FROM inventory_stockcountline AS line JOIN inventory_stockcount AS count ON count.id = line.count_id
      WHERE count.status = 'posted' AND line.counted_quantity <> line.expected_quantity) AS line
FULL JOIN (SELECT document_id::bigint AS count_id, ingredient_id, sum(delta) AS delta FROM inventory_stockmovement
           WHERE document_type = 'count' GROUP BY document_id, ingredient_id) AS movement
    USING (count_id, ingredient_id)
JOIN inventory_stockcount AS count ON count.id = count_id
WHERE line.difference IS DISTINCT FROM movement.delta
"""

# What the receipts of a purchase order brought: (order, ingredient, quantity).
RECEIVED = """
SELECT document.purchase_order_id, movement.ingredient_id, sum(movement.delta)
FROM inventory_stockdocument AS document
JOIN inventory_stockmovement AS movement
    ON movement.document_type = 'receipt' AND movement.document_id = document.id::text
WHERE document.purchase_order_id IS NOT NULL
GROUP BY document.purchase_order_id, movement.ingredient_id
"""

LEVELS = """
SELECT level.location_id, level.ingredient_id, level.quantity, level.value, level.average_cost,
       coalesce(ledger.quantity, 0), coalesce(ledger.value, 0), coalesce(ledger.by_orders, 0)
FROM inventory_stocklevel AS level LEFT JOIN (
    SELECT location_id, ingredient_id, sum(delta) AS quantity, sum(value) AS value,
           sum(delta) FILTER (WHERE document_type = 'order') AS by_orders
    FROM inventory_stockmovement GROUP BY location_id, ingredient_id
) AS ledger USING (location_id, ingredient_id)
"""

# Levels of ingredients with expiry dates that are not the sum of their lots; of the others, that have any.
WRONG_LOTS = """
SELECT level.location_id, level.ingredient_id, level.quantity, lots.quantity
FROM inventory_stocklevel AS level
JOIN inventory_ingredient AS ingredient ON ingredient.id = level.ingredient_id
CROSS JOIN LATERAL (
    SELECT coalesce(sum(quantity), 0) AS quantity FROM inventory_stocklot
    WHERE location_id = level.location_id AND ingredient_id = level.ingredient_id
) AS lots
WHERE lots.quantity <> CASE WHEN ingredient.tracks_expiry THEN level.quantity ELSE 0 END
"""

LOTS = """
SELECT lot.id, lot.location_id, lot.ingredient_id, lot.expires_at, lot.code, lot.quantity,
       coalesce((SELECT sum(delta) FROM inventory_stockmovement WHERE lot_id = lot.id), 0)
FROM inventory_stocklot AS lot ORDER BY lot.id
"""

# Lines of one statement have the same cmin: an example is one transaction, which counts its statements.
LINES_AFTER = """
SELECT id, cmin::text::bigint, location_id, ingredient_id, delta, value, reason, lot_id, document_type, document_id,
       line_id, created_at
FROM inventory_stockmovement WHERE id > %s ORDER BY id
"""

OPEN_ALERTS = "SELECT subject FROM monitoring_alert WHERE event = 'inventory.low_stock' AND resolved_at IS NULL"
LOW_LEVELS = "SELECT location_id || ':' || ingredient_id FROM inventory_stocklevel WHERE quantity < minimum"


@dataclass(frozen=True, slots=True)
class LevelRow:
    """A level beside its ledger: `told` and `told_value` are what that sums to, `by_orders` the part of orders."""

    place: int
    ingredient: int
    quantity: Decimal
    value: Decimal
    average_cost: Decimal
    told: Decimal
    told_value: Decimal
    by_orders: Decimal

    @property
    def level(self) -> tuple[int, int]:
        return self.place, self.ingredient


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the ledger; `statement` is the same for all that were written together."""

    id: int
    statement: int
    location: int
    ingredient: int
    delta: Decimal
    value: Decimal
    reason: str
    lot_id: int | None
    document_type: str
    document_id: str
    line_id: str
    created_at: datetime

    @property
    def level(self) -> tuple[int, int]:
        return self.location, self.ingredient


@dataclass(frozen=True, slots=True)
class Lot:
    """A lot beside its ledger, which it is `told` by."""

    id: int
    location: int
    ingredient: int
    expires_at: datetime | None
    code: str
    quantity: Decimal
    told: Decimal

    @property
    def level(self) -> tuple[int, int]:
        return self.location, self.ingredient

    @property
    def place(self) -> tuple[datetime, int]:
        """Its place in the order in which lots are used: without a date first."""
        return self.expires_at or datetime.min.replace(tzinfo=UTC), self.id

    def is_expired(self, at: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= at

    def with_quantity(self, quantity: Decimal) -> "Lot":
        return dataclasses.replace(self, quantity=quantity)

    def check(self, line: Line) -> None:
        assert line.level == self.level, "a line names a lot of another level"


def rows(statement: str, parameters: list[Any] | None = None) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()


def fingerprint() -> str:
    return rows(FINGERPRINT)[0][0]


def levels() -> list[LevelRow]:
    return [LevelRow(*row) for row in rows(LEVELS)]


def lots() -> dict[int, Lot]:
    return {row[0]: Lot(*row) for row in rows(LOTS)}


def lines_after(line_id: int) -> list[Line]:
    return [Line(*row) for row in rows(LINES_AFTER, [line_id])]


def received() -> dict[tuple[int, int], Decimal]:
    """{(purchase order, ingredient): what its receipts brought}"""
    return {(order, ingredient): quantity for order, ingredient, quantity in rows(RECEIVED)}


def subjects_of_open_alerts() -> set[str]:
    return {subject for (subject,) in rows(OPEN_ALERTS)}


def subjects_of_low_levels() -> set[str]:
    return {subject for (subject,) in rows(LOW_LEVELS)}
