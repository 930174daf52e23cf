"""What options do to a recipe, in words."""

from django.utils.translation import gettext as _

from foundation.admin.numbers import number, with_unit
from inventory.models import Option, OptionEffect


def effect_in_words(effect: OptionEffect) -> str:
    """Milk → Oat milk; ×1.4 of what scales; no Sugar syrup; adds 50 g Tapioca pearls."""
    match effect.kind:
        case OptionEffect.Kind.REPLACE:
            return f"{effect.ingredient} → {effect.replacement}"
        case OptionEffect.Kind.SCALE if effect.factor is not None:
            factor = number(effect.factor)
            if effect.ingredient is None:
                return _("×%(factor)s of what scales") % {"factor": factor}
            if not effect.factor:
                return _("no %(ingredient)s") % {"ingredient": effect.ingredient}
            return _("%(ingredient)s ×%(factor)s") % {"ingredient": effect.ingredient, "factor": factor}
        case OptionEffect.Kind.ADD if effect.ingredient is not None and effect.quantity is not None:
            amount = with_unit(effect.quantity, effect.ingredient.get_unit_display())
            return _("adds %(amount)s %(ingredient)s") % {"amount": amount, "ingredient": effect.ingredient}
    return ""


def effects_in_words(option: Option) -> str:
    """All effects of an option, whose `effects` are prefetched with their ingredients; "—" without any."""
    return "; ".join(filter(None, (effect_in_words(effect) for effect in option.effects.all()))) or "—"
