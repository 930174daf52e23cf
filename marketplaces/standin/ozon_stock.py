"""Ozon's stock: read by scheme and by warehouse, written in pairs of offer and warehouse."""

from typing import Any

from marketplaces.standin.messages import Answer, Request
from marketplaces.standin.ozon import asks, invalid, routes
from marketplaces.standin.sellers import FBO, REALFBS, Offer, Seller, Stock, Warehouse
from marketplaces.standin.world import World

MOST_PAIRS = 100
WRITES_PER_MINUTE = 80
SECONDS_BETWEEN_WRITES_OF_A_PAIR = 30.0
MOST_SKUS = 100
TYPES = {"FBS": "fbs", "realFBS": "rfbs", "FBO": "fbo"}

Row = tuple[Offer, Warehouse, Stock]


def rows(offer: Offer, warehouses: dict[str, Warehouse]) -> list[Row]:
    """Returns what lies of the offer in these warehouses."""
    return [(offer, warehouses[key], stock) for key, stock in offer.stock.items() if key in warehouses]


def warehouses_of(seller: Seller, *, is_fbo: bool) -> dict[str, Warehouse]:
    """Returns the seller's own warehouses, or Ozon's."""
    return {key: each for key, each in seller.warehouses.items() if (each.scheme == FBO) == is_fbo}


def named(world: World, seller: Seller, skus: set[str], numbers: set[str]) -> list[Offer]:
    """Returns the offers that are asked for by the seller's names or by Ozon's; all, if neither is given."""
    if not skus and not numbers:
        return all_offers(world, seller)
    by_number = world.of_offers(
        seller, "numbers", lambda: {str(offer.number): offer for offer in seller.offers.values()}
    )
    found = [seller.offers.get(sku) for sku in sorted(skus)] + [by_number.get(number) for number in sorted(numbers)]
    return [offer for offer in found if offer]


def all_offers(world: World, seller: Seller) -> list[Offer]:
    return world.of_offers(seller, "all", lambda: list(seller.offers.values()))


def page_of_rows(
    offers: list[Offer], warehouses: dict[str, Warehouse], wanted: dict[str, Any]
) -> tuple[list[Row], str, bool]:
    """As `page_of`, for what lies of these offers in these warehouses. The cursor counts offers, so that a page costs
    no more than its own rows; an offer that lies in several warehouses stands on one page."""
    start, limit = start_and_limit(wanted, 1000)
    found: list[Row] = []
    for place in range(start, len(offers)):
        here = rows(offers[place], warehouses)
        if found and len(found) + len(here) > limit:
            return found, str(place), True
        found += here
    return found, "", False


def start_and_limit(wanted: dict[str, Any], most: int) -> tuple[int, int]:
    limit = wanted["limit"]
    if not isinstance(limit, int) or not 1 <= limit <= most:
        raise ValueError(f"limit must be between 1 and {most}")
    return int(wanted.get("cursor") or 0), limit


def page_of(found: list[Any], wanted: dict[str, Any], most: int) -> tuple[list[Any], str, bool]:
    start, limit = start_and_limit(wanted, most)
    has_next = len(found) > start + limit
    return found[start : start + limit], str(start + limit) if has_next else "", has_next


@routes.post("/v2/warehouse/list")
@asks
def warehouses(_world: World, _request: Request, seller: Seller, wanted: dict[str, Any]) -> Answer:
    found, cursor, has_next = page_of(seller.own_warehouses(), wanted, 200)
    told = [
        {
            "warehouse_id": int(warehouse.id),
            "name": warehouse.name,
            "is_rfbs": warehouse.scheme == REALFBS,
            "status": "created",
            "warehouse_type": "STANDARD",
        }
        for warehouse in found
    ]
    return Answer(200, {"warehouses": told, "cursor": cursor, "has_next": has_next})


@routes.post("/v4/product/info/stocks")
@asks
def stocks(world: World, _request: Request, seller: Seller, wanted: dict[str, Any]) -> Answer:
    """The stock of each offer by scheme, over all warehouses."""
    filter_ = wanted["filter"]
    skus, products = set(filter_.get("offer_id") or ()), {str(each) for each in filter_.get("product_id") or ()}
    offers = named(world, seller, skus, set())
    if products:
        offers = [offer for offer in offers if str(offer.product_id) in products]
    found, cursor, _has_next = page_of(offers, wanted, 1000)
    return Answer(200, {"items": [by_scheme(seller, offer) for offer in found], "total": len(offers), "cursor": cursor})


def by_scheme(seller: Seller, offer: Offer) -> dict[str, Any]:
    told = [
        {
            "type": type_,
            "present": present,
            "reserved": reserved,
            "sku": offer.number,
            "shipment_type": "SHIPMENT_TYPE_GENERAL",
        }
        for type_, (present, reserved) in sums_by_scheme(seller, offer).items()
    ]
    return {"offer_id": offer.sku, "product_id": offer.product_id, "stocks": told}


def sums_by_scheme(seller: Seller, offer: Offer) -> dict[str, tuple[int, int]]:
    """Returns (present, reserved) over all warehouses of each kind of stock."""
    sums: dict[str, tuple[int, int]] = {}
    for key, stock in offer.stock.items():
        if warehouse := seller.warehouses.get(key):
            type_ = TYPES[warehouse.scheme]
            present, reserved = sums.get(type_, (0, 0))
            sums[type_] = present + stock.present, reserved + stock.reserved
    return sums


@routes.post("/v2/product/info/stocks-by-warehouse/fbs")
@asks
def own_stocks_of(world: World, _request: Request, seller: Seller, wanted: dict[str, Any]) -> Answer:
    """The stock of the named offers in each of the seller's warehouses."""
    if ("sku" in wanted) == ("offer_id" in wanted):
        return invalid("one of sku and offer_id is required")
    skus, numbers = set(wanted.get("offer_id") or ()), {str(each) for each in wanted.get("sku") or ()}
    page, cursor, has_next = page_of_rows(
        named(world, seller, skus, numbers), warehouses_of(seller, is_fbo=False), wanted
    )
    told = [{**own_row(row), "warehouse_name": row[1].name} for row in page]
    return Answer(200, {"products": told, "cursor": cursor, "has_next": has_next})


@routes.post("/v1/product/info/warehouse/stocks")
@asks
def own_stocks_in(world: World, _request: Request, seller: Seller, wanted: dict[str, Any]) -> Answer:
    """Everything that lies in one of the seller's warehouses."""
    warehouse = warehouses_of(seller, is_fbo=False).get(str(wanted["warehouse_id"]))
    if warehouse is None:
        return invalid("WAREHOUSE_NOT_FOUND")
    page, cursor, has_next = page_of_rows(all_offers(world, seller), {warehouse.id: warehouse}, wanted)
    return Answer(200, {"stocks": [own_row(row) for row in page], "cursor": cursor, "has_next": has_next})


def own_row(row: Row) -> dict[str, Any]:
    offer, warehouse, stock = row
    return {
        "offer_id": offer.sku,
        "product_id": offer.product_id,
        "sku": offer.number,
        "present": stock.present,
        "reserved": stock.reserved,
        "free_stock": stock.present - stock.reserved,
        "warehouse_id": int(warehouse.id),
    }


@routes.post("/v1/product/info/stocks-by-warehouse/fbo")
@asks
def fbo_stocks(world: World, _request: Request, seller: Seller, wanted: dict[str, Any]) -> Answer:
    """What lies in Ozon's warehouses."""
    skus, numbers = set(wanted.get("offer_ids") or ()), {str(each) for each in wanted.get("skus") or ()}
    page, cursor, has_next = page_of_rows(
        named(world, seller, skus, numbers), warehouses_of(seller, is_fbo=True), wanted
    )
    told = []
    for row in page:
        fields = own_row(row)
        del fields["free_stock"]
        told.append(fields)
    return Answer(200, {"products": told, "cursor": cursor, "has_next": has_next})


@routes.post("/v1/analytics/stocks")
@asks
def analytics(world: World, _request: Request, seller: Seller, wanted: dict[str, Any]) -> Answer:
    numbers = {str(each) for each in wanted["skus"]}
    if not 1 <= len(numbers) <= MOST_SKUS:
        return invalid("between 1 and 100 skus are required")
    ozons = warehouses_of(seller, is_fbo=True)
    told = [
        {
            "offer_id": offer.sku,
            "sku": offer.number,
            "name": offer.name,
            "warehouse_id": int(warehouse.id),
            "warehouse_name": warehouse.name,
            "available_stock_count": stock.present - stock.reserved,
            "valid_stock_count": stock.present,
            "requested_stock_count": 0,
            "transit_stock_count": stock.to_client,
            "return_from_customer_stock_count": stock.from_client,
        }
        for named_offer in named(world, seller, set(), numbers)
        for offer, warehouse, stock in rows(named_offer, ozons)
    ]
    return Answer(200, {"items": told})


@routes.post("/v2/products/stocks")
@asks
def write(world: World, _request: Request, seller: Seller, wanted: dict[str, Any]) -> Answer:
    """Sets what is free of up to 100 pairs of offer and warehouse; what is reserved comes on top.

    A pair is written at most once in 30 seconds and a seller calls at most 80 times a minute: beyond that the answer
    is 200 all the same, and the refusal stands in it.
    """
    pairs = wanted["stocks"]
    if not 1 <= len(pairs) <= MOST_PAIRS:
        return invalid("between 1 and 100 stocks are required")
    is_limited = world.options.has_limits and bool(
        world.limits.wait(f"ozon stocks {seller.id}", interval=60 / WRITES_PER_MINUTE, burst=WRITES_PER_MINUTE)
    )
    return Answer(200, {"result": [write_pair(world, seller, pair, is_limited=is_limited) for pair in pairs]})


def write_pair(world: World, seller: Seller, pair: dict[str, Any], *, is_limited: bool) -> dict[str, Any]:
    offer = seller.offers.get(pair["offer_id"]) if pair.get("offer_id") else None
    if offer is None and not pair.get("offer_id"):
        offer = next((each for each in seller.offers.values() if each.product_id == pair.get("product_id")), None)
    warehouse = seller.warehouses.get(str(pair.get("warehouse_id")))
    amount = pair.get("stock")
    told = {
        "offer_id": offer.sku if offer else str(pair.get("offer_id") or ""),
        "product_id": offer.product_id if offer else int(pair.get("product_id") or 0),
        "warehouse_id": int(pair.get("warehouse_id") or 0),
    }
    fault = ""
    if offer is None:
        fault = "offer_id_not_found"
    elif warehouse is None or warehouse.scheme == FBO:
        fault = "WAREHOUSE_NOT_FOUND"
    elif not isinstance(amount, int) or isinstance(amount, bool) or amount < 0:
        fault = "INVALID_STOCK"
    elif is_limited or (
        world.options.has_limits
        and world.limits.wait(
            f"ozon pair {seller.id} {offer.sku} {warehouse.id}", interval=SECONDS_BETWEEN_WRITES_OF_A_PAIR, burst=1
        )
    ):
        fault = "TOO_MANY_REQUESTS"
    if fault or offer is None or warehouse is None or not isinstance(amount, int):
        return {**told, "updated": False, "errors": [{"code": fault, "message": fault.replace("_", " ").lower()}]}
    stock = offer.stock.setdefault(warehouse.id, Stock())
    stock.present = amount + stock.reserved
    world.keep_offer(seller, offer)
    return {**told, "updated": True, "errors": []}
