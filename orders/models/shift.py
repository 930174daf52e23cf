"""A shift at a till: the cash that was there, came and went, and was counted."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Shift(models.Model):
    """The time from opening a till to counting it. `expected` and `difference` are written when it is closed.

    A closed shift stays as it is; what was counted wrongly is put right by a `ShiftCorrection`.
    """

    location = models.ForeignKey(
        "inventory.Location", on_delete=models.PROTECT, related_name="+", verbose_name=_("location")
    )
    till = models.CharField(_("till"), max_length=40, default="1")
    opening_float = models.DecimalField(_("opening float"), max_digits=12, decimal_places=2)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("opened by")
    )
    opened_at = models.DateTimeField(_("opened"), default=timezone.now)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("closed by")
    )
    closed_at = models.DateTimeField(pgettext_lazy("a shift", "closed"), null=True)
    expected = models.DecimalField(_("expected cash"), max_digits=12, decimal_places=2, null=True)
    counted = models.DecimalField(_("counted cash"), max_digits=12, decimal_places=2, null=True)
    difference = models.DecimalField(_("difference"), max_digits=12, decimal_places=2, null=True)
    comment = models.CharField(_("comment"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("shift")
        verbose_name_plural = _("shifts")
        ordering = ["-id"]
        default_permissions = ("view", "add")
        permissions = [
            ("close_shift", _("Can close shifts")),
            ("correct_shift", _("Can correct closed shifts")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["location", "till"], condition=Q(closed_at=None), name="shift_open_once_per_till"
            ),
            models.CheckConstraint(
                condition=Q(opening_float__gte=0) & (Q(counted=None) | Q(counted__gte=0)),
                name="shift_cash_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(closed_at=None, expected=None, counted=None, difference=None)
                | Q(closed_at__isnull=False, expected__isnull=False, difference=F("counted") - F("expected")),
                name="shift_closed_when_counted",
            ),
        ]

    def __str__(self) -> str:
        return f"№{self.pk}"

    @property
    def is_open(self) -> bool:
        return self.closed_at is None


class CashMovement(models.Model):
    """Cash that was put into a till or taken out of it otherwise than by a sale; `amount` is signed."""

    shift = models.ForeignKey(Shift, on_delete=models.PROTECT, related_name="cash_movements", verbose_name=_("shift"))
    amount = models.DecimalField(_("amount"), max_digits=12, decimal_places=2)
    reason = models.CharField(_("reason"), max_length=300)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        verbose_name = _("cash in or out")
        verbose_name_plural = _("cash in and out")
        ordering = ["id"]
        default_permissions = ("view", "add")
        constraints = [models.CheckConstraint(condition=~Q(amount=0), name="cash_movement_moves_cash")]

    def __str__(self) -> str:
        return f"{self.shift}: {self.amount:+}"


class ShiftCorrection(models.Model):
    """The second document: what a closed shift's cash really came to. The newest one holds."""

    shift = models.ForeignKey(Shift, on_delete=models.PROTECT, related_name="corrections", verbose_name=_("shift"))
    counted = models.DecimalField(_("counted cash"), max_digits=12, decimal_places=2)
    difference = models.DecimalField(_("difference"), max_digits=12, decimal_places=2)
    reason = models.CharField(_("reason"), max_length=300)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        verbose_name = _("correction of a shift")
        verbose_name_plural = _("corrections of shifts")
        ordering = ["id"]
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(condition=Q(counted__gte=0), name="shift_correction_cash_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.shift}: {self.counted}"
