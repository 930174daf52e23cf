"""Driving stock operations from their order to their end."""

import datetime
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from marketplaces.locks import claim_due_operations, lease_operations
from marketplaces.models import Listing, StockOperation
from marketplaces.services.steps.deduct import deduct_stock
from marketplaces.services.steps.end import end_operations
from marketplaces.services.steps.load import load_lines
from marketplaces.services.steps.reading import Heard
from marketplaces.services.steps.shrink import give_back_parts
from marketplaces.services.steps.tell import tell_marketplace

CHUNK = 50
# After that, what a killed worker had is gone on with. A chunk takes seconds; each step takes the lease anew.
LEASE = datetime.timedelta(minutes=3)
# What one call of the driver does at most, so that a worker comes round to other tasks.
MOST = 1000


@dataclass(slots=True)
class Progress:
    """What a call of the driver did: how many operations it had in hand, whether more of them are due, and the accounts
    whose quantities have to be sent."""

    worked_on: int = 0
    is_more_due: bool = False
    accounts_to_push: list[UUID] = field(default_factory=list)


def advance_operations(
    *,
    operation_ids: Collection[UUID] | None = None,
    clock: Callable[[], datetime.datetime] = timezone.now,
    most: int = MOST,
) -> Progress:
    """Goes on with operations that are due (only with these, if they are named), chunk by chunk, each through all steps
    that it can take.

    Calls marketplaces: never inside a transaction. May run twice at once and die at any line: a lease keeps two workers
    off the same operations, and where it does not, the locks do.
    """
    progress = Progress()
    seen: set[UUID] = set()
    while progress.worked_on < most:
        chunk = claim(operation_ids, now=clock())
        fresh = [pk for pk in chunk if pk not in seen]
        if not fresh:
            # What is due again at once has just been asked to end; it is taken up with the next call.
            let_go(chunk)
            break
        seen.update(chunk)
        try:
            advance_chunk(chunk, clock=clock)
        finally:
            let_go(chunk)
        progress.worked_on += len(chunk)
    else:
        progress.is_more_due = True
    progress.accounts_to_push = accounts_to_push(seen)
    return progress


def advance_chunk(operation_ids: Sequence[UUID], *, clock: Callable[[], datetime.datetime]) -> None:
    """Takes these operations through every step, each as far as it goes. Ending comes first, so that nothing is taken
    for what is to be given back, and last, for what was asked to end meanwhile."""
    heard = Heard()
    end_operations(operation_ids, clock=clock, heard=heard)
    load_lines(operation_ids, clock=clock, heard=heard)
    keep_hold(operation_ids, now=clock())
    deduct_stock(operation_ids, clock=clock)
    give_back_parts(operation_ids, clock=clock)
    tell_marketplace(operation_ids, clock=clock, heard=heard)
    keep_hold(operation_ids, now=clock())
    end_operations(operation_ids, clock=clock, heard=heard)


@transaction.atomic
def claim(operation_ids: Collection[UUID] | None, *, now: datetime.datetime) -> list[UUID]:
    return claim_due_operations(now=now, lease=LEASE, limit=CHUNK, operation_ids=operation_ids)


@transaction.atomic
def keep_hold(operation_ids: Sequence[UUID], *, now: datetime.datetime) -> None:
    """Takes the lease anew."""
    lease_operations(operation_ids, until=now + LEASE)


@transaction.atomic
def let_go(operation_ids: Sequence[UUID]) -> None:
    """Others may go on with them."""
    lease_operations(operation_ids, until=None)


def accounts_to_push(operation_ids: Collection[UUID]) -> list[UUID]:
    """The accounts at the locations of these operations whose listings are marked to be sent."""
    if not operation_ids:
        return []
    locations = StockOperation.objects.filter(pk__in=operation_ids).values("account__location")
    marked = Listing.objects.filter(push_wanted_at__isnull=False, account__location__in=locations)
    return sorted(marked.order_by().values_list("account_id", flat=True).distinct())
