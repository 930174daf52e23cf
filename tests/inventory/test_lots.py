"""Lots: throwing them away, putting a wrong date right, the switch that begins and ends them, and the check of all."""

from decimal import Decimal

import pytest

from foundation.errors import InvalidInput
from inventory.errors import ClosedLocation, EmptyLot, InsufficientStock, NothingExpired, UnknownLot
from inventory.lot_selectors import lots_that_differ_from_their_level, lots_that_expire_before, with_worth
from inventory.models import StockDocument, StockLot, StockMovement
from inventory.services.expiry import change_lot, write_off_expired, write_off_lot
from inventory.services.ingredients import change_ingredient
from inventory.watching import lots_are_what_their_levels_hold
from monitoring.errors import CheckFailed
from monitoring.registry import checks
from tests.inventory.kitchen import assert_in_order, dated, in_hours, lot_of, quantities, state, tracked, value_of
from tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


def lots(shop, ingredient):
    found = StockLot.objects.filter(location=shop.location, ingredient=ingredient).exclude(quantity=0)
    return list(found.order_by("expires_at", "id"))


def throw_away(lot, **more):
    return write_off_lot(lot_id=lot.pk, created_by_id=None, **more)


def refused(call, kind, *fields):
    before = state()
    with pytest.raises(kind) as refusal:
        call()
    assert state() == before
    if fields:
        assert set(refusal.value.errors) == set(fields)
    return refusal.value.detail


# --- throwing away --------------------------------------------------------------------------------


def test_a_lot_is_thrown_away_at_its_cost_and_the_others_stay(shop):
    milk = dated(shop, "Milk", "ml", {-5: 300, 24: 1000}, unit_cost="0.04")
    expired, fresh = lots(shop, milk)

    document = throw_away(expired, comment="sour")

    assert (document.kind, document.reason, document.comment) == ("write_off", "spoilage", "sour")
    movement = StockMovement.objects.latest("id")
    assert (movement.delta, movement.value, movement.lot_id) == (-300, -12, expired.pk)
    assert lots(shop, milk) == [fresh]
    assert value_of(shop, milk) == 40
    assert_in_order()


def test_also_what_does_not_expire_first_and_only_a_part(shop):
    milk = dated(shop, "Milk", "ml", {2: 300, 24: 1000})
    throw_away(lots(shop, milk)[1], quantity=Decimal("250.5"), reason="breakage")
    assert quantities(shop, milk) == [300, Decimal("749.5")]
    assert StockDocument.objects.latest("id").reason == "breakage"
    assert_in_order()


@pytest.mark.parametrize("quantity", ["0", "-1", "NaN", "1E+20", "0.0001"])
def test_a_quantity_that_is_none_is_refused(shop, quantity):
    milk = dated(shop, "Milk", "ml", {2: 300})
    refused(lambda: throw_away(lot_of(shop, milk), quantity=Decimal(quantity)), InvalidInput, "quantity")


def test_more_than_the_lot_holds_is_refused_whatever_else_is_there(shop):
    milk = dated(shop, "Milk", "ml", {2: 300, 24: 1000})
    sentence = refused(lambda: throw_away(lots(shop, milk)[0], quantity=Decimal(301)), InsufficientStock)
    assert sentence == "Not enough in stock. Milk: 301 ml needed, 300 there."


def test_an_empty_or_unknown_lot_a_closed_location_and_a_wrong_reason_are_refused(shop):
    milk = dated(shop, "Milk", "ml", {2: 300})
    lot = lot_of(shop, milk)
    refused(lambda: throw_away(lot, reason="boredom"), InvalidInput, "reason")
    shop.location.is_active = False
    shop.location.save()
    refused(lambda: throw_away(lot), ClosedLocation)
    shop.location.is_active = True
    shop.location.save()
    throw_away(lot)
    assert refused(lambda: throw_away(lot), EmptyLot) == "Nothing is left of this lot of Milk."
    refused(lambda: write_off_lot(lot_id=4711, created_by_id=None), UnknownLot)


def test_all_that_has_expired_is_thrown_away_in_one_document(shop):
    milk = dated(shop, "Milk", "ml", {-5: 300, -2: 200, 24: 1000}, unit_cost="0.04")
    cake = dated(shop, "Cake", "pc", {-1: 2}, unit_cost=10)
    elsewhere = Shop.open("Riverside")
    dated(elsewhere, "Milk", "ml", {-5: 700})

    document = write_off_expired(location=shop.location, created_by_id=None)

    lines = StockMovement.objects.filter(document_type="write_off", document_id=str(document.pk)).order_by("id")
    assert [(one.ingredient.name, one.delta, one.value) for one in lines] == [
        ("Milk", -300, -12),
        ("Milk", -200, -8),
        ("Cake", -2, -20),
    ]
    assert (quantities(shop, milk), quantities(shop, cake), quantities(elsewhere, milk)) == ([1000], [], [700])
    sentence = refused(lambda: write_off_expired(location=shop.location, created_by_id=None), NothingExpired)
    assert sentence == "Nothing at Main Street has expired."
    assert_in_order()


def test_what_expires_soon_is_found_with_what_it_is_worth(shop):
    milk = dated(shop, "Milk", "ml", {-5: 300, 2: 200, 24: 1000}, unit_cost="0.04")
    found = with_worth(lots_that_expire_before(in_hours(3), location=shop.location))
    assert [(one.quantity, one.quantity * one.average_cost) for one in found] == [(300, 12), (200, 8)]
    throw_away(lots(shop, milk)[0])
    assert [one.quantity for one in lots_that_expire_before(in_hours(3))] == [200]


# --- a wrong date ---------------------------------------------------------------------------------


def test_a_wrong_date_is_put_right_and_the_lot_keeps_its_history(shop):
    milk = dated(shop, "Milk", "ml", {2: 300})
    lot, right = lot_of(shop, milk), in_hours(48)
    changed = change_lot(lot_id=lot.pk, changes={"expires_at": right, "code": " L42 "})
    assert (changed.pk, changed.expires_at, changed.code, changed.quantity) == (lot.pk, right, "L42", 300)
    assert change_lot(lot_id=lot.pk, changes={"expires_at": None}).expires_at is None
    assert_in_order()


def test_two_lots_with_one_date_become_one_and_the_sum_stays(shop):
    milk = dated(shop, "Milk", "ml", {2: 300, 24: 1000})
    first, second = lots(shop, milk)
    changed = change_lot(lot_id=first.pk, changes={"expires_at": second.expires_at})
    assert (changed.pk, changed.quantity) == (second.pk, 1300)
    assert quantities(shop, milk) == [1300]
    assert_in_order()
    # What was the other lot is empty now; its line in the ledger still names it.
    refused(lambda: change_lot(lot_id=first.pk, changes={"code": "x"}), EmptyLot)
    change_lot(lot_id=second.pk, changes={"expires_at": None})
    assert quantities(shop, milk) == [1300]


def test_nothing_changes_where_nothing_is_wrong(shop):
    milk = dated(shop, "Milk", "ml", {2: 300})
    lot = lot_of(shop, milk)
    before = state()
    assert change_lot(lot_id=lot.pk, changes={"expires_at": lot.expires_at}) == lot
    assert change_lot(lot_id=lot.pk, changes={}) == lot
    assert state() == before


def test_a_senseless_date_or_code_is_refused(shop):
    milk = dated(shop, "Milk", "ml", {2: 300})
    lot = lot_of(shop, milk)
    for hours in (-24 * 366 * 11, 24 * 366 * 11):
        refused(
            lambda hours=hours: change_lot(lot_id=lot.pk, changes={"expires_at": in_hours(hours)}),
            InvalidInput,
            "expires_at",
        )
    refused(lambda: change_lot(lot_id=lot.pk, changes={"code": "x" * 61}), InvalidInput, "code")
    refused(lambda: change_lot(lot_id=4711, changes={}), UnknownLot)


# --- the switch -----------------------------------------------------------------------------------


def test_switched_on_what_is_there_becomes_the_undated_lot_at_every_location(shop):
    other = Shop.open("Riverside")
    milk = shop.ingredient("Milk", "ml", stock=1000)
    other.ingredient("Milk", "ml", stock=500)
    Shop.open("Cellar").ingredient("Milk", "ml", minimum=10)

    tracked(milk)

    found = StockLot.objects.filter(ingredient=milk).order_by("location_id")
    assert [(one.location_id, one.expires_at, one.code, one.quantity) for one in found] == [
        (shop.location.pk, None, "", 1000),
        (other.location.pk, None, "", 500),
    ]
    assert_in_order()
    # It can be sold as before.
    shop.sell(shop.product("Milk", recipe={milk: 200}))
    assert quantities(shop, milk) == [800]


def test_switched_off_the_lots_are_emptied_and_the_level_stays(shop):
    milk = dated(shop, "Milk", "ml", {-2: 300, 24: 1000})
    change_ingredient(ingredient_id=milk.pk, changes={"tracks_expiry": False})
    assert (lots(shop, milk), shop.quantity(milk)) == ([], 1300)
    assert_in_order()
    shop.sell(shop.product("Milk", recipe={milk: 1200}))
    assert shop.quantity(milk) == 100
    # Switched on again, nobody knows any more how long the rest keeps.
    tracked(milk)
    assert [(one.expires_at, one.quantity) for one in lots(shop, milk)] == [(None, 100)]
    assert_in_order()


def test_a_shelf_life_alone_touches_no_lots(shop):
    milk = dated(shop, "Milk", "ml", {24: 1000})
    before = state()
    change_ingredient(ingredient_id=milk.pk, changes={"tracks_expiry": True, "shelf_life_hours": 72})
    assert state() == before
    refused(
        lambda: change_ingredient(ingredient_id=milk.pk, changes={"shelf_life_hours": 0}),
        InvalidInput,
        "shelf_life_hours",
    )


# --- the check ------------------------------------------------------------------------------------


def test_lots_that_were_changed_past_the_ledger_are_named(shop):
    milk = dated(shop, "Milk", "ml", {24: 1000})
    tea = shop.ingredient("Tea", stock=50)
    assert lots_are_what_their_levels_hold() is None
    StockLot.objects.filter(ingredient=milk).update(quantity=999)
    StockLot.objects.create(location=shop.location, ingredient=tea, expires_at=None, quantity=50)
    found = [(one.ingredient_id, one.level, one.in_lots) for one in lots_that_differ_from_their_level()]
    assert found == [(milk.pk, 1000, 999), (tea.pk, 0, 50)]
    with pytest.raises(CheckFailed, match=r"add up to: 2\. .*: the level says 1000\.000, the lots hold 999\.000\."):
        lots_are_what_their_levels_hold()


def test_the_check_is_registered_but_does_not_take_the_server_out_of_service():
    check = checks.get("stock_lots")
    assert check.run is lots_are_what_their_levels_hold
    assert not check.gates_readiness
