"""Whether a promo code can be used now, as lists show and ask it."""

import datetime

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orders.models import PromoCode


class PromoCodeState(models.TextChoices):
    """The first of these that is true of a code."""

    OFF = "off", _("switched off")
    EXPIRED = "expired", pgettext_lazy("a promo code", "expired")
    USED_UP = "used_up", _("used up")
    NOT_YET = "not_yet", _("not yet")
    ACTIVE = "active", _("active")


def state_of(code: PromoCode, *, at: datetime.datetime) -> PromoCodeState:
    """The state of the code at this moment."""
    if not code.is_active:
        return PromoCodeState.OFF
    if code.ends_at is not None and code.ends_at <= at:
        return PromoCodeState.EXPIRED
    if code.usage_limit is not None and code.used_count >= code.usage_limit:
        return PromoCodeState.USED_UP
    if code.starts_at is not None and code.starts_at > at:
        return PromoCodeState.NOT_YET
    return PromoCodeState.ACTIVE


def in_state(state: str, *, at: datetime.datetime) -> Q:
    """The same as a question to the database; nothing for a word that is no state."""
    truths = {
        PromoCodeState.OFF: Q(is_active=False),
        PromoCodeState.EXPIRED: Q(ends_at__lte=at),
        PromoCodeState.USED_UP: Q(used_count__gte=F("usage_limit")),
        PromoCodeState.NOT_YET: Q(starts_at__gt=at),
        PromoCodeState.ACTIVE: Q(),
    }
    # `~` alone would leave out rows in which a column is empty.
    false = {
        PromoCodeState.OFF: Q(is_active=True),
        PromoCodeState.EXPIRED: Q(ends_at=None) | Q(ends_at__gt=at),
        PromoCodeState.USED_UP: Q(usage_limit=None) | Q(used_count__lt=F("usage_limit")),
        PromoCodeState.NOT_YET: Q(starts_at=None) | Q(starts_at__lte=at),
    }
    condition = Q()
    for one, truth in truths.items():
        if one == state:
            return condition & truth
        condition &= false.get(one, Q())
    return Q(pk__in=[])
