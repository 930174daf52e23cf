"""Money for orders, and money back."""

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orders.models.every import EveryItem, of_any_order, seen
from orders.models.shift import Shift


class Payment(models.Model):
    """What somebody paid for an order, by one method. An order may have several.

    `amount` goes to the order, `tip` to the staff; of `tendered` cash, `change` was given back. Cash names the shift
    whose till holds it. `refunded` and `tip_refunded` are what has been paid back of it, see `RefundPart`.
    """

    class Method(models.TextChoices):
        CASH = "cash", _("cash")
        CARD = "card", _("card")
        TRANSFER = "transfer", pgettext_lazy("a payment", "transfer")
        ONLINE = "online", _("online")

    order = of_any_order()
    method = models.CharField(_("method"), max_length=8, choices=Method)
    amount = models.DecimalField(_("amount"), max_digits=12, decimal_places=2)
    tip = models.DecimalField(_("tip"), max_digits=12, decimal_places=2, default=0)
    tendered = models.DecimalField(_("tendered"), max_digits=12, decimal_places=2, null=True, blank=True)
    change = models.DecimalField(
        pgettext_lazy("money given back", "change"), max_digits=12, decimal_places=2, default=0
    )
    shift = models.ForeignKey(
        Shift, on_delete=models.PROTECT, null=True, blank=True, related_name="payments", verbose_name=_("shift")
    )
    refunded = models.DecimalField(_("paid back"), max_digits=12, decimal_places=2, default=0)
    tip_refunded = models.DecimalField(_("tip given back"), max_digits=12, decimal_places=2, default=0)
    reference = models.CharField(_("reference"), max_length=100, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        ordering = ["-id"]
        default_permissions = ("view", "add")
        # Lists are narrowed by when it was: an old week is not looked for among all that is newer.
        indexes = [models.Index(fields=["created_at"], name="payment_by_time")]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0, tip__gte=0, change__gte=0), name="payment_positive"),
            models.CheckConstraint(
                condition=Q(
                    refunded__gte=0, refunded__lte=F("amount"), tip_refunded__gte=0, tip_refunded__lte=F("tip")
                ),
                name="payment_paid_back_within_it",
            ),
            models.CheckConstraint(
                condition=Q(method="cash", shift__isnull=False, tendered=F("amount") + F("tip") + F("change"))
                | (~Q(method="cash") & Q(tendered=None, change=0)),
                name="payment_cash_in_a_shift",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_method_display()}: {self.amount}"

    @property
    def left(self) -> Decimal:
        """What can still be paid back of it."""
        return self.amount - self.refunded


class Refund(models.Model):
    """Money back for an order, or for some of its lines, with its reason.

    `amount` went back to who paid; `withheld` did not, for the points that the order had earned were spent already.
    `is_restocked` says whether the lines' ingredients went back to the shelf; None if no line was taken back.
    """

    order = of_any_order()
    amount = models.DecimalField(_("amount"), max_digits=12, decimal_places=2)
    withheld = models.DecimalField(_("withheld for spent points"), max_digits=12, decimal_places=2, default=0)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    is_restocked = models.BooleanField(_("returned to stock"), null=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        ordering = ["-id"]
        default_permissions = ("view", "add")
        indexes = [models.Index(fields=["created_at"], name="refund_by_time")]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gte=0, withheld__gte=0), name="refund_not_negative"),
        ]

    def __str__(self) -> str:
        return f"№{self.pk}: {self.amount}"


class RefundItem(models.Model):
    """A line, or a part of it, that a refund took back; `amount` is what was paid for it."""

    refund = models.ForeignKey(Refund, on_delete=models.PROTECT, related_name="items", verbose_name=_("refund"))
    item = seen(EveryItem, db_constraint=False, verbose_name=_("item"))
    quantity = models.PositiveIntegerField(_("quantity"))
    amount = models.DecimalField(_("amount"), max_digits=12, decimal_places=2)

    class Meta:
        verbose_name = _("refunded item")
        verbose_name_plural = _("refunded items")
        ordering = ["id"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.quantity} × {self.item_id}"


class RefundPart(models.Model):
    """What a refund pays back of one payment, the way it came; cash names the shift whose till it left."""

    refund = models.ForeignKey(Refund, on_delete=models.PROTECT, related_name="parts", verbose_name=_("refund"))
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="parts", verbose_name=_("payment"))
    amount = models.DecimalField(_("amount"), max_digits=12, decimal_places=2)
    tip = models.DecimalField(_("tip"), max_digits=12, decimal_places=2, default=0)
    shift = models.ForeignKey(
        Shift, on_delete=models.PROTECT, null=True, blank=True, related_name="refund_parts", verbose_name=_("shift")
    )

    class Meta:
        verbose_name = _("part of a refund")
        verbose_name_plural = _("parts of refunds")
        ordering = ["id"]
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gte=0, tip__gte=0) & ~Q(amount=0, tip=0), name="refund_part_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.payment_id}: {self.amount}"
