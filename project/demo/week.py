"""The week before the first start: who came to each shop, what was delivered, and what went wrong."""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from inventory import house_recipes as house
from inventory.daily_report import place_of
from inventory.menu import load_menu
from inventory.models import Ingredient, Product, StockDocument
from monitoring.report.registry import Place as ReportPlace
from monitoring.report.timetable import due_at
from monitoring.services.reports import make_report
from orders.models import Customer
from project.demo.crew import Crew
from project.demo.guests import Offer, People, Visit, day_until, full_day
from project.demo.money import complaint, first_moment, shift_story
from project.demo.places import (
    AFTER_CLOSING,
    CHATUCHAK,
    DELIVERY_AT,
    PLACES,
    SIAM,
    TILL_CLOSES_AT,
    TILL_OPENS_AT,
    Place,
    moment_of,
)
from project.demo.stories import deliveries, loan, mishap, order_story, tasting
from project.demo.timeline import Moment, Story, play

# One more than a week: yesterday's report compares it with the same day a week before.
DAYS_BEFORE_TODAY = 8
Reason = StockDocument.WriteOffReason


@dataclass(frozen=True, slots=True)
class Mishap:
    """What spoiled the stock of an ingredient on the evening before today; the supplier has none this morning."""

    ingredient: str
    left: int
    reason: Reason
    comment: str


# So the newcomer finds ingredients in the list of low stock, a topping and two drinks that can't be had.
MISHAPS = {
    SIAM: (
        Mishap(house.HAZELNUT, 60, Reason.BREAKAGE, "The rack fell: two bottles broken"),
        Mishap(house.COCONUT_JELLY, 240, Reason.SPOILAGE, "Left outside the fridge"),
    ),
    CHATUCHAK: (Mishap(house.COFFEE_JELLY, 180, Reason.SPOILAGE, "Past its date"),),
}


def live_through_the_week(
    *, crews: Mapping[str, Crew], guests: Sequence[Customer], manager_id: int, now: Moment, seed: str
) -> None:
    """Lets everything happen that happened in the week before `now` and today, at all places."""
    menu = load_menu(list(Product.objects.order_by("id").values_list("pk", flat=True)))
    ingredients = {ingredient.name: ingredient for ingredient in Ingredient.objects.order_by("id")}
    stories: list[Story] = []
    for place in PLACES:
        crew = crews[place.name]
        today = crew.location.today(now)
        stories += store_room(place, today, crew=crew, ingredients=ingredients)
        people = People(guests=len(guests), workers=len(crew.workers))
        run_out = frozenset(ingredients[one.ingredient].pk for one in MISHAPS[place.name])
        visits = [
            visit
            for day in days_before(today)
            for visit in full_day(place, day, offer=Offer(list(menu.values())), people=people, seed=seed)
        ]
        visits_today = day_until(
            place,
            today,
            now,
            starts_at=crew.location.day_bounds(today)[0],
            offer=Offer(list(menu.values()), run_out),
            people=people,
            seed=seed,
        )
        stories += tills(place, today, visits_today, crew=crew, seed=seed)
        stories += [
            order_story(visit, crew=crew, guests=guests, random=Random(f"{seed} money {place.name} {number}"))  # noqa: S311
            for number, visit in enumerate([*visits, *visits_today])
        ]
        stories += reports(place_of(crew.location, place.report_at), [*days_before(today), today])
    stories += complaints(crews, manager_id, now)
    stories += extras(crews, ingredients, now)
    play(stories, until=now)


def store_room(
    place: Place, today: datetime.date, *, crew: Crew, ingredients: Mapping[str, Ingredient]
) -> Iterator[Story]:
    """The deliveries of the week, and what went wrong last night."""
    mornings = [moment_of(day, DELIVERY_AT) for day in (*days_before(today), today)]
    mishaps = MISHAPS[place.name]
    yield deliveries(
        mornings, crew=crew, ingredients=ingredients, missing={mornings[-1]: {one.ingredient for one in mishaps}}
    )
    for one in mishaps:
        yield mishap(
            moment_of(today - datetime.timedelta(days=1), AFTER_CLOSING),
            crew=crew,
            ingredient=ingredients[one.ingredient],
            left=one.left,
            reason=one.reason,
            comment=one.comment,
        )


def tills(
    place: Place, today: datetime.date, visits_today: Sequence[Visit], *, crew: Crew, seed: str
) -> Iterator[Story]:
    """The till's days: each is closed in the evening, but today's."""
    for day in days_before(today):
        random = Random(f"{seed} till {place.name} {day}")  # noqa: S311
        yield shift_story(moment_of(day, TILL_OPENS_AT), moment_of(day, TILL_CLOSES_AT), crew=crew, random=random)
    opens = first_moment(visits_today, moment_of(today, TILL_OPENS_AT))
    yield shift_story(opens, None, crew=crew, random=Random(f"{seed} till {place.name} {today}"))  # noqa: S311


def reports(place: ReportPlace, days: Sequence[datetime.date]) -> Iterator[Story]:
    """The reports of the days. Nobody is sent one: the demo knows no channels."""

    def report(day: datetime.date) -> Story:
        at = due_at(place, day)
        yield at
        make_report(place=place, day=day, at=at, is_sent=False)

    return (report(day) for day in days)


def complaints(crews: Mapping[str, Crew], manager_id: int, now: Moment) -> Iterator[Story]:
    """Two guests who come back."""
    siam, chatuchak = crews[SIAM], crews[CHATUCHAK]
    today = siam.location.today(now)
    yield complaint(
        moment_of(today - datetime.timedelta(days=2), datetime.time(18, 30)),
        crew=siam,
        manager_id=manager_id,
        reason="Waited twenty minutes",
        goodwill=20,
    )
    yield complaint(
        moment_of(today - datetime.timedelta(days=3), datetime.time(17)),
        crew=chatuchak,
        manager_id=manager_id,
        reason="The pearls were hard",
    )


def extras(crews: Mapping[str, Crew], ingredients: Mapping[str, Ingredient], now: Moment) -> Iterator[Story]:
    """A tasting, and a loan from one shop to the other."""
    siam, chatuchak = crews[SIAM], crews[CHATUCHAK]
    today = siam.location.today(now)
    yield tasting(
        moment_of(today - datetime.timedelta(days=4), datetime.time(15, 40)),
        crew=siam,
        quantities={ingredients[house.PUDDING]: 140, ingredients[house.GRASS_JELLY]: 120},
        comment="New staff try the toppings",
    )
    yield loan(
        moment_of(today - datetime.timedelta(days=2), datetime.time(9, 15)),
        source=siam,
        destination=chatuchak,
        quantities={ingredients[house.CUP_700]: 50, ingredients[house.OAT_MILK]: 1000},
        comment="For the market",
    )


def days_before(today: datetime.date) -> list[datetime.date]:
    return [today - datetime.timedelta(days=ago) for ago in range(DAYS_BEFORE_TODAY, 0, -1)]
