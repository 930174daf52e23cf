"""Looking at all the money of the shop in a few statements: what must hold after every step."""

from decimal import Decimal

from django.db import connection

TABLES = (
    "inventory_stocklevel",
    "inventory_stockmovement",
    "orders_order",
    "orders_orderitem",
    "orders_cancelleditem",
    "orders_orderevent",
    "orders_customer",
    "orders_loyaltyentry",
    "orders_promocode",
    "orders_promoredemption",
    "orders_payment",
    "orders_refund",
    "orders_refunditem",
    "orders_refundpart",
    "orders_shift",
    "orders_cashmovement",
    "orders_shiftcorrection",
    "monitoring_alert",
)

FINGERPRINT = "SELECT md5(concat_ws('|', {}))".format(
    ", ".join(f"(SELECT string_agg(row::text, ',' ORDER BY id) FROM {table} AS row)" for table in TABLES)
)

# Customers whose balance is not the sum of their ledger, or below zero.
WRONG_BALANCES = """
SELECT customer.id, customer.points, coalesce(sum(entry.points), 0) FROM orders_customer AS customer
LEFT JOIN orders_loyaltyentry AS entry ON entry.customer_id = customer.id
GROUP BY customer.id HAVING customer.points <> coalesce(sum(entry.points), 0) OR customer.points < 0
"""

# Points that an order has taken and not given back, against what it says that it has redeemed.
WRONG_REDEMPTIONS = """
SELECT orders_order.id, points_redeemed, coalesce(sum(entry.points), 0) FROM orders_order
LEFT JOIN orders_loyaltyentry AS entry ON entry.order_id = orders_order.id
     AND (entry.kind = 'redeemed' OR entry.reverses = 'redeemed')
GROUP BY orders_order.id HAVING points_redeemed <> -coalesce(sum(entry.points), 0)
"""

# Codes that count other orders than carry them, or more than they may; for all and for each customer.
WRONG_CODES = """
SELECT code.id, code.used_count, count(used.id) FROM orders_promocode AS code
LEFT JOIN orders_promoredemption AS used ON used.promo_code_id = code.id AND used.released_at IS NULL
GROUP BY code.id HAVING code.used_count <> count(used.id) OR code.used_count > code.usage_limit
UNION ALL
SELECT code.id, used.customer_id, count(*) FROM orders_promocode AS code
JOIN orders_promoredemption AS used ON used.promo_code_id = code.id AND used.released_at IS NULL
WHERE code.per_customer_limit IS NOT NULL
GROUP BY code.id, used.customer_id HAVING count(*) > code.per_customer_limit
UNION ALL
SELECT orders_order.id, orders_order.promo_code_id, NULL FROM orders_order
LEFT JOIN orders_promoredemption AS used ON used.order_id = orders_order.id AND used.released_at IS NULL
WHERE (used.id IS NOT NULL AND used.promo_code_id IS DISTINCT FROM orders_order.promo_code_id)
   OR (used.id IS NULL AND orders_order.promo_code_id IS NOT NULL AND EXISTS (
       SELECT FROM orders_orderitem AS item WHERE item.order_id = orders_order.id
       AND item.quantity > item.cancelled_quantity))
"""

# Orders whose sums are not those of their lines, their steps, their payments and refunds.
WRONG_ORDERS = """
SELECT orders_order.id, items.total, items.discount, steps.amount, steps.points, paid.amount, back.amount, back.withheld
FROM orders_order
CROSS JOIN LATERAL (
    SELECT coalesce(sum(total), 0) AS total, coalesce(sum(discount), 0) AS discount,
           coalesce(sum(points_discount), 0) AS points
    FROM orders_orderitem WHERE order_id = orders_order.id
) AS items
CROSS JOIN LATERAL (
    SELECT coalesce(sum((step->>'amount')::numeric), 0) AS amount,
           coalesce(sum((step->>'amount')::numeric) FILTER (WHERE step->>'kind' = 'points'), 0) AS points,
           coalesce(sum((SELECT coalesce(sum(value::numeric), 0) FROM jsonb_each_text(step->'lines'))), 0) AS shares
    FROM jsonb_array_elements(orders_order.discounts) AS step
) AS steps
CROSS JOIN LATERAL (
    SELECT coalesce(sum(amount), 0) AS amount, coalesce(sum(refunded), 0) AS refunded,
           coalesce(sum(tip_refunded), 0) AS tips FROM orders_payment
    WHERE order_id = orders_order.id
) AS paid
CROSS JOIN LATERAL (
    SELECT coalesce(sum(amount), 0) AS amount, coalesce(sum(withheld), 0) AS withheld FROM orders_refund
    WHERE order_id = orders_order.id
) AS back
CROSS JOIN LATERAL (
    SELECT coalesce(sum(part.amount), 0) AS amount, coalesce(sum(part.tip), 0) AS tips FROM orders_refundpart AS part
    JOIN orders_refund AS refund ON refund.id = part.refund_id WHERE refund.order_id = orders_order.id
) AS parts
WHERE orders_order.subtotal <> items.total OR orders_order.discount <> items.discount
   OR orders_order.total <> items.total - items.discount OR orders_order.total < 0
   OR steps.amount <> items.discount OR steps.shares <> items.discount OR steps.points <> items.points
   OR orders_order.paid <> paid.amount - back.amount OR back.amount <> parts.amount OR paid.refunded <> parts.amount
   OR paid.tips <> parts.tips
   OR orders_order.withheld <> back.withheld OR orders_order.paid > orders_order.total + orders_order.withheld
   OR (orders_order.status = 'cancelled' AND (orders_order.paid <> 0 OR orders_order.total <> 0))
"""

# The cash of each shift as the rows have it: {shift: expected}.
CASH = """
SELECT shift.id, shift.opening_float
    + coalesce((SELECT sum(tendered - change) FROM orders_payment WHERE shift_id = shift.id AND method = 'cash'), 0)
    - coalesce((SELECT sum(part.amount + part.tip) FROM orders_refundpart AS part
                JOIN orders_payment AS payment ON payment.id = part.payment_id
                WHERE part.shift_id = shift.id AND payment.method = 'cash'), 0)
    + coalesce((SELECT sum(amount) FROM orders_cashmovement WHERE shift_id = shift.id), 0)
FROM orders_shift AS shift
"""


def rows(statement: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def fingerprint() -> str:
    """All rows of all these tables in one text: equal ones say that nothing has changed."""
    return str(rows(FINGERPRINT)[0][0])


def cash_by_shift() -> dict[int, Decimal]:
    return dict(rows(CASH))
