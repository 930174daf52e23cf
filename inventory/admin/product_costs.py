"""What a product's page says about its cost, and what its script reckons with while the recipe is edited."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from foundation.admin.model_admin import ShopTabularInline
from foundation.money import money, money_format
from inventory.admin.cost_figures import (
    FigureRow,
    change_shown,
    figure_row,
    names_of,
    signed_money,
    texts_for_script,
    unknown_sentence,
)
from inventory.admin.cost_places import cost_chips, cost_place, costs_here, sees_costs
from inventory.admin.ingredient_choice import PicksIngredients, ingredient_choices
from inventory.costs import Costs, OptionFigures, option_figures, recipe_figures, usual_figures, usual_options
from inventory.menu import MenuGroup, MenuProduct
from inventory.models import RecipeLine, StockLevel

# Stands in for a product that is not saved yet.
NEW_PRODUCT = MenuProduct(0, "", Decimal(0), True, (), ())


@dataclass(frozen=True, slots=True)
class CostedGroup:
    """An option group of the product, with what each option changes."""

    name: str
    free_choices: int
    rows: list[FigureRow]


class RecipeInline(PicksIngredients, ShopTabularInline):
    """What one portion takes. A quantity is in the ingredient's base unit, which stands beside it.

    Below it stands what that costs; `line_cost` and the figures follow what is typed (product_costs.js).
    """

    model = RecipeLine
    readonly_fields = ("line_cost",)
    verbose_name_plural = gettext_lazy("recipe: what one portion takes")
    template_after = "inventory/product_costs.html"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["ingredient", "quantity", "scales", *(["line_cost"] if sees_costs(request) else [])]

    def get_queryset(self, request: HttpRequest) -> QuerySet[RecipeLine]:
        lines: QuerySet[RecipeLine] = super().get_queryset(request)
        if not sees_costs(request):
            return lines
        levels = StockLevel.objects.filter(location=cost_place(request), ingredient_id=OuterRef("ingredient_id"))
        return lines.annotate(unit_cost=Subquery(levels.values("average_cost")))

    @display(description=gettext_lazy("cost"))
    def line_cost(self, line: Any) -> SafeString:
        unit_cost = getattr(line, "unit_cost", None)
        text = "" if line.pk is None else money(line.quantity * unit_cost) if unit_cost else _("not known")
        return format_html('<span data-line-cost class="sv-level">{}</span>', text)


def costing_of(request: HttpRequest, saved: MenuProduct) -> dict[str, Any]:
    """The tables of a product's page, as it is saved, and the numbers for its script. For who sees costs."""
    costs = costs_here(request)
    names = names_of(ingredient_choices(request))
    rows, groups = product_rows(saved, costs, names), costed_groups(saved, costs, names)
    return {
        "rows": rows,
        "unknown": unknown_sentence(rows),
        "groups": groups,
        "unknown_in_options": unknown_sentence(row for group in groups for row in group.rows),
        "places": cost_chips(request),
        "data": {
            **costing_data(saved, costs),
            "names": names,
            "money": money_format().as_json(),
            "texts": texts_for_script(),
        },
    }


def product_rows(product: MenuProduct, costs: Costs, names: dict[int, str]) -> list[FigureRow]:
    """One portion by the recipe, and as it is usually sold if some options are chosen by default."""
    rows = [figure_row("recipe", _("By the recipe"), recipe_figures(product, costs), names=names)]
    usual = usual_options(product)
    if usual:
        note = ", ".join(option.name for _group, option in usual)
        title = _("With the default options")
        rows.append(figure_row("usual", title, usual_figures(product, costs), note=note, names=names))
    return rows


def costed_groups(product: MenuProduct, costs: Costs, names: dict[int, str]) -> list[CostedGroup]:
    figures: dict[int, list[OptionFigures]] = {}
    for one in option_figures(product, costs):
        figures.setdefault(one.group.id, []).append(one)
    return [
        CostedGroup(group.name, group.free_choices, [option_row(one, names) for one in figures.get(group.id, [])])
        for group in product.groups
    ]


def option_row(one: OptionFigures, names: dict[int, str]) -> FigureRow:
    row = figure_row(f"option-{one.option.id}", one.option.name, one.figures, names=names)
    changes = {"price_change": signed_money(one.option.price_delta), "cost_change": change_shown(one.change)}
    return FigureRow(**{**asdict(row), **changes})


# --- for the script -----------------------------------------------------------------------------------------


def costing_data(product: MenuProduct, costs: Costs) -> dict[str, Any]:
    """A product and the costs as static/samovar/costing.js reads them: every number is a string."""
    return {
        "price": str(product.price),
        "recipe": [
            {"ingredient": line.ingredient_id, "quantity": str(line.quantity), "scales": line.scales}
            for line in product.recipe
        ],
        "groups": groups_as_json(product.groups, usual={option.id for _group, option in usual_options(product)}),
        "costs": {pk: str(cost) for pk, cost in costs.items()},
    }


def groups_as_json(groups: Sequence[MenuGroup], *, usual: set[int]) -> list[dict[str, Any]]:
    return [
        {
            "free_choices": group.free_choices,
            "options": [
                {
                    "id": option.id,
                    "price_delta": str(option.price_delta),
                    "is_usual": option.id in usual,
                    "effects": [
                        {
                            "kind": effect.kind,
                            "ingredient": effect.ingredient_id,
                            "replacement": effect.replacement_id,
                            "factor": None if effect.factor is None else str(effect.factor),
                            "quantity": None if effect.quantity is None else str(effect.quantity),
                        }
                        for effect in option.effects
                    ],
                }
                for option in group.options.values()
            ],
        }
        for group in groups
    ]
