"""Importing sales of another till: completed orders without prices, which move no stock.

An order is known by its `import_key`, and its keys are read and written under one lock: however many imports run at
once, are killed or begin anew, none of them doubles an order or loses one.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import PurePath
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import ngettext

from inventory.services.named_products import ensure_products
from orders.errors import SalesImportBegun, WrongLinesOfSales
from orders.locks import lock_import_keys, lock_sales_import
from orders.models import Order, OrderEvent, OrderItem, SalesImport, SalesImportPart
from orders.sales_orders import SalesOrder, as_json, from_json
from orders.sales_selectors import known_import_keys
from orders.sales_survey import SalesSurvey
from orders.services.actor import Actor

Status = SalesImport.Status
FREE = Decimal("0.00")


def import_sales(
    *,
    survey: SalesSurvey,
    file_name: str,
    actor: Actor,
    leave_out_wrong: bool = False,
    tell: Callable[[SalesImport], None] = lambda sales_import: None,
) -> SalesImport:
    """Imports a file that has been surveyed, now: the command line's way.

    Not one transaction but one for some thousand orders each, after which `tell` hears how far it is: the file may
    be large. Whoever stops it imports the file again, and what is missing is written.
    Raises WrongLinesOfSales unless wrong lines may be left out.
    """
    check_wrong_lines(survey.findings.wrong, leave_out_wrong)
    sales_import = new_import(survey, file_name=file_name, actor=actor)
    sales_import.status = Status.RUNNING
    sales_import.started_at = timezone.now()
    sales_import.save(force_insert=True)
    try:
        for orders in survey.orders():
            sales_import = import_orders(import_id=sales_import.pk, orders=orders, actor=actor)
            tell(sales_import)
        return finish_import(import_id=sales_import.pk)
    except BaseException:
        stop_import(import_id=sales_import.pk)
        raise


@transaction.atomic
def keep_survey(*, survey: SalesSurvey, file_name: str, actor: Actor) -> SalesImport:
    """Writes down what a file holds, for somebody to look at and start. Its orders wait in parts, in the database:
    the worker that will write them may be on another machine, and the file need not be kept."""
    sales_import = new_import(survey, file_name=file_name, actor=actor)
    sales_import.save(force_insert=True)
    # What is wrong stays for the page to tell, what is right waits.
    for position, orders in enumerate(survey.orders()):
        SalesImportPart.objects.create(sales_import=sales_import, position=position, orders=as_json(orders))
    return sales_import


@transaction.atomic
def start_import(*, import_id: UUID | str, leave_out_wrong: bool = False) -> SalesImport:
    """Lets the background task write what waits. Of two people who start it, one is told that it has begun.

    Raises UnknownSalesImport, SalesImportBegun, WrongLinesOfSales unless wrong lines may be left out.
    """
    sales_import = waiting_import(import_id)
    check_wrong_lines(sales_import.wrong_count, leave_out_wrong)
    sales_import.status = Status.RUNNING
    sales_import.started_at = sales_import.updated_at = timezone.now()
    sales_import.save(update_fields=["status", "started_at", "updated_at"])
    return sales_import


@transaction.atomic
def discard_import(*, import_id: UUID | str) -> SalesImport:
    """Gives up an import that nobody has started, and forgets its orders. Raises UnknownSalesImport,
    SalesImportBegun."""
    sales_import = waiting_import(import_id)
    sales_import.parts.all().delete()
    sales_import.status = Status.DISCARDED
    sales_import.finished_at = sales_import.updated_at = timezone.now()
    sales_import.save(update_fields=["status", "finished_at", "updated_at"])
    return sales_import


@transaction.atomic
def import_next_part(*, import_id: UUID | str) -> bool:
    """Writes the next part of a started import; True while there is more. The part goes in the same transaction, so
    a run that died goes on where it stopped, and two workers never write the same part. Raises UnknownSalesImport."""
    sales_import = lock_sales_import(import_id)
    if sales_import.status != Status.RUNNING:
        return False
    part = sales_import.parts.first()
    if part is not None:
        write_orders(sales_import, from_json(part.orders), Actor(sales_import.created_by_id, OrderEvent.Door.TASK))
        part.delete()
        if sales_import.done_count < sales_import.order_count:
            return True
    finish(sales_import)
    return False


@transaction.atomic
def import_orders(*, import_id: UUID | str, orders: Sequence[SalesOrder], actor: Actor) -> SalesImport:
    """Writes those of the orders that are not there yet, and how far the import is. Raises UnknownSalesImport."""
    sales_import = lock_sales_import(import_id)
    # Somebody who looked for a long time may have taken it for dead.
    sales_import.status, sales_import.finished_at = Status.RUNNING, None
    write_orders(sales_import, orders, actor)
    return sales_import


@transaction.atomic
def finish_import(*, import_id: UUID | str) -> SalesImport:
    """Ends an import all of whose orders are there. Raises UnknownSalesImport."""
    sales_import = lock_sales_import(import_id)
    finish(sales_import)
    return sales_import


@transaction.atomic
def stop_import(*, import_id: UUID | str) -> None:
    """Notes that an import of the command line ended before its time: the file is to be imported again.

    Raises UnknownSalesImport.
    """
    sales_import = lock_sales_import(import_id)
    if sales_import.status == Status.RUNNING:
        sales_import.status = Status.STOPPED
        sales_import.finished_at = timezone.now()
        sales_import.save(update_fields=["status", "finished_at"])


def write_orders(sales_import: SalesImport, orders: Sequence[SalesOrder], actor: Actor) -> None:
    """Writes the orders that are not there yet, each table once, and the progress of the locked import."""
    lock_import_keys()
    there = known_import_keys([order.key for order in orders])
    new = [order for order in orders if order.key not in there]
    if new:
        write_new(sales_import, new, actor)
    sales_import.done_count += len(orders)
    sales_import.imported_count += len(new)
    sales_import.updated_at = timezone.now()
    sales_import.save(update_fields=["status", "finished_at", "done_count", "imported_count", "updated_at"])


def write_new(sales_import: SalesImport, new: Sequence[SalesOrder], actor: Actor) -> None:
    """Completed orders of channel `import`, with their lines and an event each that says where they come from."""
    products = ensure_products(names=list(dict.fromkeys(name for order in new for name, _quantity in order.items)))
    orders = Order.objects.bulk_create(
        Order(
            location_id=sales_import.location_id,
            channel=Order.Channel.IMPORT,
            status=Order.Status.COMPLETED,
            placed_at=sale.placed_at,
            closed_at=sale.placed_at,
            created_by_id=actor.user_id,
            import_key=sale.key,
        )
        for sale in new
    )
    OrderItem.objects.bulk_create(
        OrderItem(
            order=order,
            product_id=products[name].id,
            position=position,
            name=products[name].name,
            unit_price=FREE,
            quantity=quantity,
            total=FREE,
        )
        for order, sale in zip(orders, new, strict=True)
        for position, (name, quantity) in enumerate(sale.items, start=1)
    )
    source = {"file": sales_import.file_name} | ({"till": sales_import.till} if sales_import.till else {})
    OrderEvent.objects.bulk_create(
        OrderEvent(
            order=order,
            kind=OrderEvent.Kind.IMPORTED,
            to_status=Order.Status.COMPLETED,
            details={**source, "transaction": sale.transaction, "line": sale.line},
            door=actor.door,
            created_by_id=actor.user_id,
        )
        for order, sale in zip(orders, new, strict=True)
    )


def new_import(survey: SalesSurvey, *, file_name: str, actor: Actor) -> SalesImport:
    """The record of a survey, not saved yet."""
    findings = survey.findings
    return SalesImport(
        file_name=PurePath(file_name).name[-200:],
        sha256=survey.file.sha256,
        location=survey.location,
        till=survey.till,
        date_format=survey.file.date_format,
        encoding=survey.file.encoding,
        door=actor.door,
        line_count=findings.lines,
        order_count=findings.orders,
        item_count=findings.items,
        none_count=findings.none,
        wrong_count=findings.wrong,
        left_out_count=findings.left_out,
        known_count=survey.known,
        first_at=findings.first_at,
        last_at=findings.last_at,
        new_products=survey.new_products,
        errors=[{"line": line, "detail": sentence} for line, sentence in findings.errors],
        notices=survey.notices,
        created_by_id=actor.user_id,
    )


def waiting_import(import_id: UUID | str) -> SalesImport:
    """The import, locked, if nobody has started or discarded it. Raises UnknownSalesImport, SalesImportBegun."""
    sales_import = lock_sales_import(import_id)
    if sales_import.status != Status.CHECKED:
        raise SalesImportBegun(file_name=sales_import.file_name, status_label=sales_import.get_status_display())
    return sales_import


def finish(sales_import: SalesImport) -> None:
    sales_import.status = Status.FINISHED
    sales_import.finished_at = sales_import.updated_at = timezone.now()
    sales_import.save(update_fields=["status", "finished_at", "updated_at"])


def check_wrong_lines(wrong: int, leave_out_wrong: bool) -> None:
    if wrong and not leave_out_wrong:
        raise WrongLinesOfSales(
            ngettext(
                "%(number)d line is wrong. Correct it, or leave out its transaction.",
                "%(number)d lines are wrong. Correct them, or leave out their transactions.",
                wrong,
            )
            % {"number": wrong}
        )
