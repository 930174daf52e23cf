"""Choosing a supplier's pack: a list to search in, whose options know what their pack costs."""

from collections.abc import Sequence
from typing import Any

from django.forms.utils import flatatt
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from unfold.widgets import UnfoldAdminSelectWidget

from foundation.decimals import plain
from foundation.money import money
from inventory.admin.shown import amount_shown
from inventory.models import SupplierPack

ARROW = (
    "material-symbols-outlined absolute pointer-events-none mr-[12px] right-0 text-base-400 top-0 top-1/2 "
    "dark:text-base-500 -translate-y-1/2"
)


def pack_shown(pack: SupplierPack) -> str:
    """case of 12 × 1 l (12 l), ฿600."""
    text = f"{pack.name} ({amount_shown(pack.quantity, pack.ingredient)})"
    return text if pack.price is None else f"{text}, {money(pack.price)}"


class PackOptions:
    """The packs that the lines of a form offer. Their options are written once, and not once for each line."""

    def __init__(self, packs: Sequence[SupplierPack], *, names_suppliers: bool = False) -> None:
        self.packs = list(packs)
        self.names_suppliers = names_suppliers

    @cached_property
    def choices(self) -> list[tuple[Any, str]]:
        """For a field's `choices`."""
        return [(pack.pk, self.label(pack)) for pack in self.packs]

    def label(self, pack: SupplierPack) -> str:
        return f"{pack.supplier.name if self.names_suppliers else pack.ingredient.name}: {pack_shown(pack)}"

    @cached_property
    def rows(self) -> list[tuple[str, SafeString, SafeString]]:
        """(value, option, the same option chosen)."""
        rows = []
        for pack, (value, label) in zip(self.packs, self.choices, strict=True):
            attributes = {"value": str(value)}
            if pack.price is not None:
                attributes["data-price"] = plain(pack.price)
            rows.append(
                (
                    str(value),
                    format_html("<option{}>{}</option>", flatatt(attributes), label),
                    format_html("<option{}>{}</option>", flatatt({**attributes, "selected": True}), label),
                )
            )
        return rows


class PackSelect(UnfoldAdminSelectWidget):
    """A select of packs; scripts make it searchable and reckon totals."""

    class Media:
        js = ("samovar/search_select.js",)

    def __init__(self, offered: PackOptions, attrs: dict[str, Any] | None = None, *, is_searched: bool = True) -> None:
        super().__init__({"data-pack": "", **({"data-searchable": ""} if is_searched else {}), **(attrs or {})})
        self.offered = offered
        self.has_empty = is_searched

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        chosen = str(value or "")
        options = "".join(marked if key == chosen else row for key, row, marked in self.offered.rows)
        empty = '<option value=""></option>' if self.has_empty else ""
        attributes = flatatt(self.build_attrs(self.attrs, {**(attrs or {}), "name": name}))
        # As the theme's own template of a select. Every option was written by format_html.
        return format_html(
            '<div class="grow relative max-w-2xl"><select{}>{}</select><span class="{}">expand_more</span></div>',
            attributes,
            mark_safe(empty + options),  # noqa: S308
            ARROW,
        )
