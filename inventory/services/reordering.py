"""Drafting purchase orders of what is low."""

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from foundation.errors import InvalidInput
from inventory.errors import ChangedMeanwhile
from inventory.locks import lock_location
from inventory.models import Location, PurchaseOrder, Supplier, SupplierPack
from inventory.purchasing_selectors import suggest_purchase_orders
from inventory.services.lines import check_open
from inventory.services.purchasing import OrderedLine, draft_purchase_order


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
    by_supplier: dict[int, tuple[Supplier, list[OrderedLine]]] = {}
    errors: dict[str, list[str]] = {}
    for place, line in enumerate(lines):
        pack = packs.get(line.pack_id)
        if pack is None:
            errors[f"lines[{place}].pack"] = [_("There is no pack %(id)s.") % {"id": line.pack_id}]
            continue
        if pack.ingredient_id not in suggested:
            raise ChangedMeanwhile(_("What is missing at %(name)s") % {"name": location.name})
        by_supplier.setdefault(pack.supplier_id, (pack.supplier, []))[1].append(line)
    if errors:
        raise InvalidInput(_("Some lines are wrong."), errors=errors)
    return [
        draft_purchase_order(supplier=supplier, location=location, lines=its, created_by_id=created_by_id)
        for supplier, its in sorted(by_supplier.values(), key=lambda entry: entry[0].pk)
    ]
