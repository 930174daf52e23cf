"""How the demo's stories are told: in the order of time, and without what can't happen."""

import datetime
from random import Random

import pytest

from inventory.models import StockMovement
from orders.models import Order
from orders.pricing import OrderLine
from project.demo.crew import Crew
from project.demo.guests import Channel, Visit
from project.demo.stories import order_story
from project.demo.timeline import Moment, Story, play
from tests.shop import Shop, user_of

NOON = datetime.datetime(2026, 11, 21, 12, tzinfo=datetime.UTC)


def minutes(number: float) -> datetime.timedelta:
    return datetime.timedelta(minutes=number)


def test_stories_take_turns_and_stop_at_the_end():
    told = []

    def story(name: str, *moments: float) -> Story:
        for moment in moments:
            yield NOON + minutes(moment)
            told.append((name, moment))

    play([story("a", 1, 4, 9), story("b", 2, 3, 4, 5), story("c")], until=NOON + minutes(4))
    assert told == [("a", 1), ("b", 2), ("b", 3), ("a", 4), ("b", 4)]


@pytest.mark.django_db
def test_a_guest_who_cannot_be_served_leaves_and_nothing_is_left_of_the_order():
    shop = Shop.open()
    milk = shop.ingredient("Milk", "ml", stock=300)
    latte = shop.product("Latte", recipe={milk: 200})
    crew = Crew(location=shop.location, workers=[], user_id=user_of("barista").pk)

    def visit(moment: Moment) -> Visit:
        return Visit(moment, Channel.COUNTER, (OrderLine(latte.pk, 1),), None, None, "", ())

    stories = [
        order_story(visit(NOON + minutes(number)), crew=crew, guests=[], random=Random(number)) for number in range(3)
    ]
    play(stories, until=NOON + minutes(10))
    assert list(Order.objects.values_list("placed_at", flat=True)) == [NOON]
    assert shop.quantity(milk) == 100
    assert StockMovement.objects.filter(reason="sale").count() == 1
