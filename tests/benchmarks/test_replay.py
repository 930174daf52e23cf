"""What the benchmark compares with is really the same work: the recorded SQL places the same order."""

from typing import Any

import psycopg2
import pytest
from django.db import connection

from benchmarks import catalogue, placing
from benchmarks.replay import record
from inventory.models import StockMovement
from orders.models import Order
from tests.shop import assert_levels_are_what_the_ledger_sums_to

pytestmark = pytest.mark.django_db(transaction=True)


def plain_connection() -> Any:
    parameters = connection.get_connection_params()
    return psycopg2.connect(**{key: parameters[key] for key in parameters if key != "cursor_factory"})


def written(order: Order) -> dict[str, list[tuple[Any, ...]]]:
    """All that an order wrote, without the ids that the database gave."""
    lines = {str(pk): place for place, pk in enumerate(order.items.order_by("pk").values_list("pk", flat=True))}
    return {
        "order": list(Order.objects.filter(pk=order.pk).values_list("status", "channel", "subtotal", "total")),
        "items": list(
            order.items.values_list("product_id", "position", "name", "unit_price", "quantity", "options", "total")
        ),
        "events": list(order.events.values_list("kind", "from_status", "to_status", "door")),
        "ledger": [
            (ingredient, delta, reason, cost, lines[line])
            for ingredient, delta, reason, cost, line in StockMovement.objects.filter(
                document_type="order", document_id=str(order.pk)
            )
            .order_by("id")
            .values_list("ingredient_id", "delta", "reason", "unit_cost", "line_id")
        ],
    }


@pytest.mark.parametrize("lines", [1, 2, 20])
def test_a_recorded_order_is_placed_again_with_all_its_rows(lines):
    menu = catalogue.open_shop()
    placing.start_ids_high()
    recording = record(lambda cart: placing.sell(menu, cart), menu.orders(1, lines=lines)[0])
    plain = plain_connection()
    try:
        for _ in range(2):
            recording.play(plain)
    finally:
        plain.close()

    first, second, third = Order.objects.order_by("pk")
    assert len(written(first)["items"]) == lines
    assert len(written(first)["ledger"]) >= 5 * lines - 1
    assert written(first) == written(second) == written(third)
    assert len({first.number, second.number, third.number}) == 3
    assert_levels_are_what_the_ledger_sums_to()
