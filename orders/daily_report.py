"""What orders tell in the daily report: revenue and orders against the same weekday a week before, average check, best
sellers, and the day by hour."""

import datetime
import zoneinfo
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from foundation.money import money
from inventory.models import Location
from monitoring.report.registry import (
    Asked,
    Figure,
    Figures,
    Hours,
    ReportSection,
    Row,
    Shown,
    Slot,
    register_section,
)
from orders.selectors import DayFigures, best_sellers, figures_of_periods

WEEK, HOUR = datetime.timedelta(days=7), datetime.timedelta(hours=1)
MOST_BEST, NAMED_IN_MESSAGE = 5, 3
GAP = "\N{NO-BREAK SPACE}"
NOTHING = Decimal("0.00")
Period = tuple[datetime.datetime, datetime.datetime]


def register() -> None:
    """Called once, when the apps are ready."""
    register_section(
        ReportSection(
            name="sales",
            title=gettext_lazy("Sales"),
            order=10,
            build=build,
            show=show,
            brief=brief,
            chart=chart,
            permission="orders.view_order",
            page="admin:orders_order_changelist",
        )
    )


def build(asked: Asked) -> Figures:
    """The day beside the same weekday a week before, as far as the day has come. Two queries."""
    location: Location = asked.place.own
    before = asked.day - WEEK
    start_before, end_before = location.day_bounds(before)
    # By the clock on the wall: also after the clocks were changed, nine in the evening is nine in the evening.
    by_then = end_before if asked.is_whole else asked.until.astimezone(zoneinfo.ZoneInfo(asked.place.time_zone)) - WEEK
    hours, hours_before = hours_of(location, asked.day), hours_of(location, before)
    periods = [(asked.start, asked.until), (start_before, by_then), (start_before, end_before)]
    periods += [(start, min(end, asked.until)) for start, end in hours.values() if start < asked.until]
    periods += hours_before.values()
    now, then, whole, *by_hour = figures_of_periods(location=location, periods=periods)
    amounts = iter(one.revenue for one in by_hour)
    of_day = {key: next(amounts) if start < asked.until else NOTHING for key, (start, _end) in hours.items()}
    of_before = {key: next(amounts) for key in hours_before}
    return {
        "day": asked.day.isoformat(),
        "before": before.isoformat(),
        "is_whole": asked.is_whole,
        "now": as_json(now),
        "then": as_json(then),
        "whole": as_json(whole),
        "best": [
            [name, sold, str(revenue)]
            for name, sold, revenue in best_sellers(
                location=location, start=asked.start, end=asked.until, limit=MOST_BEST
            )
        ],
        "hours": [[key[0], str(amount), str(of_before.get(key, NOTHING))] for key, amount in of_day.items()],
    }


def hours_of(location: Location, day: datetime.date) -> dict[tuple[str, int], Period]:
    """The hours of a location's day, by what the clocks show and which time they show it: a day on which they are put
    back has an hour twice."""
    zone = zoneinfo.ZoneInfo(location.time_zone)
    start, end = location.day_bounds(day)
    hours: dict[tuple[str, int], Period] = {}
    while start < end:
        local = start.astimezone(zone)
        name = f"{local:%H}" if not local.minute else f"{local:%H:%M}"
        hours[name, local.fold] = (start, min(start + HOUR, end))
        start += HOUR
    return hours


def as_json(figures: DayFigures) -> dict[str, Any]:
    return {
        "revenue": str(figures.revenue),
        "orders": figures.orders,
        "completed": figures.completed,
        "cancelled": figures.cancelled,
        "active": figures.active,
        "average": str(figures.average),
    }


def change_of(figures: Figures) -> int | None:
    """How much more revenue than a week before, in percent; None if there was none then."""
    now, then = Decimal(figures["now"]["revenue"]), Decimal(figures["then"]["revenue"])
    return round((now - then) / then * 100) if then else None


def show(figures: Figures) -> Shown:
    now, then = figures["now"], figures["then"]
    average_note = _("%(then)s a week before") % {"then": money(then["average"])}
    most = max((sold for _name, sold, _revenue in figures["best"]), default=1)
    return Shown(
        figures=[
            Figure(_("Revenue"), money(now["revenue"]), revenue_note(figures), change_of(figures)),
            Figure(
                _("Orders"),
                str(now["orders"]),
                _("%(completed)s completed, %(cancelled)s cancelled · %(then)s a week before")
                % {"completed": now["completed"], "cancelled": now["cancelled"], "then": then["orders"]},
            ),
            Figure(_("Average check"), money(now["average"]), average_note),
            *(
                [Figure(_("Still open"), str(now["active"]), _("neither completed nor cancelled"))]
                if now["active"]
                else []
            ),
        ],
        rows=[
            Row(name, str(sold), money(revenue), share=int(100 * sold / most))
            for name, sold, revenue in figures["best"]
        ],
        rows_title=_("Best sellers"),
        sentence=_("Nothing was sold."),
    )


def revenue_note(figures: Figures) -> str:
    """What the revenue is compared with."""
    then = money(figures["then"]["revenue"])
    if figures["is_whole"]:
        return _("%(then)s a week before") % {"then": then}
    values = {"then": then, "whole": money(figures["whole"]["revenue"])}
    return _("%(then)s a week before by this time, %(whole)s that whole day") % values


def brief(figures: Figures) -> list[str]:
    now, change = figures["now"], change_of(figures)
    revenue = _("Revenue %(amount)s") % {"amount": money(now["revenue"])}
    if change is not None:
        sign = "+" if change > 0 else "\N{MINUS SIGN}" if change < 0 else "±"
        percent = f"{sign}{abs(change)}{GAP}%"
        revenue = _("%(revenue)s (%(percent)s against last week)") % {"revenue": revenue, "percent": percent}
    lines = [revenue]
    orders = ngettext("%(number)s order", "%(number)s orders", now["orders"]) % {"number": now["orders"]}
    if now["completed"]:
        values = {"orders": orders, "amount": money(now["average"])}
        lines.append(_("%(orders)s, average check %(amount)s") % values)
    else:
        lines.append(orders)
    best = ", ".join(
        f"{name}\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}{sold}"
        for name, sold, _revenue in figures["best"][:NAMED_IN_MESSAGE]
    )
    return [*lines, _("Best: %(names)s") % {"names": best}] if best else lines


def chart(figures: Figures) -> Hours:
    return Hours(
        day=datetime.date.fromisoformat(figures["day"]),
        before=datetime.date.fromisoformat(figures["before"]),
        slots=[Slot(label, Decimal(amount), Decimal(before)) for label, amount, before in figures["hours"]],
    )
