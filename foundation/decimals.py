"""Decimals: rounding as money is rounded, and writing them as people do."""

from decimal import ROUND_HALF_UP, Decimal

from foundation.shop import current_shop

QUANTITY_STEP = Decimal("0.001")


def round_quantity(quantity: Decimal) -> Decimal:
    """A quantity in its base unit, half up to three decimals (the column's scale)."""
    return quantity.quantize(QUANTITY_STEP, rounding=ROUND_HALF_UP)


def money_step() -> Decimal:
    """The smallest coin of the shop's currency: 0.01, or 1 where it has no decimals."""
    return Decimal(1).scaleb(-current_shop().currency_decimals)


def round_money(amount: Decimal) -> Decimal:
    """Money of the shop, half up to the currency's decimals, written with the column's two."""
    return amount.quantize(money_step(), rounding=ROUND_HALF_UP).quantize(Decimal("0.01"))


def plain(number: Decimal) -> str:
    """A number without needless zeros: 250 and not 250.000."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
