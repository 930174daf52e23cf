"""What the store room wants watched."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from inventory import metrics
from inventory.lot_selectors import lots_that_differ_from_their_level
from inventory.selectors import levels_that_differ_from_the_ledger
from inventory.services.expiring import EXPIRING, expiring_sentence
from inventory.services.low_stock import LOW_STOCK, low_sentence
from inventory.services.unavailable import UNAVAILABLE, unavailable_sentence
from monitoring.errors import CheckFailed
from monitoring.registry import Check, Event, register_check, register_event
from monitoring.severity import Severity


def register() -> None:
    """Tells monitoring about the store room. Called once, when the apps are ready."""
    register_event(Event(name=LOW_STOCK, severity=Severity.WARNING, title=_("Low stock"), tell=low_sentence))
    register_event(Event(name=EXPIRING, severity=Severity.WARNING, title=_("Expires soon"), tell=expiring_sentence))
    register_event(Event(UNAVAILABLE, Severity.WARNING, _("Drinks became unavailable"), tell=unavailable_sentence))
    register_check(
        Check(
            name="stock_lots",
            run=lots_are_what_their_levels_hold,
            timeout=30.0,
            every=3600.0,
            title=_("Lots and stock levels agree"),
            advice=_("Count the ingredients that it names: a count puts their levels right."),
        )
    )
    # It reads the whole ledger: not for a probe that comes every few seconds.
    register_check(
        Check(
            name="stock_ledger",
            run=levels_are_what_the_ledger_sums_to,
            timeout=60.0,
            every=3600.0,
            title=_("Ledger and stock levels agree"),
            advice=_("Somebody changed the tables by hand: restore them from a backup, or count what it names."),
        )
    )
    metrics.register()


def levels_are_what_the_ledger_sums_to() -> None:
    """Raises CheckFailed, naming how many levels have drifted from their ledger."""
    wrong = levels_that_differ_from_the_ledger()
    if wrong:
        location, ingredient, level, total = wrong[0]
        raise CheckFailed(
            gettext_noop(
                "Stock levels that differ from their ledger: %(number)s. First, ingredient %(ingredient)s at location "
                "%(location)s: the level says %(level)s, the ledger %(total)s."
            ),
            number=len(wrong),
            ingredient=ingredient,
            location=location,
            level=str(level),
            total=str(total),
        )


def lots_are_what_their_levels_hold() -> None:
    """Raises CheckFailed, naming how many levels their lots do not add up to."""
    wrong = lots_that_differ_from_their_level()
    if wrong:
        first = wrong[0]
        raise CheckFailed(
            gettext_noop(
                "Stock levels that their lots do not add up to: %(number)s. First, ingredient %(ingredient)s at "
                "location %(location)s: the level says %(level)s, the lots hold %(in_lots)s."
            ),
            number=len(wrong),
            ingredient=first.ingredient_id,
            location=first.location_id,
            level=str(first.level),
            in_lots=str(first.in_lots),
        )
