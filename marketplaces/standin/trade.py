"""What happens on a marketplace: somebody buys, pays, thinks better of it.

Each marketplace counts stock in its own way: Allegro and Wildberries take an order off at once, Ozon reserves it until
it is packed.
"""

from collections.abc import Sequence
from decimal import Decimal

from marketplaces.standin.sellers import (
    ALLEGRO,
    FBO,
    FBS,
    OZON,
    WILDBERRIES,
    Event,
    Line,
    Offer,
    Order,
    Seller,
    Stock,
)
from marketplaces.standin.world import World

READY = {ALLEGRO: "READY_FOR_PROCESSING", OZON: "awaiting_packaging", WILDBERRIES: "new"}
# What an Allegro order goes through until it is ready, and the words of its journal.
WAY_OF_ALLEGRO = ("BOUGHT", "FILLED_IN", "READY_FOR_PROCESSING")
OPEN_AT_OZON = ("awaiting_packaging", "awaiting_deliver")
FIRST_EVENT = 1_600_000_000_000_000


class NotPossible(Exception):
    """The order is too far for that, or unknown."""


def place(
    world: World,
    seller: Seller,
    wanted: Sequence[tuple[str, int]],
    *,
    status: str = "",
    scheme: str = FBS,
    warehouse: str = "",
    placed_at: float | None = None,
    line_ids: Sequence[str] = (),
) -> Order:
    """Somebody orders `wanted`, (sku, pieces); takes it off the stock.

    Args:
        status: the marketplace's word for how far the order is; ready for processing unless said.
        line_ids: those of an earlier order, for one that comes of a joint payment.
    """
    now = world.clock.now()
    status = status or READY[seller.marketplace]
    serial = world.numbers.next("order", start=5_000_000_000)
    at = now if placed_at is None else placed_at
    lines = [
        Line(
            line_ids[index] if line_ids else world.uuid(),
            sku,
            pieces,
            seller.offers[sku].price if sku in seller.offers else "1.00",
        )
        for index, (sku, pieces) in enumerate(wanted)
    ]
    first = seller.offers.get(lines[0].sku)
    order = Order(
        id=world.uuid(),
        serial=serial,
        number=str(serial),
        lines=lines,
        status=status,
        placed_at=at,
        changed_at=at,
        currency=first.currency if first else {ALLEGRO: "PLN"}.get(seller.marketplace, "RUB"),
        scheme=scheme,
        warehouse=warehouse or warehouse_for(seller, scheme),
        buyer=serial % 97,
    )
    if seller.marketplace == ALLEGRO:
        order.fulfilment = "NEW"
    elif seller.marketplace == OZON:
        order.number = f"{serial % 10_000_000_000:010d}-{serial % 9_000 + 1_000:04d}"
        order.id = f"{order.number}-1"
        order.substatus = "posting_created"
    else:
        order.id = str(serial)
        order.fulfilment = "waiting"
    if not line_ids:
        for line in lines:
            take_off(world, seller, order, line)
    world.keep_order(seller, order)
    if seller.marketplace == ALLEGRO and status in WAY_OF_ALLEGRO:
        for word in WAY_OF_ALLEGRO[: WAY_OF_ALLEGRO.index(status) + 1]:
            journal(world, seller, order, word, at=at)
    return order


def warehouse_for(seller: Seller, scheme: str) -> str:
    return next((warehouse.id for warehouse in seller.warehouses.values() if warehouse.scheme == scheme), "")


def take_off(world: World, seller: Seller, order: Order, line: Line) -> None:
    offer = seller.offers.get(line.sku)
    if offer is None:
        return
    stock = offer.stock.setdefault(order.warehouse, Stock())
    if seller.marketplace == OZON and order.scheme != FBO:
        stock.reserved += line.quantity
        stock.present = max(stock.present, stock.reserved)
    else:
        stock.present = max(0, stock.present - line.quantity)
    end_if_sold_out(world, seller, offer)
    world.keep_offer(seller, offer)


def end_if_sold_out(world: World, seller: Seller, offer: Offer) -> None:
    """An Allegro offer that has run out ends a moment later."""
    if seller.marketplace == ALLEGRO and offer.ends_at is None and not offer.is_ended and not available(offer):
        offer.ends_at = world.clock.now() + world.options.settle


def available(offer: Offer) -> int:
    return sum(stock.present - stock.reserved for stock in offer.stock.values())


def touch(world: World, seller: Seller, order: Order) -> None:
    """The order has changed: a new revision, later than any before."""
    order.revision += 1
    order.changed_at = max(world.clock.now(), order.changed_at)
    world.keep_order(seller, order)


def journal(world: World, seller: Seller, order: Order, word: str, *, at: float | None = None) -> Event:
    """Writes into Allegro's journal."""
    number = world.numbers.next("event", start=FIRST_EVENT)
    event = Event(number, word, world.clock.now() if at is None else at, order.id, order.revision)
    world.keep_event(seller, event)
    return event


def advance_order(world: World, seller: Seller, order: Order) -> None:
    """An Allegro order takes its next step towards being ready."""
    if order.status not in WAY_OF_ALLEGRO[:-1]:
        raise NotPossible
    order.status = WAY_OF_ALLEGRO[WAY_OF_ALLEGRO.index(order.status) + 1]
    touch(world, seller, order)
    journal(world, seller, order, order.status)


def cancel_by_buyer(world: World, seller: Seller, order: Order) -> None:
    """The buyer thinks better of it, whatever the seller has begun.

    Raises:
        NotPossible: it is cancelled already.
    """
    if seller.marketplace == ALLEGRO:
        if order.status == "CANCELLED":
            raise NotPossible
        # The seller's own status stays what it was: the two know nothing of each other.
        order.status = "CANCELLED"
        touch(world, seller, order)
        journal(world, seller, order, "BUYER_CANCELLED")
    elif seller.marketplace == OZON:
        if order.status == "cancelled":
            raise NotPossible
        cancel_posting(world, seller, order, reason_id=501, substatus="posting_canceled")
    else:
        if order.fulfilment.startswith("canceled"):
            raise NotPossible
        order.fulfilment = "canceled_by_client"
        touch(world, seller, order)


def cancel_posting(world: World, seller: Seller, order: Order, *, reason_id: int, substatus: str) -> None:
    """An Ozon posting is cancelled, and what was reserved is free again."""
    if order.status == "awaiting_packaging" and order.scheme != FBO:
        for line in order.lines:
            if offer := seller.offers.get(line.sku):
                stock = offer.stock.setdefault(order.warehouse, Stock())
                stock.reserved = max(0, stock.reserved - line.quantity)
                world.keep_offer(seller, offer)
    order.status, order.substatus, order.reason_id = "cancelled", substatus, reason_id
    touch(world, seller, order)


def vanish(world: World, seller: Seller, order: Order) -> None:
    """The marketplace has never heard of this order any more."""
    order.is_gone = True
    touch(world, seller, order)


def pay_together(world: World, seller: Seller, orders: Sequence[Order]) -> Order:
    """The buyer pays several Allegro orders as one: they are gone, and one with a new id holds their lines.

    Source: github.com/allegro/allegro-api, issues 8898, 10406, 2172.
    """
    lines = [line for order in orders for line in order.lines]
    for order in orders:
        vanish(world, seller, order)
    return place(
        world,
        seller,
        [(line.sku, line.quantity) for line in lines],
        status="READY_FOR_PROCESSING",
        line_ids=[line.id for line in lines],
    )


def total_of(order: Order) -> Decimal:
    return sum((Decimal(line.price) * line.quantity for line in order.lines), Decimal(0))
