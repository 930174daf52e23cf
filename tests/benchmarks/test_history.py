"""The large history of the benchmark is a shop's: its rows fit together, and its levels are its ledger's sums."""

import pytest
from django.db import connection
from django.db.models import Count, F, Sum

from benchmarks import catalogue, history, placing
from benchmarks.copying import FOREIGN_KEYS, SECONDARY_INDEXES, Lines
from inventory.models import StockLevel, StockMovement
from orders.models import CancelledItem, Customer, Order, OrderEvent, OrderItem
from tests.shop import assert_levels_are_what_the_ledger_sums_to

pytestmark = pytest.mark.django_db(transaction=True)
ORDERS = 400


def indexes_and_keys() -> tuple[set[str], set[tuple[str, ...]]]:
    """The names of the indexes (the server writes the same condition in two ways), and the keys."""
    with connection.cursor() as cursor:
        cursor.execute(SECONDARY_INDEXES, [list(history.TABLES)])
        indexes = {name for name, _definition in cursor.fetchall()}
        cursor.execute(FOREIGN_KEYS, [list(history.TABLES)])
        return indexes, set(cursor.fetchall())


def test_a_history_has_its_rows_and_leaves_indexes_keys_and_sequences_as_they_were() -> None:
    menu = catalogue.open_shop()
    before = indexes_and_keys()
    moved_before = StockMovement.objects.count()

    history.fill(menu, orders=ORDERS)

    assert indexes_and_keys() == before
    assert Order.objects.count() == ORDERS
    assert OrderItem.objects.count() == ORDERS * 5 // 2
    assert Order.objects.active().count() == history.ACTIVE
    assert OrderEvent.objects.filter(kind="placed").count() == ORDERS
    assert Customer.objects.count() == ORDERS // history.ORDERS_OF_A_CUSTOMER
    assert StockMovement.objects.count() - moved_before == pytest.approx(8 * ORDERS, rel=0.05)
    assert_levels_are_what_the_ledger_sums_to()
    assert not StockLevel.objects.exclude(average_cost=history.COST).exists()
    newest = Order.objects.order_by("-pk").first()
    assert newest is not None
    order = placing.sell(menu, menu.orders(1, lines=2)[0])
    assert (order.pk, order.number) == (newest.pk + 1, newest.number + 1)


def test_the_totals_and_the_cancelled_parts_of_a_history_add_up() -> None:
    history.fill(catalogue.open_shop(), orders=ORDERS)

    sums = OrderItem.objects.order_by().values("order").annotate(sum=Sum("total"))
    totals = dict(Order.objects.values_list("pk", "total"))
    assert {row["order"]: row["sum"] for row in sums} == totals
    cancelled = OrderItem.objects.filter(order__status="cancelled").annotate(back=Sum("cancellations__quantity"))
    assert cancelled.count() == CancelledItem.objects.count() > 0
    assert not cancelled.exclude(back=F("quantity"), cancelled_quantity=F("quantity")).exists()
    assert Order.objects.annotate(lines=Count("items")).filter(lines__lt=2).count() == 0


def test_copy_reads_all_lines_in_pieces() -> None:
    file, pieces = Lines(f"{n}\n" for n in range(5000)), []
    while piece := file.read(8192):
        pieces.append(piece)

    assert len(pieces) == 3
    assert "".join(pieces) == "".join(f"{n}\n" for n in range(5000))
