"""What the database itself refuses of a catalogue, whoever writes it."""

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.utils import IntegrityError

from inventory.models import Location
from tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    """A shop with one of everything."""
    shop = Shop.open()
    tea = shop.ingredient("Tea")
    shop.ingredient("Milk")
    group = shop.group("Size")
    shop.scales(shop.option(group, "Large"), "1.5")
    shop.product("Tea", recipe={tea: 1}, groups=[group])
    return shop


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("UPDATE inventory_product SET price = -0.01", "product_price_not_negative"),
        ("UPDATE inventory_recipeline SET quantity = 0", "recipe_quantity_positive"),
        (
            "INSERT INTO inventory_recipeline (product_id, ingredient_id, quantity, scales) "
            "SELECT product_id, ingredient_id, 1, false FROM inventory_recipeline",
            "ingredient_once_in_recipe",
        ),
        (
            "INSERT INTO inventory_productoptiongroup (product_id, group_id, position) "
            "SELECT product_id, group_id, 2 FROM inventory_productoptiongroup",
            "option_group_once_in_product",
        ),
        ("UPDATE inventory_optiongroup SET max_choices = 0", "option_group_choices_in_order"),
        ("UPDATE inventory_optiongroup SET min_choices = 2", "option_group_choices_in_order"),
        (
            "INSERT INTO inventory_option (group_id, name, price_delta, is_default, is_available, position) "
            "SELECT group_id, name, 0, false, true, 1 FROM inventory_option",
            "option_name_unique_in_group",
        ),
        ("UPDATE inventory_optioneffect SET factor = -0.0001", "option_effect_is_whole"),
        ("UPDATE inventory_optioneffect SET factor = NULL", "option_effect_is_whole"),
        ("UPDATE inventory_optioneffect SET quantity = 1", "option_effect_is_whole"),
        ("UPDATE inventory_optioneffect SET kind = 'add'", "option_effect_is_whole"),
        ("UPDATE inventory_optioneffect SET kind = 'replace'", "option_effect_is_whole"),
        ("UPDATE inventory_optioneffect SET kind = 'double'", "option_effect_is_whole"),
        (
            "UPDATE inventory_optioneffect SET kind = 'replace', factor = NULL, "
            "ingredient_id = (SELECT min(id) FROM inventory_ingredient)",
            "option_effect_is_whole",
        ),
        (
            "UPDATE inventory_optioneffect SET kind = 'add', factor = NULL, "
            "ingredient_id = (SELECT min(id) FROM inventory_ingredient)",
            "option_effect_is_whole",
        ),
        (
            "UPDATE inventory_optioneffect SET kind = 'add', factor = NULL, quantity = 0, "
            "ingredient_id = (SELECT min(id) FROM inventory_ingredient)",
            "option_effect_is_whole",
        ),
    ],
)
def test_the_database_refuses_what_a_catalogue_can_not_be(shop, statement, constraint):
    with pytest.raises(IntegrityError) as error, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert constraint in str(error.value)


@pytest.mark.parametrize("name", ["", "Bangkok", "Asia/Nowhere", "../../etc/passwd", "asia/bangkok", "localtime"])
def test_a_location_has_a_time_zone_that_exists(name):
    with pytest.raises(ValidationError) as refused:
        Location(name="Here", time_zone=name).full_clean()
    assert list(refused.value.message_dict) == ["time_zone"]
