"""The shop's name; money, quantities and moments as the shop's people read them: `{% load shop_formats %}`."""

import datetime
from decimal import Decimal

from django import template
from django.utils import timezone

from foundation import moments
from foundation import money as amounts
from foundation.admin import numbers
from foundation.shop import current_shop

register = template.Library()


@register.simple_tag
def shop_name() -> str:
    """What the shop is called."""
    return current_shop().name


@register.filter
def money(amount: Decimal | int | str | None) -> str:
    """An amount in the shop's currency; nothing for nothing."""
    return "" if amount is None or amount == "" else amounts.money(amount)


@register.filter
def price_change(amount: Decimal | str) -> str:
    """What an option adds to a price: +฿10, −฿5."""
    number = Decimal(amount)
    return f"+{amounts.money(number)}" if number > 0 else amounts.money(number)


@register.filter
def quantity(number: Decimal | None) -> str:
    """A quantity in the reader's format, without needless zeros."""
    return "" if number is None else numbers.number(number)


@register.filter
def signed(number: Decimal) -> str:
    """A change with its sign: +250, −30.5."""
    return f"+{numbers.number(number)}" if number >= 0 else f"\N{MINUS SIGN}{numbers.number(-number)}"


@register.filter
def moment(when: datetime.datetime | None, zone: str = "UTC") -> str:
    """Day and time in a location's time zone."""
    return "" if when is None else moments.day_and_time(when, zone)


@register.filter
def day(date: datetime.date | None) -> str:
    """A date with its year: 21 Nov 2026."""
    return "" if date is None else moments.day_of_year(date)


@register.filter
def clock(when: datetime.datetime | None, zone: str = "UTC") -> str:
    """The time of day in a location's time zone."""
    return "" if when is None else moments.clock(when, zone)


@register.filter
def age(since: datetime.datetime) -> str:
    """How long ago that was: 5 min, 2 h 10 min, 3 d."""
    return moments.span(timezone.now() - since)
