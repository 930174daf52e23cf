"""What a seller has on a marketplace: keys, warehouses, offers and orders.

One shape for the three; `allegro`, `ozon` and `wildberries` put it into their own words.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

ALLEGRO, OZON, WILDBERRIES = "allegro", "ozon", "wildberries"
FBS, REALFBS, FBO = "FBS", "realFBS", "FBO"


@dataclass(slots=True)
class Warehouse:
    """`scheme` FBS and realFBS are the seller's own; FBO is the marketplace's."""

    id: str
    name: str
    scheme: str = FBS
    is_blocked: bool = False


@dataclass(slots=True)
class Stock:
    """How much of an offer lies in a warehouse. What is on its way belongs to the marketplace's warehouses."""

    present: int = 0
    reserved: int = 0
    to_client: int = 0
    from_client: int = 0


@dataclass(slots=True)
class Offer:
    """`sku` is what orders and stock call it: Allegro the offer's number, Ozon offer_id, Wildberries chrtId;
    `article` is what the seller calls it, `product_id` and `number` are the marketplace's further numbers (Ozon's
    product_id and sku, Wildberries' nmId)."""

    sku: str
    name: str
    article: str
    price: str = "49.00"
    currency: str = "PLN"
    barcode: str = ""
    product_id: int = 0
    number: int = 0
    is_ended: bool = False
    # When an offer that has run out ends on Allegro.
    ends_at: float | None = None
    stock: dict[str, Stock] = field(default_factory=dict)

    @classmethod
    def of(cls, data: dict[str, Any]) -> "Offer":
        return cls(**{**data, "stock": {key: Stock(**value) for key, value in data["stock"].items()}})


@dataclass(slots=True)
class Line:
    id: str
    sku: str
    quantity: int
    price: str


@dataclass(slots=True)
class Order:
    """`status` and `fulfilment` are the marketplace's own words (Wildberries: supplierStatus and wbStatus);
    `plan` is what will happen to it by itself: [moment, what]."""

    id: str
    serial: int
    number: str
    lines: list[Line]
    status: str
    placed_at: float
    changed_at: float
    fulfilment: str = ""
    substatus: str = ""
    currency: str = "PLN"
    scheme: str = FBS
    warehouse: str = ""
    buyer: int = 0
    revision: int = 1
    changes: int = 0
    supply: str = ""
    reason_id: int = 0
    is_gone: bool = False
    plan: list[list[Any]] = field(default_factory=list)

    @classmethod
    def of(cls, data: dict[str, Any]) -> "Order":
        return cls(**{**data, "lines": [Line(**line) for line in data["lines"]]})


@dataclass(slots=True)
class Event:
    """Of Allegro's journal."""

    id: int
    type: str
    at: float
    order: str
    revision: int


@dataclass(slots=True)
class Seller:
    """`id` is unique over all marketplaces, as "ozon:12345": the marketplace and the key that names the seller."""

    id: str
    marketplace: str
    name: str
    keys: dict[str, str]
    has_arrivals: bool = False
    # Allegro: access tokens given out before are not taken any more.
    tokens_from: float = 0.0
    warehouses: dict[str, Warehouse] = field(default_factory=dict)
    offers: dict[str, Offer] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    def record(self) -> dict[str, Any]:
        """What is kept of the seller itself; offers, orders and events are kept singly."""
        return {
            "id": self.id,
            "marketplace": self.marketplace,
            "name": self.name,
            "keys": self.keys,
            "has_arrivals": self.has_arrivals,
            "tokens_from": self.tokens_from,
            "warehouses": {key: asdict(value) for key, value in self.warehouses.items()},
        }

    @classmethod
    def of(cls, data: dict[str, Any]) -> "Seller":
        warehouses = {key: Warehouse(**value) for key, value in data["warehouses"].items()}
        return cls(**{**data, "warehouses": warehouses})

    def own_warehouses(self) -> list[Warehouse]:
        return [warehouse for warehouse in self.warehouses.values() if warehouse.scheme != FBO]
