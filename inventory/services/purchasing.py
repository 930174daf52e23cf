"""Ordering from suppliers: a draft, its changes, sending it, calling it off. What comes is in `receiving`."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from foundation.errors import InvalidInput
from foundation.locks import lock_record
from inventory.errors import ChangedMeanwhile, InactiveSupplier
from inventory.locks import lock_purchase_order
from inventory.models import Location, PurchaseOrder, PurchaseOrderLine, Supplier, SupplierPack
from inventory.services.lines import MOST_LINES, check_open, quantity_fault
from inventory.services.prices import price_fault
from inventory.services.statuses import proceed, require_status
from inventory.units import times

Status = PurchaseOrder.Status
LONGEST_COMMENT = 500


@dataclass(frozen=True, slots=True)
class OrderedLine:
    """So many packs from the supplier's list; `price` is money for one pack, None the one of the list."""

    pack_id: int
    packs: Decimal
    price: Decimal | None = None


@transaction.atomic
def draft_purchase_order(
    *,
    supplier: Supplier,
    location: Location,
    lines: Sequence[OrderedLine],
    expected_on: datetime.date | None = None,
    comment: str = "",
    created_by_id: int | None,
    at: datetime.datetime | None = None,
) -> PurchaseOrder:
    """Writes down what shall be ordered. Nobody has been asked for anything yet.

    Raises InactiveSupplier, ClosedLocation, Missing, InvalidInput.
    """
    # Its packs can't be taken out of its list meanwhile.
    supplier = lock_record(Supplier, supplier.pk)
    check_active(supplier)
    check_open(location)
    moment = at or timezone.now()
    check_details(location, expected_on=expected_on, comment=comment, at=moment)
    rows = ordered_rows(supplier, lines)
    order = PurchaseOrder.objects.create(
        supplier=supplier,
        location=location,
        expected_on=expected_on,
        comment=comment,
        created_by_id=created_by_id,
        created_at=moment,
    )
    write_rows(order, rows)
    return order


@transaction.atomic
def edit_purchase_order(
    *,
    order_id: int,
    lines: Sequence[OrderedLine] | None = None,
    details: Mapping[str, object] | None = None,
    seen_line_ids: Sequence[int] | None = None,
) -> PurchaseOrder:
    """Makes a draft consist of `lines` (None: unchanged), and changes its `details`: location, expected_on, comment.

    `seen_line_ids` are the lines as the editor saw them; each edit of the lines makes new ones, so that what
    somebody else has changed since is not undone unseen. None: whatever happened.

    Raises UnknownPurchaseOrder, WrongStatus, ChangedMeanwhile, ClosedLocation, InvalidInput.
    """
    order = lock_purchase_order(order_id)
    require_status(order, [Status.DRAFT])
    if seen_line_ids is not None and set(seen_line_ids) != set(order.lines.values_list("pk", flat=True)):
        raise ChangedMeanwhile(order)
    changes = {name: value for name, value in (details or {}).items() if getattr(order, name) != value}
    for name, value in changes.items():
        setattr(order, name, value)
    if "location" in changes:
        check_open(order.location)
    check_details(
        order.location,
        expected_on=order.expected_on if "expected_on" in changes else None,
        comment=order.comment,
        at=timezone.now(),
    )
    order.save(update_fields=list(changes))
    if lines is not None:
        rows = ordered_rows(lock_record(Supplier, order.supplier_id), lines)
        order.lines.all().delete()
        write_rows(order, rows)
    return order


@transaction.atomic
def order_purchase_order(*, order_id: int, at: datetime.datetime | None = None) -> PurchaseOrder:
    """draft → ordered: the supplier has been asked.

    Raises UnknownPurchaseOrder, WrongStatus, InactiveSupplier, ClosedLocation, InvalidInput for one without lines.
    """
    order = lock_purchase_order(order_id)
    proceed(order, "order", at=at or timezone.now())
    check_active(order.supplier)
    check_open(order.location)
    if not order.lines.exists():
        raise InvalidInput.at("lines", _("Add at least one line."))
    order.save(update_fields=["status", "ordered_at"])
    return order


@transaction.atomic
def cancel_purchase_order(*, order_id: int) -> PurchaseOrder:
    """A draft, or an order of which nothing has come → cancelled. Raises UnknownPurchaseOrder, WrongStatus."""
    order = lock_purchase_order(order_id)
    proceed(order, "cancel")
    order.save(update_fields=["status", "closed_at"])
    return order


@transaction.atomic
def close_purchase_order(*, order_id: int) -> PurchaseOrder:
    """partly received → received, with no further delivery: nothing more will come.

    Raises UnknownPurchaseOrder, and WrongStatus for one of which nothing has come: that is cancelled.
    """
    order = lock_purchase_order(order_id)
    require_status(order, [Status.PARTLY_RECEIVED])
    proceed(order, "receive")
    order.save(update_fields=["status", "closed_at"])
    return order


def check_active(supplier: Supplier) -> None:
    """Raises InactiveSupplier for one who no longer delivers."""
    if not supplier.is_active:
        raise InactiveSupplier(supplier.name)


def check_details(
    location: Location, *, expected_on: datetime.date | None, comment: str, at: datetime.datetime
) -> None:
    """Raises InvalidInput for a delivery expected before the location's day at the moment `at`, or an endless
    comment."""
    if expected_on is not None and expected_on < location.today(at):
        raise InvalidInput.at("expected_on", _("A delivery can't be expected before today."))
    if len(comment) > LONGEST_COMMENT:
        raise InvalidInput.at("comment", _("A comment has at most %(most)d letters.") % {"most": LONGEST_COMMENT})


def ordered_rows(supplier: Supplier, lines: Sequence[OrderedLine]) -> list[PurchaseOrderLine]:
    """The lines as rows that are not saved yet, each with its pack as it is now. One query.

    Raises InvalidInput at each line that makes no sense.
    """
    if not lines:
        raise InvalidInput.at("lines", _("Add at least one line."))
    if len(lines) > MOST_LINES:
        raise InvalidInput.at("lines", _("A document takes up to %(most)d lines. Split it.") % {"most": MOST_LINES})
    packs = {
        pack.pk: pack
        for pack in SupplierPack.objects.filter(
            supplier=supplier, pk__in={line.pack_id for line in lines}
        ).select_related("ingredient")
    }
    rows: list[PurchaseOrderLine] = []
    errors: dict[str, list[str]] = {}
    seen: set[int] = set()
    for place, line in enumerate(lines):
        pack = packs.get(line.pack_id)
        faults = {} if pack else {"pack": _("%(name)s has no pack %(id)s.") % {"name": supplier, "id": line.pack_id}}
        if pack and line.pack_id in seen:
            faults["pack"] = _("This pack stands in the list already. Add the packs up.")
        seen.add(line.pack_id)
        if sentence := packs_fault(line.packs, pack):
            faults["packs"] = sentence
        if line.price is not None and (
            sentence := price_fault(line.price, pack_quantity=pack.quantity if pack else None)
        ):
            faults["price"] = sentence
        errors |= {f"lines[{place}].{field}": [sentence] for field, sentence in faults.items()}
        if pack:
            rows.append(row_of(pack, line, place))
    if errors:
        raise InvalidInput(_("Some lines are wrong."), errors=errors)
    return rows


def packs_fault(packs: Decimal, pack: SupplierPack | None) -> str:
    """What is wrong with a number of packs, as a sentence; empty if nothing is."""
    if sentence := quantity_fault(packs):
        return sentence
    if pack is not None:
        try:
            times(packs, pack.quantity, pack.ingredient.unit)
        except InvalidInput as refusal:
            return refusal.detail
    return ""


def row_of(pack: SupplierPack, line: OrderedLine, position: int) -> PurchaseOrderLine:
    return PurchaseOrderLine(
        pack=pack,
        ingredient=pack.ingredient,
        position=position,
        pack_name=pack.name,
        pack_quantity=pack.quantity,
        packs=line.packs,
        price=pack.price if line.price is None else line.price,
    )


def write_rows(order: PurchaseOrder, rows: Sequence[PurchaseOrderLine]) -> None:
    for row in rows:
        row.order = order
    PurchaseOrderLine.objects.bulk_create(rows)
