"""How long things took and how large they are: `{% load lengths %}`."""

import datetime

from django import template
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from foundation.moments import span

register = template.Library()

GIGABYTE, MEGABYTE, KILOBYTE = 1024**3, 1024**2, 1024
GAP = "\N{NO-BREAK SPACE}"


@register.filter
def milliseconds(number: float | None) -> str:
    """0.4 ms, 120 ms, 1.5 s, 3 min; nothing for nothing."""
    if number is None:
        return ""
    if number < 1000:
        shown = number_format(number, decimal_pos=0 if number >= 10 else 1, force_grouping=True)
        return with_unit(shown, pgettext("milliseconds", "ms"))
    if number < 60_000:
        return with_unit(number_format(number / 1000, decimal_pos=1), pgettext("seconds", "s"))
    return span(datetime.timedelta(milliseconds=number))


@register.filter
def seconds(number: float) -> str:
    """45 s, then as minutes, hours and days."""
    if number < 60:
        return with_unit(str(int(number)), pgettext("seconds", "s"))
    return span(datetime.timedelta(seconds=int(number)))


@register.filter
def size(number: int | None) -> str:
    """Bytes as people read them: 96 kB, 1.5 GB; nothing for nothing."""
    if number is None:
        return ""
    for unit, name in ((GIGABYTE, _("GB")), (MEGABYTE, _("MB"))):
        if number >= unit:
            return with_unit(number_format(number / unit, decimal_pos=1), name)
    return with_unit(number_format(-(-number // KILOBYTE)), _("kB"))


def with_unit(number: str, unit: str) -> str:
    """120 ms: what is read together stays on one line."""
    return f"{number}{GAP}{unit}"


@register.filter
def percent(share: float | None) -> str:
    """A share as per cent, with one decimal; a dash where it is not known."""
    return "–" if share is None else f"{number_format(share * 100, decimal_pos=1)}{GAP}%"


@register.filter
def count(number: int) -> str:
    """A whole number, thousands grouped."""
    return number_format(number, force_grouping=True)
