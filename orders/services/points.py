"""Points that move without an order: adjusted by staff, expired by time."""

import datetime
from collections.abc import Iterator

from django.db import transaction
from django.db.models import Sum
from django.db.models.functions import Abs
from django.utils import timezone
from django.utils.translation import gettext as _

from foundation.errors import InvalidInput
from orders.errors import AdjustmentLimit, NotEnoughPoints
from orders.locks import lock_customer, lock_customers
from orders.loyalty_selectors import customers_with_expired_points, expiring_points
from orders.models import Customer, LoyaltyEntry
from orders.services.actor import Actor
from orders.services.loyalty import check_still_there, program, write_entries

Kind = LoyaltyEntry.Kind
MOST_POINTS = 1_000_000
LONGEST_REASON = 300
LIMIT_COUNTS_FOR = datetime.timedelta(hours=24)
# Customers of one transaction of the nightly task.
PART = 500


@transaction.atomic
def adjust_points(
    *,
    customer_id: int,
    points: int,
    reason: str,
    actor: Actor,
    limit: int | None = None,
    at: datetime.datetime | None = None,
) -> LoyaltyEntry:
    """Gives points to a customer, or takes them for a negative number, and says why.

    With `limit` the same person gives and takes no more than so many points of a customer within 24 hours, in one piece
    or in several. What is given expires as if it had been earned.

    Raises InvalidInput at `points` or `reason`, AdjustmentLimit, NotEnoughPoints, UnknownCustomer, CustomerGone.
    """
    reason = reason.strip()
    if not points or abs(points) > MOST_POINTS:
        raise InvalidInput.at("points", _("Say how many points: 10 gives ten, -10 takes ten."))
    if not reason:
        raise InvalidInput.at("reason", _("Say why, so that everybody understands it later."))
    if len(reason) > LONGEST_REASON:
        raise InvalidInput.at("reason", _("Say it in %(limit)d characters.") % {"limit": LONGEST_REASON})
    customer = lock_customer(customer_id)
    check_still_there(customer)
    now = at or timezone.now()
    if limit is not None:
        used = adjusted_by(actor.user_id, customer, since=now - LIMIT_COUNTS_FOR)
        if used + abs(points) > limit:
            raise AdjustmentLimit.of(limit=limit, used=used)
    if customer.points + points < 0:
        raise NotEnoughPoints.of(field="points", wanted=-points, balance=customer.points)
    days = program().points_days
    entry = LoyaltyEntry(
        customer=customer,
        kind=Kind.ADJUSTED,
        points=points,
        reason=reason,
        expires_at=now + datetime.timedelta(days=days) if points > 0 and days else None,
        created_by_id=actor.user_id,
        created_at=now,
    )
    write_entries([entry])
    customer.points += points
    return entry


def adjusted_by(user_id: int | None, customer: Customer, *, since: datetime.datetime) -> int:
    """How many points of the customer this person has given and taken since then, both counted."""
    entries = LoyaltyEntry.objects.filter(
        customer=customer, kind=Kind.ADJUSTED, order=None, created_by_id=user_id, created_at__gt=since
    )
    return entries.aggregate(sum=Sum(Abs("points"), default=0))["sum"] or 0


def expire_points(*, now: datetime.datetime) -> int:
    """Takes the points whose time is over from everybody who has any, and returns how many there were.

    A part of the customers in each transaction, and what is taken is counted among what is gone: run twice, or killed
    at any line and run again, it takes nothing twice.
    """
    total = 0
    for customer_ids in in_parts(customers_with_expired_points(now)):
        with transaction.atomic():
            lock_customers(customer_ids)
            # Counted under the lock: somebody may have spent them meanwhile.
            expired = expiring_points(customer_ids, at=now)
            write_entries(
                [
                    LoyaltyEntry(customer_id=pk, kind=Kind.EXPIRED, points=-points, created_at=now)
                    for pk, points in expired.items()
                ]
            )
        total += sum(expired.values())
    return total


def in_parts(ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), PART):
        yield ids[start : start + PART]
