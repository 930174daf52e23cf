"""What one portion takes, once options have changed the recipe. Pure functions on the menu's values."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from foundation.decimals import round_quantity
from inventory.menu import MenuEffect, MenuOption, MenuProduct
from inventory.models import OptionEffect

Kind = OptionEffect.Kind


@dataclass(slots=True)
class _Line:
    ingredient_id: int
    written_as: int  # the ingredient that the recipe names, before any replacement
    quantity: Decimal
    scales: bool

    @property
    def names(self) -> tuple[int, int]:
        return self.ingredient_id, self.written_as


def portion(product: MenuProduct, options: Iterable[MenuOption] = ()) -> dict[int, Decimal]:
    """What one portion takes: {ingredient id: quantity in its base unit}, without zeros.

    Options apply in the order replace, scale, add, whatever the order in which they were chosen, and within
    it in the order of the menu. A factor for one ingredient also meets what replaced it ("sweetness 25 %"
    works for the sugar-free syrup too); what is added is never scaled. Rounded half up to three decimals at
    the end, once for each ingredient.
    """
    lines = [_Line(line.ingredient_id, line.ingredient_id, line.quantity, line.scales) for line in product.recipe]
    effects = [effect for option in options for effect in option.effects]
    for effect in of_kind(effects, Kind.REPLACE):
        for line in lines:
            if line.ingredient_id == effect.ingredient_id and effect.replacement_id is not None:
                line.ingredient_id = effect.replacement_id
    for effect in of_kind(effects, Kind.SCALE):
        for line in lines:
            if effect.factor is None:
                continue
            if line.scales if effect.ingredient_id is None else effect.ingredient_id in line.names:
                line.quantity *= effect.factor
    total: dict[int, Decimal] = {}
    for line in lines:
        total[line.ingredient_id] = total.get(line.ingredient_id, Decimal(0)) + line.quantity
    for effect in of_kind(effects, Kind.ADD):
        if effect.ingredient_id is not None and effect.quantity is not None:
            total[effect.ingredient_id] = total.get(effect.ingredient_id, Decimal(0)) + effect.quantity
    rounded = {ingredient_id: round_quantity(quantity) for ingredient_id, quantity in total.items()}
    return {ingredient_id: quantity for ingredient_id, quantity in rounded.items() if quantity}


def of_kind(effects: Iterable[MenuEffect], kind: Kind) -> list[MenuEffect]:
    return [effect for effect in effects if effect.kind == kind]
