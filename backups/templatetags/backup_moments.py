"""Moments on the pages of backups: by the clocks of the shop."""

import datetime

from django import template
from django.utils.safestring import SafeString

from backups.moments import first_second, moment, to_the_second

register = template.Library()


@register.filter
def shop_moment(at: datetime.datetime | None) -> SafeString | str:
    """21 Nov 2026, 10:35; a dash for none."""
    return moment(at)


@register.filter
def shop_second(at: datetime.datetime | None) -> SafeString | str:
    """21 Nov 2026, 10:35:07; a dash for none."""
    return to_the_second(at)


@register.filter
def shop_first_second(at: datetime.datetime) -> SafeString | str:
    """The same of a beginning, rounded up: it may be typed in as it is shown."""
    return to_the_second(first_second(at))
