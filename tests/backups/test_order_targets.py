"""Just before an order was deleted, or changed for the last time: which transaction that was."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from backups.engine.server import Server
from backups.errors import WrongTarget
from backups.models import DeletedOrder
from backups.services import requests
from backups.services.order_targets import before_order
from orders.models import ArchivedOrder, Order, OrderEvent
from orders.services.actor import Actor
from orders.services.archive import archive_orders, restore_orders
from orders.services.cancel import cancel_order
from tests.shop import Shop

pytestmark = pytest.mark.django_db(transaction=True)
ACTOR = Actor(None, OrderEvent.Door.COMMAND)
TOMORROW = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)


def sql(statement: str, *values: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else None


def number_of(work: Callable[[], object]) -> int:
    """Does it in a transaction, and returns the number that this has."""
    with transaction.atomic():
        work()
        return int(sql("SELECT pg_current_xact_id()::text")[0][0])


@pytest.fixture
def orders() -> list[Order]:
    shop = Shop.open()
    milk = shop.ingredient("Молоко", "ml", stock=10_000)
    latte = shop.product("Латте", "350.00", {milk: 200})
    return [shop.sell(latte, 1) for _number in range(3)]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM orders_order WHERE id = %s",
        "WITH gone AS (DELETE FROM orders_order WHERE id = %s RETURNING id) SELECT * FROM gone",
    ],
)
def test_whoever_deletes_an_order_is_written_down(orders: list[Order], statement: str) -> None:
    sql("DELETE FROM orders_orderevent")
    sql("DELETE FROM orders_orderitem")
    one = orders[1]
    xid = number_of(lambda: sql(statement, one.pk))
    found = before_order(one.number)
    assert (found.xid, found.is_deleted) == (xid, True)
    assert str(found) == f"just before order {one.number} was deleted"
    (row,) = DeletedOrder.objects.all()
    assert (row.order_id, row.number, row.server) == (
        one.pk,
        one.number,
        Server.of_the_shop().facts().system_identifier,
    )


def test_so_is_whoever_deletes_several_or_all(orders: list[Order]) -> None:
    first = number_of(lambda: Order.objects.filter(pk__in=[orders[0].pk, orders[1].pk]).delete())
    second = number_of(lambda: sql("TRUNCATE orders_order CASCADE"))
    assert [before_order(order.number).xid for order in orders] == [first, first, second]


def test_a_deletion_that_is_taken_back_is_none(orders: list[Order]) -> None:
    with transaction.atomic():
        orders[0].delete()
        transaction.set_rollback(True)
    assert not DeletedOrder.objects.exists()
    assert before_order(orders[0].number).is_deleted is False


def test_an_order_in_the_archive_is_not_deleted_until_it_is_deleted_there(orders: list[Order]) -> None:
    cancel_order(order_id=orders[0].pk, actor=ACTOR, reason="spilt")
    assert archive_orders(before=TOMORROW) == 1
    with pytest.raises(WrongTarget, match="is in the archive, where nothing changes it"):
        before_order(orders[0].number)
    assert restore_orders(order_ids=[orders[0].pk]) == 1
    assert not DeletedOrder.objects.exists()

    archive_orders(before=TOMORROW)
    xid = number_of(lambda: sql("TRUNCATE orders_archivedorder CASCADE"))
    assert not ArchivedOrder.objects.exists()
    assert before_order(orders[0].number).xid == xid


def test_the_last_change_is_that_of_any_of_its_rows(orders: list[Order]) -> None:
    one = orders[1]
    cancelled = number_of(lambda: cancel_order(order_id=one.pk, actor=ACTOR, reason="spilt"))
    number_of(lambda: cancel_order(order_id=orders[2].pk, actor=ACTOR, reason="spilt"))
    found = before_order(one.number)
    assert str(found) == f"just before the last change of order {one.number}"
    # What was done between savepoints has a number of its own, and the moment of the whole.
    assert found.xid >= cancelled
    same = "SELECT pg_xact_commit_timestamp(%s::text::xid) = pg_xact_commit_timestamp(%s::text::xid)"
    assert sql(same, cancelled, found.xid) == [(True,)]
    noted = number_of(lambda: OrderEvent.objects.filter(order=one).update(created_at=TOMORROW))
    assert before_order(one.number).xid == noted


def test_what_nobody_knows_is_refused_with_a_sentence(orders: list[Order]) -> None:
    with pytest.raises(WrongTarget, match="There is no order 4711, and none of this number was deleted") as refused:
        requests.request_recovery(order=4711)
    assert list(refused.value.errors) == ["order"]
    orders[0].delete()
    DeletedOrder.objects.update(server="42")
    with pytest.raises(WrongTarget, match="on the server that the shop had before"):
        before_order(orders[0].number)
