"""Wildberries' stock: the seller's own warehouses, read and written, and the report on Wildberries' warehouses."""

from typing import Any

from marketplaces.standin.messages import Answer, NotAnObject, Request
from marketplaces.standin.sellers import FBO, FBS, Seller, Stock
from marketplaces.standin.wildberries import analytics, error, problem, routes
from marketplaces.standin.world import World

MOST_ROWS = 1000
MOST_PIECES = 100_000
MOST_OF_REPORT = 250_000
DELIVERY_TYPES = {FBS: 1, "realFBS": 2}


@routes.get("/api/v3/warehouses")
def warehouses(_world: World, _request: Request, seller: Seller) -> Answer:
    told = [
        {
            "id": int(warehouse.id),
            "name": warehouse.name,
            "officeId": 123,
            "cargoType": 1,
            "deliveryType": DELIVERY_TYPES[warehouse.scheme],
            "isDeleting": False,
            "isProcessing": False,
        }
        for warehouse in seller.own_warehouses()
    ]
    return Answer(200, told)


def is_own(seller: Seller, id: str) -> bool:
    return id in seller.warehouses and seller.warehouses[id].scheme != FBO


@routes.post("/api/v3/stocks/{id}")
def read(_world: World, request: Request, seller: Seller, id: str) -> Answer:
    """The stock of the named sizes; what has none is left out."""
    if not is_own(seller, id):
        return error(404, "NotFound", "Не найдено")
    try:
        wanted = request.json()
    except NotAnObject:
        return error(400, "IncorrectRequestBody", "Incorrect required body")
    ids = wanted.get("chrtIds", [])
    if not isinstance(ids, list) or not 1 <= len(ids) <= MOST_ROWS or not all(type(each) is int for each in ids):
        return error(400, "IncorrectRequest", "Переданы некорректные данные")
    told = [
        {"chrtId": each, "amount": offer.stock[id].present}
        for each in ids
        if (offer := seller.offers.get(str(each))) and id in offer.stock
    ]
    return Answer(200, {"stocks": told})


@routes.put("/api/v3/stocks/{id}")
def write(world: World, request: Request, seller: Seller, id: str) -> Answer:
    """Sets the stock of sizes. Wrong names of fields are answered 204 too, and change nothing: read it back."""
    if not is_own(seller, id):
        return error(404, "NotFound", "Не найдено")
    if seller.warehouses[id].is_blocked:
        return error(406, "WarehouseStocksUpdateBlock", "The warehouse is processing")
    try:
        wanted = request.json()
    except NotAnObject:
        return error(400, "IncorrectRequestBody", "Incorrect required body")
    rows = wanted.get("stocks")
    if not isinstance(rows, list):
        return Answer(204)
    if not 1 <= len(rows) <= MOST_ROWS:
        return error(400, "IncorrectRequest", "Переданы некорректные данные")
    if any(isinstance(row, dict) and "sku" in row and "chrtId" not in row for row in rows):
        return error(400, "SKUUploadDisabled", "Uploading stock is not allowed by 'sku'. Please use the 'chrtId' key")
    known = [row for row in rows if isinstance(row, dict) and set(row) >= {"chrtId", "amount"}]
    if any(type(row["chrtId"]) is not int or type(row["amount"]) is not int or row["amount"] < 0 for row in known):
        return error(400, "IncorrectRequest", "Переданы некорректные данные")
    too_many = [row for row in known if row["amount"] > MOST_PIECES]
    missing = [row for row in known if str(row["chrtId"]) not in seller.offers]
    if too_many or missing:
        return refused(too_many, missing)
    for row in known:
        offer = seller.offers[str(row["chrtId"])]
        offer.stock.setdefault(id, Stock()).present = row["amount"]
        world.keep_offer(seller, offer)
    return Answer(204)


def refused(too_many: list[dict[str, Any]], missing: list[dict[str, Any]]) -> Answer:
    """409: nothing was written, and a list says why."""
    faults = []
    for code, message, rows in (
        ("UploadDataLimit", "Upload limit exceeded.", too_many),
        ("NotFound", "Not found", missing),
    ):
        if rows:
            data = [{"sku": "", "chrtId": row["chrtId"], "amount": row["amount"]} for row in rows]
            faults.append({"code": code, "message": message, "data": data})
    return Answer(409, faults)


@analytics.post("/api/analytics/v1/stocks-report/wb-warehouses")
def report(world: World, request: Request, seller: Seller) -> Answer:
    """What lies in Wildberries' warehouses and is on its way, by size and warehouse; without article or barcode."""
    try:
        wanted = request.json()
    except NotAnObject:
        return problem(world, 400, "bad request", "invalid body")
    limit, offset = wanted.get("limit", MOST_OF_REPORT), wanted.get("offset", 0)
    numbers, sizes = set(wanted.get("nmIds") or ()), {str(each) for each in wanted.get("chrtIds") or ()}
    if (
        type(limit) is not int
        or type(offset) is not int
        or not 1 <= limit <= MOST_OF_REPORT
        or offset < 0
        or len(numbers) > 1000
    ):
        return problem(world, 400, "bad request", "limit, offset or nmIds is not valid")
    told = [
        {
            "nmId": offer.number,
            "chrtId": int(offer.sku),
            "warehouseId": int(key),
            "warehouseName": seller.warehouses[key].name,
            "regionName": "Центральный",
            "quantity": stock.present,
            "inWayToClient": stock.to_client,
            "inWayFromClient": stock.from_client,
        }
        for offer in seller.offers.values()
        if (not numbers or offer.number in numbers) and (not sizes or offer.sku in sizes)
        for key, stock in offer.stock.items()
        if key in seller.warehouses and seller.warehouses[key].scheme == FBO
    ]
    return Answer(200, {"data": {"items": told[offset : offset + limit]}})
