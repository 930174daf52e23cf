"""Wildberries' marketplace interface: orders and supplies. Stock is in `wildberries_stock`."""

import secrets
from typing import Any

from marketplaces.standin.clock import iso
from marketplaces.standin.messages import Answer, NotAnObject, Request
from marketplaces.standin.routing import Routes
from marketplaces.standin.sellers import FBS, WILDBERRIES, Order, Seller
from marketplaces.standin.trade import touch
from marketplaces.standin.world import DAY, World

routes = Routes("/wildberries")
analytics = Routes("/wildberries-analytics")

INTERVAL, BURST = 0.2, 20
# A request that is answered 4xx counts as ten.
COST_OF_A_FAULT = 10
CANCEL_INTERVAL = 0.6
MOST_STATUSES = 1000
# Three months: what is older is in the archive.
DAYS_IN_THE_LIST = 93
MOST_IN_A_SUPPLY_CALL = 100
CURRENCIES = {"RUB": 643, "PLN": 985, "THB": 764, "KZT": 398}


def problem(world: World, status: int, title: str, detail: str) -> Answer:
    """What Wildberries' gate says, before a request gets anywhere."""
    return Answer(
        status,
        {
            "title": title,
            "detail": detail,
            "code": "07e4668e-stand-in",
            "requestId": world.uuid().replace("-", ""),
            "origin": "s2s-api-auth-stand-in",
            "status": status,
            "statusText": title.title(),
            "timestamp": iso(world.clock.now()),
        },
    )


def no_scope(world: World) -> Answer:
    """What the report says to a token of another category, in fewer words than the gate."""
    answer = problem(world, 403, "forbidden", "token scope not allowed for this API route")
    answer.data = {name: answer.data[name] for name in ("title", "detail", "requestId", "origin")}
    return answer


def error(status: int, code: str, message: str, data: Any = None) -> Answer:
    return Answer(status, {"code": code, "message": message, "data": data})


def rate_of(request: Request) -> tuple[str, float, int]:
    """Which bucket a request falls into: its name, seconds between two, and how many at once."""
    if request.path.startswith(analytics.prefix) and request.path.endswith("/wb-warehouses"):
        return "report", 20.0, 3
    if request.path.endswith("/cancel"):
        return "cancel", CANCEL_INTERVAL, BURST
    kind = (
        "analytics"
        if request.path.startswith(analytics.prefix)
        else "stocks"
        if "/stocks" in request.path
        else "orders"
    )
    return kind, INTERVAL, BURST


def limited(world: World, request: Request) -> Answer | None:
    """300 a minute, 20 at once."""
    kind, interval, burst = rate_of(request)
    wait = world.limits.wait(f"wildberries {kind} {token_of(request)}", interval=interval, burst=burst)
    if not wait:
        return None
    answer = problem(world, 429, "too many requests", "limited by global limiter")
    seconds = str(int(wait) + 1)
    answer.headers |= {"X-Ratelimit-Retry": seconds, "X-Ratelimit-Limit": str(burst), "X-Ratelimit-Reset": seconds}
    return answer


def charge(world: World, request: Request, answer: Answer) -> None:
    """Counts a request that was answered 4xx nine times more."""
    if 400 <= answer.status < 500 and answer.status != 429:
        kind, interval, _burst = rate_of(request)
        name = f"wildberries {kind} {token_of(request)}"
        world.limits.charge(name, interval=interval, cost=COST_OF_A_FAULT - 1)


def token_of(request: Request) -> str:
    return request.headers.get("authorization", "").removeprefix("Bearer ")


def authenticate(world: World, request: Request) -> Seller | Answer:
    token = token_of(request)
    for seller in world.sellers.values():
        if seller.marketplace == WILDBERRIES and secrets.compare_digest(seller.keys["token"].encode(), token.encode()):
            if request.path.startswith(analytics.prefix) and seller.keys.get("has_no_analytics"):
                return no_scope(world)
            return seller
    return problem(world, 401, "unauthorized", "token problem; token is malformed")


@analytics.get("/ping")
@routes.get("/ping")
def ping(world: World, _request: Request, _seller: Seller) -> Answer:
    return Answer(200, {"TS": iso(world.clock.now()), "Status": "OK"})


@routes.get("/api/v1/seller-info")
def seller_info(_world: World, _request: Request, seller: Seller) -> Answer:
    return Answer(
        200,
        {
            "name": seller.name,
            "sid": "e8923014-e233-47a1-898e-3cc86d67ea61",
            "tin": "",
            "tradeMark": seller.name,
        },
    )


@routes.get("/api/v1/supplier/stocks")
@analytics.get("/api/v1/supplier/stocks")
def gone(world: World, _request: Request, _seller: Seller) -> Answer:
    return problem(world, 404, "not found", "This method is deprecated: see release-notes?id=494")


# --- orders ---------------------------------------------------------------------------------------------------------


def by_serial(order: Order) -> int:
    return order.serial


@routes.get("/api/v3/orders/new")
def new_orders(world: World, _request: Request, seller: Seller) -> Answer:
    found = [
        order_of(seller, order)
        for order in world.orders_by(seller, "serial", by_serial)
        if order.status == "new" and order.fulfilment == "waiting" and not order.is_gone and order.scheme == FBS
    ]
    for each in found:
        del each["supplyId"]
        each |= {"ddate": "", "requiredMeta": [], "optionalMeta": [], "finalPrice": each["price"]}
    return Answer(200, {"orders": found})


@routes.get("/api/v3/orders")
def orders(world: World, request: Request, seller: Seller) -> Answer:
    """Orders by their number, after `next`, placed within 30 days: without a word on how far they are."""
    now = world.clock.now()
    try:
        limit, after = int(request.first("limit")), int(request.first("next"))
        date_to = float(request.first("dateTo") or now + 60)
        date_from = float(request.first("dateFrom") or date_to - 30 * DAY)
    except ValueError:
        return error(400, "IncorrectParameter", "Передан некорректный параметр")
    if not 1 <= limit <= 1000 or date_to - date_from > 30 * DAY + 61 or date_from < now - DAYS_IN_THE_LIST * DAY:
        return error(400, "IncorrectParameter", "Передан некорректный параметр")
    found = [
        order
        for order in world.orders_by(seller, "serial", by_serial)
        if order.serial > after
        and date_from <= order.placed_at <= date_to
        and not order.is_gone
        and order.scheme == FBS
    ]
    page = found[:limit]
    # 0 would begin again: where there is nothing more, the caller's own number comes back.
    return Answer(
        200, {"next": page[-1].serial if page else after, "orders": [order_of(seller, order) for order in page]}
    )


@routes.post("/api/v3/orders/status")
def statuses(_world: World, request: Request, seller: Seller) -> Answer:
    try:
        ids = request.json()["orders"]
    except (NotAnObject, KeyError):
        return error(400, "IncorrectRequestBody", "Некорректное тело запроса")
    if not isinstance(ids, list) or not 1 <= len(ids) <= MOST_STATUSES or not all(type(id) is int for id in ids):
        return error(400, "IncorrectRequest", "Переданы некорректные данные")
    found = [seller.orders[str(id)] for id in ids if str(id) in seller.orders and not seller.orders[str(id)].is_gone]
    told = [
        {
            "id": order.serial,
            "supplierStatus": order.status,
            "wbStatus": order.fulfilment,
            "isCancellable": is_cancellable(order),
        }
        for order in found
    ]
    return Answer(200, {"orders": told})


def is_cancellable(order: Order) -> bool:
    return order.status in ("new", "confirm") and order.fulfilment == "waiting"


@routes.patch("/api/v3/orders/{id}/cancel")
def cancel(world: World, _request: Request, seller: Seller, id: str) -> Answer:
    order = seller.orders.get(id)
    if not id.isdigit():
        return error(400, "IncorrectParameter", "Передан некорректный параметр")
    if order is None or order.is_gone:
        return error(404, "NotFound", "Не найдено")
    if not is_cancellable(order):
        return error(409, "StatusMismatch", "Несоответствие статусов, проверьте их правильность")
    order.status, order.fulfilment = "cancel", "canceled"
    touch(world, seller, order)
    return Answer(204)


def order_of(seller: Seller, order: Order) -> dict[str, Any]:
    """An order has one piece of one thing; prices are a hundred times what they are."""
    line = order.lines[0]
    offer = seller.offers.get(line.sku)
    price = round(float(line.price) * 100)
    currency = CURRENCIES.get(order.currency, 643)
    return {
        "id": order.serial,
        "rid": f"d{order.serial}.{order.buyer}.0.0",
        "orderUid": f"{order.serial}_{order.buyer}",
        "createdAt": iso(order.placed_at)[:19] + "Z",
        "warehouseId": int(order.warehouse or 0),
        "officeId": 123,
        "offices": ["Москва"],
        "supplyId": order.supply,
        "address": None,
        "article": offer.article if offer else "",
        "colorCode": "",
        "nmId": offer.number if offer else 0,
        "chrtId": int(line.sku),
        "skus": [offer.barcode] if offer and offer.barcode else [],
        "price": price,
        "convertedPrice": price,
        "currencyCode": currency,
        "convertedCurrencyCode": currency,
        "cargoType": 1,
        "crossBorderType": 0,
        "deliveryType": "fbs",
        "comment": "",
        "scanPrice": None,
        "isZeroOrder": False,
        "options": {"isB2B": False},
    }
