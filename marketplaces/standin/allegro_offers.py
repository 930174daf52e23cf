"""Allegro's offers: their stock is read in a list, set by commands, and taken to zero by ending them."""

from typing import Any

from marketplaces.standin.allegro import error, number_of, ok, routes
from marketplaces.standin.clock import iso
from marketplaces.standin.messages import Answer, NotAnObject, Request
from marketplaces.standin.sellers import FBO, Offer, Seller, Stock
from marketplaces.standin.world import World

MOST_OFFERS = 1000


def end_if_due(world: World, seller: Seller, offer: Offer) -> None:
    """An offer without stock ends a moment after it ran out."""
    if offer.ends_at is not None and offer.ends_at <= world.clock.now():
        offer.is_ended, offer.ends_at = True, None
        world.keep_offer(seller, offer)


def own_stock(seller: Seller, offer: Offer) -> Stock:
    """The stock that the seller sends from; One Fulfillment's lies in a warehouse of the marketplace."""
    return offer.stock.setdefault(next((w.id for w in seller.own_warehouses()), ""), Stock())


def status_of(offer: Offer) -> str:
    return "ENDED" if offer.is_ended else "ACTIVE"


def is_fulfilled_by_allegro(seller: Seller, offer: Offer) -> bool:
    return any(seller.warehouses[key].scheme == FBO for key in offer.stock if key in seller.warehouses)


@routes.get("/sale/offers")
def offers(world: World, request: Request, seller: Seller) -> Answer:
    limit, offset = (
        number_of(request.first("limit", "20"), 1, 1000),
        number_of(request.first("offset", "0"), 0, 9_999_999),
    )
    if limit is None or offset is None:
        return error(400, "ValidationException", "limit or offset is not valid")
    ids, articles = set(request.all("offer.id")), set(request.all("external.id"))
    statuses, fulfilled = set(request.all("publication.status")), request.first("isFulfillment")
    for offer in list(seller.offers.values()) if statuses else ():
        end_if_due(world, seller, offer)
    found = world.of_offers(seller, "all", lambda: list(seller.offers.values()))
    if ids or articles or statuses or fulfilled:
        found = [
            offer
            for offer in ([seller.offers[sku] for sku in seller.offers.keys() & ids] if ids else found)
            if (not articles or offer.article in articles)
            and (not statuses or status_of(offer) in statuses)
            and (not fulfilled or is_fulfilled_by_allegro(seller, offer) == (fulfilled == "true"))
        ]
    for offer in found[offset : offset + limit]:
        end_if_due(world, seller, offer)
    page = found[offset : offset + limit]
    return ok({"offers": [listed(seller, offer) for offer in page], "count": len(page), "totalCount": len(found)})


def listed(seller: Seller, offer: Offer) -> dict[str, Any]:
    return {
        "id": offer.sku,
        "name": offer.name,
        "category": {"id": "261280"},
        "sellingMode": {"format": "BUY_NOW", "price": {"amount": offer.price, "currency": offer.currency}},
        "stock": {"available": sum(stock.present for stock in offer.stock.values()), "sold": 0},
        "publication": {"status": status_of(offer), "marketplaces": {"base": {"id": "allegro-pl"}, "additional": []}},
        "external": {"id": offer.article},
        "isFulfillment": is_fulfilled_by_allegro(seller, offer),
    }


@routes.get("/sale/offers/{id}")
def gone(_world: World, _request: Request, _seller: Seller, id: str) -> Answer:
    """Source: github.com/allegro/allegro-api, issue 13455."""
    return error(403, "AccessDenied", f"This resource is gone: use /sale/product-offers/{id}")


@routes.get("/sale/product-offers/{id}")
def product_offer(world: World, _request: Request, seller: Seller, id: str) -> Answer:
    offer = seller.offers.get(id)
    if offer is None:
        return error(404, "OfferNotFoundException", "Offer not found")
    end_if_due(world, seller, offer)
    return ok(whole(seller, offer))


def whole(seller: Seller, offer: Offer) -> dict[str, Any]:
    return {
        "id": offer.sku,
        "name": offer.name,
        "category": {"id": "261280"},
        "sellingMode": {"format": "BUY_NOW", "price": {"amount": offer.price, "currency": offer.currency}},
        "stock": {"available": own_stock(seller, offer).present, "unit": "UNIT"},
        "publication": {"status": status_of(offer), "endedBy": "EMPTY_STOCK" if offer.is_ended else None},
        "external": {"id": offer.article},
    }


@routes.get("/sale/product-offers/{id}/parts")
def parts(_world: World, _request: Request, seller: Seller, id: str) -> Answer:
    offer = seller.offers.get(id)
    if offer is None:
        return error(404, "OfferNotFoundException", "Offer not found")
    return ok({"id": offer.sku, "stock": {"available": own_stock(seller, offer).present}})


@routes.patch("/sale/product-offers/{id}")
def edit(world: World, request: Request, seller: Seller, id: str) -> Answer:
    """Changes stock and publication. Zero ends the offer a moment later; stock and ACTIVE together bring it back.

    Source: github.com/allegro/allegro-api, issues 7280 and 12233.
    """
    offer = seller.offers.get(id)
    if offer is None:
        return error(404, "OfferNotFoundException", "Offer not found")
    try:
        wanted = request.json()
    except NotAnObject:
        return error(400, "JsonParseException", "The body is no JSON object")
    end_if_due(world, seller, offer)
    quantity = (wanted.get("stock") or {}).get("available")
    status = (wanted.get("publication") or {}).get("status")
    stock = own_stock(seller, offer)
    if quantity is not None and (not isinstance(quantity, int) or isinstance(quantity, bool) or quantity < 0):
        return error(422, "ConstraintViolationException.MustBePositive", "stock.available", path="stock.available")
    if status == "ACTIVE" and not (stock.present if quantity is None else quantity):
        return error(422, "OfferStockIsEmpty", "An offer without stock can not be active", path="publication.status")
    if quantity is not None:
        stock.present = quantity
        offer.ends_at = None if quantity or offer.is_ended else world.clock.now() + world.options.settle
    if status == "ACTIVE":
        offer.is_ended, offer.ends_at = False, None
    elif status == "ENDED":
        offer.is_ended = True
    world.keep_offer(seller, offer)
    if offer.ends_at is None:
        return ok(whole(seller, offer))
    place = f"{request.base_url}/allegro/sale/product-offers/{id}/operations/{world.uuid()}"
    return ok(whole(seller, offer), 202, {"Location": place, "Retry-After": "5"})


@routes.get("/sale/product-offers/{id}/operations/{operation}")
def operation(world: World, request: Request, seller: Seller, id: str, operation: str) -> Answer:
    offer = seller.offers.get(id)
    if offer is None:
        return error(404, "OfferNotFoundException", "Offer not found")
    end_if_due(world, seller, offer)
    if offer.ends_at is not None:
        return ok(
            {
                "offer": {"id": id},
                "operation": {"id": operation, "status": "IN_PROGRESS", "startedAt": iso(world.clock.now())},
            },
            202,
        )
    return Answer(303, None, {"Location": f"{request.base_url}/allegro/sale/product-offers/{id}"})


@routes.put("/sale/offer-quantity-change-commands/{id}")
def change_quantities(world: World, request: Request, seller: Seller, id: str) -> Answer:
    """Takes an order to set or change the stock of many offers; what came of it is in its tasks."""
    if f"{seller.id}|{id}" in world.shelf("command"):
        return error(409, "CommandAlreadyExists", "A command with this id exists already")
    try:
        wanted = request.json()
    except NotAnObject:
        return error(400, "JsonParseException", "The body is no JSON object")
    modification = wanted.get("modification") or {}
    kind, value = modification.get("changeType"), modification.get("value")
    criteria = wanted.get("offerCriteria") or []
    ids = [str(offer.get("id")) for each in criteria for offer in each.get("offers") or []]
    if kind not in ("FIXED", "GAIN") or not isinstance(value, int) or isinstance(value, bool):
        return error(422, "ValidationException", "modification is not valid", path="modification")
    if kind == "FIXED" and value <= 0:
        return error(422, "ValidationException", "Value must be greater than 0", path="modification.value")
    if not ids or len(ids) > MOST_OFFERS or any(each.get("type") != "CONTAINS_OFFERS" for each in criteria):
        return error(422, "ValidationException", "offerCriteria is not valid", path="offerCriteria")
    if world.options.has_limits and world.limits.wait(
        f"allegro offers {seller.id}", interval=60 / 9000, burst=9000, cost=len(ids)
    ):
        return error(429, "TooManyRequests", "9,000 offers a minute may be changed")
    now = world.clock.now()
    command = {"created_at": now, "done_at": now + world.options.settle, "is_done": False, "kind": kind, "value": value}
    world.keep("command", f"{seller.id}|{id}", {**command, "tasks": [{"offer": sku, "status": "NEW"} for sku in ids]})
    return ok(summary(id, world.shelf("command")[f"{seller.id}|{id}"]), 201)


def summary(id: str, command: dict[str, Any]) -> dict[str, Any]:
    statuses = [task["status"] for task in command["tasks"]]
    return {
        "id": id,
        "createdAt": iso(command["created_at"]),
        "completedAt": iso(command["done_at"]) if command["is_done"] else None,
        "taskCount": {"failed": statuses.count("FAIL"), "success": statuses.count("SUCCESS"), "total": len(statuses)},
    }


def carry_out(world: World, seller: Seller, id: str) -> dict[str, Any] | None:
    """Returns the command, carried out if its time has come."""
    command = world.shelf("command").get(f"{seller.id}|{id}")
    if command is None or command["is_done"] or command["done_at"] > world.clock.now():
        return command
    command["is_done"] = True
    for task in command["tasks"]:
        task |= changed(world, seller, task["offer"], command)
    return world.keep("command", f"{seller.id}|{id}", command)


def changed(world: World, seller: Seller, sku: str, command: dict[str, Any]) -> dict[str, Any]:
    """Changes the stock of one offer and returns how it went."""
    offer = seller.offers.get(sku)
    if offer is None:
        return {"status": "FAIL", "message": "Offer not found", "code": "OFFER_NOT_FOUND"}
    end_if_due(world, seller, offer)
    stock = own_stock(seller, offer)
    value = command["value"] if command["kind"] == "FIXED" else stock.present + command["value"]
    if offer.is_ended:
        return {"status": "FAIL", "message": "The offer has ended", "code": "OFFER_ENDED"}
    if value <= 0:
        return {"status": "FAIL", "message": "Value must be greater than 0", "code": "INVALID_QUANTITY"}
    stock.present, offer.ends_at = value, None
    world.keep_offer(seller, offer)
    return {"status": "SUCCESS", "message": "", "code": ""}


@routes.get("/sale/offer-quantity-change-commands/{id}")
def command(world: World, _request: Request, seller: Seller, id: str) -> Answer:
    found = carry_out(world, seller, id)
    return ok(summary(id, found)) if found else error(404, "CommandNotFound", "Command not found")


@routes.get("/sale/offer-quantity-change-commands/{id}/tasks")
def tasks(world: World, request: Request, seller: Seller, id: str) -> Answer:
    limit, offset = number_of(request.first("limit", "100"), 1, 1000), number_of(request.first("offset", "0"), 0, 999)
    if limit is None or offset is None:
        return error(422, "ValidationException", "limit or offset is not valid")
    found = carry_out(world, seller, id)
    if found is None:
        return error(404, "CommandNotFound", "Command not found")
    return ok({"tasks": [task_of(task) for task in found["tasks"][offset : offset + limit]]})


def task_of(task: dict[str, Any]) -> dict[str, Any]:
    result = {
        "offer": {"id": task["offer"]},
        "field": "quantity",
        "status": task["status"],
        "message": task.get("message", ""),
    }
    if task.get("code"):
        fault = {"code": task["code"], "message": task["message"], "details": None, "path": "quantity"}
        result["errors"] = [{**fault, "userMessage": task["message"], "metadata": {}}]
    return result


@routes.get("/fulfillment/stock")
def fulfilment_stock(_world: World, request: Request, seller: Seller) -> Answer:
    """What lies in Allegro's own warehouse (One Fulfillment)."""
    limit, offset = (
        number_of(request.first("limit", "50"), 1, 1000),
        number_of(request.first("offset", "0"), 0, 9_999_999),
    )
    if limit is None or offset is None:
        return error(422, "ValidationException", "limit or offset is not valid")
    found = [
        (offer, offer.stock[warehouse.id])
        for warehouse in seller.warehouses.values()
        if warehouse.scheme == FBO
        for offer in seller.offers.values()
        if warehouse.id in offer.stock
    ]
    page = [
        {
            "product": {
                "id": f"{int(offer.sku):032x}",
                "name": offer.name,
                "gtins": [offer.barcode] if offer.barcode else [],
            },
            "quantity": {"available": stock.present, "onOrder": stock.reserved, "onHold": 0},
            "offerId": offer.sku,
        }
        for offer, stock in found[offset : offset + limit]
    ]
    return ok({"stock": page, "count": len(page), "totalCount": len(found)})
