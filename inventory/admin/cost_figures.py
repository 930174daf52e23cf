"""Costs and margins as pages write them. static/samovar/product_costs.js writes them alike while somebody edits."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from foundation.admin.numbers import number, unit_cost
from foundation.decimals import round_money
from foundation.money import money
from inventory.admin.shown import badge
from inventory.costs import Cost, Costs, Figures, cost_of
from inventory.models import Ingredient, Option, OptionEffect

NOTHING = "—"
GAP = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True, slots=True)
class FigureRow:
    """A line of a page's table of costs; `key` names it for the script, `unknown` the ingredients without a cost."""

    key: str
    title: str
    note: str
    price: str
    cost: str
    margin: str
    margin_percent: str
    food_cost: str
    is_loss: bool
    unknown: tuple[str, ...]
    price_change: str = ""
    cost_change: str = ""


def figure_row(key: str, title: str, figures: Figures, *, note: str = "", names: Mapping[int, str]) -> FigureRow:
    """Writes figures out. With an unknown cost in it, the cost is at least and the margin at most so much."""
    cost = figures.cost
    price, unknown = money(figures.price), unknown_names(cost, names)
    if not cost.amount:
        shown = NOTHING if cost.is_whole else _("not known")
        return FigureRow(key, title, note, price, shown, NOTHING, NOTHING, NOTHING, is_loss=False, unknown=unknown)
    margin = shown_margin(figures)
    return FigureRow(
        key,
        title,
        note,
        price,
        cost=at_least(money(cost.amount), cost),
        margin=at_most(money(margin), cost),
        margin_percent=at_most(percent(figures.margin_percent), cost),
        food_cost=at_least(percent(figures.food_cost_percent), cost),
        is_loss=margin < 0,
        unknown=unknown,
    )


def shown_margin(figures: Figures) -> Decimal:
    """The price less the cost as they are shown, so that the three agree."""
    return round_money(figures.price) - round_money(figures.cost.amount)


def at_least(text: str, cost: Cost) -> str:
    return text if cost.is_whole or text == NOTHING else _("at least {amount}").format(amount=text)


def at_most(text: str, cost: Cost) -> str:
    return text if cost.is_whole or text == NOTHING else _("at most {amount}").format(amount=text)


def percent(share: Decimal | None) -> str:
    """82.1 %."""
    if share is None:
        return NOTHING
    return f"{number(share)}{GAP}%".replace("-", "\N{MINUS SIGN}")


def signed_money(amount: Decimal) -> str:
    """+฿6, −฿0.20; a dash for what comes to nothing."""
    rounded = round_money(amount)
    if not rounded:
        return NOTHING
    return f"+{money(rounded)}" if rounded > 0 else money(rounded)


def change_shown(change: Cost) -> str:
    """What an option changes, if the cost of all that it changes is known."""
    return signed_money(change.amount) if change.is_whole else _("not known")


def unknown_names(cost: Cost, names: Mapping[int, str]) -> tuple[str, ...]:
    """The ingredients without a cost, by name."""
    return tuple(sorted(names.get(pk, str(pk)) for pk in cost.unknown))


def unknown_sentence(rows: Iterable[FigureRow]) -> str:
    """Which costs are missing in these lines; empty if none is."""
    missing = sorted({name for row in rows for name in row.unknown})
    return _("Cost not known: {names}.").format(names=", ".join(missing)) if missing else ""


def texts_for_script() -> dict[str, str]:
    return {
        "at_least": _("at least {amount}"),
        "at_most": _("at most {amount}"),
        "not_known": _("not known"),
        "unknown": _("Cost not known: {names}."),
    }


# --- the list of products -----------------------------------------------------------------------------------


def cost_cell(cost: Cost, names: Mapping[int, str]) -> SafeString:
    """What one portion costs; what is missing in it stands in the tooltip."""
    if cost.is_whole:
        return format_html('<span class="sv-level">{}</span>', money(cost.amount))
    title = _("Cost not known: {names}.").format(names=", ".join(unknown_names(cost, names)))
    return badge("plain", at_least(money(cost.amount), cost) if cost.amount else _("not known"), title)


def margin_cell(figures: Figures) -> SafeString:
    """What is left of the price, red if it is less than nothing."""
    margin = shown_margin(figures)
    return format_html(
        '<span class="sv-level{}">{}<small>{}</small></span>',
        " sv-level-low" if margin < 0 else "",
        money(margin),
        percent(figures.margin_percent) if figures.price else "",
    )


# --- an option by itself ------------------------------------------------------------------------------------


def option_cost_in_words(option: Option, costs: Costs) -> str:
    """What an option costs whatever the drink: +฿1.50; +฿0.03 / ml; ×1.4. Its `effects` are prefetched."""
    return "; ".join(filter(None, (effect_cost(effect, costs) for effect in option.effects.all()))) or NOTHING


def effect_cost(effect: OptionEffect, costs: Costs) -> str:
    """What is added costs so much; a replacement so much more for each base unit; a factor is a factor."""
    match effect.kind:
        case OptionEffect.Kind.SCALE if effect.factor is not None:
            return f"×{number(effect.factor)}"
        case OptionEffect.Kind.ADD if effect.ingredient_id is not None and effect.quantity is not None:
            return change_shown(cost_of({effect.ingredient_id: effect.quantity}, costs))
        case OptionEffect.Kind.REPLACE:
            return replacement_cost(effect.ingredient, effect.replacement, costs)
    return ""


def replacement_cost(ingredient: Ingredient | None, replacement: Ingredient | None, costs: Costs) -> str:
    """How much dearer a base unit is: +฿0.03 / ml."""
    if ingredient is None or replacement is None:
        return ""
    if ingredient.pk not in costs or replacement.pk not in costs:
        return _("not known")
    dearer = costs[replacement.pk] - costs[ingredient.pk]
    sign = "+" if dearer > 0 else "\N{MINUS SIGN}" if dearer < 0 else ""
    return f"{sign}{unit_cost(abs(dearer), ingredient.get_unit_display())}"


def names_of(choices: Iterable[Any]) -> dict[int, str]:
    """{ingredient id: name} of what a page offers to choose from."""
    return {one.id: one.name for one in choices}
