"""Lines of the ledger as pages show them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.html import format_html
from django.utils.safestring import SafeString

from foundation.admin.moments import moment_at
from foundation.admin.numbers import change, with_unit
from inventory.admin.lot_shown import lot_name
from inventory.admin.shown import badge
from inventory.documents import NamedDocument, name_documents
from inventory.models import Ingredient, StockLevel, StockMovement

Reason = StockMovement.Reason
COLOURS = {
    Reason.SALE: "info",
    Reason.MARKETPLACE_SALE: "info",
    Reason.RECEIPT: "good",
    Reason.WRITE_OFF: "bad",
    Reason.CANCELLATION: "warn",
    Reason.MARKETPLACE_ROLLBACK: "warn",
}


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """A movement, written out. `left` is what the location held after it; empty where that is not known. `lot` is what
    it came into or left, empty for what has no lots."""

    movement: StockMovement
    when: str
    reason: SafeString
    change: SafeString
    left: str
    document: SafeString
    lot: str = ""


def reason_badge(movement: StockMovement) -> SafeString:
    return badge(COLOURS.get(Reason(movement.reason), "plain"), movement.get_reason_display())


def change_shown(movement: StockMovement) -> SafeString:
    """The change with its sign and unit, green or red."""
    text = change(movement.delta, movement.ingredient.get_unit_display())
    return format_html('<span class="sv-change sv-change-{}">{}</span>', "in" if movement.delta > 0 else "out", text)


def document_link(document: NamedDocument | None) -> SafeString:
    if document is None:
        return format_html("—")
    if not document.url:
        return format_html("{}", document.name)
    return format_html('<a class="sv-link" href="{}">{}</a>', document.url, document.name)


def ledger_rows(movements: Sequence[StockMovement], *, left: dict[int, Decimal] | None = None) -> list[LedgerRow]:
    """Writes out movements whose ingredient, location, lot and person are read already; `left` by movement id."""
    documents = name_documents(movements)
    return [
        LedgerRow(
            movement=one,
            when=moment_at(one.created_at, one.location.time_zone),
            reason=reason_badge(one),
            change=change_shown(one),
            left=with_unit(left[one.pk], one.ingredient.get_unit_display()) if left and one.pk in left else "",
            document=document_link(documents.get((one.document_type, one.document_id))),
            lot=lot_name(one.lot, one.location),
        )
        for one in movements
    ]


def last_movements(ingredient: Ingredient, levels: Iterable[StockLevel], *, most: int) -> list[LedgerRow]:
    """The newest lines of the ingredient's ledger at all locations, each with what was left after it."""
    movements = list(
        StockMovement.objects.filter(ingredient=ingredient)
        .select_related("ingredient", "location", "created_by", "lot")
        .order_by("-id")[:most]
    )
    now = {level.location_id: level.quantity for level in levels}
    left: dict[int, Decimal] = {}
    for movement in movements:
        left[movement.pk] = now.get(movement.location_id, Decimal(0))
        now[movement.location_id] = left[movement.pk] - movement.delta
    return ledger_rows(movements, left=left)
