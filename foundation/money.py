"""Amounts of money as the shop's people read them."""

from dataclasses import asdict, dataclass
from decimal import Decimal

from django.utils.formats import get_format, number_format

from foundation.decimals import round_money
from foundation.shop import current_shop

# Signs that stand before the number; every other currency stands behind it, as a sign or as its code.
LEADING_SIGNS = {"USD": "$", "GBP": "£", "THB": "฿", "JPY": "¥", "CNY": "¥", "INR": "₹"}
TRAILING_SIGNS = {"EUR": "€", "RUB": "₽", "PLN": "zł", "UAH": "₴", "KZT": "₸"}


@dataclass(frozen=True, slots=True)
class MoneyFormat:
    """How amounts of the shop's currency are written in the reader's language; for scripts in a page."""

    before: str
    after: str
    decimals: int
    decimal_separator: str
    thousand_separator: str

    def as_json(self) -> dict[str, str | int]:
        return asdict(self)


def money_format() -> MoneyFormat:
    """The format for the shop's currency and the active language."""
    shop = current_shop()
    before = LEADING_SIGNS.get(shop.currency, "")
    return MoneyFormat(
        before=before,
        after="" if before else f"\N{NO-BREAK SPACE}{TRAILING_SIGNS.get(shop.currency, shop.currency)}",
        decimals=shop.currency_decimals,
        decimal_separator=get_format("DECIMAL_SEPARATOR"),
        thousand_separator=get_format("THOUSAND_SEPARATOR"),
    )


def money(amount: Decimal | int | str) -> str:
    """An amount of the shop's currency, without decimals if it is whole: ฿1,234.50, ฿60, 25 zł."""
    form = money_format()
    number = round_money(Decimal(amount))
    sign = "\N{MINUS SIGN}" if number < 0 else ""
    decimals = form.decimals if number % 1 else 0
    return f"{sign}{form.before}{number_format(abs(number), decimal_pos=decimals, force_grouping=True)}{form.after}"
