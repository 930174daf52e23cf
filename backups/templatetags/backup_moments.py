"""Moments on the pages of backups: by the clocks of the shop."""

import datetime

from django import template
from django.utils.safestring import SafeString

from backups.moments import moment, to_the_second

register = template.Library()


@register.filter
def shop_moment(at: datetime.datetime | None) -> SafeString | str:
    """21 Nov 2026, 10:35; a dash for none."""
    return moment(at)


@register.filter
def shop_second(at: datetime.datetime | None) -> SafeString | str:
    """21 Nov 2026, 10:35:07; a dash for none."""
    return to_the_second(at)
