"""Suppliers, packs and purchase orders for tests: what each test needs of them, in a line.

dairy = Deliveries(shop, "Dairy")
case = dairy.pack(milk, "12000", "600.00")
order = dairy.ordered((case, 2))
dairy.receive(order, {milk: 2})
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from inventory.models import (
    Ingredient,
    PurchaseOrder,
    PurchaseOrderLine,
    StockDocument,
    StockLevel,
    StockLot,
    StockMovement,
    Supplier,
    SupplierPack,
)
from inventory.services.purchasing import OrderedLine, draft_purchase_order, order_purchase_order
from inventory.services.receiving import ReceivedLine, receive_purchase_order
from tests.shop import Shop


@dataclass
class Deliveries:
    """A supplier of a shop."""

    shop: Shop
    name: str = "Dairy"
    supplier: Supplier = field(init=False)

    def __post_init__(self) -> None:
        self.supplier = Supplier.objects.create(name=self.name)

    def pack(self, ingredient: Ingredient, quantity: Any, price: Any = None, **fields: Any) -> SupplierPack:
        """A pack of so many base units."""
        return SupplierPack.objects.create(
            supplier=self.supplier,
            ingredient=ingredient,
            name=fields.pop("name", "case"),
            quantity=Decimal(quantity),
            price=None if price is None else Decimal(price),
            **fields,
        )

    def draft(self, *lines: tuple[SupplierPack, Any], **more: Any) -> PurchaseOrder:
        """A draft of (pack, how many) lines."""
        return draft_purchase_order(
            supplier=self.supplier,
            location=self.shop.location,
            lines=[OrderedLine(pack.pk, Decimal(packs)) for pack, packs in lines],
            created_by_id=None,
            **more,
        )

    def ordered(self, *lines: tuple[SupplierPack, Any], **more: Any) -> PurchaseOrder:
        """The same, sent to the supplier."""
        return order_purchase_order(order_id=self.draft(*lines, **more).pk)

    def receive(
        self, order: PurchaseOrder, came: Mapping[Ingredient, Any], *, price: Any = None, **more: Any
    ) -> StockDocument:
        """So many packs of each ingredient came."""
        return receive_purchase_order(
            order_id=order.pk,
            lines=[
                ReceivedLine(
                    line_id=line_of(order, ingredient).pk,
                    packs=Decimal(packs),
                    price=None if price is None else Decimal(price),
                )
                for ingredient, packs in came.items()
            ],
            created_by_id=None,
            **more,
        )


def line_of(order: PurchaseOrder, ingredient: Ingredient) -> PurchaseOrderLine:
    return order.lines.get(ingredient=ingredient)


def status_of(order: PurchaseOrder) -> str:
    """As it stands in the database."""
    return str(PurchaseOrder.objects.values_list("status", flat=True).get(pk=order.pk))


def everything() -> tuple[list[Any], ...]:
    """All that purchasing may write, to assert that a refusal has changed nothing."""
    return tuple(
        list(model.objects.order_by("pk").values_list())
        for model in (
            Supplier,
            SupplierPack,
            PurchaseOrder,
            PurchaseOrderLine,
            StockDocument,
            StockLevel,
            StockLot,
            StockMovement,
        )
    )
