"""What people do in the kitchen: cook in batches, and take back what was cooked by mistake."""

import datetime
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import invariant, multiple, rule

from inventory.models import Preparation
from inventory.services.preparations import cancel_preparation, prepare
from tests.machines import ledger_model
from tests.machines.stage import MILK, OAT_MILK, PEARLS, RAW_PEARLS, TEA, Stage, mostly, place_index, preparations

THOUSANDTH = Decimal("0.001")
# {what is made: (yield of a batch, what goes in)}, as `Stage.furnish` writes the recipes down.
RECIPES: dict[int, tuple[Decimal, dict[int, Decimal]]] = {
    PEARLS: (Decimal("33.333"), {RAW_PEARLS: Decimal(10), TEA: Decimal("1.5")}),
    OAT_MILK: (Decimal(20), {PEARLS: Decimal("3.333"), TEA: Decimal("0.667"), MILK: Decimal(7)}),
}


@dataclass
class Cooked:
    """A preparation as the machine knows it."""

    place: int
    ingredient: int
    quantity: Decimal
    taken: dict[int, Decimal]
    is_cancelled: bool = False


class Kitchen(Stage):
    """Pearls from raw ones and tea; oat milk, for once, from pearls, tea and milk."""

    def start_cooking(self) -> None:
        self.cooked: dict[int, Cooked] = {}

    @rule(
        target=preparations,
        place=place_index,
        ingredient=st.sampled_from(sorted(RECIPES)),
        batches=st.sampled_from(["1", "2", "0.333", "0.001", "0", "-1", "1000"]).map(Decimal),
        yields=st.sampled_from([None, None, "0.5", "1.25", "0", "-1"]),
        keeps=st.none() | st.sampled_from([-1, 2, 30]),
        sensible=mostly,
    )
    def cook(
        self, place: int, ingredient: int, batches: Decimal, yields: str | None, keeps: int | None, sensible: bool
    ) -> Any:
        """`yields` is what came out of what the recipe promises; `keeps` for how many hours."""
        one, location = self.ingredients[ingredient], self.places[place]
        if sensible:
            batches = batches if 0 < batches < 10 else Decimal(1)
            yields = None if yields in ("0", "-1") else yields
            keeps = abs(keeps or 2) if one.tracks_expiry else None
        promised, takes = RECIPES[ingredient]
        taken = {one: half_up(quantity * batches) for one, quantity in takes.items()}
        expected = half_up(promised * batches)
        quantity = expected if yields is None else half_up(expected * Decimal(yields))
        made = self.attempt(
            lambda: prepare(
                location=location,
                ingredient_id=one.pk,
                batches=batches,
                quantity=None if yields is None else quantity,
                expires_at=None if keeps is None else self.now + datetime.timedelta(hours=keeps),
                created_by_id=None,
            ),
            succeeds=location.is_active
            and 0 < batches <= 1000
            and all(taken.values())
            and min(expected, quantity) > 0
            and (keeps is None or (one.tracks_expiry and keeps > 0))
            and (not one.tracks_expiry or keeps is not None or one.shelf_life_hours is not None)
            and self.has_fresh(place, {self.ingredients[one].pk: amount for one, amount in taken.items()}),
        )
        if made is None:
            return multiple()
        self.cooked[made.pk] = Cooked(place, ingredient, quantity, taken)
        self.bring(place, taken, -1)
        self.bring(place, {ingredient: quantity}, 1)
        return made.pk

    @rule(made=preparations)
    def take_back_what_was_cooked(self, made: int) -> None:
        known = self.cooked[made]
        self.step.names_lots = True
        done = self.attempt(
            lambda: cancel_preparation(preparation_id=made, cancelled_by_id=None),
            succeeds=not known.is_cancelled and self.places[known.place].is_active and self.is_there(made, known),
        )
        if done:
            known.is_cancelled = True
            self.bring(known.place, {known.ingredient: known.quantity}, -1)
            self.bring(known.place, known.taken, 1)

    def is_there(self, made: int, known: Cooked) -> bool:
        """Whether all of the yield is still in its lot, or in the level of what has no lots."""
        line = next(
            line
            for line in self.books.lines
            if (line.document_type, line.document_id) == ("preparation", str(made)) and line.delta > 0
        )
        if self.tracks(known.ingredient) and line.lot_id is not None:
            return ledger_model.lots()[line.lot_id].quantity >= known.quantity
        return self.has(known.place, {known.ingredient: known.quantity})

    @invariant()
    def a_preparation_is_what_the_ledger_says(self) -> None:
        assert ledger_model.rows(ledger_model.WRONG_PREPARATIONS) == []
        assert {pk: at is not None for pk, at in Preparation.objects.values_list("pk", "cancelled_at")} == {
            pk: known.is_cancelled for pk, known in self.cooked.items()
        }


def half_up(quantity: Decimal) -> Decimal:
    return quantity.quantize(THOUSANDTH, rounding=ROUND_HALF_UP)
