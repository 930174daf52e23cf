"""Drafting purchase orders of what is low."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.translation import gettext as _

from foundation.errors import InvalidInput
from inventory.errors import ChangedMeanwhile
from inventory.locks import lock_location
from inventory.models import Location, PurchaseOrder, Supplier, SupplierPack
from inventory.purchasing_selectors import suggest_purchase_orders
from inventory.services.lines import check_open
from inventory.services.purchasing import OrderedLine, draft_purchase_order

LINE = re.compile(r"^lines\[(\d+)\]")


@dataclass(slots=True)
class _Draft:
    """What is to be ordered from one supplier, and where in the list its lines stood."""

    supplier: Supplier
    lines: list[OrderedLine] = field(default_factory=list)
    places: list[int] = field(default_factory=list)

    def place_of(self, path: str) -> str:
        """ "lines[0].packs" of the draft, as a path into the whole list."""
        return LINE.sub(lambda match: f"lines[{self.places[int(match[1])]}]", path)


@transaction.atomic
def draft_suggested(
    *, location: Location, lines: Sequence[OrderedLine] | None = None, created_by_id: int | None
) -> list[PurchaseOrder]:
    """Drafts what the location is low on, one order for each supplier; none if nothing is missing.

    `lines` are the suggestions as a person has changed them (other packs of the same ingredients, other numbers, some
    left out); None takes them as they are. What stands on a draft counts as on order: who asks twice, or at the same
    moment as somebody else, does not order twice.

    Raises ChangedMeanwhile if a line is of an ingredient that is not missing any more, ClosedLocation, InvalidInput.
    """
    check_open(location)
    lock_location(location.pk)
    suggestions = suggest_purchase_orders(location=location)
    if lines is None:
        lines = [OrderedLine(line.pack.pk, line.packs) for order in suggestions.orders for line in order.lines]
    elif not lines:
        raise InvalidInput.at("lines", _("Add at least one line."))
    packs = {
        pack.pk: pack
        for pack in SupplierPack.objects.filter(pk__in={line.pack_id for line in lines}).select_related("supplier")
    }
    suggested = suggestions.lines()
    by_supplier: dict[int, _Draft] = {}
    errors: dict[str, list[str]] = {}
    for place, line in enumerate(lines):
        pack = packs.get(line.pack_id)
        if pack is None:
            errors[f"lines[{place}].pack"] = [_("There is no pack %(id)s.") % {"id": line.pack_id}]
            continue
        if pack.ingredient_id not in suggested:
            raise ChangedMeanwhile(_("What is missing at %(name)s") % {"name": location.name})
        draft = by_supplier.setdefault(pack.supplier_id, _Draft(pack.supplier))
        draft.lines.append(line)
        draft.places.append(place)
    orders: list[PurchaseOrder] = []
    # By id, as two who draft at two locations take the suppliers' locks.
    for draft in sorted(by_supplier.values(), key=lambda one: one.supplier.pk):
        try:
            orders.append(
                draft_purchase_order(
                    supplier=draft.supplier, location=location, lines=draft.lines, created_by_id=created_by_id
                )
            )
        except InvalidInput as refusal:
            errors |= {draft.place_of(field): sentences for field, sentences in refusal.errors.items()}
    if errors:
        raise InvalidInput(_("Some lines are wrong."), errors=errors)
    return orders
