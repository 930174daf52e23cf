"""What the demo shop sells beside its drinks: packaged goods, at the counter and on three marketplaces.

The seller accounts speak to the stand-in marketplaces that `make run` starts, which offer the same goods. Nothing here
needs a network: Allegro is connected with a refresh token that the stand-in takes from every new demo shop.
"""

import datetime
from collections.abc import Mapping
from decimal import Decimal

from django.conf import settings
from django.db.models import Max

from foundation.services.records import add_record
from inventory.models import Category, Ingredient, Location, Product
from inventory.services.catalogue import RecipeEntry, add_product
from inventory.services.lines import StockLine
from inventory.services.minimums import set_minimums
from inventory.services.shelves import add_shelf
from inventory.services.stock import receive_stock
from marketplaces.choices import Marketplace
from marketplaces.models import SellerAccount
from marketplaces.services.accounts import add_account
from marketplaces.services.listings import Match, match_many
from marketplaces.standin.demo_goods import (
    DEMO_GOODS,
    DEMO_KEYS,
    DEMO_REFRESH_TOKEN,
    OZON_WAREHOUSE,
    WILDBERRIES_WAREHOUSE,
    DemoGood,
)
from project.demo.places import SIAM

SELLER = "demo-seller"
CATEGORY = "To take home"
DESCRIPTIONS = {
    "TIN-ASSAM-100": "Strong black tea from Assam, the one of our milk teas.",
    "TIN-JASMINE-100": "Green tea with jasmine blossoms.",
    "KIT-BUBBLE-6": "Black tea, tapioca pearls, brown sugar and six wide straws.",
    "STRAW-GLASS-4": "Wide enough for pearls, with a brush to clean them.",
}
# Baht: what a piece costs at the counter, and what the shop pays for it.
PRICES = {"TIN-ASSAM-100": 190, "TIN-JASMINE-100": 220, "KIT-BUBBLE-6": 390, "STRAW-GLASS-4": 150}
COSTS = {"TIN-ASSAM-100": 95, "TIN-JASMINE-100": 110, "KIT-BUBBLE-6": 180, "STRAW-GLASS-4": 60}
# A pallet of each: marketplaces sell day and night. The market stall has a box.
RECEIVED_AT_SIAM, RECEIVED_ELSEWHERE = 5000, 24
MINIMUM_AT_SIAM, MINIMUM_ELSEWHERE = 20, 4
# So many pieces are never offered, for who stands at the counter.
KEPT_BACK = 5
PUSH_WAREHOUSES = {Marketplace.OZON: OZON_WAREHOUSE, Marketplace.WILDBERRIES: WILDBERRIES_WAREHOUSE}


def sell_on_marketplaces(locations: Mapping[str, Location], *, user_id: int, now: datetime.datetime) -> None:
    """Puts the goods on the shelves and on sale; after the week, in which only drinks were sold."""
    products = stock_goods(locations, user_id=user_id, now=now)
    for marketplace in Marketplace:
        account = connect(marketplace, location=locations[SIAM], user_id=user_id, now=now)
        match_many(
            account_id=account.pk,
            matches=[
                Match(
                    sku=sku_of(good, marketplace),
                    product_id=products[good.sku].pk,
                    buffer=KEPT_BACK,
                    name=good.name,
                    barcode=good.barcode,
                )
                for good in DEMO_GOODS
            ],
        )


def stock_goods(locations: Mapping[str, Location], *, user_id: int, now: datetime.datetime) -> dict[str, Product]:
    """Writes the goods, one piece each of an ingredient of its own, and receives them. Returns the products by SKU."""
    last = Category.objects.aggregate(last=Max("position"))["last"] or 0
    category = add_record(record=Category(name=CATEGORY, position=last + 1))
    ingredients = {
        good.sku: add_record(record=Ingredient(name=good.name, unit=Ingredient.Unit.PIECE)) for good in DEMO_GOODS
    }
    products = {
        good.sku: add_product(
            fields={
                "category": category,
                "name": good.name,
                "description": DESCRIPTIONS[good.sku],
                "price": Decimal(PRICES[good.sku]),
                "sku": good.sku,
                "barcode": good.barcode,
                "position": position,
            },
            recipe=[RecipeEntry(ingredients[good.sku].pk, Decimal(1))],
        )
        for position, good in enumerate(DEMO_GOODS)
    }
    for name, location in locations.items():
        pieces = RECEIVED_AT_SIAM if name == SIAM else RECEIVED_ELSEWHERE
        receive_stock(
            location=location,
            lines=[
                StockLine(ingredient.pk, Decimal(pieces), unit_cost=Decimal(COSTS[sku]))
                for sku, ingredient in ingredients.items()
            ],
            comment="Packaged goods for the shelf and the marketplaces",
            created_by_id=user_id,
            at=now,
        )
        add_shelf(location=location, name=CATEGORY, ingredient_ids=[one.pk for one in ingredients.values()])
    for ingredient in ingredients.values():
        minimums = {
            location.pk: Decimal(MINIMUM_AT_SIAM if name == SIAM else MINIMUM_ELSEWHERE)
            for name, location in locations.items()
        }
        set_minimums(ingredient_id=ingredient.pk, minimums=minimums)
    return products


def connect(marketplace: Marketplace, *, location: Location, user_id: int, now: datetime.datetime) -> SellerAccount:
    """Adds the demo's account of a marketplace, connected and live. Where no stand-in runs it is switched off: it
    would reach nothing."""
    account = add_account(
        marketplace=marketplace,
        external_user_id=SELLER,
        name="Samovar Tea",
        location=location,
        credentials=DEMO_KEYS[marketplace],
        added_by_id=user_id,
        at=now,
        push_warehouse_id=PUSH_WAREHOUSES.get(marketplace, ""),
        is_active=bool(settings.MARKETPLACE_STANDIN_URL),
    )
    account.is_demo = True
    account.connection = SellerAccount.Connection.CONNECTED
    account.mode = SellerAccount.Mode.LIVE
    changed = ["is_demo", "connection", "mode"]
    if marketplace == Marketplace.ALLEGRO:
        # There is no access token yet: the first call exchanges this one for a pair.
        account.tokens = {"access_token": "", "refresh_token": DEMO_REFRESH_TOKEN}
        changed.append("tokens")
    account.save(update_fields=changed)
    return account


def sku_of(good: DemoGood, marketplace: Marketplace) -> str:
    """What the marketplace calls the offer of this good."""
    return {
        Marketplace.ALLEGRO: good.allegro_offer,
        Marketplace.OZON: good.sku,
        Marketplace.WILDBERRIES: good.wildberries_size,
    }[marketplace]
