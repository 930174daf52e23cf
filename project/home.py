"""The home page: what a location is doing today. A handful of queries, however large the shop."""

import datetime
import zoneinfo
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from foundation.admin.ids import as_id
from foundation.counting import count_up_to_limit
from foundation.money import money
from inventory.admin.places import places
from inventory.admin.stock_pages import low_row, receive_url
from inventory.models import Location
from inventory.selectors import location_to_show, low_stock
from inventory.services.low_stock import LOW_STOCK
from monitoring.selectors import open_alerts
from orders.admin.verbs import NEXT_STEP
from orders.admin.words import items_in_words
from orders.models import Order
from orders.selectors import DayFigures, active_orders, best_sellers, figures_of_periods
from project.chart import Chart, chart_of

CHART_DAYS = 14
BEST_SELLER_DAYS = 7
MOST_ACTIVE, MOST_LOW, MOST_BEST, MOST_ALERTS = 10, 6, 6, 5
LONG_WAIT = datetime.timedelta(minutes=15)
WEEK = datetime.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Waiting:
    """An active order as the page shows it."""

    order: Order
    items: str
    waits_long: bool
    button: Any


@dataclass(frozen=True, slots=True)
class BestSeller:
    name: str
    sold: int
    revenue: Decimal
    share: int


@dataclass(frozen=True, slots=True)
class Today:
    """Today's figures, and those of the same weekday a week ago: by this time, and the whole day."""

    now: DayFigures
    week_ago_by_now: DayFigures
    week_ago: DayFigures

    @property
    def change(self) -> int | None:
        """How much more revenue than a week ago by this time, in percent; None if there was none then."""
        before = self.week_ago_by_now.revenue
        return round((self.now.revenue - before) / before * 100) if before else None

    @property
    def change_size(self) -> int:
        return abs(self.change or 0)

    @property
    def comparison(self) -> str:
        """The sentence under today's revenue."""
        values = {"then": money(self.week_ago_by_now.revenue), "whole": money(self.week_ago.revenue)}
        return _("%(then)s a week ago by this time, %(whole)s that whole day") % values


def home_context(request: HttpRequest, *, order_admin: Any, now: datetime.datetime | None = None) -> dict[str, Any]:
    """What the home page shows to this person: the location in the address (`?location=`), or their own."""
    may = request.user.has_perm
    if not may("orders.view_order"):
        return {"home": None}
    shops = sorted(places(request), key=lambda place: not place.is_active)
    if not shops:
        return {"home": None, "has_no_location": True, "may_add_location": may("inventory.add_location")}
    now = now or timezone.now()
    location = location_to_show(user=request.user, location_id=as_id(request.GET.get("location")), locations=shops)
    today, chart = figures_and_chart(location, now)
    waiting = list(active_orders(location=location)[:MOST_ACTIVE])
    home = {
        "location": location,
        "zone": location.time_zone,
        "locations": shops if len(shops) > 1 else [],
        "day": location.today(now),
        "today": today,
        "chart": chart,
        "waiting": [as_waiting(request, order_admin, order, now) for order in waiting],
        "active": number_of_active(location, waiting),
        "best_sellers": best_of_the_week(location, now),
        "best_seller_days": BEST_SELLER_DAYS,
        "can_add": may("orders.add_order"),
        "can_receive": may("inventory.receive_stock"),
    }
    if may("inventory.view_stocklevel"):
        levels = list(low_stock(location=location)[: MOST_LOW + 1])
        home["low"] = [low_row(level) for level in levels[:MOST_LOW]]
        home["more_is_low"] = len(levels) > MOST_LOW
        home["receive_all"] = receive_url(levels) if levels and may("inventory.receive_stock") else ""
    if may("monitoring.view_alert"):
        home["alerts"] = alerts_beside(location, shops)
    return {"home": home}


def figures_and_chart(location: Location, now: datetime.datetime) -> tuple[Today, Chart]:
    """Today's figures and the last days' bars, in one query."""
    today = location.today(now)
    days = [today - datetime.timedelta(days=number) for number in reversed(range(CHART_DAYS))]
    # By the clock on the wall: also after the clocks were changed, nine in the morning is nine in the morning.
    then = now.astimezone(zoneinfo.ZoneInfo(location.time_zone)) - WEEK
    week_ago = today - WEEK
    *per_day, by_now = figures_of_periods(
        location=location,
        periods=[*(location.day_bounds(day) for day in days), (location.day_bounds(week_ago)[0], then)],
    )
    of_day = dict(zip(days, per_day, strict=True))
    chart = chart_of([(day, figures.revenue, figures.orders) for day, figures in of_day.items()])
    return Today(of_day[today], by_now, of_day[week_ago]), chart


def as_waiting(request: HttpRequest, order_admin: Any, order: Order, now: datetime.datetime) -> Waiting:
    """An active order, with the button for its next step if this person may press it."""
    can_advance = order.status in NEXT_STEP and request.user.has_perm("orders.advance_order")
    return Waiting(
        order=order,
        items=items_in_words(order, 120),
        waits_long=now - order.placed_at > LONG_WAIT,
        button=order_admin.next_step(order) if can_advance else "",
    )


def number_of_active(location: Location, shown: list[Order]) -> int:
    return len(shown) if len(shown) < MOST_ACTIVE else count_up_to_limit(active_orders(location=location))


def best_of_the_week(location: Location, now: datetime.datetime) -> list[BestSeller]:
    first = location.today(now) - datetime.timedelta(days=BEST_SELLER_DAYS - 1)
    start, _end = location.day_bounds(first)
    rows = best_sellers(location=location, start=start, end=now, limit=MOST_BEST)
    most = max((sold for _name, sold, _revenue in rows), default=1)
    return [BestSeller(name, sold, revenue, int(100 * sold / most)) for name, sold, revenue in rows]


def alerts_beside(location: Location, shops: list[Location]) -> list[tuple[Any, str]]:
    """Open alerts with the name of the location that they are about, if there are several; without those that
    the list of low stock beside them tells already."""
    names = {place.pk: place.name for place in shops} if len(shops) > 1 else {}
    alerts = open_alerts().exclude(event=LOW_STOCK, details__contains={"location": location.pk})
    return [(alert, names.get(alert.details.get("location"), "")) for alert in alerts[:MOST_ALERTS]]
