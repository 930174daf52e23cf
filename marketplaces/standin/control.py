"""The door for tests and curious people: POST JSON to /control/…, from this machine, with the token.

| path | body |
|---|---|
| misbehave | a `misbehaviour.Rule`: {"path": "/order/events", "status": 500, "times": 3} |
| calm | {} forgets all rules |
| sellers | {marketplace, keys, name?} |
| offers | {seller, sku?, pieces?, article?, …} or {seller, count, warehouses?} for many |
| orders | {seller, lines: [[sku, pieces]], status?, scheme?, count?} |
| arrive | {} one order somewhere, as if by chance |
| cancel, vanish, advance-order | {seller, order} |
| pay-together | {seller, orders: []} |
| journal | {seller, order, type, at?}: an event more, twice or late |
| expire-tokens | {seller} |
| decide | {code, decision: allowed or refused}: of a device |
| advance | {seconds} |
| limits | {on} |
| state | {seller}: offers and orders as they are |
"""

import dataclasses
import hmac
import ipaddress
from collections.abc import Callable
from typing import Any

from marketplaces.standin import allegro_auth, arrivals, seeding, trade
from marketplaces.standin.messages import Answer, NotAnObject, Request
from marketplaces.standin.misbehaviour import Rule
from marketplaces.standin.sellers import Order, Seller
from marketplaces.standin.world import World

PREFIX = "/control/"


def answer(world: World, request: Request) -> Answer:
    """Does what is asked for, or says why not."""
    if not ipaddress.ip_address(request.peer.partition("%")[0]).is_loopback:
        return Answer(403, {"error": "only from this machine"})
    if not hmac.compare_digest(request.headers.get("x-control-token", "").encode(), world.control_token.encode()):
        return Answer(403, {"error": "X-Control-Token is missing or wrong"})
    action = ACTIONS.get(request.path.removeprefix(PREFIX))
    if action is None or request.method != "POST":
        return Answer(404, {"error": f"POST one of {', '.join(ACTIONS)}"})
    try:
        return Answer(200, action(world, request.json()))
    except (KeyError, TypeError, ValueError, NotAnObject, trade.NotPossible) as fault:
        return Answer(400, {"error": f"{type(fault).__name__}: {fault}"})


def _seller(world: World, wanted: dict[str, Any]) -> Seller:
    return world.sellers[wanted["seller"]]


def _order(world: World, wanted: dict[str, Any]) -> tuple[Seller, Order]:
    seller = _seller(world, wanted)
    return seller, seller.orders[wanted["order"]]


def misbehave(world: World, wanted: dict[str, Any]) -> dict[str, Any]:
    world.misbehaviour.add(Rule(**wanted))
    return {"rules": len(world.misbehaviour.rules)}


def calm(world: World, _wanted: dict[str, Any]) -> dict[str, Any]:
    world.misbehaviour.clear()
    return {"rules": 0}


def sellers(world: World, wanted: dict[str, Any]) -> dict[str, Any]:
    if wanted:
        return {"seller": seeding.add_seller(world, **wanted).id}
    return {"sellers": list(world.sellers)}


def offers(world: World, wanted: dict[str, Any]) -> dict[str, Any]:
    seller = _seller(world, wanted)
    rest = {key: value for key, value in wanted.items() if key != "seller"}
    if "count" in rest:
        seeding.add_many_offers(world, seller, **rest)
        return {"offers": len(seller.offers)}
    return dataclasses.asdict(seeding.add_offer(world, seller, **rest))


def orders(world: World, wanted: dict[str, Any]) -> dict[str, Any]:
    seller = _seller(world, wanted)
    lines = [(str(sku), int(pieces)) for sku, pieces in wanted["lines"]]
    rest = {key: wanted[key] for key in ("status", "scheme", "warehouse", "placed_at") if key in wanted}
    placed = [trade.place(world, seller, lines, **rest) for _ in range(int(wanted.get("count", 1)))]
    return {"orders": [order.id for order in placed]}


def arrive(world: World, _wanted: dict[str, Any]) -> dict[str, Any]:
    order = arrivals.Arrivals(world).arrive(world.clock.now())
    return {"order": order.id if order else None}


def cancel(world: World, wanted: dict[str, Any]) -> dict[str, Any]:
    seller, order = _order(world, wanted)
    trade.cancel_by_buyer(world, seller, order)
    return {"status": order.status}


def vanish(world: World, wanted: dict[str, Any]) -> dict[str, Any]:
    trade.vanish(world, *_order(world, wanted))
    return {}


def advance_order(world: World, wanted: dict[str, Any]) -> dict[str, Any]:
    seller, order = _order(world, wanted)
    trade.advance_order(world, seller, order)
    return {"status": order.status}


def pay_together(world: World, wanted: dict[str, Any]) -> dict[str, Any]:
    seller = _seller(world, wanted)
    return {"order": trade.pay_together(world, seller, [seller.orders[id] for id in wanted["orders"]]).id}


def journal(world: World, wanted: dict[str, Any]) -> dict[str, Any]:
    seller, order = _order(world, wanted)
    return {"event": str(trade.journal(world, seller, order, wanted["type"], at=wanted.get("at")).id)}


def expire_tokens(world: World, wanted: dict[str, Any]) -> dict[str, Any]:
    seller = _seller(world, wanted)
    seller.tokens_from = world.clock.now()
    world.keep_seller(seller)
    return {}


def decide(world: World, wanted: dict[str, Any]) -> dict[str, Any]:
    return {"is_known": allegro_auth.decide_for(world, wanted["code"], wanted["decision"])}


def advance(world: World, wanted: dict[str, Any]) -> dict[str, Any]:
    world.clock.advance(float(wanted["seconds"]))
    return {"now": world.clock.now()}


def limits(world: World, wanted: dict[str, Any]) -> dict[str, Any]:
    world.options.has_limits = bool(wanted["on"])
    world.limits.reset()
    return {}


def state(world: World, wanted: dict[str, Any]) -> dict[str, Any]:
    seller = _seller(world, wanted)
    return {
        "offers": [dataclasses.asdict(offer) for offer in seller.offers.values()],
        "orders": [dataclasses.asdict(order) for order in seller.orders.values()],
    }


ACTIONS: dict[str, Callable[[World, dict[str, Any]], dict[str, Any]]] = {
    "misbehave": misbehave,
    "calm": calm,
    "sellers": sellers,
    "offers": offers,
    "orders": orders,
    "arrive": arrive,
    "cancel": cancel,
    "vanish": vanish,
    "advance-order": advance_order,
    "pay-together": pay_together,
    "journal": journal,
    "expire-tokens": expire_tokens,
    "decide": decide,
    "advance": advance,
    "limits": limits,
    "state": state,
}
