"""Suppliers and their packs."""

from decimal import Decimal

import pytest

from foundation.errors import InUse, InvalidInput, Missing
from foundation.services.records import delete_record
from inventory.models import Supplier, SupplierPack
from inventory.services.purchasing import order_purchase_order
from inventory.services.suppliers import PackEntry, add_supplier, change_supplier
from tests.inventory.deliveries import Deliveries, everything
from tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


def entry(ingredient, quantity="1000", name="bag", **fields) -> PackEntry:
    return PackEntry(
        ingredient_id=getattr(ingredient, "pk", ingredient), name=name, quantity=Decimal(quantity), **fields
    )


def faults(call, kind=InvalidInput) -> dict[str, list[str]]:
    before = everything()
    with pytest.raises(kind) as refusal:
        call()
    assert everything() == before
    return getattr(refusal.value, "errors", {})


def packs_of(supplier: Supplier) -> list[tuple]:
    return list(
        supplier.packs.order_by("id").values_list(
            "ingredient__name", "name", "quantity", "price", "article", "is_preferred"
        )
    )


def test_a_supplier_comes_with_its_packs(shop):
    milk, tea = shop.ingredient("Milk", "ml"), shop.ingredient("Tea")

    supplier = add_supplier(
        fields={"name": "Dairy", "phone": "+66 2 000 0000"},
        packs=[
            entry(milk, "12000", "case", price=Decimal("600.00"), article="M-12", is_preferred=True),
            entry(tea, "0.001", "crumb"),
        ],
    )

    assert (supplier.name, supplier.phone, supplier.is_active) == ("Dairy", "+66 2 000 0000", True)
    assert packs_of(supplier) == [
        ("Milk", "case", 12000, 600, "M-12", True),
        ("Tea", "crumb", Decimal("0.001"), None, "", False),
    ]


def test_two_suppliers_of_one_name_are_refused(shop):
    Supplier.objects.create(name="Dairy")
    assert set(faults(lambda: add_supplier(fields={"name": "Dairy"}))) == {"name"}


def test_a_list_of_packs_replaces_the_one_before(shop):
    milk, tea = shop.ingredient("Milk", "ml"), shop.ingredient("Tea")
    dairy = Deliveries(shop)
    case, bag = dairy.pack(milk, 12000, "600.00"), dairy.pack(tea, 1000, "90.00")

    change_supplier(
        supplier_id=dairy.supplier.pk,
        fields={},
        packs=[entry(milk, "6000", "half case", id=case.pk, price=Decimal("310")), entry(milk, "1000", "bottle")],
    )

    assert packs_of(dairy.supplier) == [
        ("Milk", "half case", 6000, 310, "", False),
        ("Milk", "bottle", 1000, None, "", False),
    ]
    assert not SupplierPack.objects.filter(pk=bag.pk).exists()


def test_two_packs_swap_their_names(shop):
    milk, dairy = shop.ingredient("Milk", "ml"), Deliveries(shop)
    one, two = dairy.pack(milk, 1000, name="bottle"), dairy.pack(milk, 12000, name="case")

    change_supplier(
        supplier_id=dairy.supplier.pk,
        fields={},
        packs=[entry(milk, "1000", "case", id=one.pk), entry(milk, "12000", "bottle", id=two.pk)],
    )

    assert [(name, quantity) for _milk, name, quantity, *_rest in packs_of(dairy.supplier)] == [
        ("case", 1000),
        ("bottle", 12000),
    ]


def test_choosing_another_preferred_pack_moves_the_mark_whoever_sells_it(shop):
    milk = shop.ingredient("Milk", "ml")
    dairy, farm = Deliveries(shop), Deliveries(shop, "Farm")
    case, can = dairy.pack(milk, 12000, is_preferred=True), farm.pack(milk, 5000, name="can")

    change_supplier(
        supplier_id=farm.supplier.pk, fields={}, packs=[entry(milk, "5000", "can", id=can.pk, is_preferred=True)]
    )

    assert list(SupplierPack.objects.order_by("id").values_list("pk", "is_preferred")) == [
        (case.pk, False),
        (can.pk, True),
    ]


def test_the_mark_moves_within_one_list_too(shop):
    milk, dairy = shop.ingredient("Milk", "ml"), Deliveries(shop)
    one, two = dairy.pack(milk, 1000, name="bottle", is_preferred=True), dairy.pack(milk, 12000, name="case")

    change_supplier(
        supplier_id=dairy.supplier.pk,
        fields={},
        packs=[
            entry(milk, "1000", "bottle", id=one.pk),
            entry(milk, "12000", "case", id=two.pk, is_preferred=True),
        ],
    )

    assert [(one[1], one[5]) for one in packs_of(dairy.supplier)] == [("bottle", False), ("case", True)]


@pytest.mark.parametrize("quantity", ["0", "-1", "NaN", "Infinity", "0.0001", "1E+40"])
def test_a_pack_of_nothing_is_refused(shop, quantity):
    tea = shop.ingredient("Tea")
    errors = faults(lambda: add_supplier(fields={"name": "Farm"}, packs=[entry(tea, quantity)]))
    assert set(errors) == {"packs[0].quantity"}


@pytest.mark.parametrize("price", ["-1", "NaN", "1.005", "1E+40"])
def test_a_senseless_price_is_refused(shop, price):
    tea = shop.ingredient("Tea")
    errors = faults(lambda: add_supplier(fields={"name": "Farm"}, packs=[entry(tea, price=Decimal(price))]))
    assert set(errors) == {"packs[0].price"}


def test_packs_that_make_no_sense_are_refused_each_at_its_place(shop):
    tea, milk, dairy = shop.ingredient("Tea"), shop.ingredient("Milk", "ml"), Deliveries(shop)
    bag = dairy.pack(tea, 1000)
    packs = [
        entry(tea, name=" "),
        entry(999_999),
        entry(tea, name="sack", is_preferred=True),
        entry(tea, name="sack", is_preferred=True),
        entry(tea, name="x" * 101, article="x" * 61),
        entry(tea, name="box", id=999_999),
        entry(milk, id=bag.pk),
        entry(tea, name="tin", id=bag.pk),
    ]
    assert set(faults(lambda: change_supplier(supplier_id=dairy.supplier.pk, fields={}, packs=packs))) == {
        "packs[0].name",
        "packs[1].ingredient",
        "packs[3].name",
        "packs[3].is_preferred",
        "packs[4].name",
        "packs[4].article",
        "packs[5].id",
        "packs[6].ingredient",
        "packs[7].id",
    }


def test_a_pack_on_a_draft_stays_until_it_is_taken_out_there(shop):
    tea, dairy = shop.ingredient("Tea"), Deliveries(shop)
    order = dairy.draft((dairy.pack(tea, 1000, "90.00"), 1))
    supplier_id = dairy.supplier.pk
    faults(lambda: change_supplier(supplier_id=supplier_id, fields={}, packs=[]), InUse)

    order_purchase_order(order_id=order.pk)
    change_supplier(supplier_id=supplier_id, fields={}, packs=[])

    line = order.lines.get()
    assert (line.pack_id, line.pack_name, line.pack_quantity) == (None, "case", 1000)
    dairy.receive(order, {tea: 1}, price="91.00")
    assert shop.quantity(tea) == 1000


def test_a_supplier_with_orders_is_kept_and_one_without_goes_with_its_packs(shop):
    tea, dairy, farm = shop.ingredient("Tea"), Deliveries(shop), Deliveries(shop, "Farm")
    dairy.draft((dairy.pack(tea, 1000), 1))
    farm.pack(tea, 500)
    faults(lambda: delete_record(model=Supplier, record_id=dairy.supplier.pk), InUse)

    delete_record(model=Supplier, record_id=farm.supplier.pk)

    assert list(SupplierPack.objects.values_list("supplier__name", flat=True)) == ["Dairy"]


def test_an_unknown_supplier_is_missing(db):
    with pytest.raises(Missing):
        change_supplier(supplier_id=7, fields={})


def test_a_pack_is_written_in_the_unit_that_stands_on_it(shop):
    milk, tea = shop.ingredient("Milk", "ml"), shop.ingredient("Tea")
    packs = [entry(milk, "12", unit="l"), entry(tea, "2.5", unit="kg")]
    supplier = add_supplier(fields={"name": "Dairy"}, packs=packs)
    assert [quantity for _name, _pack, quantity, *_rest in packs_of(supplier)] == [12000, 2500]


@pytest.mark.parametrize(("quantity", "unit"), [("12", "kg"), ("12", "barrel"), ("999999", "l")])
def test_a_content_that_does_not_fit_the_ingredient_is_refused(shop, quantity, unit):
    milk = shop.ingredient("Milk", "ml")
    errors = faults(lambda: add_supplier(fields={"name": "Farm"}, packs=[entry(milk, quantity, unit=unit)]))
    assert set(errors) == {"packs[0].quantity"}
