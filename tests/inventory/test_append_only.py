"""The ledger is append-only in the database itself, whoever writes."""

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError, IntegrityError

from inventory.models import StockLevel, StockMovement
from tests.shop import Shop, assert_levels_are_what_the_ledger_sums_to

pytestmark = pytest.mark.django_db


@pytest.fixture
def movement() -> StockMovement:
    shop = Shop.open()
    shop.ingredient("Tea", stock=100)
    return StockMovement.objects.get()


def refused(*statement: object) -> str:
    with pytest.raises(DatabaseError) as error, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(*statement)
    return str(error.value)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE inventory_stockmovement SET delta = 99",
        "UPDATE inventory_stockmovement SET comment = 'never mind'",
        "UPDATE inventory_stockmovement SET created_at = now()",
        "DELETE FROM inventory_stockmovement",
        "WITH gone AS (DELETE FROM inventory_stockmovement RETURNING 1) SELECT count(*) FROM gone",
        "INSERT INTO inventory_stockmovement SELECT * FROM inventory_stockmovement "
        "ON CONFLICT (id) DO UPDATE SET delta = 99",
    ],
)
def test_postgresql_refuses_to_alter_the_ledger(movement, statement):
    assert "Cannot update or delete rows from inventory_stockmovement" in refused(statement)
    assert StockMovement.objects.get().delta == 100
    assert_levels_are_what_the_ledger_sums_to()


def test_the_orm_can_not_alter_it_either(movement):
    for alter in (
        movement.delete,
        StockMovement.objects.all().delete,
        lambda: StockMovement.objects.update(delta=1),
        lambda: StockMovement(pk=movement.pk, delta=1).save(force_update=True, update_fields=["delta"]),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            alter()
    assert StockMovement.objects.get().delta == 100


def test_what_the_ledger_names_can_not_be_deleted(movement):
    for named in (movement.ingredient, movement.location):
        with pytest.raises(IntegrityError), transaction.atomic():
            named.delete()


def test_a_level_below_zero_is_refused_by_the_database(movement):
    assert "stock_quantity_not_negative" in refused("UPDATE inventory_stocklevel SET quantity = -0.001")
    assert StockLevel.objects.get().quantity == 100


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("UPDATE inventory_stocklevel SET minimum = -0.001", "stock_minimum_not_negative"),
        ("UPDATE inventory_stocklevel SET average_cost = -0.000001", "stock_cost_not_negative"),
        (
            "INSERT INTO inventory_stocklevel (location_id, ingredient_id, quantity, minimum, value, average_cost) "
            "SELECT location_id, ingredient_id, 0, 0, 0, 0 FROM inventory_stocklevel",
            "stock_level_once",
        ),
        (
            "INSERT INTO inventory_stockmovement (location_id, ingredient_id, delta, reason, unit_cost, value, "
            "document_type, document_id, line_id, comment, created_at) "
            "SELECT location_id, ingredient_id, 0, reason, 0, 0, '', '', '', '', now() FROM inventory_stockmovement",
            "movement_moves",
        ),
        (
            "INSERT INTO inventory_stockmovement (location_id, ingredient_id, delta, reason, unit_cost, value, "
            "document_type, document_id, line_id, comment, created_at) "
            "SELECT location_id, ingredient_id, 1, reason, -1, 0, '', '', '', '', now() FROM inventory_stockmovement",
            "movement_cost_not_negative",
        ),
        (
            "INSERT INTO inventory_stockmovement (location_id, ingredient_id, delta, reason, unit_cost, value, "
            "document_type, document_id, line_id, comment, created_at) "
            "SELECT location_id, ingredient_id, 1, reason, 1, -1, '', '', '', '', now() FROM inventory_stockmovement",
            "movement_value_goes_where_the_stock_goes",
        ),
        ("UPDATE inventory_stocklevel SET value = -1", "stock_value_only_where_there_is_stock"),
        ("UPDATE inventory_stocklevel SET value = 1, quantity = 0", "stock_value_only_where_there_is_stock"),
        (
            "UPDATE inventory_stockdocument SET destination_id = location_id WHERE kind = 'receipt'",
            "only_a_transfer_has_a_destination",
        ),
        ("UPDATE inventory_stockdocument SET kind = 'transfer'", "only_a_transfer_has_a_destination"),
        ("UPDATE inventory_stockdocument SET reason = 'spoilage'", "only_a_write_off_has_a_reason"),
        ("UPDATE inventory_stockdocument SET kind = 'write_off'", "only_a_write_off_has_a_reason"),
    ],
)
def test_the_database_refuses_what_the_store_room_can_not_be(movement, statement, constraint):
    assert constraint in refused(statement)
