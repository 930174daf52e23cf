"""What the store room wants watched."""

from collections.abc import Iterable

from django.db.models import Count, F
from django.utils.translation import gettext_lazy as _

from inventory.lot_selectors import lots_that_differ_from_their_level
from inventory.models import StockLevel
from inventory.selectors import levels_that_differ_from_the_ledger
from inventory.services.expiring import EXPIRING, expiring_sentence
from inventory.services.low_stock import LOW_STOCK, low_sentence
from monitoring.errors import CheckFailed
from monitoring.registry import Check, Event, LabelValues, Metric, register_check, register_event, register_metric
from monitoring.severity import Severity


def register() -> None:
    """Tells monitoring about the store room. Called once, when the apps are ready."""
    register_event(Event(name=LOW_STOCK, severity=Severity.WARNING, title=_("Low stock"), tell=low_sentence))
    register_event(Event(name=EXPIRING, severity=Severity.WARNING, title=_("Expires soon"), tell=expiring_sentence))
    register_check(Check(name="stock_lots", run=lots_are_what_their_levels_hold, timeout=30.0))
    # It reads the whole ledger: not for a probe that comes every few seconds.
    register_check(Check(name="stock_ledger", run=levels_are_what_the_ledger_sums_to, timeout=60.0))
    register_metric(
        Metric(
            name="samovar_stock_below_minimum",
            help="Ingredients below their minimum at an open location.",
            labels=("location",),
            collect=levels_below_minimum,
        )
    )


def levels_below_minimum() -> Iterable[tuple[LabelValues, float]]:
    """The number of low levels of each open location that has any."""
    rows = (
        StockLevel.objects.filter(quantity__lt=F("minimum"), location__is_active=True)
        .order_by()
        .values_list("location__name")
        .annotate(number=Count("pk"))
    )
    for location, number in rows:
        yield {"location": location}, number


def levels_are_what_the_ledger_sums_to() -> None:
    """Raises CheckFailed, naming how many levels have drifted from their ledger."""
    wrong = levels_that_differ_from_the_ledger()
    if wrong:
        location, ingredient, level, total = wrong[0]
        raise CheckFailed(
            f"Stock levels that differ from their ledger: {len(wrong)}. First, ingredient {ingredient} "
            f"at location {location}: the level says {level}, the ledger {total}."
        )


def lots_are_what_their_levels_hold() -> None:
    """Raises CheckFailed, naming how many levels their lots do not add up to."""
    wrong = lots_that_differ_from_their_level()
    if wrong:
        first = wrong[0]
        raise CheckFailed(
            f"Stock levels that their lots do not add up to: {len(wrong)}. First, ingredient {first.ingredient_id} "
            f"at location {first.location_id}: the level says {first.level}, the lots hold {first.in_lots}."
        )
