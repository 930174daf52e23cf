"""A shop with 1000 g of beans that sells coffee by 250 g on one live account."""

import pytest

from inventory.models import Ingredient, Product
from tests.marketplaces.selling import Market, market_offering
from tests.shop import Shop


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


@pytest.fixture
def beans(shop: Shop) -> Ingredient:
    return shop.ingredient("Beans", stock=1000, unit_cost="0.07")


@pytest.fixture
def coffee(shop: Shop, beans: Ingredient) -> Product:
    return shop.product("Coffee 250 g", recipe={beans: 250})


@pytest.fixture
def market(shop: Shop, coffee: Product) -> Market:
    return market_offering(shop, {"COFFEE": coffee})
