"""Choosing a supplier's pack: a list to search in, whose options know the price and the content."""

from collections.abc import Mapping, Sequence
from typing import Any

from unfold.widgets import UnfoldAdminSelectWidget

from foundation.decimals import plain
from foundation.money import money
from inventory.admin.shown import amount_shown
from inventory.models import SupplierPack


def pack_shown(pack: SupplierPack) -> str:
    """case of 12 × 1 l (12 l), ฿600."""
    text = f"{pack.name} ({amount_shown(pack.quantity, pack.ingredient)})"
    return text if pack.price is None else f"{text}, {money(pack.price)}"


def pack_choices(packs: Sequence[SupplierPack]) -> list[tuple[Any, str]]:
    """For a field's `choices`, with an empty one first."""
    return [("", ""), *((pack.pk, f"{pack.ingredient.name}: {pack_shown(pack)}") for pack in packs)]


class PackSelect(UnfoldAdminSelectWidget):
    """A select whose options know what their pack costs and holds; scripts make it searchable and reckon totals."""

    class Media:
        js = ("samovar/search_select.js",)

    def __init__(self, packs: Sequence[SupplierPack] = (), attrs: Mapping[str, Any] | None = None) -> None:
        super().__init__({"data-searchable": "", "data-pack": "", **(attrs or {})})
        self.prices = {str(pack.pk): pack.price for pack in packs}

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(name, value, *args, **kwargs)
        price = self.prices.get(str(value))
        if price is not None:
            option["attrs"]["data-price"] = plain(price)
        return option
