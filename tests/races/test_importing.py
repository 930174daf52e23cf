"""Imports while others work: one file is imported once, and nobody waits for ever."""

from decimal import Decimal

import pytest

from foundation.errors import Missing
from inventory.exchange.errors import ChangedSincePreview
from inventory.exchange.report import Report
from inventory.models import Ingredient, Product
from inventory.services.catalogue import change_product
from inventory.services.exchange import hand_in, import_file, import_kept
from inventory.services.ingredients import change_ingredient
from orders.models import Order
from tests.inventory.spreadsheets import csv_file
from tests.races.threads import at_once, kinds
from tests.shop import Shop, user_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_file_that_eight_confirm_at_once_is_imported_once() -> None:
    Shop.open()
    manager = user_of("manager")
    content = csv_file("category,name,price", *(f"Tea,Cup {number},5" for number in range(20)))
    handed = hand_in(subject="products", file_name="a.csv", content=content, user_id=manager.pk)

    outcomes = at_once([lambda: import_kept(subject="products", file_id=handed.file_id, user_id=manager.pk)] * 8)

    assert kinds(outcomes) == {"Missing": 7, "Report": 1}
    assert all(isinstance(one, Missing | Report) for one in outcomes)
    assert Product.objects.count() == 20


def test_of_two_people_with_the_same_new_products_one_imports_and_the_other_looks_again() -> None:
    Shop.open()
    content = csv_file("category,name,price", *(f"Tea,Cup {number},5" for number in range(20)))
    people = [user_of("manager", f"{name}@shop.example") for name in ("ann", "bob")]
    handed = [(one, hand_in(subject="products", file_name="a.csv", content=content, user_id=one.pk)) for one in people]

    outcomes = at_once(
        [
            lambda one=one, file=file: import_kept(subject="products", file_id=file.file_id, user_id=one.pk)
            for one, file in handed
        ]
    )

    assert kinds(outcomes) == {"ChangedSincePreview": 1, "Report": 1}
    assert any(isinstance(one, ChangedSincePreview) for one in outcomes)
    assert Product.objects.count() == 20


def test_imports_sales_and_changes_by_hand_do_not_block_each_other() -> None:
    bar = Shop.open()
    milk = bar.ingredient("Milk", "ml", stock=10_000)
    bar.ingredient("Tea", "g")
    cocoa = bar.ingredient("Cocoa", "g")
    latte = bar.product("Latte", "70.00", {milk: 200})
    prices = csv_file("name,price", "Latte,75")
    units = csv_file("name,unit", "Milk,ml", "Cocoa,pc")
    recipes = csv_file("product,ingredient,quantity", "Latte,Milk,200", "Latte,Tea,1")

    outcomes = at_once(
        [
            lambda: import_file(subject="products", file_name="a.csv", content=prices),
            lambda: import_file(subject="ingredients", file_name="a.csv", content=units),
            lambda: import_file(subject="recipes", file_name="a.csv", content=recipes),
            lambda: change_product(product_id=latte.pk, fields={"position": 7}),
            lambda: change_ingredient(ingredient_id=cocoa.pk, changes={"unit": "pc"}),
            *[lambda: bar.receive({milk: 5})] * 6,
        ]
    )

    assert not [one for one in outcomes if isinstance(one, Exception)]
    latte.refresh_from_db()
    assert (latte.price, latte.position) == (Decimal("75.00"), 7)
    assert Ingredient.objects.get(name="Cocoa").unit == "pc"
    assert not Order.objects.exists()
