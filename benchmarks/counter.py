"""A location whose counter has two hundred orders to make: more than any bar stands in front of."""

from benchmarks.catalogue import Menu
from inventory.models import Location
from orders.models import OrderEvent
from orders.services.actor import Actor
from orders.services.place import place_order

WAITING = 200
LINES = 3


def open_counter(menu: Menu, *, waiting: int = WAITING) -> Location:
    """Places the orders there, each with three drinks and their options; nobody begins to make one."""
    location = Location.objects.create(name="Rush hour")
    actor = Actor(None, OrderEvent.Door.COUNTER)
    for lines in menu.orders(waiting, lines=LINES):
        place_order(location=location, lines=lines, actor=actor, sell_anyway=True)
    return location
