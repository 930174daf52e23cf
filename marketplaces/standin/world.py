"""Everything the stand-in knows, and the one place that changes it."""

import secrets
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from marketplaces.standin.clock import Clock
from marketplaces.standin.limits import Limits
from marketplaces.standin.misbehaviour import Misbehaviour
from marketplaces.standin.sellers import Event, Offer, Order, Seller
from marketplaces.standin.state import Numbers, Record, State

T = TypeVar("T")

DAY = 86_400.0
# How long orders and the journal are remembered, and how many orders of a seller at most.
MEMORY_DAYS = 60
MOST_ORDERS = 50_000
# How long the smaller things are, by their shelf; those that say when they expire are kept until then.
DAYS_KEPT = {"command": 1, "report": 3, "supply": 60, "device": 1, "used_token": 90}


@dataclass(slots=True)
class Options:
    """`approve_after`: a device is let in at so many polls by itself; None: a person presses the button. `settle`: so
    many seconds pass until what is asynchronous is done. `orders_every`: an order comes about so often; 0: never."""

    has_limits: bool = True
    approve_after: int | None = None
    settle: float = 0.0
    orders_every: float = 0.0


@dataclass(slots=True)
class World:
    """`shelves` hold the smaller things as plain records: devices, used tokens, commands, reports, supplies."""

    options: Options = field(default_factory=Options)
    state: State = field(default_factory=State)
    clock: Clock = field(default_factory=Clock)
    sellers: dict[str, Seller] = field(default_factory=dict)
    shelves: dict[str, dict[str, Record]] = field(default_factory=dict)
    misbehaviour: Misbehaviour = field(default_factory=Misbehaviour)
    control_token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    numbers: Numbers = field(init=False)
    limits: Limits = field(init=False)
    # Seller by what names it in a request, filled by add_seller.
    by_key: dict[tuple[str, str], Seller] = field(default_factory=dict)
    # Orders to which something will happen by itself: (seller, order).
    planned: set[tuple[str, str]] = field(default_factory=set)
    # How often a seller's orders have changed: what lists were sorted by is sorted anew only then.
    versions: dict[str, int] = field(default_factory=dict)
    sorted_lists: dict[tuple[str, str], tuple[int, list[Order]]] = field(default_factory=dict)
    # The same of offers and warehouses, for what is made of them.
    offer_versions: dict[str, int] = field(default_factory=dict)
    made_of_offers: dict[tuple[str, str], tuple[int, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.numbers = Numbers(self.state)
        self.limits = Limits(self.clock)

    def load(self) -> None:
        """Reads what an earlier run has left."""
        for kind, key, record in self.state.load():
            owner, _, rest = key.partition("|")
            if kind == "numbers":
                self.numbers.load(key, record)
            elif kind == "seller":
                self._know(Seller.of(record))
            elif kind == "offer":
                self.sellers[owner].offers[rest] = Offer.of(record)
            elif kind == "order":
                self.sellers[owner].orders[rest] = order = Order.of(record)
                if order.plan:
                    self.planned.add((owner, rest))
            elif kind == "event":
                self.sellers[owner].events.append(Event(**record))
            else:
                self.shelves.setdefault(kind, {})[key] = record
        for seller in self.sellers.values():
            seller.events.sort(key=lambda event: event.id)
        self.forget()

    def add_seller(self, seller: Seller) -> Seller:
        self._know(seller)
        self.state.note("seller", seller.id, seller.record)
        return seller

    def keep_seller(self, seller: Seller) -> None:
        self.offer_versions[seller.id] = self.offer_versions.get(seller.id, 0) + 1
        self.state.note("seller", seller.id, seller.record)

    def keep_offer(self, seller: Seller, offer: Offer) -> None:
        seller.offers[offer.sku] = offer
        self.offer_versions[seller.id] = self.offer_versions.get(seller.id, 0) + 1
        self.state.note("offer", f"{seller.id}|{offer.sku}", lambda: asdict(offer))

    def keep_order(self, seller: Seller, order: Order) -> None:
        seller.orders[order.id] = order
        self.versions[seller.id] = self.versions.get(seller.id, 0) + 1
        thing = (seller.id, order.id)
        if order.plan:
            self.planned.add(thing)
        else:
            self.planned.discard(thing)
        self.state.note("order", f"{seller.id}|{order.id}", lambda: asdict(order))

    def keep_event(self, seller: Seller, event: Event) -> None:
        seller.events.append(event)
        self.state.note("event", f"{seller.id}|{event.id}", lambda: asdict(event))

    def shelf(self, kind: str) -> dict[str, Record]:
        return self.shelves.setdefault(kind, {})

    def keep(self, kind: str, key: str, record: Record) -> Record:
        self.shelf(kind)[key] = record
        self.state.note(kind, key, lambda: record)
        return record

    def orders_by(self, seller: Seller, name: str, key: Callable[[Order], Any]) -> list[Order]:
        """Returns the seller's orders sorted by `key`, which `name` stands for."""
        version = self.versions.get(seller.id, 0)
        known = self.sorted_lists.get((seller.id, name))
        if known and known[0] == version:
            return known[1]
        orders = sorted(seller.orders.values(), key=key)
        self.sorted_lists[seller.id, name] = version, orders
        return orders

    def of_offers(self, seller: Seller, name: str, make: Callable[[], T]) -> T:
        """Returns what `make` makes of the seller's offers, which `name` stands for: once for all pages of it."""
        version = self.offer_versions.get(seller.id, 0)
        known = self.made_of_offers.get((seller.id, name))
        if known is None or known[0] != version:
            known = self.made_of_offers[seller.id, name] = version, make()
        made: T = known[1]
        return made

    def uuid(self) -> str:
        return str(uuid.uuid4())

    def forget(self) -> None:
        """Drops what is too old, as the marketplaces do."""
        now = self.clock.now()
        before = now - MEMORY_DAYS * DAY
        for seller in self.sellers.values():
            by_age = sorted(seller.orders.values(), key=lambda order: order.changed_at)
            surplus = len(by_age) - MOST_ORDERS
            for index, order in enumerate(by_age):
                if index < surplus or order.changed_at < before:
                    del seller.orders[order.id]
                    self.planned.discard((seller.id, order.id))
                    self.state.note("order", f"{seller.id}|{order.id}", None)
            kept = []
            for event in seller.events:
                if event.at >= before and event.order in seller.orders:
                    kept.append(event)
                else:
                    self.state.note("event", f"{seller.id}|{event.id}", None)
            seller.events = kept
            self.versions[seller.id] = self.versions.get(seller.id, 0) + 1
        for kind, days in DAYS_KEPT.items():
            shelf = self.shelf(kind)
            for key in [key for key, record in shelf.items() if over_at(record, days) < now]:
                del shelf[key]
                self.state.note(kind, key, None)

    def _know(self, seller: Seller) -> None:
        self.sellers[seller.id] = seller
        self.by_key[seller.marketplace, seller.id.partition(":")[2]] = seller


def over_at(record: Record, days: float) -> float:
    """When a small thing is of no use any more."""
    expires_at: float = record["expires_at"] if "expires_at" in record else record["created_at"] + days * DAY
    return expires_at
