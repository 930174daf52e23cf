"""processing → stock_deducted: the stock is looked at and taken, with nothing in between."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from inventory.errors import InsufficientStock
from inventory.menu import load_menu
from inventory.models import StockMovement
from inventory.services.ledger import Movement, post_movements
from marketplaces.models import MarketplaceOrder, OperationLog, StockOperation, StockOperationLine
from marketplaces.portions import usual_portion
from marketplaces.services.corrections import DOCUMENT_TYPE
from marketplaces.services.pushes import want_pushes
from marketplaces.services.steps.faults import one_by_one
from marketplaces.services.steps.load import listings_of, renew_lines
from marketplaces.services.steps.work import SHORT, Work, pick

Action, Status = OperationLog.Action, StockOperation.Status


@dataclass(slots=True)
class Sale:
    """What one operation takes: the lines of the ledger, and the names of what has no recipe."""

    operation: StockOperation
    lines: list[StockOperationLine]
    movements: list[Movement] = field(default_factory=list)
    untracked: list[str] = field(default_factory=list)


def deduct_stock(operation_ids: Collection[UUID], *, clock: Callable[[], datetime]) -> None:
    """Takes from the stock what the orders of the processing ones of these operations have sold.

    All together where it suffices; where it does not, what can be taken is, the oldest operation first.
    """
    one_by_one(
        list(operation_ids),
        lambda some: deduct_some(some, at=clock()),
        action=Action.STOCK_DEDUCTION_FAILED,
        clock=clock,
    )


@transaction.atomic
def deduct_some(operation_ids: Sequence[UUID], *, at: datetime) -> None:
    """One transaction: what is deducted stands in the ledger together with the status that says so."""
    work = pick(operation_ids, statuses=[Status.PROCESSING], at=at)
    if not work:
        return
    held_up = waiting_for_another(list(work))
    to_deduct = []
    for operation in work:
        if operation.stock_deducted_at is not None:
            work.log(operation).action(Action.STOCK_DEDUCTION_COMPLETED, inherited=str(operation.deduction_id))
            work.move(operation, "deduct")
        elif operation.order_id in held_up:
            work.wait(
                operation,
                _("Paid together with another order, which has not given its stock back yet."),
                until=at + SHORT,
            )
        else:
            to_deduct.append(operation)
    deduct_all(work, to_deduct)
    work.save()


def waiting_for_another(operations: Sequence[StockOperation]) -> set[UUID]:
    """The orders that took the place of an older one whose operation still holds stock, or may yet take some."""
    # First whether there are older ones at all, which is rare: in one statement with their operations, PostgreSQL goes
    # through all operations where it does not know yet that there are many.
    taken_over = dict(
        MarketplaceOrder.objects.filter(merged_into__in=[operation.order_id for operation in operations])
        .order_by()
        .values_list("pk", "merged_into_id")
    )
    if not taken_over:
        return set()
    holding = StockOperation.objects.filter(
        Q(status__in=[*StockOperation.UNFINISHED, Status.COMPLETED])
        | Q(status=Status.FAILED, stock_deducted_at__isnull=False, successor=None),
        kind=StockOperation.Kind.SALE,
        order__in=taken_over,
    )
    return {pk for old in holding.order_by().values_list("order_id", flat=True) if (pk := taken_over[old]) is not None}


def deduct_all(work: Work, operations: Sequence[StockOperation]) -> None:
    """Deducts these operations; those for which it does not suffice are tried later."""
    begun = time.perf_counter()
    for operation in operations:
        work.log(operation).action(Action.STOCK_VALIDATION_STARTED)
    renew_lines(work, operations)
    sales = sales_of(work, operations)
    if not sales:
        return
    # The locks in their order: listings, then the levels of the stock.
    for location_id in sorted({sale.operation.account.location_id for sale in sales}):
        here = [sale for sale in sales if sale.operation.account.location_id == location_id]
        want_pushes(product_ids=products_of(here), location_id=location_id, at=work.at)
    refused = take(sales, at=work.at)
    took = time.perf_counter() - begun
    done = [sale for sale in sales if sale.operation.pk not in refused]
    write_portions([line for sale in done for line in sale.lines])
    for sale in sales:
        operation, log = sale.operation, work.log(sale.operation)
        if refusal := refused.get(operation.pk):
            log.validation_failure(refusal.detail, **refusal.extra)
            work.lack(operation, refusal.detail)
            continue
        log.action(Action.STOCK_VALIDATION_PASSED)
        log.action(Action.STOCK_DEDUCTION_STARTED)
        operation.stock_deducted_at, operation.deduction_id = work.at, operation.pk
        found: dict[str, Any] = {"movements": len(sale.movements)}
        if sale.untracked:
            found["untracked"] = sale.untracked
        log.action(Action.STOCK_DEDUCTION_COMPLETED, took=took, **found)
        work.move(operation, "deduct")


def sales_of(work: Work, operations: Sequence[StockOperation]) -> list[Sale]:
    """What each of these operations takes. A SKU that nobody has matched with a product is looked up once more; whose
    is still unknown, is tried later."""
    lines: dict[UUID, list[StockOperationLine]] = {}
    rows = StockOperationLine.objects.filter(operation_id__in=[operation.pk for operation in operations])
    for line in rows.order_by("pk") if operations else ():
        lines.setdefault(line.operation_id, []).append(line)
    listings = listings_of(
        {operation.account_id for operation in operations}, {line.sku for some in lines.values() for line in some}
    )
    menu = load_menu({listing.product_id for listing in listings.values()})
    needs = {pk: usual_portion(product) for pk, product in menu.items()}
    sales = []
    for operation in operations:
        sale = Sale(operation, lines.get(operation.pk, []))
        unmatched = []
        for line in sale.lines:
            listing = listings.get((operation.account_id, line.sku))
            if listing is None:
                unmatched.append(line.sku)
                continue
            line.listing, line.product_id = listing, listing.product_id
            portions = line.portions = line.quantity * listing.quantity
            need = needs[listing.product_id]
            if not need:
                sale.untracked.append(menu[listing.product_id].name)
            sale.movements += movements_of(operation, line, {pk: each * portions for pk, each in need.items()})
        if unmatched:
            reason = _("No product is matched with %(skus)s.") % {"skus": ", ".join(unmatched)}
            work.log(operation).validation_failure(
                reason, error={"kind": "unmatched", "message": reason}, unmatched=unmatched
            )
            work.lack(operation, reason)
        else:
            sales.append(sale)
    return sales


def movements_of(operation: StockOperation, line: StockOperationLine, taken: Mapping[int, Decimal]) -> list[Movement]:
    """The ledger's lines of a line that takes so much of these ingredients."""
    return [
        Movement(
            operation.account.location_id,
            ingredient_id,
            -quantity,
            StockMovement.Reason.MARKETPLACE_SALE,
            str(operation.pk),
            line_id=str(line.pk),
        )
        for ingredient_id, quantity in taken.items()
    ]


def write_portions(lines: Sequence[StockOperationLine]) -> None:
    """Writes what was deducted for these lines. One statement: Django's own takes longer than the deduction."""
    if not lines:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE marketplaces_stockoperationline AS line
            SET listing_id = given.listing_id, product_id = given.product_id, portions = given.portions
            FROM unnest(%(lines)s::bigint[], %(listings)s::bigint[], %(products)s::bigint[], %(portions)s::integer[])
                AS given (id, listing_id, product_id, portions)
            WHERE line.id = given.id
            """,
            {
                "lines": [line.pk for line in lines],
                "listings": [line.listing_id for line in lines],
                "products": [line.product_id for line in lines],
                "portions": [line.portions for line in lines],
            },
        )


def products_of(sales: Sequence[Sale]) -> set[int]:
    return {line.product_id for sale in sales for line in sale.lines if line.product_id is not None}


def take(sales: Sequence[Sale], *, at: datetime) -> dict[UUID, InsufficientStock]:
    """Posts what these sales take, and says of which ones the stock does not suffice for.

    One statement for all of them. It locks every level that any of them needs, in the documented order, also where it
    refuses: so those that come after it in the same transaction wait for nobody.
    """
    movements = [movement for sale in sales for movement in sale.movements]
    try:
        post_movements(movements=movements, document_type=DOCUMENT_TYPE, created_by_id=None, fresh_at=at, at=at)
    except InsufficientStock as refusal:
        if len(sales) == 1:
            return {sales[0].operation.pk: refusal}
        short = {shortage.ingredient_id for shortage in refusal.shortages}
        touching = [sale for sale in sales if any(one.ingredient_id in short for one in sale.movements)]
        others = [sale for sale in sales if all(one.ingredient_id not in short for one in sale.movements)]
        refused = take(others, at=at) if others else {}
        for sale in touching:
            refused |= take([sale], at=at)
        return refused
    return {}
