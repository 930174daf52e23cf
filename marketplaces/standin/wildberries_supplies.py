"""Wildberries' supplies: what an order goes into when it is put together, and what is handed over as a whole."""

from typing import Any

from marketplaces.standin.clock import iso
from marketplaces.standin.messages import Answer, NotAnObject, Request
from marketplaces.standin.sellers import Seller
from marketplaces.standin.trade import touch
from marketplaces.standin.wildberries import MOST_IN_A_SUPPLY_CALL, error, is_cancellable, routes
from marketplaces.standin.world import World


@routes.post("/api/v3/supplies")
def create_supply(world: World, request: Request, seller: Seller) -> Answer:
    try:
        name = request.json().get("name", "")
    except NotAnObject:
        return error(400, "IncorrectRequestBody", "Некорректное тело запроса")
    if not isinstance(name, str) or len(name) > 128:
        return error(400, "IncorrectRequest", "Переданы некорректные данные")
    number = world.numbers.next("supply", start=100_000_000)
    id = f"WB-GI-{number}"
    world.keep(
        "supply",
        f"{seller.id}|{id}",
        {"id": id, "number": number, "name": name, "created_at": world.clock.now(), "closed_at": None, "orders": []},
    )
    return Answer(201, {"id": id})


@routes.get("/api/v3/supplies")
def supplies(world: World, request: Request, seller: Seller) -> Answer:
    limit, after = request.first("limit"), request.first("next")
    if not limit.isdigit() or not after.isdigit() or not 1 <= int(limit) <= 1000:
        return error(400, "IncorrectParameter", "Передан некорректный параметр")
    found = [
        record
        for key, record in world.shelf("supply").items()
        if key.startswith(f"{seller.id}|") and record["number"] > int(after)
    ][: int(limit)]
    return Answer(
        200, {"next": found[-1]["number"] if found else int(after), "supplies": [supply_of(each) for each in found]}
    )


def supply_of(record: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": record["id"],
        "name": record["name"],
        "done": record["closed_at"] is not None,
        "createdAt": iso(record["created_at"])[:19] + "Z",
        "closedAt": iso(record["closed_at"])[:19] + "Z" if record["closed_at"] else None,
        "scanDt": None,
        "cargoType": 1 if record["orders"] else 0,
        "isB2b": False,
        "isPickupPointShipmentAllowed": False,
        "crossBorderType": None,
        "destinationOfficeId": None,
    }


def supply_named(world: World, seller: Seller, id: str) -> dict[str, Any] | Answer:
    return world.shelf("supply").get(f"{seller.id}|{id}") or error(404, "NotFound", "Не найдено")


@routes.get("/api/v3/supplies/{id}")
def supply(world: World, _request: Request, seller: Seller, id: str) -> Answer:
    record = supply_named(world, seller, id)
    return record if isinstance(record, Answer) else Answer(200, supply_of(record))


@routes.get("/api/marketplace/v3/supplies/{id}/order-ids")
def supply_orders(world: World, _request: Request, seller: Seller, id: str) -> Answer:
    record = supply_named(world, seller, id)
    return record if isinstance(record, Answer) else Answer(200, {"orderIds": record["orders"]})


@routes.patch("/api/marketplace/v3/supplies/{id}/orders")
def add_to_supply(world: World, request: Request, seller: Seller, id: str) -> Answer:
    """Puts up to 100 orders into a supply: they are being put together then ("confirm"). All of them or none."""
    record = supply_named(world, seller, id)
    if isinstance(record, Answer):
        return record
    try:
        ids = request.json()["orders"]
    except (NotAnObject, KeyError):
        return error(400, "IncorrectRequestBody", "Некорректное тело запроса")
    if (
        not isinstance(ids, list)
        or not 1 <= len(ids) <= MOST_IN_A_SUPPLY_CALL
        or not all(type(each) is int for each in ids)
    ):
        return error(400, "IncorrectParameter", "Передан некорректный параметр")
    found = [seller.orders.get(str(each)) for each in ids]
    if record["closed_at"] is not None or any(
        order is None or order.is_gone or not is_cancellable(order) for order in found
    ):
        return error(409, "FailedToAddSupplyOrder", "Не удалось закрепить сборочное задание за поставкой.")
    for order in found:
        assert order is not None  # noqa: S101 - looked at above
        if order.supply and order.supply != id:
            world.shelf("supply")[f"{seller.id}|{order.supply}"]["orders"].remove(order.serial)
        if order.serial not in record["orders"]:
            record["orders"].append(order.serial)
        order.status, order.supply = "confirm", id
        touch(world, seller, order)
    world.keep("supply", f"{seller.id}|{id}", record)
    return Answer(204)


@routes.patch("/api/v3/supplies/{id}/deliver")
def deliver(world: World, _request: Request, seller: Seller, id: str) -> Answer:
    """Closes a supply: what is in it is complete."""
    record = supply_named(world, seller, id)
    if isinstance(record, Answer):
        return record
    found = [order for each in record["orders"] if (order := seller.orders.get(str(each))) and is_cancellable(order)]
    if not found or record["closed_at"] is not None:
        return error(409, "SupplyHasZeroOrders", "Не удалось обработать поставку.")
    for order in found:
        order.status = "complete"
        touch(world, seller, order)
    record["closed_at"] = world.clock.now()
    world.keep("supply", f"{seller.id}|{id}", record)
    return Answer(204)
