"""The check that finds levels which are not what their ledger sums to."""

import pytest

from inventory.models import StockLevel
from inventory.selectors import levels_that_differ_from_the_ledger
from inventory.watching import levels_are_what_the_ledger_sums_to
from monitoring.errors import CheckFailed
from monitoring.registry import checks
from tests.shop import Shop

pytestmark = pytest.mark.django_db


def test_a_shop_that_moved_its_stock_by_services_is_in_order():
    shop = Shop.open()
    milk = shop.ingredient("Milk", "ml", stock=1000)
    shop.ingredient("Tea", "ml", minimum=10)
    shop.sell(shop.product("Latte", recipe={milk: 200}))
    assert levels_that_differ_from_the_ledger() == []
    assert levels_are_what_the_ledger_sums_to() is None


def test_a_level_that_was_changed_past_the_ledger_is_named():
    shop = Shop.open()
    milk = shop.ingredient("Milk", "ml", stock=1000)
    tea = shop.ingredient("Tea", "ml", stock=50)
    StockLevel.objects.filter(ingredient=milk).update(quantity=999)
    assert levels_that_differ_from_the_ledger() == [(shop.location.pk, milk.pk, 999, 1000)]
    with pytest.raises(CheckFailed, match=r"ledger: 1\. .*: the level says 999\.000, the ledger 1000\.000\."):
        levels_are_what_the_ledger_sums_to()
    StockLevel.objects.filter(ingredient=tea).delete()
    assert levels_that_differ_from_the_ledger() == [
        (shop.location.pk, milk.pk, 999, 1000),
        (shop.location.pk, tea.pk, 0, 50),
    ]


def test_it_is_registered_but_does_not_take_the_server_out_of_service():
    check = checks.get("stock_ledger")
    assert check.run is levels_are_what_the_ledger_sums_to
    assert not check.gates_readiness
