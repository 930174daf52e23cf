"""What people do in the store room: receive, write off, carry, throw away, put dates right; and time passes."""

import datetime
from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from inventory.models import StockDocument, StockLevel
from inventory.services.expiry import change_lot, write_off_expired, write_off_lot
from inventory.services.ingredients import change_ingredient
from inventory.services.lines import StockLine
from inventory.services.stock import receive_stock, set_minimum, transfer_stock, write_off_stock
from tests.machines import ledger_model
from tests.machines.ledger_model import Lot
from tests.machines.stage import Stage, ingredient_index, mostly, place_index, some_stock, thousandths

MOST_COST = 9
codes = st.sampled_from(["", "", "A"])
last_days = st.none() | st.integers(-1, 3)
# What one line cost: nobody knows, so much a unit, or so much in all.
costs = st.none() | st.integers(0, MOST_COST) | st.sampled_from(["0", "0.01", "33.33", "100.000001"])
delivery = st.lists(st.tuples(ingredient_index, thousandths, last_days, codes, costs), min_size=1, max_size=4)
lot_index = st.integers(0, 11)


class StoreRoom(Stage):
    """Stock documents, lots and the clock."""

    # --- receiving --------------------------------------------------------------------------------

    def last_day(self, ingredient: int, days: int | None, sensible: bool) -> datetime.date | None:
        """A date for what comes in; a sensible one is given where it is asked for, and nowhere else."""
        if sensible:
            days = max(days or 0, 0) if self.tracks(ingredient) else None
        return None if days is None else self.now.date() + datetime.timedelta(days=days)

    def takes_date(self, ingredient: int, last_day: datetime.date | None, code: str) -> bool:
        one = self.ingredients[ingredient]
        if not one.tracks_expiry:
            return last_day is None and not code
        return last_day >= self.now.date() if last_day else one.shelf_life_hours is not None

    @rule(place=place_index, wanted=delivery, sensible=mostly)
    def receive(self, place: int, wanted: list, sensible: bool) -> None:
        location, lines, keys = self.places[place], [], []
        for ingredient, quantity, days, drawn_code, cost in wanted:
            code = "" if sensible and not self.tracks(ingredient) else drawn_code
            day = self.last_day(ingredient, days, sensible)
            keys.append((ingredient, day, code))
            lines.append(
                StockLine(
                    self.ingredients[ingredient].pk,
                    quantity,
                    Decimal(cost) if isinstance(cost, int) else None,
                    expires_on=day,
                    lot_code=code,
                    value=Decimal(cost) if isinstance(cost, str) else None,
                )
            )
        document = self.attempt(
            lambda: receive_stock(location=location, lines=lines, created_by_id=None),
            succeeds=location.is_active and len(set(keys)) == len(keys) and all(self.takes_date(*key) for key in keys),
        )
        if document is None:
            return
        for number, (line, (ingredient, *_more)) in enumerate(zip(lines, wanted, strict=True), start=1):
            paid = line.value if line.unit_cost is None else line.quantity * line.unit_cost
            self.is_worth("receipt", document.pk, number, paid)
            self.bring(place, {ingredient: line.quantity}, 1)

    # --- taking away ------------------------------------------------------------------------------

    @rule(place=place_index, quantities=some_stock)
    def write_off(self, place: int, quantities: dict[int, Decimal]) -> None:
        location, lines = self.places[place], self.stock_lines(quantities)
        done = self.attempt(
            lambda: write_off_stock(location=location, lines=lines, reason="spoilage", created_by_id=None),
            succeeds=location.is_active and self.has(place, quantities),
        )
        if done:
            self.bring(place, quantities, -1)

    @rule(source=place_index, destination=place_index, quantities=some_stock)
    def transfer(self, source: int, destination: int, quantities: dict[int, Decimal]) -> None:
        both = [self.places[source], self.places[destination]]
        done = self.attempt(
            lambda: transfer_stock(
                source=both[0], destination=both[1], lines=self.stock_lines(quantities), created_by_id=None
            ),
            succeeds=source != destination and all(one.is_active for one in both) and self.has(source, quantities),
        )
        if done:
            self.bring(source, quantities, -1)
            self.bring(destination, quantities, 1)

    # --- lots -------------------------------------------------------------------------------------

    def pick_lot(self, index: int) -> Lot | None:
        lots = self.lots()
        return lots[index % len(lots)] if lots else None

    @rule(
        index=lot_index,
        share=st.sampled_from(["0.5", "1", "1", "1.001"]),
        verb=st.sampled_from(["throw away", "write off", "carry"]),
        at_home=mostly,
    )
    def take_from_a_lot(self, index: int, share: str, verb: str, at_home: bool) -> None:
        """A part of a lot, all of it, or more than there is, by its name."""
        lot = self.pick_lot(index)
        if lot is None:
            return
        quantity = max((lot.quantity * Decimal(share)).quantize(Decimal("0.001")), Decimal("0.001"))
        place = self.place_of(lot.location)
        # Elsewhere than where it stands, nothing can be taken from it.
        source = place if at_home or verb == "throw away" else 1 - place
        there, other = self.places[source], self.places[1 - source]
        line = StockLine(lot.ingredient, quantity, lot_id=lot.id)
        self.step.names_lots = True

        def take() -> StockDocument:
            if verb == "throw away":
                return write_off_lot(lot_id=lot.id, quantity=None if share == "1" else quantity, created_by_id=None)
            if verb == "write off":
                return write_off_stock(location=there, lines=[line], reason="breakage", created_by_id=None)
            return transfer_stock(source=there, destination=other, lines=[line], created_by_id=None)

        done = self.attempt(
            take,
            succeeds=there.is_active
            and (verb != "carry" or other.is_active)
            and source == place
            and quantity <= lot.quantity,
        )
        if done:
            taken = {self.index_of(lot.ingredient): quantity}
            self.bring(place, taken, -1)
            if verb == "carry":
                self.bring(1 - place, taken, 1)

    @rule(hours=st.sampled_from([0.01, 3, 4, 12, 12, 24, 50]), cleans_up=st.none() | place_index)
    def time_passes(self, hours: float, cleans_up: int | None) -> None:
        """And perhaps somebody throws away what has expired by then."""
        self.now += datetime.timedelta(hours=hours)
        if cleans_up is not None:
            self.throw_away_what_has_expired(cleans_up)

    def throw_away_what_has_expired(self, place: int) -> None:
        location = self.places[place]
        gone = [lot for lot in self.lots() if lot.location == location.pk and lot.is_expired(self.now)]
        self.step.names_lots = True
        done = self.attempt(
            lambda: write_off_expired(location=location, created_by_id=None),
            succeeds=location.is_active and bool(gone),
        )
        if done:
            for lot in gone:
                self.bring(place, {self.index_of(lot.ingredient): lot.quantity}, -1)

    @rule(index=lot_index, hours=st.none() | st.sampled_from([-30, -1, 1, 12, 48]), code=codes)
    def put_a_date_right(self, index: int, hours: int | None, code: str) -> None:
        lot = self.pick_lot(index)
        if lot is None:
            return
        expires_at = None if hours is None else self.now + datetime.timedelta(hours=hours)
        change_lot(lot_id=lot.id, changes={"expires_at": expires_at, "code": code})
        self.relabelled.add(lot.ingredient)

    @rule(ingredient=ingredient_index, switch=st.booleans())
    def ask_for_dates(self, ingredient: int, switch: bool) -> None:
        one = self.ingredients[ingredient]
        self.relabelled |= {one.pk} if one.tracks_expiry != switch else set()
        self.ingredients[ingredient] = change_ingredient(ingredient_id=one.pk, changes={"tracks_expiry": switch})

    @rule(place=place_index, ingredient=ingredient_index, minimum=st.sampled_from(["0", "0.001", "10", "50"]))
    def change_a_minimum(self, place: int, ingredient: int, minimum: str) -> None:
        level = StockLevel.objects.filter(location=self.places[place], ingredient=self.ingredients[ingredient]).first()
        if level is not None:
            set_minimum(level_id=level.pk, minimum=Decimal(minimum))

    # --- what must hold after every step ----------------------------------------------------------

    @invariant()
    def the_books_agree_with_the_ledger_and_the_levels_with_both(self) -> None:
        """The books are read first: what the other invariants look at is in them."""
        self.books.read(self.step, at=self.now)
        self.step = type(self.step)()
        levels = ledger_model.levels()
        self.books.agree(levels)
        for row in levels:
            assert row.quantity == row.told >= 0
            assert row.value == row.told_value >= 0
            assert row.quantity or not row.value, "nothing is left, but it is worth something"
            assert row.quantity == self.brought.get(row.level, 0) + row.by_orders
        assert {level for level, quantity in self.brought.items() if quantity} <= {row.level for row in levels}

    @invariant()
    def lots_add_up_to_their_level_and_to_their_ledger(self) -> None:
        assert ledger_model.rows(ledger_model.WRONG_LOTS) == []
        for lot in ledger_model.lots().values():
            assert lot.quantity >= 0
            assert lot.quantity == lot.told or lot.ingredient in self.relabelled

    @invariant()
    def what_is_carried_or_cooked_is_worth_what_it_was(self) -> None:
        assert ledger_model.rows(ledger_model.CREATED_FROM_NOTHING) == []

    @invariant()
    def what_is_low_is_told_and_what_is_not_is_not(self) -> None:
        assert ledger_model.subjects_of_open_alerts() == ledger_model.subjects_of_low_levels()
