"""Years of a busy shop, written by COPY: a million orders, with their lines, events and every gram they moved.

For 1,000,000 orders there are 2,500,000 lines, 3,000,000 events and 8,000,000 movements. Everything follows from an
order's place in the row, so that every run measures the same rows; the levels are what the ledger sums to.
"""

import datetime
import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection
from django.utils import timezone

from benchmarks.catalogue import DRINKS, Menu
from benchmarks.copying import bare, copy_rows
from inventory.models import Ingredient, Location, StockDocument, StockMovement
from orders.models import CancelledItem, Customer, Employee, Order, OrderEvent, OrderItem, Position

YEARS = datetime.timedelta(days=3 * 365)
ORDERS_OF_A_CUSTOMER = 50
STAFF = 12
# The last orders of the history, which somebody still has to do something about.
ACTIVE = 24
CANCELLED_EVERY = 50
MOVEMENTS_PER_ORDER = 8
DELIVERED = Decimal(500_000)
COST = Decimal("0.02")
FIRST_NAMES = [
    *("Ann", "Boris", "Chai", "Dara", "Elena", "Feng", "Grace", "Hana", "Ivan", "Joy", "Kai", "Lena", "Mali", "Nok"),
    *("Olga", "Pim", "Ravi", "Somchai", "Tara", "Юлия"),
]
LAST_NAMES = [
    *("Lee", "Petrova", "Wong", "Suzuki", "Novak", "Smith", "Иванов", "Chen", "Garcia", "Kim", "Srisai", "Brown"),
    *("Müller", "Rossi", "Sato"),
]
TABLES = tuple(
    model._meta.db_table
    for model in (Customer, Order, OrderItem, CancelledItem, OrderEvent, StockDocument, StockMovement)
)
# {ingredient of every drink's recipe that the history moves: quantity of a portion}
PORTION = {"tea": Decimal("7.5"), "Milk": Decimal(120), "Cup": Decimal(1)}


@dataclass(frozen=True)
class History:
    """Where the rows of a history go: how many orders, and the ids before the first of each kind."""

    menu: Menu
    orders: int
    locations: list[int]
    employees: list[int]
    teas: list[int]
    milk: int
    cup: int
    until: datetime.datetime
    before: dict[str, int]

    @property
    def customers(self) -> int:
        return max(self.orders // ORDERS_OF_A_CUSTOMER, 1)

    def placed_at(self, n: int) -> datetime.datetime:
        return self.until - YEARS + YEARS * (n / self.orders)

    def location(self, n: int) -> int:
        """Seven of ten orders at the first location, two at the second, one at the third."""
        return self.locations[(0, 0, 1, 0, 0, 2, 0, 1, 0, 0)[n % 10]]

    def customer(self, n: int) -> int | None:
        """Two of five orders have one."""
        return self.before["orders_customer"] + 1 + n * 7919 % self.customers if n % 5 < 2 else None

    def status(self, n: int) -> str:
        if n > self.orders - ACTIVE:
            return ("pending", "preparing", "ready")[n % 3]
        return "cancelled" if n % CANCELLED_EVERY == 0 else "completed"

    def items(self, n: int) -> list[tuple[int, int, int, int, bool]]:
        """The lines of the order: (id, number of the drink, its price, quantity, large)."""
        first = self.before["orders_orderitem"] + 2 * (n - 1) + n // 2 + 1
        lines = []
        for place in range(2 + n % 2):
            drink = (n * 31 + place * 77) % DRINKS
            is_large = (n + place) % 3 == 0
            lines.append(
                (first + place, drink, 50 + drink + (10 if is_large else 0), 1 + (n + place) % 4 // 3, is_large)
            )
        return lines


def fill(menu: Menu, *, orders: int) -> None:
    """Writes the history into the database of `menu`, levels included, and lets the planner know of it."""
    history = prepare(menu, orders)
    with connection.cursor() as cursor:
        with bare(cursor, TABLES):
            for table, columns, rows in (
                ("orders_customer", CUSTOMER, customers(history)),
                ("orders_order", ORDER, order_rows(history)),
                ("orders_orderitem", ITEM, item_rows(history)),
                ("orders_cancelleditem", CANCELLED, cancelled_rows(history)),
                ("orders_orderevent", EVENT, event_rows(history)),
                ("inventory_stockdocument", DOCUMENT, document_rows(history)),
                ("inventory_stockmovement", MOVEMENT, movement_rows(history)),
            ):
                copy_rows(cursor, table, columns, rows)
        for table in TABLES:
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence(%s, 'id'), (SELECT coalesce(max(id), 1) FROM {table}))", [table]
            )
        cursor.execute("SELECT setval('orders_order_number_seq', (SELECT max(number) FROM orders_order))")
        cursor.execute(LEVELS)
        for table in (*TABLES, "inventory_stocklevel"):
            cursor.execute(f"VACUUM (ANALYZE) {table}")


def counted() -> str:
    """How many rows there are of each kind, in words."""
    kinds = ((Order, "orders"), (OrderItem, "lines"), (OrderEvent, "events"), (StockMovement, "movements"))
    return ", ".join(f"{model.objects.count():,} {name}" for model, name in kinds)  # type: ignore[attr-defined]


def prepare(menu: Menu, orders: int) -> History:
    """The few rows that the many point to."""
    locations = [menu.location, *(Location.objects.create(name=name) for name in ("Riverside", "Station"))]
    barista = Position.objects.create(name="Barista")
    employees = Employee.objects.bulk_create(
        [
            Employee(
                name=f"{FIRST_NAMES[n]} {LAST_NAMES[n]}",
                position=barista,
                location=locations[n % 3],
                hired_on="2020-01-01",
            )
            for n in range(STAFF)
        ]
    )
    ids = dict(Ingredient.objects.values_list("name", "id"))
    with connection.cursor() as cursor:
        before = {}
        for table in TABLES:
            cursor.execute(f"SELECT coalesce(max(id), 0) FROM {table}")
            before[table] = cursor.fetchone()[0]
        cursor.execute("SELECT coalesce(max(number), 0) FROM orders_order")
        before["number"] = cursor.fetchone()[0]
    return History(
        menu,
        orders,
        [location.pk for location in locations],
        [employee.pk for employee in employees],
        [ids[f"Tea {n}"] for n in range(20)],
        ids["Milk"],
        ids["Cup"],
        timezone.now(),
        before,
    )


CUSTOMER = ("id", "name", "phone", "email", "consent", "notes", "points", "created_at")


def customers(history: History) -> Iterator[str]:
    since = history.until - YEARS
    for n in range(history.customers):
        name = f"{FIRST_NAMES[n % 20]} {LAST_NAMES[n // 20 % 15]}"
        digits = f"{n * 104729 % 10**7:07d}"
        phone = f"+668{n % 10}{digits}"
        pk = history.before["orders_customer"] + n + 1
        yield f"{pk}\t{name}\t{phone}\tguest{n}@example.com\t{'tf'[n % 2]}\t\t0\t{since}\n"


ORDER = (
    *("id", "number", "location_id", "channel", "customer_id", "employee_id", "status", "subtotal", "discount"),
    *("total", "discounts", "points_redeemed", "paid", "withheld", "comment", "placed_at", "closed_at"),
)
NULL = r"\N"


def order_rows(history: History) -> Iterator[str]:
    first, number = history.before["orders_order"], history.before["number"]
    for n in range(1, history.orders + 1):
        status, placed = history.status(n), history.placed_at(n)
        total = sum(price * quantity for _id, _drink, price, quantity, _large in history.items(n))
        if status == "cancelled":
            total = 0
        channel = ("counter", "counter", "web", "counter", "api")[n % 5]
        employee = history.employees[n % STAFF] if channel == "counter" else NULL
        closed = placed + datetime.timedelta(minutes=6) if status in ("completed", "cancelled") else NULL
        yield (
            f"{first + n}\t{number + n}\t{history.location(n)}\t{channel}\t{history.customer(n) or NULL}\t{employee}"
            f"\t{status}\t{total}\t0\t{total}\t[]\t0\t0\t0\t\t{placed}\t{closed}\n"
        )


ITEM = (
    *("id", "order_id", "product_id", "position", "name", "unit_price", "quantity", "cancelled_quantity", "options"),
    *("total", "discount", "points_discount"),
)


def item_rows(history: History) -> Iterator[str]:
    first, products = history.before["orders_order"], history.menu.product_ids
    large = json.dumps([{"id": history.menu.size_ids[-1], "group": "Size", "name": "Large", "price_delta": "10.00"}])
    for n in range(1, history.orders + 1):
        is_cancelled = history.status(n) == "cancelled"
        for place, (pk, drink, price, quantity, is_large) in enumerate(history.items(n), start=1):
            yield (
                f"{pk}\t{first + n}\t{products[drink]}\t{place}\tDrink {drink}\t{price}\t{quantity}"
                f"\t{quantity if is_cancelled else 0}\t{large if is_large else '[]'}"
                f"\t{0 if is_cancelled else price * quantity}\t0\t0\n"
            )


CANCELLED = ("item_id", "quantity", "reason", "is_restocked", "created_at")


def cancelled_rows(history: History) -> Iterator[str]:
    for n in range(CANCELLED_EVERY, history.orders + 1, CANCELLED_EVERY):
        if history.status(n) == "cancelled":
            closed = history.placed_at(n) + datetime.timedelta(minutes=6)
            for pk, _drink, _price, quantity, _large in history.items(n):
                yield f"{pk}\t{quantity}\tchanged their mind\tt\t{closed}\n"


EVENT = ("order_id", "kind", "from_status", "to_status", "reason", "details", "door", "created_at")
STEPS = {
    "pending": (("placed", "", "pending"),),
    "preparing": (("placed", "", "pending"), ("prepare", "pending", "preparing")),
    "ready": (("placed", "", "pending"), ("prepare", "pending", "preparing"), ("ready", "preparing", "ready")),
    "completed": (
        ("placed", "", "pending"),
        ("prepare", "pending", "preparing"),
        ("complete", "preparing", "completed"),
    ),
    "cancelled": (("placed", "", "pending"), ("cancel", "pending", "cancelled")),
}


def event_rows(history: History) -> Iterator[str]:
    first = history.before["orders_order"]
    for n in range(1, history.orders + 1):
        placed = history.placed_at(n)
        for step, (kind, before, after) in enumerate(STEPS[history.status(n)]):
            at = placed + datetime.timedelta(minutes=3 * step)
            yield f"{first + n}\t{kind}\t{before}\t{after}\t\t{{}}\tapi\t{at}\n"


DOCUMENT = ("id", "kind", "location_id", "reason", "delivery_note", "comment", "created_at")


def deliveries(history: History) -> int:
    """As many as bring the movements to eight for an order; each of the three locations has one before all sales."""
    sold = sum(len(history.items(n)) for n in (1, 2)) * history.orders // 2 * len(PORTION)
    returned = len(history.items(CANCELLED_EVERY)) * history.orders // CANCELLED_EVERY * len(PORTION)
    rest = MOVEMENTS_PER_ORDER * history.orders - sold - returned
    return max(rest // (len(history.teas) + 2), len(history.locations))


def delivered_at(history: History, n: int) -> datetime.datetime:
    return history.until - YEARS + YEARS * (max(n - len(history.locations), 0) / deliveries(history))


def document_rows(history: History) -> Iterator[str]:
    for n in range(deliveries(history)):
        pk, location = history.before["inventory_stockdocument"] + n + 1, history.locations[n % 3]
        yield f"{pk}\treceipt\t{location}\t\t\t\t{delivered_at(history, n)}\n"


MOVEMENT = (
    *("location_id", "ingredient_id", "delta", "reason", "unit_cost", "value", "document_type", "document_id"),
    *("line_id", "comment", "created_at"),
)


def movement_rows(history: History) -> Iterator[str]:
    """The deliveries of the beginning, then orders and further deliveries as time goes on."""
    first, delivery, number = history.before["orders_order"], 0, deliveries(history)
    pause = history.orders / number
    for n in range(1, history.orders + 1):
        while delivery < number and (delivery < len(history.locations) or delivery * pause < n):
            yield from delivery_rows(history, delivery)
            delivery += 1
        placed, location, order = history.placed_at(n), history.location(n), first + n
        is_cancelled = history.status(n) == "cancelled"
        for item, drink, _price, quantity, _large in history.items(n):
            for ingredient, portion in (
                (history.teas[drink % 20], PORTION["tea"]),
                (history.milk, PORTION["Milk"]),
                (history.cup, PORTION["Cup"]),
            ):
                delta = portion * quantity
                value = delta * COST
                yield (
                    f"{location}\t{ingredient}\t-{delta}\tsale\t{COST}\t-{value}\torder\t{order}\t{item}\t\t{placed}\n"
                )
                if is_cancelled:
                    yield (
                        f"{location}\t{ingredient}\t{delta}\tcancellation\t{COST}\t{value}\torder\t{order}\t{item}"
                        f"\t\t{placed}\n"
                    )


def delivery_rows(history: History, n: int) -> Iterator[str]:
    document, location = history.before["inventory_stockdocument"] + n + 1, history.locations[n % 3]
    value, at = DELIVERED * COST, delivered_at(history, n)
    for ingredient in (*history.teas, history.milk, history.cup):
        yield f"{location}\t{ingredient}\t{DELIVERED}\treceipt\t{COST}\t{value}\treceipt\t{document}\t\t\t{at}\n"


# What the shop's own check compares: every level is the sum of its ledger.
LEVELS = """
INSERT INTO inventory_stocklevel AS level (location_id, ingredient_id, quantity, minimum, value, average_cost)
SELECT location_id, ingredient_id, sum(delta), 0, sum(value), round(sum(value) / sum(delta), 6)
FROM inventory_stockmovement GROUP BY location_id, ingredient_id
ON CONFLICT (location_id, ingredient_id) DO UPDATE
SET quantity = excluded.quantity, value = excluded.value, average_cost = excluded.average_cost
"""
