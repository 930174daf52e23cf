"""An empty text is no quantity and no price: what was left empty is not taken for "all of it" or "as before"."""

import pytest

from inventory.models import OptionEffect, PurchaseOrder, StockLot, StockMovement, SupplierPack
from tests.inventory.deliveries import Deliveries, line_of
from tests.inventory.kitchen import dated
from tests.rest import Rest
from tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


@pytest.fixture
def manager() -> Rest:
    return Rest.of("manager")


@pytest.mark.parametrize("nothing", ["", " "])
def test_an_empty_quantity_does_not_throw_the_whole_lot_away(shop, nothing):
    milk = dated(shop, "Milk", "ml", {24: 1000})
    lot = StockLot.objects.get(ingredient=milk)

    Rest.of("barista").refused(
        "post", f"stock-lots/{lot.pk}/write-off/", {"quantity": nothing}, status=400, kind="invalid", at="quantity"
    )

    lot.refresh_from_db()
    assert (lot.quantity, shop.quantity(milk)) == (1000, 1000)


@pytest.mark.parametrize("field", ["unit_cost", "paid"])
def test_a_receipt_does_not_take_an_empty_cost_for_an_unknown_one(shop, manager, field):
    tea = shop.ingredient("Tea")
    line = {"ingredient": tea.pk, "quantity": "5", field: ""}

    manager.refused("post", "stock/receive/", {"lines": [line]}, status=400, kind="invalid", at=f"lines[0].{field}")

    assert not StockMovement.objects.exists()


def test_an_empty_price_is_not_the_price_of_the_list(shop, manager):
    dairy, milk = Deliveries(shop), shop.ingredient("Milk", "ml")
    case = dairy.pack(milk, 1000, "50")
    body = {"supplier": dairy.supplier.pk, "lines": [{"pack": case.pk, "packs": "1", "price": ""}]}

    manager.refused("post", "purchase-orders/", body, status=400, kind="invalid", at="lines[0].price")

    assert not PurchaseOrder.objects.exists()


@pytest.mark.parametrize("field", ["packs", "quantity", "price"])
def test_a_delivery_with_an_empty_number_is_not_received(shop, manager, field):
    dairy, milk = Deliveries(shop), shop.ingredient("Milk", "ml")
    order = dairy.ordered((dairy.pack(milk, 1000, "50"), 1))
    line = {"line": line_of(order, milk).pk, ("quantity" if field == "packs" else "packs"): "1", field: ""}

    manager.refused(
        "post",
        f"purchase-orders/{order.pk}/receive/",
        {"lines": [line]},
        status=400,
        kind="invalid",
        at=f"lines[0].{field}",
    )

    assert shop.quantity(milk) == 0


def test_an_empty_price_does_not_forget_what_a_pack_costs(shop, manager):
    dairy, milk = Deliveries(shop), shop.ingredient("Milk", "ml")
    case = dairy.pack(milk, 1000, "50")
    pack = {"id": case.pk, "ingredient": milk.pk, "name": "case", "quantity": "1000", "price": ""}
    body = {"packs": [{**pack, "article": "", "is_preferred": False}]}

    path = f"suppliers/{dairy.supplier.pk}/"
    manager.refused("patch", path, body, status=400, kind="invalid", at="packs[0].price")

    assert SupplierPack.objects.get().price == 50


def test_an_empty_factor_scales_nothing(shop, manager):
    effect = {"kind": "scale", "factor": ""}
    body = {"name": "Size", "options": [{"name": "Large", "effects": [effect]}]}

    manager.refused("post", "option-groups/", body, status=400, kind="invalid", at="options[0].effects[0].factor")

    assert not OptionEffect.objects.exists()
