"""What is there at first: sellers, their warehouses and offers."""

from collections.abc import Mapping
from typing import Any

from marketplaces.standin.demo_goods import (
    ALLEGRO_FBO_WAREHOUSE,
    ALLEGRO_WAREHOUSE,
    DEMO_GOODS,
    DEMO_KEYS,
    DEMO_REFRESH_TOKEN,
    OZON_FBO_WAREHOUSE,
    OZON_WAREHOUSE,
    WILDBERRIES_FBO_WAREHOUSE,
    WILDBERRIES_WAREHOUSE,
)
from marketplaces.standin.sellers import ALLEGRO, FBO, FBS, OZON, WILDBERRIES, Offer, Seller, Stock, Warehouse
from marketplaces.standin.world import World

CURRENCIES = {ALLEGRO: "PLN", OZON: "RUB", WILDBERRIES: "RUB"}
WAREHOUSES = {
    ALLEGRO: (Warehouse(ALLEGRO_WAREHOUSE, "The seller"), Warehouse(ALLEGRO_FBO_WAREHOUSE, "One Fulfillment", FBO)),
    OZON: (Warehouse(OZON_WAREHOUSE, "Мой склад"), Warehouse(OZON_FBO_WAREHOUSE, "Софьино", FBO)),
    WILDBERRIES: (
        Warehouse(WILDBERRIES_WAREHOUSE, "Мой склад"),
        Warehouse(WILDBERRIES_FBO_WAREHOUSE, "Коледино", FBO),
    ),
}
PIECES_OF_THE_DEMO = 40
PIECES_AT_THE_MARKETPLACE = 25


def seller_id(marketplace: str, keys: Mapping[str, str]) -> str:
    return f"{marketplace}:{keys['token'] if marketplace == WILDBERRIES else keys['client_id']}"


def add_seller(
    world: World, marketplace: str, keys: Mapping[str, str], *, name: str = "", has_arrivals: bool = False
) -> Seller:
    """Makes a seller with these keys, or returns the one that has them. Each has one warehouse of their own and one of
    the marketplace's."""
    id = seller_id(marketplace, keys)
    if id in world.sellers:
        return world.sellers[id]
    seller = Seller(
        id=id,
        marketplace=marketplace,
        name=name or f"seller_{len(world.sellers) + 1}",
        keys=dict(keys),
        has_arrivals=has_arrivals,
        warehouses={each.id: Warehouse(each.id, each.name, each.scheme) for each in WAREHOUSES[marketplace]},
    )
    return world.add_seller(seller)


def add_warehouse(world: World, seller: Seller, id: str, *, name: str = "", scheme: str = FBS) -> Warehouse:
    warehouse = seller.warehouses[id] = Warehouse(id, name or f"Warehouse {id}", scheme)
    world.keep_seller(seller)
    return warehouse


def add_offer(
    world: World,
    seller: Seller,
    *,
    sku: str = "",
    pieces: int | Mapping[str, int] = 10,
    article: str = "",
    name: str = "",
    **fields: Any,
) -> Offer:
    """Makes an offer with `pieces` in the seller's first warehouse, or in each of those named; other fields of Offer
    as they are called there."""
    number = world.numbers.next("offer", start=700_000_000)
    if not sku:
        sku = f"SKU-{number}" if seller.marketplace == OZON else str(number)
    if not isinstance(pieces, Mapping):
        pieces = {next(warehouse.id for warehouse in seller.own_warehouses()): pieces}
    offer = Offer(
        sku=sku,
        name=name or f"Good {sku}",
        article=article or f"ART-{sku}",
        currency=fields.pop("currency", CURRENCIES[seller.marketplace]),
        product_id=fields.pop("product_id", number),
        number=fields.pop("number", 1_000_000_000 + number),
        stock={key: Stock(present=count) for key, count in pieces.items()},
        **fields,
    )
    world.keep_offer(seller, offer)
    return offer


def add_many_offers(world: World, seller: Seller, count: int, *, warehouses: int = 1) -> None:
    """Makes so many offers, each in so many warehouses of the seller's own: for measuring."""
    ids = [warehouse.id for warehouse in seller.own_warehouses()]
    while len(ids) < warehouses:
        ids.append(add_warehouse(world, seller, str(900_000 + len(ids))).id)
    for index in range(count):
        add_offer(world, seller, pieces=dict.fromkeys(ids[:warehouses], index % 50 + 1), barcode=f"29{index:011d}")


def seed_demo(world: World, *, offers: int = 0) -> None:
    """Makes the demo shop's three sellers, with its goods and `offers` more each; what is there already stays."""
    for marketplace, keys in DEMO_KEYS.items():
        is_new = seller_id(marketplace, keys) not in world.sellers
        extra = {"first_refresh_token": DEMO_REFRESH_TOKEN} if marketplace == ALLEGRO else {}
        seller = add_seller(world, marketplace, {**keys, **extra}, name="samovar_demo", has_arrivals=True)
        if not is_new:
            continue
        own, theirs = list(seller.warehouses)
        for index, good in enumerate(DEMO_GOODS):
            sku = {ALLEGRO: good.allegro_offer, OZON: good.sku, WILDBERRIES: good.wildberries_size}[marketplace]
            pieces = {own: PIECES_OF_THE_DEMO}
            # Some lies with the marketplace too; Allegro keeps an offer in one place or the other.
            if index == 0 and marketplace != ALLEGRO:
                pieces[theirs] = PIECES_AT_THE_MARKETPLACE
            add_offer(
                world,
                seller,
                sku=sku,
                pieces=pieces,
                article=good.sku,
                name=good.name,
                barcode=good.barcode,
                price=good.zloty if marketplace == ALLEGRO else good.roubles,
                product_id=good.ozon_product,
                number=good.ozon_sku if marketplace == OZON else good.wildberries_card,
            )
        add_many_offers(world, seller, offers)
