"""Questions about orders."""

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, F, Func, IntegerField, Max, Q, QuerySet, Sum, Value
from django.utils import timezone

from foundation.decimals import round_money
from inventory.errors import Shortage
from inventory.lot_selectors import expired_of, expired_quantities
from inventory.menu import load_menu
from inventory.models import Location
from inventory.selectors import describe_shortages, levels_of
from inventory.services.returns import deductions_of
from orders.discounts import with_goodwill
from orders.errors import UnknownCustomer
from orders.models import BatchRun, Customer, Employee, EveryItem, EveryOrder, Order, Refund
from orders.models.finding import OrderQuerySet
from orders.pricing import Offers, OrderLine, Price, PricedLine, discounted, price_order
from orders.promotion_selectors import code_offer, promotions_at
from orders.services.code_uses import normal_code, usable_code
from orders.services.deduction import DOCUMENT_TYPE, sale_movements
from orders.services.edit import compare, key_of
from orders.services.loyalty import check_still_there, points_offer
from orders.services.shares import goodwill_of
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
class Quote:
    """What an order would cost, and what stands in its way: nothing has been placed.

    `corrections` is what selling anyway would correct in the stock.
    """

    price: Price
    shortages: list[Shortage]
    unavailable_products: list[tuple[int, str]]
    unavailable_options: list[tuple[int, str]]
    corrections: list[Shortage] = field(default_factory=list)

    @property
    def unavailable(self) -> list[tuple[int, str]]:
        """The products and options that can't be sold now, (id, name), products first."""
        return [*self.unavailable_products, *self.unavailable_options]

    @property
    def is_available(self) -> bool:
        return not self.shortages and not self.unavailable


def quote_order(
    *,
    location: Location,
    lines: Sequence[OrderLine],
    customer_id: int | None = None,
    promo_code: str = "",
    redeem_points: int = 0,
    allow_below_minimum: bool = False,
    sell_anyway: bool = False,
) -> Quote:
    """Prices the lines, with everything that is taken off step by step, and compares what they take with the stock of
    the location. Nothing is locked: it may be different a moment later.

    With `allow_below_minimum` a minimum stands in nobody's way, with `sell_anyway` no shortage, as in `place_order`.
    Raises WrongLines, PromoCodeRefused, NotEnoughPoints, PointsNotUsable, UnknownCustomer, CustomerGone.
    """
    now = timezone.now()
    code = usable_code(promo_code, customer_id=customer_id, at=now) if promo_code else None
    offers = Offers(
        promotions=promotions_at(location=location, at=now),
        code=code_offer(code) if code else None,
        points=points_offer(asking_customer(customer_id), redeem_points),
    )
    price = price_order(menu=load_menu({line.product_id for line in lines}), lines=lines, offers=offers)
    needed: dict[int, Decimal] = {}
    for line in price.lines:
        for ingredient_id, quantity in line.portion.items():
            needed[ingredient_id] = needed.get(ingredient_id, Decimal(0)) + quantity * line.line.quantity
    return _quote(
        price,
        location,
        needed,
        returned={},
        sold=price.lines,
        check_minimum=not allow_below_minimum,
        sell_anyway=sell_anyway,
    )


def asking_customer(customer_id: int | None) -> Customer | None:
    """The customer somebody asks for. Raises UnknownCustomer, CustomerGone."""
    if customer_id is None:
        return None
    customer = Customer.objects.filter(pk=customer_id).first()
    if customer is None:
        raise UnknownCustomer(customer_id)
    check_still_there(customer)
    return customer


def quote_edit(
    *,
    order: Order,
    lines: Sequence[OrderLine],
    promo_code: str | None = None,
    redeem_points: int | None = None,
    allow_below_minimum: bool = False,
    sell_anyway: bool = False,
) -> Quote:
    """What `edit_order` would make of the order: what stays is sold at its old price and needs no stock.

    Raises WrongLines, PromoCodeRefused, NotEnoughPoints, PointsNotUsable.
    """
    price = price_order(menu=load_menu({line.product_id for line in lines}), lines=lines)
    items = list(order.items.all())
    old_prices: dict[tuple[int, frozenset[int]], list[Decimal]] = {}
    for item in items:
        if item.remaining:
            old_prices.setdefault(key_of(item), []).append(item.unit_price)
    priced = tuple(
        replace(line, unit_price=sold_at.pop(0)) if (sold_at := old_prices.get(line.line.key)) else line
        for line in price.lines
    )
    edit = compare(order, items, price.lines, deductions_of(document_type=DOCUMENT_TYPE, document_ids=[order.pk]))
    needed: dict[int, Decimal] = {}
    returned: dict[int, Decimal] = {}
    sales = [
        move for item, line in edit.added for move in sale_movements(order, line, line_id=0, quantity=item.quantity)
    ]
    expired = expired_of({movement.lot_id for movement in edit.movements}, at=timezone.now())
    for movement in [*edit.movements, *sales]:
        if movement.lot_id in expired:
            continue  # It goes back to a lot that may not be sold from any more.
        ingredient_id, delta = movement.ingredient_id, movement.delta
        needed[ingredient_id] = needed.get(ingredient_id, Decimal(0)) - delta
        returned[ingredient_id] = returned.get(ingredient_id, Decimal(0)) + max(delta, Decimal(0))
    subtotal = sum((line.total for line in priced), Decimal("0.00"))
    offers = offers_of_edit(order, promo_code=promo_code, redeem_points=redeem_points)
    off = with_goodwill(discounted(priced, offers), [line.total for line in priced], goodwill_of(order))
    return _quote(
        Price(lines=priced, subtotal=subtotal, off=off),
        order.location,
        needed,
        returned=returned,
        sold=edit.sold,
        check_minimum=not allow_below_minimum,
        sell_anyway=sell_anyway,
    )


def offers_of_edit(order: Order, *, promo_code: str | None, redeem_points: int | None) -> Offers:
    """What would take something off the edited order, as `orders.services.edit.lock_offers` finds it out."""
    code = order.promo_code
    if promo_code is not None and (code is None or normal_code(promo_code) != code.code):
        code = usable_code(promo_code, customer_id=order.customer_id, at=timezone.now()) if promo_code.strip() else None
    points = order.points_redeemed if redeem_points is None else redeem_points
    customer = order.customer if points else None
    return Offers(
        promotions=promotions_at(location=order.location, at=order.placed_at),
        code=code_offer(code) if code else None,
        points=points_offer(customer, points, held=order.points_redeemed),
    )


def _quote(
    price: Price,
    location: Location,
    needed: dict[int, Decimal],
    *,
    returned: Mapping[int, Decimal],
    sold: Sequence[PricedLine],
    check_minimum: bool,
    sell_anyway: bool,
) -> Quote:
    """Compares what is needed of each ingredient, and what the sold products' recipes name, with the stock and
    with what the edited order gives back to it."""
    recipe_ids = {recipe.ingredient_id for line in sold for recipe in line.product.recipe}
    levels = levels_of(location=location, ingredient_ids=needed.keys() | recipe_ids)
    nothing = (Decimal(0), Decimal(0))
    missing = {
        ingredient_id: (quantity, levels.get(ingredient_id, nothing)[0])
        for ingredient_id, quantity in needed.items()
        if levels.get(ingredient_id, nothing)[0] < quantity
    }
    products: dict[int, str] = {}
    options: dict[int, str] = {}
    for line in sold:
        below = (
            not sell_anyway
            and check_minimum
            and any(
                quantity + returned.get(recipe.ingredient_id, 0) < max(minimum, recipe.quantity)
                for recipe in line.product.recipe
                for quantity, minimum in [levels.get(recipe.ingredient_id, nothing)]
            )
        )
        if below or not line.product.is_listed or not location.is_active:
            products[line.product.id] = line.product.name
        for _group, option, _price in line.options:
            if not option.is_available:
                options[option.id] = option.name
    shortages = []
    if missing:
        expired = expired_quantities(location=location, ingredient_ids=missing, at=timezone.now())
        shortages = describe_shortages(missing, expired=expired)
    unavailable = (list(products.items()), list(options.items()))
    if sell_anyway:
        return Quote(price, [], *unavailable, corrections=shortages)
    return Quote(price, shortages, *unavailable)


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
