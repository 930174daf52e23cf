"""What options do to a recipe, in words."""

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from foundation.admin.numbers import number, with_unit
from inventory.models import Option, OptionEffect


@dataclass(frozen=True, slots=True)
class NamedEffect:
    """An effect with the names of its ingredients; `unit` is that of `ingredient`, as people read it."""

    kind: str
    ingredient: str | None
    unit: str
    replacement: str | None
    factor: Decimal | None
    quantity: Decimal | None

    def in_words(self) -> str:
        """Milk → Oat milk; ×1.4 of what scales; no Sugar syrup; adds 50 g Tapioca pearls."""
        match self.kind:
            case OptionEffect.Kind.REPLACE:
                return f"{self.ingredient} → {self.replacement}"
            case OptionEffect.Kind.SCALE if self.factor is not None:
                factor = number(self.factor)
                if self.ingredient is None:
                    return _("×%(factor)s of what scales") % {"factor": factor}
                if not self.factor:
                    return _("no %(ingredient)s") % {"ingredient": self.ingredient}
                return _("%(ingredient)s ×%(factor)s") % {"ingredient": self.ingredient, "factor": factor}
            case OptionEffect.Kind.ADD if self.ingredient is not None and self.quantity is not None:
                amount = with_unit(self.quantity, self.unit)
                return _("adds %(amount)s %(ingredient)s") % {"amount": amount, "ingredient": self.ingredient}
        return ""


def effect_in_words(effect: OptionEffect) -> str:
    """What one effect does; see `NamedEffect`."""
    ingredient, replacement = effect.ingredient, effect.replacement
    return NamedEffect(
        kind=effect.kind,
        ingredient=ingredient.name if ingredient else None,
        unit=ingredient.get_unit_display() if ingredient else "",
        replacement=replacement.name if replacement else None,
        factor=effect.factor,
        quantity=effect.quantity,
    ).in_words()


def effects_in_words(option: Option) -> str:
    """All effects of an option, whose `effects` are prefetched with their ingredients; "—" without any."""
    return "; ".join(filter(None, (effect_in_words(effect) for effect in option.effects.all()))) or "—"
