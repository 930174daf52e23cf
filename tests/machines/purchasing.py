"""What people do about deliveries: draft an order, send it, receive it in parts, call it off."""

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import invariant, multiple, rule

from inventory.models import PurchaseOrder, PurchaseOrderLine, SupplierPack
from inventory.services.purchasing import (
    OrderedLine,
    cancel_purchase_order,
    close_purchase_order,
    draft_purchase_order,
    edit_purchase_order,
    order_purchase_order,
)
from inventory.services.receiving import ReceivedLine, receive_purchase_order
from tests.machines import ledger_model
from tests.machines.stage import Stage, mostly, place_index, purchase_orders
from tests.machines.store_room import StoreRoom, last_days

packs = st.sampled_from(["1", "2", "0.5", "3", "0.001"]).map(Decimal)
prices = st.none() | st.sampled_from(["0", "0.01", "49.99", "10"]).map(Decimal)
wanted_packs = st.lists(st.tuples(st.integers(0, 2), packs, prices), min_size=1, max_size=3)
# (which line, how many packs, price, last good day, whether it is a pack that nobody ordered)
came = st.lists(
    st.tuples(st.integers(0, 2), packs, prices, last_days, st.sampled_from([False, False, False, True])),
    min_size=1,
    max_size=3,
)
notes = st.sampled_from(["", "", "No. 1", "No. 2"])


@dataclass
class Ordered:
    """A purchase order as the machine knows it; `lines`: [(line id, pack, packs, price)]."""

    place: int
    status: str = "draft"
    lines: list[tuple[int, int, Decimal, Decimal | None]] = field(default_factory=list)
    received: dict[int, Decimal] = field(default_factory=dict)
    brought: dict[int, Decimal] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def is_expected(self) -> bool:
        return self.status in ("ordered", "partly_received")


class Purchasing(StoreRoom, Stage):
    """One supplier with three packs, one of which has no price."""

    def start_purchasing(self) -> None:
        self.purchases: dict[int, Ordered] = {}

    def content(self, pack: int) -> Decimal:
        return self.packs[pack].quantity

    def fits(self, pack: int, number: Decimal) -> bool:
        """Whether so many packs are a number of thousandths: a fraction of a gram is never lost."""
        quantity = number * self.content(pack)
        return quantity == quantity.quantize(Decimal("0.001"))

    def may_order(self, place: int, wanted: list) -> bool:
        return (
            self.places[place].is_active
            and len({pack for pack, _number, _price in wanted}) == len(wanted)
            and all(self.fits(pack, number) for pack, number, _price in wanted)
        )

    def ordered_lines(self, wanted: list) -> list[OrderedLine]:
        return [OrderedLine(self.packs[pack].pk, number, price) for pack, number, price in wanted]

    def remember_lines(self, order: PurchaseOrder, wanted: list) -> None:
        rows = PurchaseOrderLine.objects.filter(order=order).order_by("position")
        self.purchases[order.pk].lines = [
            (row.pk, pack, number, row.price) for row, (pack, number, _price) in zip(rows, wanted, strict=True)
        ]

    @rule(target=purchase_orders, place=place_index, wanted=wanted_packs, send=mostly)
    def draft(self, place: int, wanted: list, send: bool) -> Any:
        order = self.attempt(
            lambda: draft_purchase_order(
                supplier=self.supplier,
                location=self.places[place],
                lines=self.ordered_lines(wanted),
                created_by_id=None,
            ),
            succeeds=self.may_order(place, wanted),
        )
        if order is None:
            return multiple()
        self.purchases[order.pk] = Ordered(place)
        self.remember_lines(order, wanted)
        if send:
            self.send_it(order.pk)
        return order.pk

    @rule(order=purchase_orders, wanted=wanted_packs)
    def change_the_draft(self, order: int, wanted: list) -> None:
        known = self.purchases[order]
        # A closed location takes no new order, but what stands on a draft for it may be put right.
        fitting = len({pack for pack, *_more in wanted}) == len(wanted) and all(
            self.fits(pack, number) for pack, number, _price in wanted
        )
        edited = self.attempt(
            lambda: edit_purchase_order(order_id=order, lines=self.ordered_lines(wanted)),
            succeeds=known.status == "draft" and fitting,
        )
        if edited is not None:
            self.remember_lines(edited, wanted)

    @rule(order=purchase_orders)
    def send(self, order: int) -> None:
        self.send_it(order)

    def send_it(self, order: int) -> None:
        known = self.purchases[order]
        done = self.attempt(
            lambda: order_purchase_order(order_id=order),
            succeeds=known.status == "draft" and self.places[known.place].is_active,
        )
        if done:
            known.status = "ordered"

    @rule(order=purchase_orders)
    def call_off(self, order: int) -> None:
        known = self.purchases[order]
        done = self.attempt(
            lambda: cancel_purchase_order(order_id=order), succeeds=known.status in ("draft", "ordered")
        )
        if done:
            known.status = "cancelled"

    @rule(order=purchase_orders)
    def expect_nothing_more(self, order: int) -> None:
        known = self.purchases[order]
        done = self.attempt(lambda: close_purchase_order(order_id=order), succeeds=known.status == "partly_received")
        if done:
            known.status = "received"

    @rule(
        order=purchase_orders,
        arrived=came,
        note=notes,
        is_final=st.sampled_from([False, False, True]),
        form=st.sampled_from([None, 0, 0, 1]),
        sensible=mostly,
    )
    def take_delivery(
        self, order: int, arrived: list, note: str, is_final: bool, form: int | None, sensible: bool
    ) -> None:
        """A delivery, perhaps of less, of more, of something else, or one that was received already. `form` is by how
        many receipts the form that is sent in is out of date; None if it does not say."""
        known = self.purchases[order]
        listed = {pack.pk: pack.price for pack in SupplierPack.objects.all()}
        lines, parts = [], []
        for index, number, price, days, is_extra in arrived:
            line_id, pack, _packs, ordered_price = known.lines[index % len(known.lines)]
            if is_extra:
                pack = index
                line_id, ordered_price = None, listed[self.packs[pack].pk]
            ingredient = self.index_of(self.packs[pack].ingredient_id)
            day = self.last_day(ingredient, days, sensible)
            paid = ordered_price if price is None else price
            lines.append(
                ReceivedLine(
                    line_id=line_id,
                    pack_id=self.packs[pack].pk if is_extra else None,
                    packs=number,
                    price=price,
                    expires_on=day,
                )
            )
            parts.append((line_id, pack, ingredient, number, paid, day))
        keys = [line.key for line in lines]
        document = self.attempt(
            lambda: receive_purchase_order(
                order_id=order,
                lines=lines,
                delivery_note=note,
                is_final=is_final,
                expected_receipts=None if form is None else len(known.notes) - form,
                created_by_id=None,
            ),
            succeeds=known.is_expected
            and self.places[known.place].is_active
            and not (note and note in known.notes)
            and not form
            and len(set(keys)) == len(keys)
            and all(self.fits(pack, number) for _line, pack, _one, number, _paid, _day in parts)
            and all(self.takes_date(ingredient, day, "") for _line, _pack, ingredient, _number, _paid, day in parts),
        )
        if document is None:
            return
        known.notes.append(note)
        for place, (line_id, pack, ingredient, number, paid, _day) in enumerate(parts, start=1):
            quantity = number * self.content(pack)
            self.bring(known.place, {ingredient: quantity}, 1)
            self.is_worth("receipt", document.pk, place, None if paid is None else money(number, paid))
            known.brought[ingredient] = known.brought.get(ingredient, Decimal(0)) + quantity
            if line_id is not None:
                known.received[line_id] = known.received.get(line_id, Decimal(0)) + quantity
        is_whole = all(
            known.received.get(line_id, 0) >= number * self.content(pack) for line_id, pack, number, _p in known.lines
        )
        known.status = "received" if is_final or is_whole else "partly_received"

    @invariant()
    def an_order_has_received_what_its_receipts_brought(self) -> None:
        self.statuses_are(
            PurchaseOrder.objects.values_list("pk", "status"),
            [(pk, known.status) for pk, known in self.purchases.items()],
        )
        received = dict(PurchaseOrderLine.objects.values_list("pk", "received_quantity"))
        for known in self.purchases.values():
            for line_id, *_more in known.lines:
                assert received[line_id] == known.received.get(line_id, 0)
        assert ledger_model.received() == {
            (pk, self.ingredients[ingredient].pk): quantity
            for pk, known in self.purchases.items()
            for ingredient, quantity in known.brought.items()
        }


def money(number: Decimal, price: Decimal) -> Decimal:
    """What so many packs cost, to the ledger's six decimals."""
    exact = Fraction(number) * Fraction(price)
    return (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(Decimal("0.000001"), ROUND_HALF_UP)
