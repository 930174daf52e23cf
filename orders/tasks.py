"""Background work of orders."""

import datetime
from contextlib import suppress
from uuid import UUID

from celery import shared_task
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from orders.errors import SalesImportBegun
from orders.models import OrderEvent
from orders.sales_selectors import forgotten_sales_imports, stalled_sales_imports
from orders.selectors import stalled_batches
from orders.services import pins
from orders.services.archive import PART, archive_orders
from orders.services.batch import run_batch_part
from orders.services.customer_messages import forget_old_messages, send_next_message
from orders.services.points import expire_points
from orders.services.sales_import import discard_import, import_next_part, stop_import
from orders.services.unusual import tell_unusual


@shared_task
def run_batch(run_id: str) -> None:
    """Deals with one part of a large batch and calls itself for the next one."""
    if run_batch_part(run_id=run_id):
        run_batch.delay(run_id)


def hand_over(run_id: UUID) -> None:
    """Sends a batch to a worker when the transaction is through.

    A message that is lost, with a broker that is down, is sent again by `carry_on_stalled_batches`. Not a partial:
    where it fails, Django asks for its name.
    """
    transaction.on_commit(lambda: run_batch.delay(str(run_id)), robust=True)


@shared_task
def carry_on_stalled_batches() -> None:
    """Calls again for batches whose message was lost. Two calls for one batch do no harm: parts are locked."""
    for run_id in stalled_batches(at=timezone.now()).values_list("pk", flat=True):
        run_batch.delay(str(run_id))


@shared_task
def run_sales_import(import_id: str) -> None:
    """Writes one part of an import of sales and calls itself for the next one."""
    if import_next_part(import_id=import_id):
        run_sales_import.delay(import_id)


def hand_over_sales_import(import_id: UUID) -> None:
    """Sends a started import to a worker when the transaction is through, as `hand_over` does a batch."""
    transaction.on_commit(lambda: run_sales_import.delay(str(import_id)), robust=True)


@shared_task
def carry_on_stalled_sales_imports() -> None:
    """Calls again for imports whose message was lost; those of the command line, which was killed, are marked."""
    for import_id, door in stalled_sales_imports(at=timezone.now()).values_list("pk", "door"):
        if door == OrderEvent.Door.COMMAND:
            stop_import(import_id=import_id)
        else:
            run_sales_import.delay(str(import_id))


@shared_task
def discard_forgotten_sales_imports() -> None:
    """Gives up what has waited for a day: the orders of its file need not lie about."""
    for import_id in forgotten_sales_imports(at=timezone.now()).values_list("pk", flat=True):
        with suppress(SalesImportBegun):
            discard_import(import_id=import_id)


@shared_task
def tell_what_is_unusual() -> None:
    """Raises the alerts of orders that wait too long and of many cancellations. Running it twice says it once."""
    tell_unusual(now=timezone.now())


@shared_task
def send_customer_messages() -> None:
    """Sends every message to a customer that is due. Two at once do no harm: each message is claimed."""
    while send_next_message(now=timezone.now()):
        pass


@shared_task
def forget_customer_messages() -> int:
    """Deletes messages to customers of long ago."""
    return forget_old_messages(now=timezone.now())


@shared_task
def archive_old_orders() -> None:
    """Moves a part of the orders that are older than ORDER_ARCHIVE_AFTER_DAYS into the archive, and calls itself
    while there are more. 0 days: never."""
    days = settings.ORDER_ARCHIVE_AFTER_DAYS
    if days > 0 and archive_orders(before=timezone.now() - datetime.timedelta(days=days)) == PART:
        archive_old_orders.delay()


@shared_task
def forget_old_wrong_pins() -> int:
    """Deletes the counts of wrong PINs that nobody has added to for long."""
    return pins.forget_old_wrong_pins(now=timezone.now())


@shared_task
def expire_old_points() -> int:
    """Takes the points whose time is over. Twice, or after it was killed, takes nothing twice."""
    return expire_points(now=timezone.now())
