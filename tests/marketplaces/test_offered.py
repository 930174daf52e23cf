"""How many pieces a listing may offer."""

import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inventory.models import Ingredient, Location, Product, StockLevel
from inventory.services.lines import StockLine
from inventory.services.stock import receive_stock
from marketplaces.choices import OrderState
from marketplaces.models import Listing, MarketplaceOrder, MarketplaceOrderLine, SellerAccount, StockOperation
from marketplaces.services.offered import MOST_PIECES, WhyNot, offers_of, offers_of_account
from marketplaces.services.pushes import want_pushes
from tests.marketplaces.shelf import listed, seller
from tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


def pieces(listing: Listing) -> int | None:
    return offers_of([listing.pk], at=timezone.now())[listing.pk].pieces


def ordered(account: SellerAccount, sku: str, number: int, **fields: Any) -> StockOperation:
    """An order of `number` pieces whose operation has not begun."""
    order = MarketplaceOrder.objects.create(
        account=account,
        external_id=f"o-{MarketplaceOrder.objects.count()}",
        status="new",
        state=OrderState.READY,
        payload={},
        payload_digest="",
    )
    MarketplaceOrderLine.objects.create(order=order, external_line_id="1", sku=sku, quantity=number)
    return StockOperation.objects.create(account=account, order=order, **fields)


def test_the_scarcest_ingredient_above_its_minimum_decides(shop: Shop) -> None:
    milk = shop.ingredient("Milk", "ml", stock=1999, minimum=400)
    tea = shop.ingredient("Tea", stock=1000)
    latte = shop.product("Latte", recipe={milk: 200, tea: 5})
    assert pieces(listed(seller(shop), latte, "L")) == 7


@pytest.mark.parametrize(
    ("quantity", "buffer", "offered"), [(1, 0, 10), (3, 0, 3), (3, 2, 1), (3, 3, 0), (1, 99, 0), (11, 0, 0)]
)
def test_packs_hold_whole_portions_and_the_buffer_is_kept_back_in_pieces(
    shop: Shop, quantity: int, buffer: int, offered: int
) -> None:
    can = shop.product("Can", recipe={shop.ingredient("Cans", "pc", stock=10): 1})
    assert pieces(listed(seller(shop), can, "C", quantity=quantity, buffer=buffer)) == offered


def test_a_choice_that_somebody_must_make_is_the_usual_one_as_when_it_is_deducted(shop: Shop) -> None:
    milk, cups = shop.ingredient("Milk", "ml", stock=2000), shop.ingredient("Cups", "pc", stock=4)
    size, extra = shop.group("Size", least=1), shop.group("Extras")
    shop.adds(shop.scales(shop.option(size, "Large", is_default=True), 2), cups, 1)
    shop.adds(shop.option(extra, "Pearls", is_default=True), shop.ingredient("Pearls"), 50)
    latte = shop.product("Latte", recipe={milk: 200}, scales=[milk], groups=[size, extra])
    listing = listed(seller(shop), latte, "L")
    assert pieces(listing) == 4
    shop.receive({cups: 100})
    assert pieces(listing) == 5
    cup = shop.product("Cup", recipe={cups: 1})
    assert want_pushes(product_ids=[cup.pk], location_id=shop.location.pk, at=timezone.now()) == 1


def test_thousandths_are_counted_exactly(shop: Shop) -> None:
    powder = shop.product("Powder", recipe={shop.ingredient("Matcha", stock="0.3"): "0.1"})
    assert pieces(listed(seller(shop), powder, "P")) == 3


def test_what_has_expired_is_not_offered(shop: Shop) -> None:
    milk = shop.ingredient("Milk", "ml")
    Ingredient.objects.filter(pk=milk.pk).update(tracks_expiry=True)
    today = timezone.now().date()
    receive_stock(
        location=shop.location,
        lines=[
            StockLine(milk.pk, Decimal(1000), expires_on=today + datetime.timedelta(days=2)),
            StockLine(milk.pk, Decimal(600), expires_on=today + datetime.timedelta(days=9)),
        ],
        created_by_id=None,
    )
    latte = listed(seller(shop), shop.product("Latte", recipe={milk: 200}), "L")
    assert pieces(latte) == 8
    in_five_days = timezone.now() + datetime.timedelta(days=5)
    assert offers_of([latte.pk], at=in_five_days)[latte.pk].pieces == 3


def test_an_ingredient_that_the_location_never_had_or_that_is_below_its_minimum_offers_nothing(shop: Shop) -> None:
    milk, pearls = shop.ingredient("Milk", "ml", stock=100, minimum=500), shop.ingredient("Pearls")
    account = seller(shop)
    assert pieces(listed(account, shop.product("Latte", recipe={milk: 10}), "L")) == 0
    assert pieces(listed(account, shop.product("Bubble", recipe={pearls: 10}), "B")) == 0


def test_orders_that_are_not_deducted_yet_claim_what_all_listings_with_the_same_ingredients_offer(shop: Shop) -> None:
    milk = shop.ingredient("Milk", "ml", stock=2000)
    latte, cocoa = shop.product("Latte", recipe={milk: 200}), shop.product("Cocoa", recipe={milk: 100})
    ozon, allegro = seller(shop, "ozon"), seller(shop, "allegro")
    pack, single, other = (
        listed(ozon, latte, "L-3", quantity=3),
        listed(allegro, latte, "L-1"),
        listed(allegro, cocoa, "C-1"),
    )
    assert [pieces(one) for one in (pack, single, other)] == [3, 10, 20]

    ordered(ozon, "L-3", 1)
    assert [pieces(one) for one in (pack, single, other)] == [2, 7, 14]
    # Deducted, cancelled or of a SKU that nobody has matched: they claim nothing (more).
    StockOperation.objects.update(cancellation_requested_at=timezone.now())
    ordered(ozon, "unknown", 5)
    now = timezone.now()
    done = ordered(ozon, "L-3", 1, stock_deducted_at=now)
    StockOperation.objects.filter(pk=done.pk).update(status="stock_deducted", deduction_id=done.pk)
    assert [pieces(one) for one in (pack, single, other)] == [3, 10, 20]


def test_what_a_buyer_has_not_paid_yet_claims_its_pieces_too(shop: Shop) -> None:
    milk = shop.ingredient("Milk", "ml", stock=2000)
    allegro, ozon = seller(shop, "allegro"), seller(shop, "ozon")
    latte = shop.product("Latte", recipe={milk: 200})
    here, there = listed(allegro, latte, "L"), listed(ozon, latte, "L")
    unpaid = ordered(allegro, "L", 3)
    order = unpaid.order
    unpaid.delete()
    MarketplaceOrder.objects.update(state=OrderState.WAITING)
    assert (pieces(here), pieces(there)) == (7, 7)
    # Sent from elsewhere, gone, paid together with another one, cancelled, or taken from the stock before it was
    # put aside: it claims nothing.
    other = ordered(ozon, "nothing", 1).order
    for changes in (
        {"scheme": "FBO"},
        {"vanished_at": timezone.now()},
        {"merged_into": other},
        {"state": OrderState.CANCELLED},
    ):
        MarketplaceOrder.objects.filter(pk=order.pk).update(**changes)
        assert (pieces(here), pieces(there)) == (10, 10), changes
        order.save()
        MarketplaceOrder.objects.filter(pk=order.pk).update(state=OrderState.WAITING)
    done = StockOperation.objects.create(account=allegro, order=order, stock_deducted_at=timezone.now())
    StockOperation.objects.filter(pk=done.pk).update(status="stock_deducted", deduction_id=done.pk)
    assert (pieces(here), pieces(there)) == (10, 10)
    # Nobody reads any more what becomes of it.
    StockOperation.objects.all().delete()
    assert pieces(there) == 7
    SellerAccount.objects.filter(pk=allegro.pk).update(is_active=False)
    assert pieces(there) == 10


def test_an_absurd_order_takes_everything_and_stops_nothing(shop: Shop) -> None:
    latte = shop.product("Latte", recipe={shop.ingredient("Milk", "ml", stock=2000): 200})
    pack = listed(seller(shop), latte, "L", quantity=10_000)
    tea = listed(pack.account, shop.product("Tea", recipe={shop.ingredient("Leaves", stock=100): 10}), "T")
    ordered(pack.account, "L", 1_000_000)
    assert (pieces(pack), pieces(tea)) == (0, 10)


def test_what_was_claimed_elsewhere_leaves_this_location_alone(shop: Shop) -> None:
    other = Shop.open("Elsewhere")
    milk = shop.ingredient("Milk", "ml", stock=2000)
    other.receive({milk: 1000})
    latte = shop.product("Latte", recipe={milk: 200})
    here, there = listed(seller(shop), latte, "L"), listed(seller(other), latte, "L")
    ordered(there.account, "L", 2)
    assert (pieces(here), pieces(there)) == (10, 3)


def test_a_product_without_a_recipe_is_not_known_and_one_off_the_menu_or_of_a_closed_location_is_nothing(
    shop: Shop,
) -> None:
    account = seller(shop)
    milk = shop.ingredient("Milk", "ml", stock=2000)
    gift, latte = listed(account, shop.product("Gift card"), "G"), listed(account, shop.product("L", 1, {milk: 1}), "L")

    def offers() -> list[tuple[int | None, WhyNot | None]]:
        found = offers_of_account(account.pk, at=timezone.now())
        assert all(offer.why_not is None or offer.why_not.sentence for offer in found.values())
        return [(found[one.pk].pieces, found[one.pk].why_not) for one in (gift, latte)]

    assert offers() == [(None, WhyNot.UNTRACKED), (2000, None)]
    Product.objects.update(is_listed=False)
    assert offers() == [(None, WhyNot.UNTRACKED), (0, WhyNot.OFF_THE_MENU)]
    Product.objects.update(is_listed=True)
    Location.objects.update(is_active=False)
    assert offers() == [(None, WhyNot.UNTRACKED), (0, WhyNot.CLOSED)]


def test_no_more_is_offered_than_a_marketplace_takes(shop: Shop) -> None:
    water = shop.ingredient("Water", "ml", stock=99_999_999)
    StockLevel.objects.update(minimum=0)
    assert pieces(listed(seller(shop), shop.product("Drop", recipe={water: "0.001"}), "D")) == MOST_PIECES


def test_many_listings_take_as_many_queries_as_one(shop: Shop) -> None:
    account = seller(shop)
    milk = shop.ingredient("Milk", "ml", stock=2000)
    latte = shop.product("Latte", recipe={milk: 200})
    Listing.objects.bulk_create([Listing(account=account, product=latte, sku=str(number)) for number in range(300)])
    with CaptureQueriesContext(connection) as seen:
        offers = offers_of_account(account.pk, at=timezone.now())
    assert len(seen) == 4, "no options, no question about them"
    assert {offer.pieces for offer in offers.values()} == {10}
    assert len(offers) == 300
