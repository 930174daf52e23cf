"""Wildberries' archive: orders of more than three months ago, by month, in another shape than the list."""

import datetime
from typing import Any

from marketplaces.standin.messages import Answer, Request
from marketplaces.standin.sellers import Order, Seller
from marketplaces.standin.wildberries import DAYS_IN_THE_LIST, by_serial, order_of, problem, routes
from marketplaces.standin.world import DAY, World


@routes.get("/api/marketplace/v3/fbs/orders/archive")
def archive(world: World, request: Request, seller: Seller) -> Answer:
    try:
        year, month, after, limit = (int(request.first(name)) for name in ("year", "month", "next", "limit"))
        start = datetime.datetime(year, month, 1, tzinfo=datetime.UTC)
    except ValueError:
        return problem(world, 400, "bad request", "year, month, next or limit is not valid")
    if not 100 <= limit <= 1000:
        return problem(world, 400, "bad request", "limit must be between 100 and 1000")
    end = (start + datetime.timedelta(days=32)).replace(day=1)
    before = min(end.timestamp(), world.clock.now() - DAYS_IN_THE_LIST * DAY)
    found = [
        order
        for order in world.orders_by(seller, "serial", by_serial)
        if order.serial > after and start.timestamp() <= order.placed_at < before and not order.is_gone
    ]
    page = found[:limit]
    following = page[-1].serial if len(found) > limit else None
    return Answer(200, {"next": following, "orders": [archived(seller, order) for order in page]})


def archived(seller: Seller, order: Order) -> dict[str, Any]:
    told = order_of(seller, order)
    return {
        "id": order.serial,
        "rid": told["rid"],
        "orderUid": told["orderUid"],
        "createdAt": told["createdAt"][:10],
        "warehouseId": told["warehouseId"],
        "supplyId": order.supply or None,
        "product": {name: told[name] for name in ("article", "chrtId", "nmId", "skus")},
        "priceInfo": {
            name: told[name] for name in ("price", "convertedPrice", "currencyCode", "convertedCurrencyCode")
        },
        "status": {"supplierStatus": order.status, "wbStatus": order.fulfilment},
        "cargoType": "mgt",
        "colorCode": None,
        "crossBorder": {},
        "crossBorderType": "",
        "isZeroOrder": False,
        "metaDetails": [],
        "options": told["options"],
        "scanPrice": None,
        "stickerId": 0,
    }
