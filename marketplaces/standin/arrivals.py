"""Orders that come by themselves, and what becomes of them."""

import random

from marketplaces.standin import trade
from marketplaces.standin.sellers import ALLEGRO, OZON, WILDBERRIES, Offer, Order, Seller
from marketplaces.standin.world import World

# One order in so many is cancelled by the buyer later on.
CANCELLED_ONE_IN = 12
SECONDS_UNTIL_PAID = (2.0, 20.0)
SECONDS_UNTIL_CANCELLED = (60.0, 600.0)


class Arrivals:
    """Lets an order come now and then at a random seller who has arrivals, of what is in stock."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.random = random.Random()  # noqa: S311 - who buys what is no secret
        self.next_at = 0.0

    def tick(self) -> None:
        """Does what is due by now; called about once a second."""
        now = self.world.clock.now()
        for seller_id, order_id in list(self.world.planned):
            seller = self.world.sellers[seller_id]
            self.carry_on(seller, seller.orders[order_id], now)
        every = self.world.options.orders_every
        if not every:
            return
        if not self.next_at:
            self.next_at = now + self.random.uniform(0.1, 0.4) * every
        elif now >= self.next_at:
            self.next_at = now + self.random.uniform(0.5, 1.5) * every
            self.arrive(now)

    def arrive(self, now: float) -> Order | None:
        """One order; None where nobody has anything to sell."""
        choices = [
            (seller, goods)
            for seller in self.world.sellers.values()
            if seller.has_arrivals
            and (goods := [offer for offer in seller.offers.values() if is_for_sale(seller, offer)])
        ]
        if not choices:
            return None
        seller, goods = self.random.choice(choices)
        # A Wildberries order is one piece of one thing.
        most = 1 if seller.marketplace == WILDBERRIES else 2
        wanted = [
            (offer.sku, self.random.randint(1, min(most, free_pieces(seller, offer))))
            for offer in self.random.sample(goods, k=min(len(goods), self.random.randint(1, most)))
        ]
        order = trade.place(self.world, seller, wanted, status="BOUGHT" if seller.marketplace == ALLEGRO else "")
        if seller.marketplace == ALLEGRO:
            paid_at = now + self.random.uniform(*SECONDS_UNTIL_PAID)
            order.plan = [[now + 1, "advance"], [paid_at, "advance"]]
        if self.random.randrange(CANCELLED_ONE_IN) == 0:
            order.plan.append([now + self.random.uniform(*SECONDS_UNTIL_CANCELLED), "cancel"])
        self.world.keep_order(seller, order)
        return order

    def carry_on(self, seller: Seller, order: Order, now: float) -> None:
        while order.plan and order.plan[0][0] <= now:
            _at, what = order.plan.pop(0)
            try:
                if what == "advance":
                    trade.advance_order(self.world, seller, order)
                elif is_still_there(seller, order):
                    trade.cancel_by_buyer(self.world, seller, order)
            except trade.NotPossible:
                continue
        self.world.keep_order(seller, order)


def free_pieces(seller: Seller, offer: Offer) -> int:
    own = {warehouse.id for warehouse in seller.own_warehouses()[:1]}
    return sum(stock.present - stock.reserved for key, stock in offer.stock.items() if key in own)


def is_for_sale(seller: Seller, offer: Offer) -> bool:
    return not offer.is_ended and free_pieces(seller, offer) > 0


def is_still_there(seller: Seller, order: Order) -> bool:
    """Whether the buyer can still think better of it: the parcel is not on its way."""
    if order.is_gone:
        return False
    if seller.marketplace == ALLEGRO:
        return order.fulfilment in ("NEW", "PROCESSING")
    if seller.marketplace == OZON:
        return order.status in trade.OPEN_AT_OZON
    return order.status in ("new", "confirm")
