"""Ozon's seller interface: keys and postings. Stock is in `ozon_stock`, reports in `reports`."""

import base64
import binascii
import secrets
from collections.abc import Callable
from typing import Any

from marketplaces.standin.clock import from_iso, iso
from marketplaces.standin.messages import Answer, NotAnObject, Request
from marketplaces.standin.ozon_telling import (
    OTHER_REASON,
    REASONS,
    fbo_posting_of,
    flow_of,
    posting_of,
    told_singly,
)
from marketplaces.standin.routing import Routes
from marketplaces.standin.sellers import FBO, OZON, REALFBS, Order, Seller
from marketplaces.standin.trade import OPEN_AT_OZON, cancel_posting, touch
from marketplaces.standin.world import DAY, World

routes = Routes("/ozon")

PER_SECOND = 50
# What of the real interface is not here any more (off since 2026-08-31).
GONE = ("/v3/posting/fbs/list", "/v3/posting/fbs/unfulfilled/list", "/v2/posting/fbo/list")


def error(status: int, code: int, message: str) -> Answer:
    return Answer(status, {"code": code, "message": message, "details": []})


def invalid(message: str) -> Answer:
    return error(400, 3, message)


def limited(world: World, request: Request) -> Answer | None:
    """50 requests a second of one Client-Id."""
    name = f"ozon {request.headers.get('client-id', '')}"
    if world.limits.wait(name, interval=1 / PER_SECOND, burst=PER_SECOND):
        return error(429, 8, "You have reached request rate limit per second")
    return None


def authenticate(world: World, request: Request) -> Seller | Answer:
    client_id, key = request.headers.get("client-id", ""), request.headers.get("api-key", "")
    if not client_id or not key:
        return error(401, 16, "Client-Id and Api-Key headers are required")
    seller = world.by_key.get((OZON, client_id))
    if seller is None or not secrets.compare_digest(seller.keys["api_key"].encode(), key.encode()):
        return error(403, 7, "Invalid Api-Key, please check the key and try again")
    if seller.keys.get("is_deactivated"):
        return error(403, 7, "Api-key is deactivated, use another one or generate a new one")
    return seller


def asks(endpoint: Callable[..., Answer]) -> Callable[..., Answer]:
    """Hands the endpoint the body of the request as `wanted`, or refuses it."""

    def with_body(world: World, request: Request, seller: Seller, **names: str) -> Answer:
        try:
            wanted = request.json()
        except NotAnObject:
            return invalid("proto: syntax error")
        try:
            return endpoint(world, request, seller, wanted, **names)
        except (ValueError, TypeError, KeyError, AttributeError) as fault:
            return invalid(f"Request validation error: {type(fault).__name__}: {fault}")

    return with_body


@routes.post("/v1/roles")
def roles(world: World, _request: Request, seller: Seller) -> Answer:
    expires_at = float(seller.keys.get("expires_at") or world.clock.now() + 150 * DAY)
    return Answer(
        200,
        {"expires_at": iso(expires_at), "roles": [{"name": "Admin", "methods": ["/v1/roles", "/v4/posting/fbs/list"]}]},
    )


@routes.post("/v1/seller/info")
def seller_info(_world: World, _request: Request, seller: Seller) -> Answer:
    company = {
        "country": "RU",
        "currency": "RUB",
        "legal_name": seller.name,
        "name": seller.name,
        "ownership_form": "ООО",
    }
    return Answer(
        200, {"company": company, "ratings": [], "subscription": {"is_premium": False, "type": "UNSPECIFIED"}}
    )


# --- postings -----------------------------------------------------------------------------------------------------


def by_age(order: Order) -> tuple[float, str]:
    return order.placed_at, order.id


def page_of(
    world: World, seller: Seller, wanted: dict[str, Any], is_wanted: Callable[[Order], bool]
) -> tuple[list[Order], str, bool]:
    """Returns a page of the orders by age, the cursor behind it, and whether there is more."""
    limit = wanted.get("limit", 100)
    if not isinstance(limit, int) or not 1 <= limit <= 100:
        raise ValueError("limit must be between 1 and 100")
    down = str(wanted.get("sort_dir", "")).upper() == "DESC"
    orders = world.orders_by(seller, "age", by_age)
    after = read_cursor(wanted.get("cursor") or "")
    found: list[Order] = []
    for order in reversed(orders) if down else orders:
        if after and (by_age(order) >= after if down else by_age(order) <= after):
            continue
        if not order.is_gone and is_wanted(order):
            if len(found) == limit:
                return found, write_cursor(found[-1]), True
            found.append(order)
    return found, "", False


def write_cursor(order: Order) -> str:
    return base64.urlsafe_b64encode(f"{order.placed_at!r} {order.id}".encode()).decode()


def read_cursor(text: str) -> tuple[float, str] | None:
    """Raises ValueError for one that was never given."""
    if not text:
        return None
    try:
        moment, _, id = base64.urlsafe_b64decode(text).decode().partition(" ")
        return float(moment), id
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise ValueError("cursor is not valid") from None


def within(moment: float, span: dict[str, Any] | None) -> bool:
    """Whether the moment lies in {from, to}."""
    if not span:
        return True
    return (not span.get("from") or moment >= from_iso(span["from"])) and (
        not span.get("to") or moment <= from_iso(span["to"])
    )


@routes.post("/v4/posting/fbs/list")
@asks
def postings(world: World, _request: Request, seller: Seller, wanted: dict[str, Any]) -> Answer:
    filter_ = wanted["filter"]
    since, to = from_iso(filter_["since"]), from_iso(filter_["to"])
    if to < since or to - since > 366 * DAY or "limit" not in wanted:
        return invalid("PERIOD_IS_TOO_LONG" if to >= since else "INVALID_PERIOD")
    statuses, numbers = set(filter_.get("statuses") or ()), set(filter_.get("order_numbers") or ())
    warehouses = {str(key) for key in filter_.get("warehouse_ids") or ()}
    changed = filter_.get("last_changed_status_date")
    flows = set(filter_.get("integration_type_flow") or ())
    found, cursor, has_next = page_of(
        world,
        seller,
        wanted,
        lambda order: (
            order.scheme != FBO
            and since <= order.placed_at <= to
            and within(order.changed_at, changed)
            and (not statuses or order.status in statuses)
            and (not numbers or order.number in numbers)
            and (not warehouses or order.warehouse in warehouses)
            and (not flows or flow_of(order) in flows)
        ),
    )
    return Answer(
        200, {"postings": [posting_of(seller, order) for order in found], "cursor": cursor, "has_next": has_next}
    )


@routes.post("/v4/posting/fbs/unfulfilled/list")
@asks
def unfulfilled(world: World, _request: Request, seller: Seller, wanted: dict[str, Any]) -> Answer:
    filter_ = wanted["filter"]
    cutoff = {"from": filter_.get("cutoff_from"), "to": filter_.get("cutoff_to")}
    changed, statuses = filter_.get("last_change_status_date"), set(filter_.get("statuses") or ())
    if "limit" not in wanted:
        return invalid("limit is required")

    def is_wanted(order: Order) -> bool:
        return (
            order.scheme != FBO
            and order.status in OPEN_AT_OZON
            and within(order.placed_at + DAY, cutoff)
            and within(order.changed_at, changed)
            and (not statuses or order.status in statuses)
        )

    found, cursor, has_next = page_of(world, seller, wanted, is_wanted)
    count = sum(not order.is_gone and is_wanted(order) for order in seller.orders.values())
    data = {"postings": [posting_of(seller, order) for order in found], "cursor": cursor, "has_next": has_next}
    return Answer(200, {**data, "count": count})


@routes.post("/v3/posting/fbo/list")
@asks
def fbo_postings(world: World, _request: Request, seller: Seller, wanted: dict[str, Any]) -> Answer:
    filter_ = wanted.get("filter") or {}
    span = {"from": filter_.get("since"), "to": filter_.get("to")}
    statuses, numbers = set(filter_.get("statuses") or ()), set(filter_.get("posting_numbers") or ())
    found, cursor, has_next = page_of(
        world,
        seller,
        wanted,
        lambda order: (
            order.scheme == FBO
            and within(order.placed_at, span)
            and (not statuses or order.status in statuses)
            and (not numbers or order.id in numbers)
        ),
    )
    return Answer(
        200, {"postings": [fbo_posting_of(seller, order) for order in found], "cursor": cursor, "has_next": has_next}
    )


@routes.post("/v3/posting/fbs/get")
@asks
def posting(_world: World, _request: Request, seller: Seller, wanted: dict[str, Any]) -> Answer:
    order = order_named(seller, wanted)
    return order if isinstance(order, Answer) else Answer(200, {"result": told_singly(seller, order)})


@routes.post("/v2/posting/fbo/get")
@asks
def fbo_posting(_world: World, _request: Request, seller: Seller, wanted: dict[str, Any]) -> Answer:
    order = order_named(seller, wanted, is_fbo=True)
    return order if isinstance(order, Answer) else Answer(200, {"result": fbo_posting_of(seller, order)})


def order_named(seller: Seller, wanted: dict[str, Any], *, is_fbo: bool = False) -> Order | Answer:
    order = seller.orders.get(str(wanted["posting_number"]))
    if order is None or order.is_gone or (order.scheme == FBO) != is_fbo:
        return error(404, 5, "POSTING_NOT_FOUND")
    return order


@routes.post("/v4/posting/fbs/ship")
@asks
def ship(world: World, _request: Request, seller: Seller, wanted: dict[str, Any]) -> Answer:
    """Packs the posting. That it answers 200 proves nothing: one that could not be packed says so in its substatus."""
    order = order_named(seller, wanted)
    if isinstance(order, Answer):
        return order
    if order.status != "awaiting_packaging":
        return error(409, 9, "HAS_INCORRECT_STATUS")
    packed: dict[int, int] = {}
    for package in wanted["packages"]:
        for product in package["products"]:
            packed[product["product_id"]] = packed.get(product["product_id"], 0) + product["quantity"]
    expected: dict[int, int] = {}
    for line in order.lines:
        offer = seller.offers.get(line.sku)
        number = offer.number if offer else 0
        expected[number] = expected.get(number, 0) + line.quantity
    if packed != expected:
        return invalid("POSTING_SHIP_INVALID_PRODUCTS")
    if order.id in world.shelf("ship_fails"):
        order.substatus = "ship_failed"
        touch(world, seller, order)
        return Answer(200, {"result": [order.id]})
    order.status, order.substatus = "awaiting_deliver", "posting_in_carriage"
    for line in order.lines:
        offer = seller.offers.get(line.sku)
        stock = offer.stock.get(order.warehouse) if offer else None
        if offer and stock:
            stock.present = max(0, stock.present - line.quantity)
            stock.reserved = max(0, stock.reserved - line.quantity)
            world.keep_offer(seller, offer)
    touch(world, seller, order)
    return Answer(200, {"result": [order.id]})


@routes.post("/v2/fbs/posting/delivering")
@asks
def delivering(world: World, _request: Request, seller: Seller, wanted: dict[str, Any]) -> Answer:
    """The seller's own courier is on the way."""
    result = []
    for number in wanted["posting_number"]:
        order = seller.orders.get(str(number))
        is_possible = order is not None and order.scheme == REALFBS and order.status == "awaiting_deliver"
        if order and is_possible:
            order.status, order.substatus = "delivering", "posting_on_way_to_city"
            touch(world, seller, order)
        result.append(
            {"posting_number": number, "result": is_possible, "error": "" if is_possible else "HAS_INCORRECT_STATUS"}
        )
    return Answer(200, {"result": result})


@routes.post("/v1/posting/fbs/cancel-reason")
@asks
def cancel_reasons(_world: World, _request: Request, seller: Seller, wanted: dict[str, Any]) -> Answer:
    """The reasons for which these postings may be cancelled."""
    reasons = [{"id": id, "title": title, "type_id": "seller"} for id, title, is_open in REASONS if is_open]
    numbers = [str(number) for number in wanted["related_posting_numbers"]]
    result = [
        {"posting_number": number, "reasons": reasons if seller.orders[number].status in OPEN_AT_OZON else []}
        for number in numbers
        if number in seller.orders
    ]
    return Answer(200, {"result": result})


@routes.post("/v2/posting/fbs/cancel-reason/list")
def all_reasons(_world: World, _request: Request, _seller: Seller) -> Answer:
    result = [
        {"id": id, "title": title, "type_id": "seller", "is_available_for_cancellation": is_open}
        for id, title, is_open in REASONS
    ]
    return Answer(200, {"result": result})


@routes.post("/v2/posting/fbs/cancel")
@asks
def cancel(world: World, _request: Request, seller: Seller, wanted: dict[str, Any]) -> Answer:
    order = order_named(seller, wanted)
    if isinstance(order, Answer):
        return order
    reason = wanted.get("cancel_reason_id")
    if reason not in {id for id, _title, is_open in REASONS if is_open}:
        return invalid("INVALID_CANCEL_REASON_ID")
    if reason == OTHER_REASON and not wanted.get("cancel_reason_message"):
        return invalid("CANCEL_REASON_MESSAGE_IS_REQUIRED")
    if order.status not in OPEN_AT_OZON:
        return error(409, 9, "HAS_INCORRECT_STATUS")
    cancel_posting(world, seller, order, reason_id=int(reason), substatus="posting_canceled")
    return Answer(200, {"result": True})


def gone(_world: World, _request: Request, _seller: Seller) -> Answer:
    return error(404, 5, "This method is disabled: use its newer version")


for path in GONE:
    routes.post(path)(gone)
