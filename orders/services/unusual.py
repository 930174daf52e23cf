"""Saying that orders wait too long, and that unusually many are cancelled: once, and taken back when it is over."""

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

from django.db import transaction
from django.db.models import Count, Min, Q
from django.utils.translation import ngettext

from foundation.moments import day_and_time
from monitoring.services.alerts import AlertText
from monitoring.services.standing import tell_what_stands
from orders.models import Order

WAITING_LONG = "orders.waiting_long"
MANY_CANCELLED = "orders.many_cancelled"

# Whoever ordered a drink has gone by then.
LONG = datetime.timedelta(minutes=30)
# Cancellations of the last hour, of orders of the last day: what was placed before is tidied up, not sold.
LATELY, PLACED_WITHIN = datetime.timedelta(hours=1), datetime.timedelta(days=1)
LEAST_CANCELLED, HIGHEST_SHARE = 5, 0.2


@transaction.atomic
def tell_unusual(*, now: datetime.datetime) -> None:
    """Opens the alerts of what is unusual about the orders now, brings them up to date, and closes those of what is
    over. Running it again says nothing new. Two queries beside the alerts' own."""
    tell_what_stands(
        event=WAITING_LONG,
        alerts=[AlertText(str(one["location"]), waiting_sentence(one), one) for one in waiting_long(now)],
    )
    tell_what_stands(
        event=MANY_CANCELLED,
        alerts=[AlertText(str(one["location"]), cancelled_sentence(one), one) for one in many_cancelled(now)],
    )


def waiting_long(now: datetime.datetime) -> Iterator[dict[str, Any]]:
    """Of each location with orders that nobody has made ready within LONG: how many, and since when."""
    rows = (
        Order.objects.active()
        .exclude(status=Order.Status.READY)
        .filter(placed_at__lt=now - LONG)
        .order_by("location")
        .values("location", "location__name", "location__time_zone")
        .annotate(number=Count("pk"), since=Min("placed_at"))
    )
    for row in rows:
        yield {
            "location": row["location"],
            "place": row["location__name"],
            "time_zone": row["location__time_zone"],
            "number": row["number"],
            "since": row["since"].isoformat(),
        }


def waiting_sentence(details: Mapping[str, Any]) -> str:
    """What such an alert says, in the reader's language; KeyError if the details do not tell."""
    since = day_and_time(datetime.datetime.fromisoformat(details["since"]), details["time_zone"])
    return ngettext(
        "%(place)s: %(number)s order has been waiting for over half an hour, since %(since)s.",
        "%(place)s: %(number)s orders have been waiting for over half an hour, the first since %(since)s.",
        details["number"],
    ) % {**details, "since": since}


def many_cancelled(now: datetime.datetime) -> Iterator[dict[str, Any]]:
    """Of each location where LEAST_CANCELLED or more orders were cancelled LATELY, and more than HIGHEST_SHARE of all
    that were placed or cancelled in that time: the two numbers."""
    began = now - LATELY
    is_cancelled = Q(status=Order.Status.CANCELLED, closed_at__gt=began)
    rows = (
        Order.objects.filter(placed_at__gt=now - PLACED_WITHIN)
        .exclude(channel=Order.Channel.IMPORT)
        .order_by("location")
        .values("location", "location__name")
        .annotate(
            cancelled=Count("pk", filter=is_cancelled), orders=Count("pk", filter=is_cancelled | Q(placed_at__gt=began))
        )
    )
    for row in rows:
        if row["cancelled"] >= LEAST_CANCELLED and row["cancelled"] > HIGHEST_SHARE * row["orders"]:
            yield {
                "location": row["location"],
                "place": row["location__name"],
                "cancelled": row["cancelled"],
                "orders": row["orders"],
            }


def cancelled_sentence(details: Mapping[str, Any]) -> str:
    """What such an alert says, in the reader's language; KeyError if the details do not tell."""
    return (
        ngettext(
            "%(place)s: %(cancelled)s order was cancelled within an hour, of %(orders)s.",
            "%(place)s: %(cancelled)s orders were cancelled within an hour, of %(orders)s.",
            details["cancelled"],
        )
        % details
    )
