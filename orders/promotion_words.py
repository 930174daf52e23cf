"""Promotions and promo codes in a line of words, for whoever stands at the counter."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from foundation.decimals import plain
from foundation.moments import day_and_time, day_of_year
from foundation.money import money
from foundation.shop import current_shop
from orders.models import PromoCode, Promotion

MOST_NAMES = 4


@dataclass(frozen=True, slots=True)
class Names:
    """What an offer is for, by name. `everything` and `everywhere` as the offer keeps them."""

    goods: Sequence[str] = ()
    places: Sequence[str] = ()
    everything: bool = True
    everywhere: bool = True


def names_of(offer: Promotion | PromoCode) -> Names:
    """The names that a saved offer has; to be asked of one whose names were prefetched."""
    goods = [*(one.name for one in offer.categories.all()), *(one.name for one in offer.products.all())]
    if isinstance(offer, PromoCode):
        return Names(goods, everything=offer.covers_menu)
    places = [one.name for one in offer.locations.all()]
    return Names(goods, places, everything=offer.covers_menu, everywhere=offer.is_everywhere)


def promotion_in_words(promotion: Promotion, names: Names) -> str:
    """Tue–Fri 14:00–17:00: −20 % on Tea, at Siam Square, until 31 Dec 2026"""
    goods = goods_in_words(names)
    off = off_in_words(promotion.kind, promotion.value)
    if promotion.every == 1:
        what = _("%(off)s on %(goods)s") % {"off": off, "goods": goods}
    elif promotion.every == 2:
        what = _("%(off)s on every second portion of %(goods)s") % {"off": off, "goods": goods}
    else:
        what = _("%(off)s on one of every %(number)d portions of %(goods)s") % {
            "off": off,
            "number": promotion.every,
            "goods": goods,
        }
    parts = [_("%(when)s: %(what)s") % {"when": when_in_words(promotion), "what": what}]
    if not names.everywhere:
        parts.append(_("at %(places)s") % {"places": some(names.places) or _("no location any more")})
    parts += days_in_words(promotion.starts_on, promotion.ends_on)
    return ", ".join(parts)


def code_in_words(code: PromoCode, names: Names) -> str:
    """−10 % on the whole menu, from ฿200, once per customer"""
    off = off_in_words(code.kind, code.value)
    parts = [_("%(off)s on %(goods)s") % {"off": off, "goods": goods_in_words(names)}]
    if code.minimum_total:
        parts.append(_("from %(amount)s") % {"amount": money(code.minimum_total)})
    if code.per_customer_limit == 1:
        parts.append(_("once per customer"))
    elif code.per_customer_limit:
        parts.append(
            ngettext("%(count)d time per customer", "%(count)d times per customer", code.per_customer_limit)
            % {"count": code.per_customer_limit}
        )
    return ", ".join(parts)


def period_in_words(code: PromoCode) -> str:
    """1 Dec, 00:00 – 31 Dec, 23:59, by the shop's clock; empty without limits."""
    zone = current_shop().time_zone
    start, end = (None if moment is None else day_and_time(moment, zone) for moment in (code.starts_at, code.ends_at))
    return from_to(start, end)


def off_in_words(kind: str, value: Decimal) -> str:
    """−20 % or −฿10"""
    if kind == Promotion.Kind.PERCENT:
        text = plain(Decimal(value))
        number = number_format(Decimal(text), decimal_pos=len(text.partition(".")[2]))
        return f"\N{MINUS SIGN}{number}\N{NO-BREAK SPACE}%"
    return f"\N{MINUS SIGN}{money(value)}"


def goods_in_words(names: Names) -> str:
    if names.everything:
        return _("the whole menu")
    return some(names.goods) or _("nothing any more")


def some(names: Sequence[str]) -> str:
    """The first names, and how many there are more."""
    shown = ", ".join(names[:MOST_NAMES])
    more = len(names) - MOST_NAMES
    return _("%(names)s and %(number)d more") % {"names": shown, "number": more} if more > 0 else shown


def when_in_words(promotion: Promotion) -> str:
    """Tue–Fri 14:00–17:00"""
    days = weekdays_in_words(promotion.weekdays)
    if promotion.starts_time is None or promotion.ends_time is None:
        return days
    return f"{days} {clock(promotion.starts_time)}–{clock(promotion.ends_time)}"


def weekdays_in_words(weekdays: Sequence[int]) -> str:
    """1 is Monday: Tue–Fri, or Mon, Wed, or the whole name of one day."""
    days = sorted(set(weekdays))
    if len(days) in (0, 7):
        return _("Every day")
    if len(days) == 1:
        return str(WEEKDAYS[days[0] - 1])
    return ", ".join(run_in_words(run) for run in runs(days))


def runs(days: Sequence[int]) -> list[list[int]]:
    """Days that follow one another, together."""
    found: list[list[int]] = []
    for day in days:
        if found and found[-1][-1] == day - 1:
            found[-1].append(day)
        else:
            found.append([day])
    return found


def run_in_words(run: Sequence[int]) -> str:
    names = [str(WEEKDAYS_ABBR[day - 1]) for day in run]
    return f"{names[0]}–{names[-1]}" if len(names) > 2 else ", ".join(names)


def days_in_words(first: datetime.date | None, last: datetime.date | None) -> list[str]:
    words = from_to(day_of_year(first) if first else None, day_of_year(last) if last else None)
    return [words] if words else []


def from_to(start: str | None, end: str | None) -> str:
    """A period whose ends may be missing."""
    if start and end:
        return f"{start} – {end}"
    if start:
        return _("from %(moment)s on") % {"moment": start}
    return _("until %(moment)s") % {"moment": end} if end else ""


def clock(time: datetime.time) -> str:
    return f"{time:%H:%M}"
