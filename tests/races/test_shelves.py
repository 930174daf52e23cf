"""Two people arrange shelves at the same moment."""

from threading import Event

import pytest

from inventory.models import Shelf, StockLevel
from inventory.services import shelves
from inventory.services.shelves import add_shelf, change_shelf
from tests.races.threads import PATIENCE, at_once, kinds
from tests.shop import Shop

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_one_person_clears_away_stays_where_another_has_just_put_it(monkeypatch):
    shop = Shop.open()
    milk = shop.ingredient("Milk", "ml", stock=1000)
    fridge = add_shelf(location=shop.location, name="Fridge", ingredient_ids=[milk.pk])
    counter = add_shelf(location=shop.location, name="Counter")
    fridge_was_looked_at, milk_is_moved = Event(), Event()
    lock = shelves.lock_levels

    def clear(shelf: Shelf) -> Shelf:
        return change_shelf(shelf_id=shelf.pk, ingredient_ids=[])

    def move() -> Shelf:
        fridge_was_looked_at.wait(PATIENCE)
        moved = change_shelf(shelf_id=counter.pk, ingredient_ids=[milk.pk])
        milk_is_moved.set()
        return moved

    def late(**what):
        # Only who clears the fridge gets here first: the other waits for it.
        if not fridge_was_looked_at.is_set():
            fridge_was_looked_at.set()
            milk_is_moved.wait(PATIENCE)
        return lock(**what)

    monkeypatch.setattr(shelves, "lock_levels", late)

    outcomes = at_once([lambda: clear(fridge), move])

    assert kinds(outcomes) == {"Shelf": 2}
    assert StockLevel.objects.get(ingredient=milk).shelf == counter
