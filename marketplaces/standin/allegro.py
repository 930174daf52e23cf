"""Allegro's REST interface: the journal and the orders. Its offers are in `allegro_offers`."""

import re
from typing import Any

from marketplaces.standin import tokens
from marketplaces.standin.clock import from_iso, iso
from marketplaces.standin.messages import Answer, NotAnObject, Request
from marketplaces.standin.people import buyer_of
from marketplaces.standin.routing import Routes
from marketplaces.standin.sellers import Event, Line, Order, Seller
from marketplaces.standin.trade import journal, total_of, touch
from marketplaces.standin.world import World

routes = Routes("/allegro")

MEDIA = "application/vnd.allegro.public.v1+json"
FULFILMENT = (
    "NEW",
    "PROCESSING",
    "READY_FOR_SHIPMENT",
    "READY_FOR_PICKUP",
    "SENT",
    "PICKED_UP",
    "CANCELLED",
    "SUSPENDED",
)
# Nothing comes after these: the buyer has it, or nobody gets it.
FULFILMENT_ENDS = ("PICKED_UP", "CANCELLED", "RETURNED")
# Source: github.com/allegro/allegro-api, issue 11908.
MOST_CHANGES = 100
MOST_ROWS = 10_000
PER_MINUTE = 9_000


def ok(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    return Answer(status, data, headers or {}, media=MEDIA)


def error(status: int, code: str, message: str, *, path: str | None = None) -> Answer:
    fault: dict[str, Any] = {"code": code, "message": message, "details": None, "path": path}
    return Answer(status, {"errors": [{**fault, "userMessage": message, "metadata": {}}]}, media=MEDIA)


def limited(world: World, request: Request) -> Answer | None:
    """9,000 requests a minute for a client id, over all its users; who goes on while blocked stays blocked longer."""
    found = tokens.read(request.headers.get("authorization", "").partition(" ")[2])
    interval = 60 / PER_MINUTE
    if found and world.limits.wait(f"allegro {found.seller}", interval=interval, burst=PER_MINUTE, penalty=10):
        return error(429, "TooManyRequests", "Too many requests, slow down")
    return None


def authenticate(world: World, request: Request) -> Seller | Answer:
    """Returns the seller who gave this access token out."""
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    if not text:
        return unauthorised("unauthorized", "Full authentication is required to access this resource")
    found = tokens.read(text)
    seller = world.sellers.get(found.seller) if found else None
    if scheme.lower() != "bearer" or found is None or seller is None or found.kind != "access":
        return unauthorised("invalid_token", "Cannot convert access token to JSON")
    if found.expires_at < world.clock.now() or found.issued_at < seller.tokens_from:
        return unauthorised("invalid_token", f"Access token expired: {text[:8]}…")
    if (refusal := media_refused(request)) is not None:
        return refusal
    return seller


def unauthorised(code: str, description: str) -> Answer:
    return Answer(401, {"error": code, "error_description": description}, media=MEDIA)


def media_refused(request: Request) -> Answer | None:
    accept = request.headers.get("accept", "*/*")
    if "vnd.allegro" in accept and MEDIA not in accept:
        return error(406, "NotAcceptableException", "The requested media type is not supported")
    if request.method in ("PUT", "PATCH", "POST") and MEDIA not in request.headers.get("content-type", ""):
        return error(415, "UnsupportedMediaTypeException", f"Content-Type must be {MEDIA}")
    return None


@routes.get("/me")
def me(_world: World, _request: Request, seller: Seller) -> Answer:
    number = str(sum(seller.id.encode()) + 44_000_000)
    return ok(
        {
            "id": number,
            "login": seller.name,
            "firstName": "Anna",
            "lastName": "Nowak",
            "email": f"{number}@allegro.example",
            "baseMarketplace": {"id": "allegro-pl"},
            "company": {"name": seller.name, "taxId": "5250000000"},
            "features": [],
        }
    )


@routes.get("/order/events")
def events(_world: World, request: Request, seller: Seller) -> Answer:
    """The journal: ascending, what comes after `from`."""
    limit = number_of(request.first("limit", "100"), 1, 1000)
    start = request.first("from")
    if limit is None or (start and not start.isdigit()):
        return error(422, "ValidationException", "from or limit is not valid", path="from" if limit else "limit")
    types = set(request.all("type"))
    after = int(start) if start else 0
    index = first_after(seller.events, after)
    found: list[dict[str, Any]] = []
    for event in seller.events[index:]:
        if (not types or event.type in types) and event.order in seller.orders:
            found.append(event_of(seller, event))
            if len(found) == limit:
                break
    return ok({"events": found})


def first_after(journal_: list[Event], number: int) -> int:
    low, high = 0, len(journal_)
    while low < high:
        middle = (low + high) // 2
        if journal_[middle].id <= number:
            low = middle + 1
        else:
            high = middle
    return low


@routes.get("/order/event-stats")
def event_stats(_world: World, _request: Request, seller: Seller) -> Answer:
    if not seller.events:
        return ok({})
    latest = seller.events[-1]
    return ok({"latestEvent": {"id": str(latest.id), "occurredAt": iso(latest.at)}})


@routes.get("/order/checkout-forms")
def checkout_forms(world: World, request: Request, seller: Seller) -> Answer:
    """The orders, by when they were changed or bought."""
    limit, offset = (
        number_of(request.first("limit", "100"), 1, 100),
        number_of(request.first("offset", "0"), 0, MOST_ROWS),
    )
    sort = request.first("sort", "-lineItems.boughtAt")
    if limit is None or offset is None or offset + limit > MOST_ROWS or sort.lstrip("-") not in SORTS:
        return error(422, "ValidationException", "limit, offset or sort is not valid")
    try:
        since, until = moment_of(request, "updatedAt.gte"), moment_of(request, "updatedAt.lte")
        bought_since, bought_until = (
            moment_of(request, "lineItems.boughtAt.gte"),
            moment_of(request, "lineItems.boughtAt.lte"),
        )
    except ValueError:
        return error(422, "ValidationException", "A date is not valid")
    statuses, fulfilments = set(request.all("status")), set(request.all("fulfillment.status"))
    orders = world.orders_by(seller, sort.lstrip("-"), SORTS[sort.lstrip("-")])
    found = [
        order
        for order in orders
        if not order.is_gone
        and (since is None or order.changed_at >= since)
        and (until is None or order.changed_at <= until)
        and (bought_since is None or order.placed_at >= bought_since)
        and (bought_until is None or order.placed_at <= bought_until)
        and (not statuses or order.status in statuses)
        and (not fulfilments or order.fulfilment in fulfilments)
    ]
    if sort.startswith("-"):
        found.reverse()
    page = found[offset : offset + limit]
    return ok(
        {"checkoutForms": [form_of(seller, order) for order in page], "count": len(page), "totalCount": len(found)}
    )


SORTS = {
    "updatedAt": lambda order: (order.changed_at, order.serial),
    "lineItems.boughtAt": lambda order: (order.placed_at, order.serial),
}


@routes.get("/order/checkout-forms/{id}")
def checkout_form(_world: World, _request: Request, seller: Seller, id: str) -> Answer:
    order = seller.orders.get(id)
    if order is None or order.is_gone:
        return error(404, "NOT_FOUND", "Order not found")
    return ok(form_of(seller, order))


@routes.put("/order/checkout-forms/{id}/fulfillment")
def fulfilment(world: World, request: Request, seller: Seller, id: str) -> Answer:
    """The seller says how far the parcel is; not against what has happened since they looked."""
    order = seller.orders.get(id)
    if order is None or order.is_gone:
        return error(404, "NOT_FOUND", "Order not found")
    try:
        status = request.json().get("status")
    except NotAnObject:
        return error(400, "JsonParseException", "The body is no JSON object")
    revision = request.first("checkoutForm.revision")
    if revision and revision != revision_of(order.revision):
        return error(409, "CONFLICT", "Outdated revision of the checkout form", path="checkoutForm.revision")
    if status not in FULFILMENT:
        return error(422, "VALIDATION_ERROR", f"Status {status} can not be set", path="status")
    if order.status != "READY_FOR_PROCESSING":
        return error(422, "VALIDATION_ERROR", f"Not for an order that is {order.status}", path="status")
    if order.fulfilment in FULFILMENT_ENDS or order.changes >= MOST_CHANGES:
        return error(422, "VALIDATION_ERROR", f"{order.fulfilment} can not be changed any more", path="status")
    order.fulfilment = str(status)
    order.changes += 1
    touch(world, seller, order)
    journal(world, seller, order, "FULFILLMENT_STATUS_CHANGED")
    return Answer(204)


def revision_of(number: int) -> str:
    return f"{number:08x}"


def event_of(seller: Seller, event: Event) -> dict[str, Any]:
    order = seller.orders[event.order]
    buyer = buyer_of(order.buyer)
    return {
        "id": str(event.id),
        "type": event.type,
        "occurredAt": iso(event.at),
        "order": {
            "seller": {"id": seller.id},
            "buyer": {"id": buyer["id"], "email": buyer["email"], "login": buyer["login"], "guest": False},
            "lineItems": [
                {
                    "id": line.id,
                    "offer": offer_of(seller, line),
                    "quantity": line.quantity,
                    "originalPrice": {"amount": line.price, "currency": order.currency},
                    "price": {"amount": line.price, "currency": order.currency},
                    "boughtAt": iso(order.placed_at),
                }
                for line in order.lines
            ],
            "checkoutForm": {"id": order.id, "revision": revision_of(event.revision)},
            "marketplace": {"id": "allegro-pl"},
        },
    }


def offer_of(seller: Seller, line: Line) -> dict[str, Any]:
    offer = seller.offers.get(line.sku)
    result: dict[str, Any] = {"id": line.sku, "name": offer.name if offer else "An offer that is gone"}
    if offer and offer.article:
        result["external"] = {"id": offer.article}
    return result


def form_of(seller: Seller, order: Order) -> dict[str, Any]:
    """An order as Allegro tells it."""
    buyer = buyer_of(order.buyer)
    money = {"amount": f"{total_of(order):.2f}", "currency": order.currency}
    form: dict[str, Any] = {
        "id": order.id,
        "buyer": {**buyer, "guest": False, "preferences": {"language": "pl-PL"}},
        "status": order.status,
        "fulfillment": {
            "status": order.fulfilment,
            "shipmentSummary": {"lineItemsSent": "ALL" if order.fulfilment in ("SENT", "PICKED_UP") else "NONE"},
        },
        "delivery": {
            "method": {"id": "1fa56f79-4b6a-4821-a6f2-ca9c16d5c925", "name": "Allegro Kurier"},
            "cost": {"amount": "0.00", "currency": order.currency},
            "smart": True,
        },
        "invoice": {"required": False},
        "lineItems": [
            {
                "id": line.id,
                "offer": offer_of(seller, line),
                "quantity": line.quantity,
                "originalPrice": {"amount": line.price, "currency": order.currency},
                "price": {"amount": line.price, "currency": order.currency},
                "selectedAdditionalServices": [],
                "boughtAt": iso(order.placed_at),
            }
            for line in order.lines
        ],
        "surcharges": [],
        "marketplace": {"id": "allegro-pl"},
        "summary": {"totalToPay": money},
        "updatedAt": iso(order.changed_at),
        "revision": revision_of(order.revision),
    }
    if order.status in ("READY_FOR_PROCESSING", "CANCELLED"):
        payment = {"id": order.lines[0].id, "type": "ONLINE", "provider": "PAYU", "finishedAt": iso(order.placed_at)}
        form["payment"] = {**payment, "paidAmount": money}
    return form


def number_of(text: str, low: int, high: int) -> int | None:
    """Returns the number if it is one between `low` and `high`."""
    return int(text) if re.fullmatch(r"\d{1,9}", text) and low <= int(text) <= high else None


def moment_of(request: Request, name: str) -> float | None:
    """Raises ValueError for what is no date."""
    text = request.first(name)
    return from_iso(text) if text else None
