"""The shop that the machine plays with, its clock, and how a step is tried."""

import datetime
from collections.abc import Callable, Collection, Iterable
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine

from foundation.errors import Refusal
from inventory.models import Ingredient, Location, StockLevel, SupplierPack
from inventory.services.ingredients import change_ingredient
from inventory.services.lines import StockLine
from inventory.services.stock import receive_stock
from tests.inventory.deliveries import Deliveries
from tests.inventory.kitchen import makes
from tests.machines import ledger_model
from tests.machines.bookkeeper import Bookkeeper, Step
from tests.shop import Shop

# Names of ingredients, by their index in what hypothesis draws.
TEA, MILK, PEARLS, OAT_MILK, RAW_PEARLS = range(5)
FIRST_STOCK = Decimal("250.5")
NOON = datetime.datetime(2026, 3, 14, 12, tzinfo=datetime.UTC)

orders = Bundle("orders")
purchase_orders = Bundle("purchase_orders")
counts = Bundle("counts")
preparations = Bundle("preparations")

place_index = st.integers(0, 1)
ingredient_index = st.integers(0, 4)
thousandths = st.integers(1, 30_000).map(lambda number: Decimal(number) / 1000)
mostly = st.sampled_from([True, True, True, False])
some_stock = st.dictionaries(ingredient_index, thousandths, min_size=1, max_size=3)


class Stage(RuleBasedStateMachine):
    """Two locations, five ingredients, of which two are made from others and two have expiry dates."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.clock = pytest.MonkeyPatch()
        # Hypothesis turns the clock: between two of its steps no time passes.
        self.clock.setattr(timezone, "now", lambda: self.now)
        self.example = transaction.atomic()
        self.example.__enter__()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.example.__exit__(None, None, None)
        self.clock.undo()

    def furnish(self) -> None:
        """What every example begins with."""
        self.books, self.step = Bookkeeper(), Step()
        self.shop = Shop.open()
        self.places: list[Location] = [self.shop.location, Shop.open("Harbour").location]
        names = ("Tea", "Milk", "Pearls", "Oat milk", "Raw pearls")
        self.ingredients: list[Ingredient] = [self.shop.ingredient(name) for name in names]
        for index, hours in ((MILK, None), (PEARLS, 4)):
            self.ingredients[index] = change_ingredient(
                ingredient_id=self.ingredients[index].pk, changes={"tracks_expiry": True, "shelf_life_hours": hours}
            )
        tea, milk, pearls, oat_milk, raw = self.ingredients
        makes(self.shop, pearls, "33.333", {raw: "10", tea: "1.5"})
        makes(self.shop, oat_milk, "20", {pearls: "3.333", tea: "0.667", milk: "7"})
        dairy = Deliveries(self.shop)
        self.supplier = dairy.supplier
        self.packs: list[SupplierPack] = [
            dairy.pack(milk, "12", "49.99"),
            dairy.pack(tea, "33.333", "10", name="bag"),
            dairy.pack(raw, "7"),
        ]
        # What stock documents brought and took; the rest of a level is the orders' doing.
        self.brought: dict[tuple[int, int], Decimal] = {}
        # Ingredients whose lots somebody changed without moving stock: their ledger no longer tells them lot by lot.
        self.relabelled: set[int] = set()
        tomorrow = NOON.date() + datetime.timedelta(days=1)
        for place, cost in ((0, 2), (1, 5)):
            document = receive_stock(
                location=self.places[place],
                lines=[
                    StockLine(one.pk, FIRST_STOCK, Decimal(cost), expires_on=tomorrow if one.tracks_expiry else None)
                    for one in self.ingredients
                ],
                created_by_id=None,
            )
            for line, one in enumerate(self.ingredients, start=1):
                self.is_worth("receipt", document.pk, line, FIRST_STOCK * cost)
                self.bring(place, {self.ingredients.index(one): FIRST_STOCK}, 1)

    # --- trying -----------------------------------------------------------------------------------

    def attempt(self, call: Callable[[], Any], *, succeeds: bool) -> Any:
        """Does something that is expected to succeed or to be refused; a refusal changes nothing."""
        if succeeds:
            return call()
        before = ledger_model.fingerprint()
        with pytest.raises(Refusal):
            call()
        assert ledger_model.fingerprint() == before, "a refusal changed something"
        return None

    def bring(self, place: int, quantities: dict[int, Decimal], sign: int) -> None:
        for ingredient, quantity in quantities.items():
            key = (self.places[place].pk, self.ingredients[ingredient].pk)
            self.brought[key] = self.brought.get(key, Decimal(0)) + sign * quantity

    def is_worth(self, document_type: str, document_id: int, line: int | str, value: Decimal | None) -> None:
        """This step brings a line with this value; None for the average."""
        self.step.values[document_type, str(document_id), str(line)] = value

    # --- looking ----------------------------------------------------------------------------------

    def stock_lines(self, quantities: dict[int, Decimal]) -> list[StockLine]:
        return [StockLine(self.ingredients[one].pk, quantity) for one, quantity in quantities.items()]

    def tracks(self, ingredient: int) -> bool:
        return self.ingredients[ingredient].tracks_expiry

    def quantities(self, place: int) -> dict[int, Decimal]:
        """{ingredient id: quantity} of the location's levels."""
        return dict(StockLevel.objects.filter(location=self.places[place]).values_list("ingredient_id", "quantity"))

    def has(self, place: int, quantities: dict[int, Decimal]) -> bool:
        there = self.quantities(place)
        return all(there.get(self.ingredients[one].pk, 0) >= quantity for one, quantity in quantities.items())

    def has_fresh(self, place: int, needed: dict[int, Decimal]) -> bool:
        """Whether so much of each, by ingredient id, is there and has not expired."""
        there = self.quantities(place)
        for lot in ledger_model.lots().values():
            if lot.location == self.places[place].pk and lot.is_expired(self.now):
                there[lot.ingredient] -= lot.quantity
        return all(there.get(one, 0) >= quantity for one, quantity in needed.items())

    def lots(self, *, with_stock: bool = True) -> list[ledger_model.Lot]:
        return [lot for lot in ledger_model.lots().values() if lot.quantity or not with_stock]

    def place_of(self, location_id: int) -> int:
        return [place.pk for place in self.places].index(location_id)

    def index_of(self, ingredient_id: int) -> int:
        return [one.pk for one in self.ingredients].index(ingredient_id)

    def statuses_are(self, found: Iterable[tuple[int, str]], expected: Collection[tuple[int, str]]) -> None:
        assert sorted(found) == sorted(expected)
