"""Questions about purchasing: what is on its way, and what should be ordered."""

import datetime
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from django.db.models import Count, DecimalField, ExpressionWrapper, F, Q, QuerySet, Sum, Value
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from inventory.lot_selectors import fresh_quantity
from inventory.models import (
    Ingredient,
    Location,
    PreparationRecipe,
    PurchaseOrder,
    PurchaseOrderLine,
    StockDocument,
    StockLevel,
    StockMovement,
    Supplier,
    SupplierPack,
)
from inventory.units import LARGEST_QUANTITY

Reason = StockMovement.Reason
Status = PurchaseOrder.Status

# The pace at which an ingredient is used is that of so many days, and what is ordered covers so many.
PACE_DAYS, COVERED_DAYS = 28, 7
ZERO = Decimal(0)
QUANTITY = DecimalField(max_digits=30, decimal_places=6)
MONEY = DecimalField(max_digits=30, decimal_places=5)

NO_PACK = gettext_lazy("No supplier sells it. Add a pack to a supplier first.")
MADE_HERE = gettext_lazy("It is made here. Prepare a batch.")


@dataclass(frozen=True, slots=True)
class Need:
    """An ingredient that is low even with what is on its way, in the base unit.

    `there` is what has not expired, `on_order` what drafts and orders still promise, `used` what went in the last four
    weeks, `quantity` what is missing to last a week above the minimum.
    """

    ingredient: Ingredient
    there: Decimal
    minimum: Decimal
    on_order: Decimal
    used: Decimal

    @property
    def quantity(self) -> Decimal:
        """Minimum and a week's use, less what is there and on order; if nothing was used, up to twice the minimum."""
        week = self.used * COVERED_DAYS / PACE_DAYS if self.used else self.minimum
        return self.minimum + week - self.there - self.on_order


@dataclass(frozen=True, slots=True)
class SuggestedLine:
    """So many packs cover a need."""

    need: Need
    pack: SupplierPack
    packs: Decimal

    @property
    def quantity(self) -> Decimal:
        """What that is in base units."""
        return self.packs * self.pack.quantity

    @property
    def total(self) -> Decimal | None:
        """What that costs by the supplier's list; None if no price is known."""
        return None if self.pack.price is None else self.packs * self.pack.price


@dataclass(frozen=True, slots=True)
class SuggestedOrder:
    """What should be ordered from one supplier."""

    supplier: Supplier
    lines: list[SuggestedLine]

    @property
    def total(self) -> Decimal:
        """The lines with a known price."""
        return sum((line.total or ZERO for line in self.lines), ZERO)


@dataclass(frozen=True, slots=True)
class Unsupplied:
    """A need that nobody sells, and what to do about it."""

    need: Need
    sentence: str | Promise


@dataclass(frozen=True, slots=True)
class Suggestions:
    """What a location should order, by supplier, and what it can't order anywhere."""

    orders: list[SuggestedOrder]
    unsupplied: list[Unsupplied]

    def lines(self) -> dict[int, SuggestedLine]:
        """The suggested lines by ingredient id."""
        return {line.need.ingredient.pk: line for order in self.orders for line in order.lines}


def suggest_purchase_orders(*, location: Location, at: datetime.datetime | None = None) -> Suggestions:
    """What the location is low on, in whole packs: the preferred one of each ingredient, else the cheapest.

    What stands on a draft counts as on order, so that nothing is suggested twice. A constant number of queries.
    """
    needs = needs_of(location, at=at or timezone.now())
    packs = pack_for_each([need.ingredient.pk for need in needs])
    made_here = set(
        PreparationRecipe.objects.filter(ingredient__in=[need.ingredient.pk for need in needs]).values_list(
            "ingredient_id", flat=True
        )
    )
    by_supplier: dict[int, SuggestedOrder] = {}
    unsupplied: list[Unsupplied] = []
    for need in needs:
        pack = packs.get(need.ingredient.pk)
        if pack is None:
            unsupplied.append(Unsupplied(need, MADE_HERE if need.ingredient.pk in made_here else NO_PACK))
            continue
        order = by_supplier.setdefault(pack.supplier_id, SuggestedOrder(pack.supplier, []))
        order.lines.append(SuggestedLine(need, pack, whole_packs(need.quantity, pack)))
    return Suggestions(sorted(by_supplier.values(), key=lambda order: order.supplier.name), unsupplied)


def whole_packs(quantity: Decimal, pack: SupplierPack) -> Decimal:
    """How many packs hold at least `quantity`, as far as one line of an order goes; at least one."""
    packs = (quantity / pack.quantity).to_integral_value(ROUND_CEILING)
    most = (LARGEST_QUANTITY / pack.quantity).to_integral_value("ROUND_FLOOR")
    return max(min(packs, most), Decimal(1))


def needs_of(location: Location, *, at: datetime.datetime) -> list[Need]:
    """What is below its minimum at the location, by name: with what is on its way counted, and without what has expired
    at the moment `at`."""
    levels = list(
        StockLevel.objects.filter(location=location, location__is_active=True, minimum__gt=0)
        .annotate(usable=fresh_quantity(at=at))
        .filter(usable__lt=F("minimum"))
        .select_related("ingredient")
        .order_by("ingredient__name")
    )
    wanted = [level.ingredient_id for level in levels]
    ordered = on_order(location=location, ingredient_ids=wanted)
    used = used_since(location=location, ingredient_ids=wanted, since=at - datetime.timedelta(days=PACE_DAYS))
    needs = [
        Need(
            level.ingredient,
            there=level.usable,
            minimum=level.minimum,
            on_order=ordered.get(level.ingredient_id, ZERO),
            used=used.get(level.ingredient_id, ZERO),
        )
        for level in levels
    ]
    return [need for need in needs if need.there + need.on_order < need.minimum]


def on_order(*, location: Location, ingredient_ids: Collection[int]) -> dict[int, Decimal]:
    """{ingredient id: base units} that drafts and orders of the location still promise."""
    outstanding = Greatest(
        ExpressionWrapper(F("packs") * F("pack_quantity") - F("received_quantity"), output_field=QUANTITY),
        Value(ZERO, output_field=QUANTITY),
    )
    return dict(
        PurchaseOrderLine.objects.filter(
            order__location=location,
            order__status__in=[Status.DRAFT, *PurchaseOrder.EXPECTED],
            ingredient__in=ingredient_ids,
        )
        .order_by()
        .values("ingredient_id")
        .annotate(promised=Sum(outstanding))
        .values_list("ingredient_id", "promised")
    )


def used_since(*, location: Location, ingredient_ids: Collection[int], since: datetime.datetime) -> dict[int, Decimal]:
    """{ingredient id: base units} that sales, less what came back from them, and preparations took since then."""
    rows = (
        StockMovement.objects.filter(location=location, ingredient__in=ingredient_ids, created_at__gte=since)
        .filter(
            Q(reason__in=[Reason.SALE, Reason.CANCELLATION, Reason.MARKETPLACE_SALE, Reason.MARKETPLACE_ROLLBACK])
            | Q(reason=Reason.PREPARATION, delta__lt=0)
        )
        .order_by()
        .values("ingredient_id")
        .annotate(change=Sum("delta"))
        .values_list("ingredient_id", "change")
    )
    return {ingredient_id: max(-change, ZERO) for ingredient_id, change in rows}


def pack_for_each(ingredient_ids: Collection[int]) -> dict[int, SupplierPack]:
    """{ingredient id: the pack to order it in}: the preferred one, else the cheapest by base unit, of suppliers who
    deliver. A pack without a price comes after all that have one."""
    packs = SupplierPack.objects.filter(ingredient__in=ingredient_ids, supplier__is_active=True)
    best: dict[int, SupplierPack] = {}
    for pack in sorted(packs.select_related("supplier", "ingredient"), key=rank):
        best.setdefault(pack.ingredient_id, pack)
    return best


def rank(pack: SupplierPack) -> tuple[bool, bool, Decimal, int]:
    price = pack.price
    return not pack.is_preferred, price is None, ZERO if price is None else price / pack.quantity, pack.pk


def with_totals(orders: QuerySet[PurchaseOrder]) -> QuerySet[PurchaseOrder]:
    """Adds `total` (packs × price of the lines with a price, None without any) and `lines_number`."""
    cost = ExpressionWrapper(F("lines__packs") * F("lines__price"), output_field=MONEY)
    return orders.annotate(total=Sum(cost), lines_number=Count("lines"))


def total_of(lines: Iterable[PurchaseOrderLine]) -> Decimal:
    """What the lines with a known price come to: packs × price."""
    return sum((line.packs * line.price for line in lines if line.price is not None), ZERO)


def paid_for(receipts: Iterable[StockDocument]) -> dict[int, Decimal]:
    """{receipt id: money} that the ledger says each receipt brought onto the shelves, in one query."""
    paid = {receipt.pk: ZERO for receipt in receipts}
    for document_id, money in (
        StockMovement.objects.filter(document_type=StockDocument.Kind.RECEIPT, document_id__in=[str(pk) for pk in paid])
        .order_by()
        .values("document_id")
        .annotate(money=Sum("value"))
        .values_list("document_id", "money")
    ):
        paid[int(document_id)] = money
    return paid
