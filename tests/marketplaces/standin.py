"""The tests' marketplace: the stand-in in a thread, on a free port, in memory, told what to do by method calls.

    def test_…(standin):
        standin.allegro.offer(sku="1", pieces=5)
        order = standin.allegro.order(("1", 2))
        standin.misbehave("/allegro/order/events", status=500, times=2)

Limits are off unless `standin.limits(on=True)`; what is asynchronous is done at once unless `standin.settle(seconds)`;
time passes with `standin.advance(seconds)`. Whatever the stand-in and our clients say to each other is compared with
the published specifications when the test ends, see `contract`.
"""

import asyncio
import contextlib
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TypeVar

import requests

from marketplaces.standin import allegro_auth, seeding, tokens, trade
from marketplaces.standin.app import App
from marketplaces.standin.messages import Answer, Request
from marketplaces.standin.misbehaviour import Rule
from marketplaces.standin.program import Running
from marketplaces.standin.sellers import ALLEGRO, OZON, WILDBERRIES, Event, Offer, Order, Seller
from marketplaces.standin.world import Options, World
from tests import specs
from tests.marketplaces import contract

T = TypeVar("T")

KEYS = {
    ALLEGRO: {"client_id": "client-1", "client_secret": "secret-1"},
    OZON: {"client_id": "1001", "api_key": "key-1"},
    WILDBERRIES: {"token": "token-1"},
}


@dataclass(frozen=True)
class Exchange:
    """A request, what was answered, and whether a rule had a hand in it."""

    request: Request
    answer: Answer
    rule: Rule | None
    is_checked: bool = True

    @property
    def path(self) -> str:
        return self.request.path


class Standin:
    """`allegro`, `ozon` and `wildberries` are a seller each; `seller()` makes more."""

    def __init__(self, **options: Any) -> None:
        self.world = World(Options(**{"has_limits": False, **options}))
        self.exchanges: list[Exchange] = []
        self.is_checking = True
        self.compared = 0
        self.found: list[str] = []
        self.running = Running(self.world, App(self.world, self._observe))
        self.allegro, self.ozon, self.wildberries = (
            self._keeper(seeding.add_seller(self.world, marketplace, keys)) for marketplace, keys in KEYS.items()
        )

    def __enter__(self) -> "Standin":
        opened = threading.Event()
        self.thread = threading.Thread(
            target=lambda: asyncio.run(self.running.serve("127.0.0.1", 0, opened.set)), name="standin", daemon=True
        )
        self.thread.start()
        assert opened.wait(20), "the stand-in did not open"
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.running.stop()
        self.thread.join(20)

    def _observe(self, request: Request, answer: Answer, rule: Rule | None) -> None:
        self.exchanges.append(Exchange(request, answer, rule, self.is_checking))

    def _keeper(self, seller: Seller) -> "Keeper":
        return Keeper(self, seller)

    def ask(self, do: Callable[[], T]) -> T:
        """Does something in the stand-in's own thread."""
        return self.running.ask(do) if self.running.loop else do()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.running.port}"

    def seller(self, marketplace: str, **keys: str) -> "Keeper":
        """Makes another seller with these keys."""
        return self._keeper(self.ask(lambda: seeding.add_seller(self.world, marketplace, keys)))

    # --- misbehaviour -------------------------------------------------------------------------------------------------

    def misbehave(self, path: str, **rule: Any) -> Rule:
        """The next answers of paths that contain `path` go wrong: see misbehaviour.Rule for the ways."""
        made = Rule(path, **rule)
        self.ask(lambda: self.world.misbehaviour.add(made))
        return made

    def calm(self) -> None:
        self.ask(self.world.misbehaviour.clear)

    def advance(self, seconds: float) -> None:
        """That much time passes at the marketplaces: tokens age, intervals end."""
        self.ask(lambda: self.world.clock.advance(seconds))

    def limits(self, *, on: bool, stands: bool = True) -> None:
        """Off at first. With limits the marketplaces' time stands and moves by `advance` only, for they count by the
        second; unless it is to go on."""

        def switch() -> None:
            self.world.options.has_limits = on
            if on and stands:
                self.world.clock.stop()
            self.world.limits.reset()

        self.ask(switch)

    def settle(self, seconds: float) -> None:
        """From now on, what is asynchronous takes so long."""
        self.world.options.settle = seconds

    # --- what was said ------------------------------------------------------------------------------------------------

    def calls(self, path: str = "", method: str = "") -> list[Exchange]:
        """The exchanges whose path contains `path`, a regular expression, in their order."""
        return [
            exchange
            for exchange in self.exchanges
            if re.search(path, exchange.path) and (not method or exchange.request.method == method)
        ]

    def forget_calls(self) -> None:
        self.faults()
        self.exchanges.clear()
        self.compared = 0

    @contextlib.contextmanager
    def off_the_record(self) -> Iterator[None]:
        """What is said meanwhile is wrong on purpose, and not compared with the specifications."""
        self.is_checking = False
        try:
            yield
        finally:
            self.is_checking = True

    def faults(self) -> list[str]:
        """What in the exchanges so far was against the published specifications; none where they are missing."""
        if specs.no_specs() is None:
            while self.compared < len(self.exchanges):
                exchange = self.exchanges[self.compared]
                self.compared += 1
                if exchange.is_checked:
                    is_bent = exchange.rule is not None
                    self.found += contract.faults_of(exchange.request, exchange.answer, is_answer_bent=is_bent)
        return list(dict.fromkeys(self.found))


class Keeper:
    """What a test may do as, and to, one seller of the stand-in."""

    def __init__(self, standin: Standin, seller: Seller) -> None:
        self.standin, self.seller = standin, seller
        self.world = standin.world

    @property
    def keys(self) -> dict[str, str]:
        """What goes into SellerAccount.credentials."""
        return dict(self.seller.keys)

    # --- goods --------------------------------------------------------------------------------------------------------

    def offer(self, **fields: Any) -> Offer:
        """Makes an offer: sku, pieces (a number, or {warehouse: number}), article, barcode, price, name, …"""
        return self.standin.ask(lambda: seeding.add_offer(self.world, self.seller, **fields))

    def offers(self, count: int, *, warehouses: int = 1) -> None:
        self.standin.ask(lambda: seeding.add_many_offers(self.world, self.seller, count, warehouses=warehouses))

    def warehouse(self, id: str, **fields: Any) -> str:
        return self.standin.ask(lambda: seeding.add_warehouse(self.world, self.seller, id, **fields)).id

    @property
    def warehouse_id(self) -> str:
        """The seller's own warehouse."""
        return self.seller.own_warehouses()[0].id

    def shown(self, sku: str, warehouse: str | None = None) -> int:
        """How many pieces the marketplace offers to buyers, from the seller's own warehouse."""
        stock = self.seller.offers[sku].stock.get(self.warehouse_id if warehouse is None else warehouse)
        return stock.present - stock.reserved if stock else 0

    def is_ended(self, sku: str) -> bool:
        """Whether an Allegro offer has ended."""
        offer = self.seller.offers[sku]
        return offer.is_ended or (offer.ends_at is not None and offer.ends_at <= self.world.clock.now())

    # --- orders -------------------------------------------------------------------------------------------------------

    def order(self, *lines: tuple[str, int], **fields: Any) -> str:
        """Somebody orders (sku, pieces), …; ready for processing unless `status` says otherwise. Returns its id."""
        return self.standin.ask(lambda: trade.place(self.world, self.seller, lines, **fields)).id

    def orders(self, count: int, *lines: tuple[str, int], **fields: Any) -> list[str]:
        """So many orders at once."""
        return self.standin.ask(
            lambda: [trade.place(self.world, self.seller, lines, **fields).id for _ in range(count)]
        )

    def __getitem__(self, order_id: str) -> Order:
        """The order as the marketplace has it: status, fulfilment, substatus, supply, revision, …"""
        return self.seller.orders[order_id]

    def pay(self, order_id: str) -> None:
        """Allegro: the next step towards being ready."""
        self.standin.ask(lambda: trade.advance_order(self.world, self.seller, self[order_id]))

    def cancel(self, order_id: str) -> None:
        """The buyer cancels."""
        self.standin.ask(lambda: trade.cancel_by_buyer(self.world, self.seller, self[order_id]))

    def vanish(self, order_id: str) -> None:
        """404 from now on."""
        self.standin.ask(lambda: trade.vanish(self.world, self.seller, self[order_id]))

    def change(self, order_id: str, **fields: Any) -> None:
        """Sets fields of the order as the marketplace has it: a status nobody has seen, for example."""

        def set_fields() -> None:
            order = self[order_id]
            for name, value in fields.items():
                setattr(order, name, value)
            trade.touch(self.world, self.seller, order)

        self.standin.ask(set_fields)

    def pay_together(self, *order_ids: str) -> str:
        """Allegro: the orders become one with a new id and the same lines."""
        orders: Sequence[Order] = [self[order_id] for order_id in order_ids]
        return self.standin.ask(lambda: trade.pay_together(self.world, self.seller, orders)).id

    def event(self, order_id: str, word: str, *, at: float | None = None) -> Event:
        """Allegro: the journal says something more of this order: twice, or too late."""
        return self.standin.ask(lambda: trade.journal(self.world, self.seller, self[order_id], word, at=at))

    def fail_to_ship(self, order_id: str) -> None:
        """Ozon: the next ship answers 200, and fails."""
        self.standin.ask(lambda: self.world.keep("ship_fails", order_id, {}))

    # --- calls --------------------------------------------------------------------------------------------------------

    def call(self, method: str, path: str, **arguments: Any) -> requests.Response:
        """A call as this seller, as `requests.request` makes it; `path` is below the marketplace's prefix."""
        headers = self.headers() | arguments.pop("headers", {})
        url = path if path.startswith("http") else f"{self.standin.url}/{self.seller.marketplace}{path}"
        return requests.request(method, url, headers=headers, timeout=20, **arguments)

    # --- keys ---------------------------------------------------------------------------------------------------------

    def tokens(self) -> dict[str, str]:
        """Allegro: a pair as the device flow gives it; goes into SellerAccount.tokens."""
        pair = allegro_auth.pair(self.world, self.seller)
        return {"access_token": pair["access_token"], "refresh_token": pair["refresh_token"]}

    def expire_tokens(self) -> None:
        """Allegro: access tokens given out so far are not taken any more; refresh tokens are."""

        def expire() -> None:
            self.seller.tokens_from = self.world.clock.now()

        self.standin.ask(expire)

    def decide(self, user_code: str, decision: str = "allowed") -> bool:
        """Allegro: the seller presses a button ("allowed" or "refused") for this code."""
        return self.standin.ask(lambda: allegro_auth.decide_for(self.world, user_code, decision))

    def headers(self) -> dict[str, str]:
        """What a caller of this seller's interface sends."""
        if self.seller.marketplace == ALLEGRO:
            token = tokens.make("access", self.seller.id, now=self.world.clock.now(), seconds=tokens.ACCESS_SECONDS)
            media = "application/vnd.allegro.public.v1+json"
            agent = "Samovar/1.0 (+https://samovar.example)"
            return {"Authorization": f"Bearer {token}", "Accept": media, "Content-Type": media, "User-Agent": agent}
        if self.seller.marketplace == OZON:
            return {"Client-Id": self.seller.keys["client_id"], "Api-Key": self.seller.keys["api_key"]}
        return {"Authorization": self.seller.keys["token"]}
