"""Programs that ask for the same at the same moment: it happens once, and nobody gets an error of ours."""

from collections.abc import Callable
from decimal import Decimal
from threading import Event
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from foundation.errors import InUse, InvalidInput
from foundation.services.records import delete_record
from inventory.models import Ingredient, Option, OptionGroup, Product, RecipeLine
from inventory.services.catalogue import RecipeEntry, change_product
from inventory.services.ingredients import change_ingredient
from inventory.services.option_groups import OptionEntry, change_option_group
from orders.models import Customer, Order
from tests.inventory.deliveries import Deliveries
from tests.inventory.kitchen import makes
from tests.races.threads import PATIENCE, at_once
from tests.rest import Rest
from tests.shop import Shop, assert_levels_are_what_the_ledger_sums_to

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


@pytest.fixture
def latte(shop: Shop) -> Product:
    return shop.product("Latte", "70.00", {shop.ingredient("Milk", "ml", stock=10_000): 200})


def statuses(calls: list[Callable[[], Any]]) -> list[int]:
    return sorted(answer.status_code for answer in at_once(calls))


def order_of(rest: Rest, latte: Product, **headers: str) -> Callable[[], Any]:
    body = {"items": [{"product": latte.pk, "quantity": 1}]}
    return lambda: rest.call("post", "orders/", body, **headers)


def test_one_key_sent_sixteen_times_at_once_places_one_order(latte: Product) -> None:
    barista = Rest.of("barista")
    seen = statuses([order_of(barista, latte, **{"Idempotency-Key": "till-1"})] * 16)
    assert set(seen) <= {201, 409}
    assert 201 in seen
    assert Order.objects.count() == 1
    assert_levels_are_what_the_ledger_sums_to()


def test_the_first_orders_of_one_customer_at_once_make_one_customer(latte: Product) -> None:
    anna = Rest.of("customer")
    assert statuses([order_of(anna, latte)] * 8) == [201] * 8
    assert Customer.objects.count() == 1
    assert Order.objects.filter(customer__user=anna.user).count() == 8


def test_one_name_taken_by_many_at_once_is_given_once(shop: Shop) -> None:
    manager = Rest.of("manager")
    seen = statuses([lambda: manager.call("post", "categories/", {"name": "Coffee"})] * 8)
    assert seen.count(201) == 1
    assert set(seen) <= {201, 400, 409}


def test_of_deleting_an_ingredient_and_writing_it_into_a_recipe_one_is_refused(shop: Shop, latte: Product) -> None:
    for number in range(10):
        pearls = Ingredient.objects.create(name=f"Pearls {number}", unit="g")
        deleting, writing = at_once(
            [
                lambda pk=pearls.pk: delete_record(model=Ingredient, record_id=pk),
                lambda pk=pearls.pk: change_product(
                    product_id=latte.pk, fields={}, recipe=[RecipeEntry(pk, Decimal(5))]
                ),
            ]
        )
        is_written = isinstance(writing, Product)
        assert is_written == isinstance(deleting, InUse), (deleting, writing)
        assert is_written or isinstance(writing, InvalidInput | IntegrityError), writing
        assert RecipeLine.objects.filter(ingredient_id=pearls.pk).exists() == is_written
        assert Ingredient.objects.filter(pk=pearls.pk).exists() == is_written


def somebody_waits() -> bool:
    """Whether somebody in this database waits for a lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database "
            "WHERE datname = current_database() AND NOT granted)"
        )
        waits: bool = cursor.fetchone()[0]
    return waits


def ordered_by_the_case(shop: Shop, pearls: Ingredient) -> None:
    dairy = Deliveries(shop)
    dairy.ordered((dairy.pack(pearls, 500), 2))


USES = {
    "delivered": lambda shop, pearls: shop.receive({pearls: 500}),
    "ordered": ordered_by_the_case,
    "in a recipe": lambda shop, pearls: shop.product("Milk tea", recipe={pearls: 60}),
    "made here": lambda shop, pearls: makes(shop, pearls, 1500, {Ingredient.objects.get(name="Dry"): 1000}),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_an_ingredient_that_is_used_meanwhile_keeps_its_unit(
    shop: Shop, use: Callable[[Shop, Ingredient], Any]
) -> None:
    """The van stands at the door: its receipt is written and not committed when somebody changes the unit."""
    pearls = Ingredient.objects.create(name="Pearls", unit="g")
    Ingredient.objects.create(name="Dry", unit="g")
    is_written, is_over = Event(), Event()

    def write() -> None:
        with transaction.atomic():
            use(shop, pearls)
            is_written.set()
            # Until the other one waits at the lock, or has slipped through because there is none.
            while not is_over.wait(0.01) and not somebody_waits():
                pass

    def change() -> Any:
        try:
            is_written.wait(PATIENCE)
            return change_ingredient(ingredient_id=pearls.pk, changes={"unit": "pc"})
        finally:
            is_over.set()

    _written, changed = at_once([write, change])
    assert isinstance(changed, InvalidInput), changed
    pearls.refresh_from_db()
    assert pearls.unit == "g"


def test_two_who_rewrite_one_group_leave_the_whole_of_one(shop: Shop) -> None:
    group = shop.group("Ice", most=3)
    lists = [[f"{who} {number}" for number in range(3)] for who in ("Anna", "Boris")]
    outcomes = at_once(
        [
            lambda names=names: change_option_group(
                group_id=group.pk, fields={}, options=[OptionEntry(name=name, fields={}) for name in names]
            )
            for names in lists
        ]
    )
    assert all(isinstance(one, OptionGroup) for one in outcomes), outcomes
    assert sorted(Option.objects.values_list("name", flat=True)) in lists
