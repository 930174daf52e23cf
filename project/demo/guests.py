"""What guests order, when, and what becomes of it: a plan, made up from a seed, that touches nothing."""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from inventory.menu import MenuGroup, MenuOption, MenuProduct
from orders.models import Order, OrderEvent
from orders.pricing import OrderLine
from project.demo.places import GUESTS_BY_HOUR, OPENS_AT, Place, moment_of

Channel = Order.Channel
Verb = OrderEvent.Kind
Moment = datetime.datetime
T = TypeVar("T")

# Even a day that has hardly begun shows a shop at work: so many guests, in at most so long.
FEWEST_TODAY = 8
RUSH = datetime.timedelta(minutes=90)

POPULAR = {
    "Golden Bubble Milk Tea": 14,
    "Brown Sugar Fresh Milk": 12,
    "Milk Tea": 10,
    "Bubble Black Tea": 8,
    "Matcha Latte": 8,
    "Brown Sugar Milk Tea": 7,
    "Passion Fruit Green Tea": 7,
    "Jasmine Green Tea": 5,
    "Black Tea Macchiato": 5,
}
USUAL = 3

# Of a hundred guests who are asked. What is not named here is never chosen.
ANSWERS = {
    "Size": {"M": 66, "L": 34},
    "Sweetness": {"0 %": 4, "25 %": 16, "50 %": 27, "75 %": 13, "100 %": 40},
    "Ice": {"No ice": 8, "Less ice": 30, "Normal ice": 62},
    "Milk": {"Fresh milk": 82, "Oat milk": 18},
}
TOPPINGS_CHOSEN = {0: 66, 1: 27, 2: 7}
LINES = {1: 58, 2: 29, 3: 13}
CUPS_OF_A_LINE = {1: 80, 2: 17, 3: 3}
CHANNELS = {Channel.COUNTER: 76, Channel.WEB: 17, Channel.API: 7}

COMPLETED, CANCELLED, CANCELLED_IN_PART = "completed", "cancelled", "cancelled in part"
FATES = {COMPLETED: 90, CANCELLED: 5, CANCELLED_IN_PART: 5}

WISHES = ("Name on the cup: Ploy", "No straw, please", "Two separate bags", "Will pick it up at the window")
UNPAID_BECAUSE = "Payment failed"
CANCELLED_BECAUSE = ("The guest left", "Ordered twice by mistake", "Waited too long", UNPAID_BECAUSE)
TAKEN_BACK_BECAUSE = ("One too many", "Wrong sweetness, made anew", "Changed their mind")


@dataclass(frozen=True, slots=True)
class Step:
    """What happens to an order at a moment. `restock` matters to a cancellation only."""

    at: Moment
    verb: OrderEvent.Kind
    reason: str = ""
    restock: bool = True


@dataclass(frozen=True, slots=True)
class Visit:
    """An order to be placed, and its further life. `guest` and `worker` count the people of the place."""

    placed_at: Moment
    channel: Order.Channel
    lines: tuple[OrderLine, ...]
    guest: int | None
    worker: int | None
    comment: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """What guests may choose from: the menu, less what needs an ingredient that has run out (ids)."""

    menu: Sequence[MenuProduct]
    run_out: frozenset[int] = frozenset()

    @property
    def products(self) -> list[MenuProduct]:
        return [
            product for product in self.menu if self.run_out.isdisjoint(line.ingredient_id for line in product.recipe)
        ]

    def options(self, group: MenuGroup) -> list[MenuOption]:
        return [
            option
            for option in group.options.values()
            if self.run_out.isdisjoint(effect.ingredient_id for effect in option.effects if effect.quantity)
        ]


@dataclass(frozen=True, slots=True)
class People:
    """How many customers the shop knows, and how many people work at the place."""

    guests: int
    workers: int


def full_day(place: Place, day: datetime.date, *, offer: Offer, people: People, seed: str) -> list[Visit]:
    """The visits of a day that is over. The same seed gives the same day."""
    random = Random(f"{seed} {place.name} {day}")  # noqa: S311
    moments = sorted(arrival(day, random) for _ in range(number_of_orders(place, day, random)))
    return [visit(moment, offer=offer, people=people, random=random) for moment in moments]


def day_until(
    place: Place, day: datetime.date, now: Moment, *, starts_at: Moment, offer: Offer, people: People, seed: str
) -> list[Visit]:
    """The visits of a day that is going on and began at `starts_at`: some done, and one in each active status.

    Before the shop has been open for a while, guests come in the last hour and a half all the same: a newcomer
    who tries the shop at three in the morning shall see it at work.
    """
    random = Random(f"{seed} {place.name} {day}")  # noqa: S311
    begin = moment_of(day, OPENS_AT)
    moments = [arrival(day, random) for _ in range(number_of_orders(place, day, random))]
    moments = [moment for moment in moments if moment <= now]
    if now - begin < RUSH:
        begin = max(starts_at, now - RUSH)
    moments += [begin + (now - begin) * random.random() for _ in range(FEWEST_TODAY - len(moments))]
    # In a day that is seconds old, everybody is as quick.
    pace = min(1.0, (now - begin) / RUSH)
    visits = [visit(moment, offer=offer, people=people, random=random, pace=pace) for moment in sorted(moments)]
    return visits + list(waiting(now, offer=offer, people=people, random=random, pace=pace))


def waiting(now: Moment, *, offer: Offer, people: People, random: Random, pace: float) -> Iterator[Visit]:
    """Three guests who stand at the counter now: their orders are ready, being prepared, and just placed."""

    def ago(minutes: float) -> Moment:
        return now - datetime.timedelta(minutes=minutes) * pace

    for placed_at, steps in (
        (ago(9), (Step(ago(7), Verb.PREPARED), Step(ago(1.5), Verb.READIED))),
        (ago(4), (Step(ago(2.5), Verb.PREPARED),)),
        (ago(1), ()),
    ):
        yield Visit(
            placed_at=placed_at,
            channel=Channel.COUNTER,
            lines=lines(offer, random),
            guest=random.randrange(people.guests),
            worker=random.randrange(people.workers),
            comment="",
            steps=steps,
        )


def arrival(day: datetime.date, random: Random) -> Moment:
    """A moment at which a guest comes in: more of them at lunch and in the evening."""
    (hour,) = random.choices(range(len(GUESTS_BY_HOUR)), weights=GUESTS_BY_HOUR)
    return moment_of(day, OPENS_AT) + datetime.timedelta(hours=hour, seconds=random.randrange(3600))


def number_of_orders(place: Place, day: datetime.date, random: Random) -> int:
    usual = place.weekend_orders if day.weekday() >= 5 else place.weekday_orders
    return usual + random.randint(-3, 3)


def visit(placed_at: Moment, *, offer: Offer, people: People, random: Random, pace: float = 1.0) -> Visit:
    """A guest, their order, and how it ends. `pace` below 1 makes all of it quicker."""
    channel = pick(CHANNELS, random)
    chosen = lines(offer, random)
    is_known = channel != Channel.COUNTER or random.random() < 0.35
    return Visit(
        placed_at=placed_at,
        channel=channel,
        lines=chosen,
        guest=random.randrange(people.guests) if is_known else None,
        worker=random.randrange(people.workers) if channel == Channel.COUNTER else None,
        comment=random.choice(WISHES) if random.random() < 0.06 else "",
        steps=tuple(life(placed_at, chosen, random, pace)),
    )


def life(placed_at: Moment, chosen: Sequence[OrderLine], random: Random, pace: float) -> Iterator[Step]:
    """What happens to an order after it was placed, in the order of time."""

    def later(moment: Moment, least: float, most: float) -> Moment:
        return moment + datetime.timedelta(minutes=random.uniform(least, most)) * pace

    fate = pick(FATES, random)
    begun = later(placed_at, 0.5, 4)
    if fate == CANCELLED:
        is_begun = random.random() < 0.5
        if is_begun:
            yield Step(begun, Verb.PREPARED)
        # What was begun can't go back to the shelf.
        yield Step(later(begun, 0.2, 2), Verb.CANCELLED, random.choice(CANCELLED_BECAUSE), restock=not is_begun)
        return
    yield Step(begun, Verb.PREPARED)
    if fate == CANCELLED_IN_PART and sum(line.quantity for line in chosen) > 1:
        restock = random.random() < 0.5
        yield Step(later(begun, 0.2, 1), Verb.ITEM_CANCELLED, random.choice(TAKEN_BACK_BECAUSE), restock=restock)
    ready = later(begun, 1.5, 5)
    yield Step(ready, Verb.READIED)
    yield Step(later(ready, 0.5, 4), Verb.COMPLETED)


def lines(offer: Offer, random: Random) -> tuple[OrderLine, ...]:
    """One to three different drinks."""
    wanted: dict[int, OrderLine] = {}
    products = offer.products
    weights = [POPULAR.get(product.name, USUAL) for product in products]
    for product in random.choices(products, weights=weights, k=pick(LINES, random)):
        wanted.setdefault(
            product.id, OrderLine(product.id, pick(CUPS_OF_A_LINE, random), options(product, offer, random))
        )
    return tuple(wanted.values())


def options(product: MenuProduct, offer: Offer, random: Random) -> tuple[int, ...]:
    """An answer to everything that the drink asks."""
    chosen: list[int] = []
    for group in product.groups:
        if group.name in ANSWERS:
            names = {option.name: option.id for option in group.options.values()}
            chosen.append(names[pick(ANSWERS[group.name], random)])
        else:
            toppings = random.sample(offer.options(group), k=pick(TOPPINGS_CHOSEN, random))
            chosen += [option.id for option in toppings]
    return tuple(chosen)


def pick(shares: Mapping[T, int], random: Random) -> T:
    """One of the keys, each as often as its share says."""
    return random.choices(list(shares), weights=list(shares.values()))[0]
