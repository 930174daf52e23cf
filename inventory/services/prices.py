"""Checking what a pack costs."""

from decimal import Decimal

from django.utils.translation import gettext as _

from inventory.services.lines import LARGEST_COST

LARGEST_PRICE = Decimal("99999999.99")
PRICE_STEP = Decimal("0.01")


def price_fault(price: Decimal, *, pack_quantity: Decimal | None = None) -> str:
    """What is wrong with the price of a pack, as a sentence; empty if nothing is.

    With the pack's content (more than 0) it also refuses what no base unit costs, such as a million for a gram.
    """
    if not price.is_finite() or price < 0:
        return _("The price can't be below 0.")
    if price > LARGEST_PRICE:
        return _("The price can't be above %(most)s.") % {"most": LARGEST_PRICE}
    if price != price.quantize(PRICE_STEP):
        return _("A price has at most two decimals.")
    if pack_quantity is not None and price > LARGEST_COST * pack_quantity:
        return _("That is too much for so little: look at the price and at the content of the pack.")
    return ""
