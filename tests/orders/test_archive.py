"""Old orders move into the archive and back: nothing is lost or doubled, and no figure changes."""

import datetime
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.db.models import ForeignKey
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from foundation.errors import InUse
from inventory.documents import name_documents
from inventory.models import Product, StockMovement
from inventory.services.catalogue import delete_product
from orders.errors import OrderArchived, UnknownOrder
from orders.models import (
    ArchivedCancelledItem,
    ArchivedEvent,
    ArchivedItem,
    ArchivedOrder,
    CancelledItem,
    Customer,
    Employee,
    EveryItem,
    EveryOrder,
    Order,
    OrderEvent,
    OrderItem,
    Position,
)
from orders.pricing import OrderLine
from orders.selectors import best_sellers, customer_figures, figures_of_customers, figures_of_periods
from orders.services.archive import MOVED, archive_orders, restore_orders
from orders.services.batch import complete_orders
from orders.services.cancel import cancel_item, cancel_order
from orders.services.edit import edit_order
from orders.services.transitions import complete_order, prepare_order
from orders.tasks import archive_old_orders
from tests.orders.snapshot import everything
from tests.shop import NOBODY, Shop

pytestmark = pytest.mark.django_db

NOW = timezone.now()
ARCHIVED = (ArchivedOrder, ArchivedItem, ArchivedCancelledItem, ArchivedEvent)


def days_ago(days: float) -> datetime.datetime:
    return NOW - datetime.timedelta(days=days)


def archived_rows() -> dict[str, list[dict[str, Any]]]:
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in ARCHIVED}


def live_rows() -> dict[str, list[dict[str, Any]]]:
    tables = (Order, OrderItem, CancelledItem, OrderEvent)
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in tables}


@pytest.fixture
def bar() -> Shop:
    return Shop.open(time_zone="Asia/Bangkok")


@pytest.fixture
def old(bar: Shop) -> list[Order]:
    """Five orders of 400 days ago: completed, with a part cancelled, cancelled as a whole, imported, still waiting."""
    milk = bar.ingredient("Milk", "ml", stock=100_000)
    latte, tea = bar.product("Latte", "70", {milk: 100}), bar.product("Tea", "50", {milk: 20})
    ann = Customer.objects.create(name="Ann Lee", phone="+66 81 234 5678")
    position = Position.objects.create(name="Barista")
    kai = Employee.objects.create(name="Kai", position=position, location=bar.location, hired_on="2020-01-01")
    orders = []
    for place in range(5):
        # Not to the minute: what is just young enough when the tests begin would be too old when its turn comes.
        at = days_ago(399.75 - place)
        more = {"customer_id": ann.pk, "employee_id": kai.pk} if place < 2 else {}
        order = bar.place(OrderLine(latte.pk, 3), OrderLine(tea.pk, 1), at=at, **more)
        if place == 1:
            cancel_item(
                order_id=order.pk, item_id=order.items.first().pk, quantity=2, actor=NOBODY, reason="spilt", at=at
            )
        if place == 2:
            cancel_order(order_id=order.pk, actor=NOBODY, restock=False, at=at)
        elif place < 4:
            complete_order(order_id=order.pk, actor=NOBODY, allow_unpaid=True, at=at + datetime.timedelta(minutes=5))
        orders.append(order)
    Order.objects.filter(pk=orders[3].pk).update(channel="import", import_key="till 7 of 2025")
    return orders


def test_old_closed_orders_move_with_all_their_rows_and_keep_their_ids(bar: Shop, old: list[Order]) -> None:
    tea = Product.objects.get(name="Tea")
    young = bar.sell(tea)
    complete_order(order_id=young.pk, actor=NOBODY, allow_unpaid=True)
    before = live_rows()

    assert archive_orders(before=days_ago(365)) == 4
    assert archive_orders(before=days_ago(365)) == 0

    gone = {order.pk for order in old[:4]}
    assert set(Order.objects.values_list("pk", flat=True)) == {old[4].pk, young.pk}, "who still waits stays"
    assert archived_rows() == {
        "ArchivedOrder": [row for row in before["Order"] if row["id"] in gone],
        "ArchivedItem": [row for row in before["OrderItem"] if row["order_id"] in gone],
        "ArchivedCancelledItem": before["CancelledItem"],
        "ArchivedEvent": [row for row in before["OrderEvent"] if row["order_id"] in gone],
    }
    assert OrderItem.objects.count() + ArchivedItem.objects.count() == len(before["OrderItem"])
    assert ArchivedOrder.objects.get(import_key="till 7 of 2025").pk == old[3].pk


def test_an_old_order_that_was_closed_lately_stays(bar: Shop) -> None:
    order = bar.sell(bar.product("Tea"), at=days_ago(400))
    complete_order(order_id=order.pk, actor=NOBODY, allow_unpaid=True)

    assert archive_orders(before=days_ago(365)) == 0
    assert Order.objects.filter(pk=order.pk).exists()


def test_the_oldest_go_first_and_no_more_than_asked(old: list[Order]) -> None:
    assert archive_orders(before=days_ago(365), limit=3) == 3
    assert list(ArchivedOrder.objects.order_by("pk").values_list("pk", flat=True)) == [one.pk for one in old[:3]]
    assert archive_orders(before=days_ago(365), limit=3) == 1


def test_archiving_and_restoring_takes_a_constant_number_of_queries(
    bar: Shop, old: list[Order], django_assert_num_queries: Any
) -> None:
    # BEGIN and COMMIT are savepoints here; one lock, one statement for each table.
    with django_assert_num_queries(2 + 1 + len(MOVED)):
        archive_orders(before=days_ago(365))
    with django_assert_num_queries(2 + 1 + len(MOVED)):
        restore_orders(order_ids=[one.pk for one in old])


def test_restoring_puts_everything_back_as_it_was(bar: Shop, old: list[Order]) -> None:
    before = everything()
    archive_orders(before=days_ago(365))
    assert everything() != before

    assert restore_orders(order_ids=[*(one.pk for one in old), 10**9]) == 4

    assert everything() == before
    assert not any(archived_rows().values())
    newest = bar.sell(Product.objects.get(name="Tea"))
    assert newest.number > max(one.number for one in old), "the numbers go on"


def figures(bar: Shop) -> dict[str, Any]:
    """Every figure and name that is read of orders."""
    months = [(days_ago(days + 30), days_ago(days)) for days in range(300, 480, 30)]
    ann = Customer.objects.get()
    movements = list(StockMovement.objects.filter(document_type="order"))
    return {
        "periods": figures_of_periods(location=bar.location, periods=months),
        "best": best_sellers(location=bar.location, start=days_ago(500), end=NOW),
        "customer": customer_figures(ann),
        "list of customers": figures_of_customers([ann.pk]),
        "ledger": sorted((one.name, one.url) for one in name_documents(movements).values()),
        "every order": list(EveryOrder.objects.order_by("pk").values_list("pk", "number", "status", "total")),
        "every line": list(EveryItem.objects.order_by("pk").values_list("pk", "order_id", "name", "total")),
    }


def test_no_figure_changes_by_archiving(bar: Shop, old: list[Order]) -> None:
    before = figures(bar)
    assert sum(one.orders for one in before["periods"]) > 0
    assert before["best"]

    archive_orders(before=days_ago(365), limit=2)
    assert figures(bar) == before
    archive_orders(before=days_ago(365))
    assert figures(bar) == before
    restore_orders(order_ids=[old[0].pk])
    assert figures(bar) == before


class Failing:
    """Lets the statement number `last` fail, as a database that goes away in the middle."""

    def __init__(self, last: int) -> None:
        self.left = last

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        self.left -= 1
        if self.left == -1:
            raise DatabaseError("gone")
        return execute(sql, params, many, context)


# The savepoint, the lock, and a statement for each table.
@pytest.mark.parametrize("last", range(2 + len(MOVED)))
def test_a_run_that_dies_at_any_statement_changes_nothing(old: list[Order], last: int) -> None:
    before = everything()

    with pytest.raises(DatabaseError), connection.execute_wrapper(Failing(last)):
        archive_orders(before=days_ago(365))
    assert everything() == before
    assert not any(archived_rows().values())

    archive_orders(before=days_ago(365))
    archived = archived_rows()
    with pytest.raises(DatabaseError), connection.execute_wrapper(Failing(last)):
        restore_orders(order_ids=[one.pk for one in old])
    assert archived_rows() == archived


def test_the_verbs_of_an_archived_order_are_refused(bar: Shop, old: list[Order]) -> None:
    archive_orders(before=days_ago(365))
    before, pk = everything(), old[0].pk

    for verb in (prepare_order, complete_order, cancel_order, edit_order):
        with pytest.raises(OrderArchived, match=f"#{old[0].number} is archived") as refused:
            verb(order_id=pk, actor=NOBODY)  # type: ignore[operator]
        assert refused.value.code == "archived"
    with pytest.raises(OrderArchived):
        cancel_item(order_id=pk, item_id=1, quantity=1, actor=NOBODY)
    with pytest.raises(UnknownOrder):
        cancel_order(order_id=10**9, actor=NOBODY)
    assert everything() == before

    results = complete_orders(order_ids=[old[4].pk, pk, 10**9], actor=NOBODY, allow_unpaid=True)
    assert [type(one.refusal) for one in results] == [type(None), OrderArchived, UnknownOrder]


def test_what_an_archived_order_names_is_not_deleted(old: list[Order]) -> None:
    archive_orders(before=days_ago(365))
    OrderItem.objects.all().delete()
    tea = Product.objects.get(name="Tea")

    with pytest.raises(InUse):
        delete_product(product_id=tea.pk)
    assert Product.objects.filter(pk=tea.pk).exists()


def test_everything_that_hangs_on_an_order_by_a_key_moves_with_it() -> None:
    """Who adds a table with a key to an order adds its archived twin: else the order can't move any more."""
    moved = {table.live for table in MOVED}
    hanging = {
        model
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, ForeignKey) and field.related_model in moved
    }
    assert hanging <= moved
    for table in MOVED:
        live, archived = (
            {one.column for one in model._meta.local_concrete_fields} for model in (table.live, table.archived)
        )
        assert live == archived


def test_the_views_show_all_columns_of_the_tables() -> None:
    for view, table in ((EveryOrder, Order), (EveryItem, OrderItem)):
        with connection.cursor() as cursor:
            shown = {
                column.name for column in connection.introspection.get_table_description(cursor, view._meta.db_table)
            }
        assert shown == {field.column for field in view._meta.local_concrete_fields}
        assert shown == {field.column for field in table._meta.local_concrete_fields} | {"is_archived"}


def test_the_task_archives_what_is_older_than_the_shop_wants(old: list[Order], settings: Any) -> None:
    assert settings.ORDER_ARCHIVE_AFTER_DAYS == 0
    archive_old_orders()
    assert not ArchivedOrder.objects.exists(), "never, unless somebody says so"

    settings.ORDER_ARCHIVE_AFTER_DAYS = 399
    archive_old_orders()
    assert ArchivedOrder.objects.count() == 1
    settings.ORDER_ARCHIVE_AFTER_DAYS = -1
    archive_old_orders()
    assert ArchivedOrder.objects.count() == 1


def test_the_commands_archive_and_restore(old: list[Order], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError, match="Say how old"):
        call_command("archive_orders")
    call_command("archive_orders", "--days", "365")
    assert "4 orders are archived." in capsys.readouterr().out

    with pytest.raises(CommandError, match="Say which"):
        call_command("restore_orders")
    call_command("restore_orders", "--number", str(old[0].number))
    assert "1 order is restored." in capsys.readouterr().out
    call_command("restore_orders", "--placed-from", str(old[2].placed_at.date()))
    assert ArchivedOrder.objects.count() == 1
    call_command("restore_orders", "--all")
    assert ArchivedOrder.objects.count() == 0
    assert Order.objects.count() == 5


class TestThereAndBack(TestCase):
    """Whatever the orders are and however they are divided, there and back changes nothing."""

    @settings(max_examples=25)
    @given(
        fates=st.lists(
            st.tuples(
                st.sampled_from(["pending", "complete", "cancel", "part"]), st.integers(1, 60), st.integers(1, 3)
            ),
            max_size=6,
        ),
        limit=st.integers(1, 4),
        age=st.integers(0, 60),
        chosen=st.sets(st.integers(0, 5)),
    )
    def test_is_the_identity(self, fates: Any, limit: int, age: int, chosen: set[int]) -> None:
        bar = Shop.open()
        latte = bar.product("Latte", "70")
        orders = []
        for fate, days, quantity in fates:
            order = bar.sell(latte, quantity, at=days_ago(days))
            if fate == "complete":
                complete_order(order_id=order.pk, actor=NOBODY, allow_unpaid=True, at=days_ago(days))
            elif fate == "cancel" or (fate == "part" and quantity == 1):
                cancel_order(order_id=order.pk, actor=NOBODY, at=days_ago(days))
            elif fate == "part":
                bar.cancel_part(order, 1)
                complete_order(order_id=order.pk, actor=NOBODY, allow_unpaid=True, at=days_ago(days))
            orders.append(order)
        before = live_rows()
        every = list(EveryOrder.objects.order_by("pk").values_list("pk", "number", "total"))

        while archive_orders(before=days_ago(age), limit=limit):
            assert list(EveryOrder.objects.order_by("pk").values_list("pk", "number", "total")) == every
        expected = [
            pk
            for pk, (fate, days, _) in zip([o.pk for o in orders], fates, strict=True)
            if fate != "pending" and days > age
        ]
        assert sorted(ArchivedOrder.objects.values_list("pk", flat=True)) == expected
        restore_orders(order_ids=[orders[place].pk for place in chosen if place < len(orders)])
        restore_orders(order_ids=[order.pk for order in orders])

        assert live_rows() == before
        assert not any(archived_rows().values())
