"""Checking what an option does to a recipe before anything is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from inventory.models import Ingredient, OptionEffect
from inventory.services.lines import quantity_fault

Kind = OptionEffect.Kind
MOST_EFFECTS = 20
LARGEST_FACTOR = Decimal(1000)


@dataclass(frozen=True, slots=True)
class EffectEntry:
    """What an option does; which of the values are needed depends on the kind, see `OptionEffect`."""

    kind: str
    ingredient_id: int | None = None
    replacement_id: int | None = None
    factor: Decimal | None = None
    quantity: Decimal | None = None


def effect_faults(effects: Sequence[EffectEntry], *, known: set[int], path: str) -> dict[str, list[str]]:
    """The sentences at the effects that make no sense; `known` are the ingredients that exist."""
    if len(effects) > MOST_EFFECTS:
        return {path: [_("An option has at most %(most)d effects.") % {"most": MOST_EFFECTS}]}
    faults: dict[str, list[str]] = {}
    for place, effect in enumerate(effects):
        for name, ingredient_id in (("ingredient", effect.ingredient_id), ("replacement", effect.replacement_id)):
            if ingredient_id is not None and ingredient_id not in known:
                faults[f"{path}[{place}].{name}"] = [_("There is no ingredient %(id)s.") % {"id": ingredient_id}]
        if sentence := fault_of(effect):
            faults.setdefault(f"{path}[{place}]", []).append(sentence)
    return faults


def fault_of(effect: EffectEntry) -> str:
    """What is wrong with an effect, as a sentence; empty if nothing is."""
    given = {
        name for name in ("ingredient_id", "replacement_id", "factor", "quantity") if getattr(effect, name) is not None
    }
    match effect.kind:
        case Kind.REPLACE:
            if given != {"ingredient_id", "replacement_id"}:
                return _("“replace” needs an ingredient and a replacement, and nothing else.")
            if effect.ingredient_id == effect.replacement_id:
                return _("Nothing is replaced by itself.")
        case Kind.SCALE:
            if effect.factor is None or not given <= {"ingredient_id", "factor"}:
                return _("“scale” needs a factor, may name an ingredient, and nothing else.")
            if not 0 <= effect.factor <= LARGEST_FACTOR:
                return _("The factor must be from 0 to %(most)s.") % {"most": LARGEST_FACTOR}
        case Kind.ADD:
            if effect.quantity is None or given != {"ingredient_id", "quantity"}:
                return _("“add” needs an ingredient and a quantity, and nothing else.")
            return quantity_fault(effect.quantity)
    return ""


def ingredients_named(effects: Sequence[EffectEntry]) -> set[int]:
    """Which of the ingredients that the effects name exist. One query."""
    named = {pk for effect in effects for pk in (effect.ingredient_id, effect.replacement_id) if pk is not None}
    return set(Ingredient.objects.filter(pk__in=named).values_list("pk", flat=True)) if named else set()


def effect_rows(option_id: int, effects: Sequence[EffectEntry]) -> list[OptionEffect]:
    """The rows of an option's effects, not saved yet."""
    return [
        OptionEffect(
            option_id=option_id,
            kind=effect.kind,
            ingredient_id=effect.ingredient_id,
            replacement_id=effect.replacement_id,
            factor=effect.factor,
            quantity=effect.quantity,
        )
        for effect in effects
    ]
