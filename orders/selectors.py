"""Questions about orders."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, F, Q, QuerySet, Sum

from inventory.errors import Shortage
from inventory.menu import load_menu
from inventory.models import Location
from inventory.selectors import describe_shortages, levels_of
from orders.models import BatchRun, Order, OrderItem
from orders.models.order import OrderQuerySet
from orders.pricing import OrderLine, Price, price_order
from users.models import User


def visible_orders(user: User | AnonymousUser) -> OrderQuerySet:
    """The orders that a person may see: staff all of them, a customer their own."""
    if user.has_perm("orders.view_order"):
        return Order.objects.all()
    if user.pk is None:
        return Order.objects.none()
    return Order.objects.filter(customer__user_id=user.pk)


@dataclass(frozen=True, slots=True)
class Quote:
    """What an order would cost, and what stands in its way: nothing has been placed."""

    price: Price
    shortages: list[Shortage]
    unavailable: list[tuple[int, str]]

    @property
    def is_available(self) -> bool:
        return not self.shortages and not self.unavailable


def quote_order(*, location: Location, lines: Sequence[OrderLine]) -> Quote:
    """Prices the lines and compares what they take with the stock of the location. Raises WrongLines.

    `unavailable` names products and options that can't be sold now, (id, name), products first.
    """
    price = price_order(menu=load_menu({line.product_id for line in lines}), lines=lines)
    needed: dict[int, Decimal] = {}
    for line in price.lines:
        for ingredient_id, quantity in line.portion.items():
            needed[ingredient_id] = needed.get(ingredient_id, Decimal(0)) + quantity * line.line.quantity
    recipe_ids = {recipe.ingredient_id for line in price.lines for recipe in line.product.recipe}
    levels = levels_of(location=location, ingredient_ids=needed.keys() | recipe_ids)
    nothing = (Decimal(0), Decimal(0))
    missing = {
        ingredient_id: (quantity, levels.get(ingredient_id, nothing)[0])
        for ingredient_id, quantity in needed.items()
        if levels.get(ingredient_id, nothing)[0] < quantity
    }
    unavailable: dict[tuple[str, int], tuple[int, str]] = {}
    for line in price.lines:
        below = any(
            quantity < max(minimum, recipe.quantity)
            for recipe in line.product.recipe
            for quantity, minimum in [levels.get(recipe.ingredient_id, nothing)]
        )
        if below or not line.product.is_listed or not location.is_active:
            unavailable["product", line.product.id] = (line.product.id, line.product.name)
        for _group, option, _price in line.options:
            if not option.is_available:
                unavailable["option", option.id] = (option.id, option.name)
    return Quote(price, describe_shortages(missing) if missing else [], list(unavailable.values()))


@dataclass(frozen=True, slots=True)
class DayFigures:
    """A location's day: orders placed, how many of them are active, what the completed ones brought in."""

    orders: int
    active: int
    completed: int
    cancelled: int
    revenue: Decimal

    @property
    def average(self) -> Decimal:
        """The average check of a completed order, 0 while there is none."""
        return (self.revenue / self.completed).quantize(Decimal("0.01")) if self.completed else Decimal("0.00")


def day_figures(*, location: Location, day: datetime.date) -> DayFigures:
    """The figures of the location's day `day`, in one query. Imported sales are left out."""
    start, end = location.day_bounds(day)
    row = (
        Order.objects.filter(location=location, placed_at__gte=start, placed_at__lt=end)
        .exclude(channel=Order.Channel.IMPORT)
        .order_by()
        .aggregate(
            orders=Count("pk"),
            active=Count("pk", filter=Q(status__in=Order.ACTIVE)),
            completed=Count("pk", filter=Q(status=Order.Status.COMPLETED)),
            cancelled=Count("pk", filter=Q(status=Order.Status.CANCELLED)),
            revenue=Sum("total", filter=Q(status=Order.Status.COMPLETED), default=Decimal("0.00")),
        )
    )
    return DayFigures(**row)


def best_sellers(
    *, location: Location, start: datetime.datetime, end: datetime.datetime, limit: int = 5
) -> list[tuple[str, int, Decimal]]:
    """What sold best between the two moments: (name, number sold, revenue), of orders not cancelled."""
    return list(
        OrderItem.objects.filter(order__location=location, order__placed_at__gte=start, order__placed_at__lt=end)
        .exclude(order__status=Order.Status.CANCELLED)
        .exclude(order__channel=Order.Channel.IMPORT)
        .order_by()
        .values("name")
        .annotate(sold=Sum(F("quantity") - F("cancelled_quantity")), revenue=Sum("total"))
        .filter(sold__gt=0)
        .order_by("-sold", "name")
        .values_list("name", "sold", "revenue")[:limit]
    )


def orders_per_day(*, location: Location, days: Sequence[datetime.date]) -> list[tuple[datetime.date, DayFigures]]:
    """The figures of several days, each with its own bounds."""
    return [(day, day_figures(location=location, day=day)) for day in days]


def stalled_batches(*, at: datetime.datetime) -> QuerySet[BatchRun]:
    """Batches that are not finished and made no progress for two minutes before `at`: the message that
    should carry them on was lost with a broker or a worker."""
    return BatchRun.objects.filter(finished_at=None, updated_at__lt=at - datetime.timedelta(minutes=2))
