"""Questions about orders."""

import datetime
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, F, Func, IntegerField, Max, Q, QuerySet, Sum, Value

from foundation.decimals import round_money
from inventory.models import Location
from orders.models import BatchRun, Customer, Employee, EveryItem, EveryOrder, Order, Refund
from orders.models.finding import OrderQuerySet
from users.models import User

# The first and the last day of a period; None for no limit.
Days = tuple[datetime.date | None, datetime.date | None]


def visible_orders(user: User | AnonymousUser) -> OrderQuerySet:
    """The orders that a person may see, archived ones too: staff all of them, a customer their own."""
    if user.has_perm("orders.view_order"):
        return EveryOrder.objects.all()
    if user.pk is None:
        return EveryOrder.objects.none()
    return EveryOrder.objects.filter(customer__user_id=user.pk)


@dataclass(frozen=True, slots=True)
class DayFigures:
    """A location's day or another period: orders placed in it, how many of them are active, what the completed
    ones brought in."""

    orders: int = 0
    active: int = 0
    completed: int = 0
    cancelled: int = 0
    revenue: Decimal = Decimal("0.00")

    def __add__(self, other: "DayFigures") -> "DayFigures":
        return DayFigures(
            orders=self.orders + other.orders,
            active=self.active + other.active,
            completed=self.completed + other.completed,
            cancelled=self.cancelled + other.cancelled,
            revenue=self.revenue + other.revenue,
        )

    @property
    def average(self) -> Decimal:
        """The average check of a completed order, 0 while there is none."""
        return round_money(self.revenue / self.completed) if self.completed else Decimal("0.00")


def figures_of_periods(
    *, location: Location, periods: Sequence[tuple[datetime.datetime, datetime.datetime]]
) -> list[DayFigures]:
    """The figures of orders placed in each of these periods (first moment, first moment after), in one query
    however many they are and even where they overlap. Imported sales are left out."""
    thresholds = sorted({moment for period in periods for moment in period})
    if not thresholds:
        return []
    completed = Q(status=Order.Status.COMPLETED)
    rows = (
        EveryOrder.objects.filter(location=location, placed_at__gte=thresholds[0], placed_at__lt=thresholds[-1])
        .exclude(channel=Order.Channel.IMPORT)
        .order_by()
        # Bucket n lies between the thresholds n - 1 and n.
        .annotate(bucket=Func(F("placed_at"), Value(thresholds), function="width_bucket", output_field=IntegerField()))
        .values("bucket")
        .annotate(
            orders=Count("pk"),
            active=Count("pk", filter=Q(status__in=Order.ACTIVE)),
            completed=Count("pk", filter=completed),
            cancelled=Count("pk", filter=Q(status=Order.Status.CANCELLED)),
            revenue=Sum("total", filter=completed, default=Decimal("0.00")),
        )
    )
    buckets = {
        row["bucket"]: DayFigures(
            orders=row["orders"],
            active=row["active"],
            completed=row["completed"],
            cancelled=row["cancelled"],
            revenue=row["revenue"],
        )
        for row in rows
    }
    return [
        sum(
            (figures for bucket, figures in buckets.items() if start <= thresholds[bucket - 1] < end),
            DayFigures(),
        )
        for start, end in periods
    ]


def day_figures(*, location: Location, day: datetime.date) -> DayFigures:
    """The figures of the location's day `day`, in one query. Imported sales are left out."""
    return figures_of_periods(location=location, periods=[location.day_bounds(day)])[0]


def orders_per_day(*, location: Location, days: Sequence[datetime.date]) -> list[tuple[datetime.date, DayFigures]]:
    """The figures of several of the location's days, in one query."""
    figures = figures_of_periods(location=location, periods=[location.day_bounds(day) for day in days])
    return list(zip(days, figures, strict=True))


def best_sellers(
    *, location: Location, start: datetime.datetime, end: datetime.datetime, limit: int = 5
) -> list[tuple[str, int, Decimal]]:
    """What sold best between the two moments: (name, number sold, revenue), of orders not cancelled."""
    return list(
        EveryItem.objects.filter(order__location=location, order__placed_at__gte=start, order__placed_at__lt=end)
        .exclude(order__status=Order.Status.CANCELLED)
        .exclude(order__channel=Order.Channel.IMPORT)
        .order_by()
        .values("name")
        .annotate(sold=Sum(F("quantity") - F("cancelled_quantity")), revenue=Sum("total"))
        .filter(sold__gt=0)
        .order_by("-sold", "name")
        .values_list("name", "sold", "revenue")[:limit]
    )


def stalled_batches(*, at: datetime.datetime) -> QuerySet[BatchRun]:
    """Batches that are not finished and made no progress for two minutes before `at`: the message that
    should carry them on was lost with a broker or a worker."""
    return BatchRun.objects.filter(finished_at=None, updated_at__lt=at - datetime.timedelta(minutes=2))


def active_orders(*, location: Location) -> OrderQuerySet:
    """What somebody still has to do something about at the location, the longest waiting first."""
    return (
        Order.objects.filter(location=location)
        .active()
        .select_related("customer", "employee", "location")
        .prefetch_related("items")
        .order_by("placed_at", "pk")
    )


def placed_on_days(
    orders: OrderQuerySet, *, locations: Iterable[Location], days: Callable[[Location], Days]
) -> OrderQuerySet:
    """Those of the orders that were placed on these days of their own location.

    `days(location)` answers with the first and the last day, None for no limit. A day is the location's day.
    """
    where: dict[tuple[datetime.datetime | None, datetime.datetime | None], list[int]] = {}
    for location in locations:
        first, last = days(location)
        start = location.day_bounds(first)[0] if first else None
        end = location.day_bounds(last)[1] if last else None
        where.setdefault((start, end), []).append(location.pk)
    condition = Q(pk__in=[])
    for (start, end), location_ids in where.items():
        there = Q(location_id__in=location_ids)
        if start is not None:
            there &= Q(placed_at__gte=start)
        if end is not None:
            there &= Q(placed_at__lt=end)
        condition |= there
    # Says nothing new, but lets an index on the time alone start and end where the first and the last of them do.
    starts, ends = [start for start, _end in where], [end for _start, end in where]
    if starts and None not in starts:
        condition &= Q(placed_at__gte=min(starts))  # type: ignore[type-var]
    if ends and None not in ends:
        condition &= Q(placed_at__lt=max(ends))  # type: ignore[type-var]
    return orders.filter(condition)


def find_customers(text: str) -> QuerySet[Customer]:
    """Customers by a part of their name or phone, or by their e-mail."""
    return Customer.objects.current().search(text)


@dataclass(frozen=True, slots=True)
class CustomerFigures:
    """What a customer has bought so far: orders not cancelled, those completed, and what these came to."""

    orders: int
    completed: int
    spent: Decimal
    last_placed_at: datetime.datetime | None

    @property
    def average(self) -> Decimal:
        return round_money(self.spent / self.completed) if self.completed else Decimal("0.00")


def customer_figures(customer: Customer) -> CustomerFigures:
    """The customer's figures, in one query."""
    return figures_of_customers([customer.pk])[customer.pk]


def figures_of_customers(customer_ids: Sequence[int]) -> dict[int, CustomerFigures]:
    """The figures of each of these customers, in one query."""
    rows = (
        EveryOrder.objects.filter(customer_id__in=customer_ids)
        .exclude(status=Order.Status.CANCELLED)
        .order_by()
        .values("customer_id")
        .annotate(
            orders=Count("pk"),
            completed=Count("pk", filter=Q(status=Order.Status.COMPLETED)),
            spent=Sum("total", filter=Q(status=Order.Status.COMPLETED), default=Decimal("0.00")),
            last_placed_at=Max("placed_at"),
        )
    )
    found = {
        row["customer_id"]: CustomerFigures(row["orders"], row["completed"], row["spent"], row["last_placed_at"])
        for row in rows
    }
    return {pk: found.get(pk, CustomerFigures(0, 0, Decimal("0.00"), None)) for pk in customer_ids}


def refunded_to(customer: Customer) -> Decimal:
    """What was paid back to the customer, of all their orders."""
    orders = EveryOrder.objects.filter(customer=customer).order_by().values("pk")
    return Refund.objects.filter(order_id__in=orders).aggregate(sum=Sum("amount", default=Decimal("0.00")))["sum"]


def employee_of(user: User | AnonymousUser) -> Employee | None:
    """Who of the shop's employees the user is, if they work here now."""
    return Employee.objects.filter(user_id=user.pk, left_on=None).first() if user.pk else None
