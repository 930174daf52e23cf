"""Using a promo code for an order, and giving the use back.

The code's row is locked first, so that of two customers who use the last of it one does and the other is told.
"""

import datetime
from collections.abc import Sequence
from decimal import Decimal

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from orders.errors import PromoCodeNeedsCustomer, PromoCodeRefused
from orders.locks import lock_promo_code_called, lock_promo_codes
from orders.models import Order, PromoCode, PromoRedemption


def lock_usable_code(text: str, *, customer_id: int | None, at: datetime.datetime) -> PromoCode:
    """The promo code that is called so, locked, if this customer may use it once more. Raises PromoCodeRefused."""
    return checked_code(text, lock_promo_code_called(normal_code(text)), customer_id=customer_id, at=at)


def usable_code(text: str, *, customer_id: int | None, at: datetime.datetime) -> PromoCode:
    """The same without a lock, for who only asks what it would cost. Raises PromoCodeRefused."""
    found = PromoCode.objects.filter(code=normal_code(text)).first()
    return checked_code(text, found, customer_id=customer_id, at=at)


def normal_code(text: str) -> str:
    """A code as it is kept: "  welcome10 " is WELCOME10."""
    return text.strip().upper()[: PromoCode._meta.get_field("code").max_length]


def checked_code(text: str, code: PromoCode | None, *, customer_id: int | None, at: datetime.datetime) -> PromoCode:
    """Raises PromoCodeRefused with the reason why the code can't be used now."""
    shown = {"code": text.strip()[:40]}
    if code is None:
        raise PromoCodeRefused.because(_("There is no promo code %(code)s. Check the spelling.") % shown)
    check_period(code, at)
    if code.usage_limit is not None and code.used_count >= code.usage_limit:
        raise PromoCodeRefused.because(_("%(code)s has been used as often as it may be.") % shown)
    if code.per_customer_limit is not None:
        if customer_id is None:
            raise PromoCodeNeedsCustomer.because(
                _("%(code)s is limited for each customer. Say who the customer is.") % shown
            )
        uses = code.redemptions.filter(customer_id=customer_id, released_at=None).count()
        if uses >= code.per_customer_limit:
            raise PromoCodeRefused.because(_("%(code)s has been used as often as one customer may.") % shown)
    return code


def check_period(code: PromoCode, at: datetime.datetime) -> None:
    """Raises PromoCodeRefused if the code is switched off, has not begun or is over at this moment."""
    shown = {"code": code.code}
    if not code.is_active:
        raise PromoCodeRefused.because(_("%(code)s is not valid any more.") % shown)
    if code.starts_at is not None and at < code.starts_at:
        raise PromoCodeRefused.because(_("%(code)s is not valid yet.") % shown)
    if code.ends_at is not None and at >= code.ends_at:
        raise PromoCodeRefused.because(_("%(code)s has expired.") % shown)


def use_code(code: PromoCode, order: Order, *, amount: Decimal, at: datetime.datetime) -> None:
    """Writes down that the order carries the locked code."""
    PromoRedemption.objects.create(
        promo_code=code, customer_id=order.customer_id, order_id=order.pk, amount=amount, created_at=at
    )
    PromoCode.objects.filter(pk=code.pk).update(used_count=F("used_count") + 1)


def release_codes(orders: Sequence[Order], *, at: datetime.datetime | None = None) -> None:
    """Gives back the use of a code by each of these locked orders that carries one: three queries for all of them, and
    none if none does. To be called before customers are locked."""
    carrying = [order for order in orders if order.promo_code_id is not None]
    if not carrying:
        return
    codes = lock_promo_codes({order.promo_code_id for order in carrying if order.promo_code_id is not None})
    held = PromoRedemption.objects.filter(order_id__in=[order.pk for order in carrying], released_at=None)
    released = list(held.values_list("pk", "promo_code_id"))
    PromoRedemption.objects.filter(pk__in=[pk for pk, _code_id in released]).update(released_at=at or timezone.now())
    for code in codes.values():
        code.used_count -= sum(1 for _pk, code_id in released if code_id == code.pk)
    PromoCode.objects.bulk_update(codes.values(), ["used_count"])
