"""What of a stock keeps until when."""

import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from foundation.decimals import plain


class StockLot(models.Model):
    """The part of a level that expires at one moment. Only ingredients with `tracks_expiry` have lots; they sum to
    the level. What has no known date stands in the undated lot, which is used first.

    `expires_at` is the first moment at which it may not be sold any more. `code` is what the maker printed on it.
    """

    location = models.ForeignKey(
        "inventory.Location", on_delete=models.PROTECT, related_name="stock_lots", verbose_name=_("location")
    )
    ingredient = models.ForeignKey(
        "inventory.Ingredient", on_delete=models.PROTECT, related_name="stock_lots", verbose_name=_("ingredient")
    )
    expires_at = models.DateTimeField(_("expires"), null=True)
    code = models.CharField(_("lot code"), max_length=60, blank=True)
    quantity = models.DecimalField(_("quantity"), max_digits=14, decimal_places=3, default=0, editable=False)

    class Meta:
        verbose_name = _("lot")
        verbose_name_plural = _("lots")
        ordering = ["expires_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["location", "ingredient", "expires_at", "code"], nulls_distinct=False, name="stock_lot_once"
            ),
            models.CheckConstraint(condition=Q(quantity__gte=0), name="stock_lot_not_negative"),
        ]
        indexes = [
            models.Index(fields=["expires_at"], name="stock_lot_by_expiry", condition=Q(quantity__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.ingredient}, {plain(self.quantity)} {self.ingredient.get_unit_display()}"

    def is_expired(self, at: datetime.datetime) -> bool:
        """Whether it may not be sold any more at the moment `at`."""
        return self.expires_at is not None and self.expires_at <= at
