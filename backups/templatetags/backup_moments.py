"""Moments on the pages of backups: by the clocks of the shop."""

import datetime

from django import template
from django.utils.safestring import SafeString

from backups.moments import moment

register = template.Library()


@register.filter
def shop_moment(at: datetime.datetime | None) -> SafeString | str:
    """21 Nov 2026, 10:35; a dash for none."""
    return moment(at)
