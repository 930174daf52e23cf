"""What the store room tells in the daily report: what is low and how long it lasts, and what was thrown away; and which
locations get one."""

import datetime
from collections.abc import Sequence
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from foundation.admin.numbers import with_unit
from foundation.money import money
from inventory.costs import PERMISSION
from inventory.models import Ingredient, Location, StockLevel, StockMovement
from inventory.purchasing_selectors import PACE_DAYS, used_since
from inventory.selectors import low_stock
from inventory.services.low_stock import LOW_STOCK
from inventory.write_off_selectors import REASONS, write_offs_by_reason
from monitoring.report.registry import (
    Asked,
    Figure,
    Figures,
    Place,
    ReportSection,
    Row,
    Shown,
    register_places,
    register_section,
)

MOST_LOW, MOST_WRITE_OFFS, NAMED_IN_MESSAGE = 10, 6, 3
DAY = datetime.timedelta(days=1)
# More than this is "more than a month": such a pace says nothing.
LONGEST = 31


def register() -> None:
    """Called once, when the apps are ready."""
    register_places(locations_with_report)
    register_section(
        ReportSection(
            name="low_stock",
            title=gettext_lazy("Low stock"),
            order=20,
            build=build_low,
            show=show_low,
            brief=brief_low,
            permission="inventory.view_stocklevel",
            page="admin:inventory_stocklevel_low",
            events=(LOW_STOCK,),
        )
    )
    register_section(
        ReportSection(
            name="write_offs",
            title=gettext_lazy("Write-offs"),
            order=30,
            build=build_write_offs,
            show=show_write_offs,
            brief=brief_write_offs,
            # It tells costs.
            permission=PERMISSION,
            page="admin:inventory_stockdocument_write_offs",
        )
    )


def locations_with_report() -> list[Place]:
    """The open locations for which an hour is set. One query."""
    found = Location.objects.filter(is_active=True, report_at__isnull=False).order_by("pk")
    return [place_of(location, location.report_at) for location in found if location.report_at is not None]


def place_of(location: Location, report_at: datetime.time) -> Place:
    """The location as monitoring knows it."""
    return Place(
        key=str(location.pk),
        name=location.name,
        time_zone=location.time_zone,
        day_starts_at=location.day_starts_at,
        report_at=report_at,
        day_bounds=location.day_bounds,
        own=location,
    )


# --- low stock ----------------------------------------------------------------------------------------------


def build_low(asked: Asked) -> Figures:
    """What is below its minimum now, what is gone first at the head. Three queries."""
    levels = list(low_stock(location=asked.place.own))
    left = days_left(levels, location=asked.place.own, at=asked.at)
    levels.sort(key=lambda level: left.get(level.ingredient_id, LONGEST))
    return {
        "number": len(levels),
        "low": [
            {
                "name": level.ingredient.name,
                "unit": level.ingredient.unit,
                "quantity": str(level.quantity),
                "minimum": str(level.minimum),
                "days": left.get(level.ingredient_id),
            }
            for level in levels[:MOST_LOW]
        ],
    }


def days_left(levels: Sequence[StockLevel], *, location: Location, at: datetime.datetime) -> dict[int, int]:
    """{ingredient id: whole days that it still lasts} at the pace of the last four weeks, or of the time since the
    location's first movement if that is shorter. What is not used is left out. Two queries."""
    wanted = [level.ingredient_id for level in levels]
    used = used_since(location=location, ingredient_ids=wanted, since=at - PACE_DAYS * DAY)
    first = StockMovement.objects.filter(location=location).order_by("pk").values_list("created_at", flat=True).first()
    seconds = max((at - (first or at)).total_seconds(), DAY.total_seconds())
    days = min(Decimal(seconds) / int(DAY.total_seconds()), Decimal(PACE_DAYS))
    return {
        level.ingredient_id: int(max(level.quantity, Decimal(0)) * days / used[level.ingredient_id])
        for level in levels
        if used.get(level.ingredient_id)
    }


def show_low(figures: Figures) -> Shown:
    return Shown(
        rows=[
            Row(
                one["name"],
                lasts(one),
                note=_("%(quantity)s, the minimum is %(minimum)s")
                % {"quantity": amount(one["quantity"], one), "minimum": amount(one["minimum"], one)},
                share=share_of(one),
                is_bad=is_urgent(one),
            )
            for one in figures["low"]
        ],
        sentence=_("Everything is above its minimum."),
        more=figures["number"] - len(figures["low"]),
    )


def brief_low(figures: Figures) -> list[str]:
    low = figures["low"]
    if not low:
        return []
    named = ", ".join(
        _("%(name)s (%(lasts)s)") % {"name": one["name"], "lasts": lasts(one)} for one in low[:NAMED_IN_MESSAGE]
    )
    more = figures["number"] - NAMED_IN_MESSAGE
    return [_("Low: %(names)s") % {"names": f"{named}, +{more}" if more > 0 else named}]


def lasts(one: Figures) -> str:
    """How long it lasts, in words."""
    days = one["days"]
    if Decimal(one["quantity"]) <= 0:
        return _("none left")
    if days is None:
        return _("not used lately")
    if days >= LONGEST:
        return _("more than a month")
    return ngettext("%(days)s day", "%(days)s days", days) % {"days": days} if days else _("less than a day")


def is_urgent(one: Figures) -> bool:
    """It will not last until the day after tomorrow."""
    return Decimal(one["quantity"]) <= 0 or (one["days"] is not None and one["days"] < 2)


def share_of(one: Figures) -> int:
    return max(0, min(100, int(100 * Decimal(one["quantity"]) / Decimal(one["minimum"]))))


def amount(quantity: str, one: Figures) -> str:
    """A quantity with its unit."""
    return with_unit(Decimal(quantity), Ingredient.Unit(one["unit"]).label)


# --- write-offs ---------------------------------------------------------------------------------------------


def build_write_offs(asked: Asked) -> Figures:
    """What was thrown away on the day and what it had cost, the dearest first. One query."""
    rows = write_offs_by_reason(location=asked.place.own, start=asked.start, end=asked.until)
    rows.sort(key=lambda row: (-row.value, row.name))
    return {
        "value": str(sum((row.value for row in rows), Decimal(0))),
        "number": len(rows),
        "rows": [
            {
                "name": row.name,
                "reason": row.reason,
                "unit": row.unit,
                "quantity": str(row.quantity),
                "value": str(row.value),
            }
            for row in rows[:MOST_WRITE_OFFS]
        ],
    }


def show_write_offs(figures: Figures) -> Shown:
    return Shown(
        figures=[Figure(_("Written off"), money(figures["value"]))] if figures["number"] else [],
        rows=[
            Row(
                one["name"],
                money(one["value"]),
                note=f"{amount(one['quantity'], one)} · {REASONS.get(one['reason'], one['reason'])}",
            )
            for one in figures["rows"]
        ],
        sentence=_("Nothing was written off."),
        more=figures["number"] - len(figures["rows"]),
    )


def brief_write_offs(figures: Figures) -> list[str]:
    return [_("Written off: %(amount)s") % {"amount": money(figures["value"])}] if figures["number"] else []
