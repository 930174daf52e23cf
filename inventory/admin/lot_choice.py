"""Choosing the lot that something leaves: of the line's ingredient, at the form's location; stock.js hides the rest."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget

from inventory.admin.ingredient_choice import IngredientChoice
from inventory.admin.lot_shown import lot_name
from inventory.admin.places import shows_places
from inventory.admin.shown import quantity_shown
from inventory.admin.stock_forms import Lines, StockLineForm, lines_of
from inventory.lot_selectors import lots_in_stock
from inventory.services.lines import StockLine

# Those that are used first; any other is written off on its own page.
MOST_LOTS = 300


@dataclass(frozen=True, slots=True)
class LotChoice:
    """A lot as it is offered: 21 Nov 2026, L42: 2,000 ml."""

    id: int
    ingredient_id: int
    location_id: int
    text: str


def lot_choices(request: HttpRequest) -> list[LotChoice]:
    """The lots with something in them at open locations, read once for each request."""
    known: list[LotChoice] | None = getattr(request, "_lot_choices", None)
    if known is None:
        several = shows_places(request)
        known = []
        for lot in lots_in_stock()[:MOST_LOTS]:
            text = f"{lot_name(lot, lot.location)}: {quantity_shown(lot.quantity, lot.ingredient)}"
            text = f"{lot.location.name}, {text}" if several else text
            known.append(LotChoice(lot.pk, lot.ingredient_id, lot.location_id, text))
        request._lot_choices = known  # type: ignore[attr-defined]
    return known


class LotSelect(UnfoldAdminSelectWidget):
    """A select whose options know their ingredient and their location."""

    def __init__(self, offered: Sequence[LotChoice] = ()) -> None:
        super().__init__({"data-lot": ""})
        self.offered = {str(one.id): one for one in offered}

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)
        offered = self.offered.get(str(value))
        if offered:
            option["attrs"]["data-of"] = f"{offered.location_id}:{offered.ingredient_id}"
        return option


class WriteOffLineForm(StockLineForm):
    """With the lot that it leaves; without one, what expires first does."""

    lot = forms.TypedChoiceField(
        label=gettext_lazy("Lot"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=(),
        error_messages={"invalid_choice": gettext_lazy("There is no such lot any more. Choose one from the list.")},
    )

    def __init__(
        self, *args: Any, offered: Sequence[IngredientChoice], lots: Sequence[LotChoice], **kwargs: Any
    ) -> None:
        super().__init__(*args, offered=offered, **kwargs)
        field: Any = self.fields["lot"]
        field.widget = LotSelect(lots)
        field.choices = [("", _("First to expire")), *((one.id, one.text) for one in lots)]
        self.order_fields(["ingredient", "lot", "quantity"])
        if not lots:
            del self.fields["lot"]

    def stock_line(self) -> StockLine:
        data = self.cleaned_data
        return StockLine(data["ingredient"], data["quantity"], lot_id=data.get("lot"))


class LinesWithLots(Lines):
    """The lines of a page on which lots may be chosen."""

    def __init__(self, *args: Any, lots: Sequence[LotChoice], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.form_kwargs = {**self.form_kwargs, "lots": lots}


WriteOffLines = lines_of(WriteOffLineForm, formset=LinesWithLots)
