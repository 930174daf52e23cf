"""Receiving what was ordered: with the quantities that came, at the prices that were paid."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from foundation.errors import InvalidInput
from inventory.errors import AlreadyReceived, ChangedMeanwhile
from inventory.locks import lock_packs, lock_purchase_order
from inventory.models import Ingredient, Location, PurchaseOrder, PurchaseOrderLine, StockDocument, SupplierPack
from inventory.services.lines import MOST_LINES, StockLine, check_open, quantity_fault
from inventory.services.prices import price_fault
from inventory.services.purchasing import LONGEST_COMMENT
from inventory.services.receipts import Incoming, expiries_of, post_receipt
from inventory.services.statuses import proceed, require_status
from inventory.units import times, to_base, value_of

LONGEST_NOTE, LONGEST_CODE = 60, 60
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedLine:
    """What came of a line of the order (`line_id`), or in a pack of the supplier that nobody ordered (`pack_id`).

    Either so many `packs`, or so much: `quantity` in `unit` ("kg"), in the base unit if that is empty. `price` is
    money for one pack; None is the price of the order, or of the list. `expires_on` is the last good day; what came
    with several dates stands in several lines.
    """

    line_id: int | None = None
    pack_id: int | None = None
    packs: Decimal | None = None
    quantity: Decimal | None = None
    unit: str = ""
    price: Decimal | None = None
    expires_on: datetime.date | None = None
    lot_code: str = ""

    @property
    def key(self) -> tuple[object, ...]:
        """Lines with the same key are one and the same thing written twice."""
        return self.line_id, self.pack_id, self.expires_on, self.lot_code


@dataclass(frozen=True, slots=True)
class _Pack:
    """The pack that a received line is about, as it was ordered or as the supplier lists it."""

    ingredient: Ingredient
    quantity: Decimal
    price: Decimal | None
    listed: SupplierPack | None
    line: PurchaseOrderLine | None = None


@transaction.atomic
def receive_purchase_order(
    *,
    order_id: int,
    lines: Sequence[ReceivedLine],
    delivery_note: str = "",
    comment: str = "",
    is_final: bool = False,
    expected_receipts: int | None = None,
    created_by_id: int | None,
    at: datetime.datetime | None = None,
) -> StockDocument:
    """Puts a delivery on the shelves of the order's location, as a receipt that names the order.

    The order is received when each line is covered, or with `is_final`: nothing more will come. The average cost
    follows what was paid, and a price that is given becomes the pack's price in the supplier's list. More or less
    than was ordered may come. `expected_receipts` is how many receipts the order had when the form was shown; None:
    however many.

    The same number of queries for one line and for a thousand.

    Raises UnknownPurchaseOrder, WrongStatus, AlreadyReceived (the delivery note is known), ChangedMeanwhile (somebody
    has received in between), ClosedLocation, InvalidInput.
    """
    order = lock_purchase_order(order_id)
    require_status(order, PurchaseOrder.EXPECTED)
    delivery_note = delivery_note.strip()
    check_first_time(order, delivery_note=delivery_note, expected_receipts=expected_receipts)
    check_open(order.location)
    check_texts(delivery_note, comment)
    moment = at or timezone.now()
    ordered = list(order.lines.select_related("ingredient", "pack"))
    packs = packs_of(order, lines, ordered)
    quantities = quantities_of(lines, packs)
    expiries = expiries_of_lines(lines, packs, quantities, location=order.location, at=moment)
    document = StockDocument.objects.create(
        kind=StockDocument.Kind.RECEIPT,
        location=order.location,
        purchase_order=order,
        delivery_note=delivery_note,
        comment=comment,
        created_by_id=created_by_id,
        created_at=moment,
    )
    post_receipt(
        document=document,
        incoming=[
            incoming(line, pack, quantity, expires_at, place)
            for place, (line, pack, quantity, expires_at) in enumerate(
                zip(lines, packs, quantities, expiries, strict=True), start=1
            )
        ],
        created_by_id=created_by_id,
        comment=comment,
    )
    # In this order: who takes a pack out of a list holds the packs while they let go of the lines that name it.
    write_prices(lines, packs)
    write_received(packs, quantities)
    is_whole = all(line.outstanding == 0 for line in ordered)
    proceed(order, "receive" if is_final or is_whole else "receive_part")
    order.save(update_fields=["status", "closed_at"])
    return document


def check_first_time(order: PurchaseOrder, *, delivery_note: str, expected_receipts: int | None) -> None:
    """Refuses a delivery note that was received already, and a form that does not know of the last receipt."""
    receipts = list(order.receipts.order_by("id"))
    known = next((one for one in receipts if one.delivery_note == delivery_note), None)
    if delivery_note and known:
        raise AlreadyReceived(note=delivery_note, document=known)
    if expected_receipts is not None and expected_receipts != len(receipts):
        raise ChangedMeanwhile(order)


def check_texts(delivery_note: str, comment: str) -> None:
    if len(delivery_note) > LONGEST_NOTE:
        raise InvalidInput.at(
            "delivery_note", _("A delivery note's number has at most %(most)d letters.") % {"most": LONGEST_NOTE}
        )
    if len(comment) > LONGEST_COMMENT:
        raise InvalidInput.at("comment", _("A comment has at most %(most)d letters.") % {"most": LONGEST_COMMENT})


def packs_of(order: PurchaseOrder, lines: Sequence[ReceivedLine], ordered: Sequence[PurchaseOrderLine]) -> list[_Pack]:
    """What each received line is about. One query, if something came that was not ordered.

    Raises InvalidInput for no lines or too many, and at each that names nothing of this order.
    """
    if not lines:
        raise InvalidInput.at("lines", _("Say what came: at least one line."))
    if len(lines) > MOST_LINES:
        raise InvalidInput.at("lines", _("A document takes up to %(most)d lines. Split it.") % {"most": MOST_LINES})
    by_line = {line.pk: _Pack(line.ingredient, line.pack_quantity, line.price, line.pack, line) for line in ordered}
    asked = {line.pack_id for line in lines if line.pack_id is not None}
    by_pack = {
        pack.pk: _Pack(pack.ingredient, pack.quantity, pack.price, pack)
        for pack in (
            SupplierPack.objects.filter(supplier_id=order.supplier_id, pk__in=asked).select_related("ingredient")
            if asked
            else ()
        )
    }
    packs: list[_Pack] = []
    errors: dict[str, list[str]] = {}
    seen: set[object] = set()
    for place, line in enumerate(lines):
        pack = by_line.get(line.line_id or 0) if line.pack_id is None else by_pack.get(line.pack_id)
        if (line.line_id is None) == (line.pack_id is None):
            errors[f"lines[{place}].line"] = [_("Name a line of the order, or a pack that was not ordered.")]
        elif pack is None and line.pack_id is None:
            errors[f"lines[{place}].line"] = [_("%(order)s has no line %(id)s.") % {"order": order, "id": line.line_id}]
        elif pack is None:
            errors[f"lines[{place}].pack"] = [
                _("%(name)s has no pack %(id)s.") % {"name": order.supplier, "id": line.pack_id}
            ]
        elif line.key in seen:
            errors[f"lines[{place}].line"] = [
                _("This line stands in the list already. Add the quantities up, or give another date.")
            ]
        else:
            packs.append(pack)
        seen.add(line.key)
    if errors:
        raise InvalidInput(_("Some lines are wrong."), errors=errors)
    return packs


def quantities_of(lines: Sequence[ReceivedLine], packs: Sequence[_Pack]) -> list[Decimal]:
    """How much came with each line, in base units, exactly. Raises InvalidInput at each wrong quantity and price."""
    quantities: list[Decimal] = []
    errors: dict[str, list[str]] = {}
    for place, (line, pack) in enumerate(zip(lines, packs, strict=True)):
        path = f"lines[{place}]"
        field = "quantity" if line.packs is None else "packs"
        if (line.quantity is None) == (line.packs is None):
            errors[f"{path}.packs"] = [_("Say either how many packs came, or how much.")]
            continue
        try:
            quantities.append(base_quantity(line, pack))
        except InvalidInput as refusal:
            errors[f"{path}.{field}"] = [refusal.detail]
        if line.price is not None and (fault := price_fault(line.price, pack_quantity=pack.quantity)):
            errors[f"{path}.price"] = [fault]
        if len(line.lot_code) > LONGEST_CODE:
            errors[f"{path}.lot_code"] = [_("A lot code has at most %(most)d letters.") % {"most": LONGEST_CODE}]
    if errors:
        raise InvalidInput(_("Some lines are wrong."), errors=errors)
    return quantities


def base_quantity(line: ReceivedLine, pack: _Pack) -> Decimal:
    """How much came with a line, in base units, exactly. Raises InvalidInput."""
    base_unit = pack.ingredient.unit
    if line.packs is not None:
        if sentence := quantity_fault(line.packs):
            raise InvalidInput(sentence)
        return times(line.packs, pack.quantity, base_unit)
    quantity = to_base(line.quantity or ZERO, line.unit or base_unit, base_unit)
    if sentence := quantity_fault(quantity):
        raise InvalidInput(sentence)
    return quantity


def expiries_of_lines(
    lines: Sequence[ReceivedLine],
    packs: Sequence[_Pack],
    quantities: Sequence[Decimal],
    *,
    location: Location,
    at: datetime.datetime,
) -> list[datetime.datetime | None]:
    """When each line expires; by the same rules as any other receipt. Raises InvalidInput."""
    return expiries_of(
        [
            StockLine(pack.ingredient.pk, quantity, expires_on=line.expires_on, lot_code=line.lot_code)
            for line, pack, quantity in zip(lines, packs, quantities, strict=True)
        ],
        ingredients={pack.ingredient.pk: pack.ingredient for pack in packs},
        location=location,
        at=at,
    )


def incoming(
    line: ReceivedLine, pack: _Pack, quantity: Decimal, expires_at: datetime.datetime | None, place: int
) -> Incoming:
    """A received line for the ledger: worth exactly packs × price, which no rounded unit cost could say."""
    price = pack.price if line.price is None else line.price
    return Incoming(
        pack.ingredient.pk,
        quantity,
        line_id=str(place),
        value=None if price is None else value_of(quantity, pack_quantity=pack.quantity, price=price),
        expires_at=expires_at,
        lot_code=line.lot_code,
    )


def write_received(packs: Sequence[_Pack], quantities: Sequence[Decimal]) -> None:
    """Adds what came to the lines of the order, in one UPDATE."""
    touched: dict[int, PurchaseOrderLine] = {}
    for pack, quantity in zip(packs, quantities, strict=True):
        if pack.line is not None:
            pack.line.received_quantity += quantity
            touched[pack.line.pk] = pack.line
    PurchaseOrderLine.objects.bulk_update(touched.values(), ["received_quantity"])


def write_prices(lines: Sequence[ReceivedLine], packs: Sequence[_Pack]) -> None:
    """Makes the prices that were paid those of the supplier's list, in one UPDATE.

    Only prices that somebody gave, and only where the pack still holds what it held when it was ordered.
    """
    changed: dict[int, SupplierPack] = {}
    for line, pack in zip(lines, packs, strict=True):
        listed = pack.listed
        if listed is None or line.price is None or listed.quantity != pack.quantity or listed.price == line.price:
            continue
        listed.price = line.price
        changed[listed.pk] = listed
    if changed:
        # Two receipts that write the same prices would otherwise meet half-way.
        lock_packs()
        SupplierPack.objects.bulk_update(changed.values(), ["price"])
