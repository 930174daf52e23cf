"""What stands on a marketplace for a product of the shop."""

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from marketplaces.models.account import SellerAccount


class Listing(models.Model):
    """An offer on a marketplace, and what of the shop it sells: one of `sku` is `quantity` portions of `product`.

    `sku` is what the marketplace calls the offer in orders and in writes of its stock: Allegro the offer's id, Ozon
    `offer_id`, Wildberries `chrtId`. Whoever sells there is offered (quantity − minimum) / need − `buffer` pieces.

    `offered` is the quantity that the marketplace is known to show: what was pushed and read back. `push_wanted_at` is
    set, with the movement that causes it, when that may have changed; see docs/adr/0051-quantities-are-reconciled.md.
    """

    account = models.ForeignKey(
        SellerAccount, on_delete=models.PROTECT, related_name="listings", verbose_name=_("account")
    )
    sku = models.CharField(_("SKU"), max_length=100)
    product = models.ForeignKey(
        "inventory.Product", on_delete=models.PROTECT, related_name="listings", verbose_name=_("product")
    )
    quantity = models.PositiveIntegerField(
        _("portions in one piece"), default=1, validators=[MinValueValidator(1)], help_text=_("A pack of three is 3.")
    )
    buffer = models.PositiveIntegerField(
        _("kept back"), default=0, help_text=_("So many pieces are never offered on the marketplace.")
    )
    name = models.CharField(_("name on the marketplace"), max_length=300, blank=True)
    barcode = models.CharField(_("barcode"), max_length=60, blank=True)
    # Other names of the same thing on the marketplace: Ozon {"product_id", "sku"}, Wildberries {"nmId"}.
    external_ids = models.JSONField(default=dict, blank=True, editable=False)
    is_active = models.BooleanField(
        _("kept up to date"), default=True, help_text=_("Off: its quantity on the marketplace is left alone.")
    )
    offered = models.IntegerField(_("shown on the marketplace"), null=True, blank=True, editable=False)
    offered_at = models.DateTimeField(_("read back"), null=True, blank=True, editable=False)
    push_wanted_at = models.DateTimeField(null=True, blank=True, editable=False)
    # One pair may be written once in 30 seconds on Ozon; a refused one waits longer each time.
    push_not_before = models.DateTimeField(null=True, blank=True, editable=False)
    push_attempts = models.PositiveIntegerField(default=0, editable=False)
    push_error = models.CharField(_("refused because"), max_length=500, blank=True, editable=False)

    class Meta:
        verbose_name = _("listing")
        verbose_name_plural = _("listings")
        ordering = ["account", "sku"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "sku"],
                name="listing_once",
                violation_error_message=_("This SKU is matched to a product already."),
            ),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="listing_quantity_positive"),
            models.CheckConstraint(condition=~Q(sku=""), name="listing_has_a_sku"),
        ]
        indexes = [
            models.Index(
                fields=["account", "push_wanted_at"], name="listing_to_push", condition=Q(push_wanted_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sku} → {self.product}"
