"""The stock and its ledger."""

import pgtrigger
from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class StockLevel(models.Model):
    """How much of an ingredient a location holds: what its ledger sums to. A missing level is 0.

    `value` is the money that stands on the shelf, what the ledger's values sum to. `average_cost` is money per base
    unit: value / quantity, and the last one known while there is nothing.
    """

    location = models.ForeignKey(
        "inventory.Location", on_delete=models.PROTECT, related_name="stock_levels", verbose_name=_("location")
    )
    ingredient = models.ForeignKey(
        "inventory.Ingredient", on_delete=models.PROTECT, related_name="stock_levels", verbose_name=_("ingredient")
    )
    quantity = models.DecimalField(_("quantity"), max_digits=14, decimal_places=3, default=0, editable=False)
    minimum = models.DecimalField(
        _("minimum"),
        max_digits=14,
        decimal_places=3,
        default=0,
        help_text=_("Below it the ingredient is low, and what needs it is no longer offered."),
    )
    value = models.DecimalField(_("value"), max_digits=20, decimal_places=6, default=0, editable=False)
    average_cost = models.DecimalField(_("average cost"), max_digits=14, decimal_places=6, default=0, editable=False)
    shelf = models.ForeignKey(
        "inventory.Shelf",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="stock_levels",
        verbose_name=_("shelf"),
    )

    class Meta:
        verbose_name = _("stock level")
        verbose_name_plural = _("stock levels")
        ordering = ["location_id", "ingredient__name"]
        constraints = [
            models.UniqueConstraint(fields=["location", "ingredient"], name="stock_level_once"),
            models.CheckConstraint(condition=Q(quantity__gte=0), name="stock_quantity_not_negative"),
            models.CheckConstraint(
                condition=Q(minimum__gte=0),
                name="stock_minimum_not_negative",
                violation_error_message=_("The minimum can't be below 0."),
            ),
            models.CheckConstraint(condition=Q(average_cost__gte=0), name="stock_cost_not_negative"),
            models.CheckConstraint(
                condition=Q(value=0) | Q(value__gt=0, quantity__gt=0), name="stock_value_only_where_there_is_stock"
            ),
        ]
        permissions = [
            ("receive_stock", _("Can receive stock")),
            ("write_off_stock", _("Can write off stock")),
            ("transfer_stock", _("Can transfer stock between locations")),
            ("sell_below_minimum", _("Can sell what is below its minimum")),
            ("sell_anyway", _("Can sell what the stock says is not there, and correct it")),
        ]

    def __str__(self) -> str:
        return f"{self.ingredient}: {self.quantity}"

    @property
    def is_low(self) -> bool:
        """Below its minimum: what needs it is no longer offered."""
        return self.quantity < self.minimum


class StockDocument(models.Model):
    """What a person did to the stock: a receipt, a write-off or a transfer. Its lines are its movements."""

    class Kind(models.TextChoices):
        RECEIPT = "receipt", _("receipt")
        WRITE_OFF = "write_off", _("write-off")
        TRANSFER = "transfer", _("transfer")

    class WriteOffReason(models.TextChoices):
        SPOILAGE = "spoilage", _("spoilage")
        MISTAKE = "mistake", _("mistake")
        BREAKAGE = "breakage", _("breakage")
        TASTING = "tasting", _("tasting")

    kind = models.CharField(_("kind"), max_length=9, choices=Kind)
    location = models.ForeignKey(
        "inventory.Location", on_delete=models.PROTECT, related_name="+", verbose_name=_("location")
    )
    destination = models.ForeignKey(
        "inventory.Location", on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("destination")
    )
    reason = models.CharField(_("reason"), max_length=9, choices=WriteOffReason, blank=True)
    purchase_order = models.ForeignKey(
        "inventory.PurchaseOrder",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="receipts",
        verbose_name=_("purchase order"),
    )
    delivery_note = models.CharField(_("delivery note"), max_length=60, blank=True)
    comment = models.CharField(_("comment"), max_length=500, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    class Meta:
        verbose_name = _("stock document")
        verbose_name_plural = _("stock documents")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="transfer", destination__isnull=False) | (~Q(kind="transfer") & Q(destination=None)),
                name="only_a_transfer_has_a_destination",
            ),
            models.CheckConstraint(
                condition=(Q(kind="write_off") & ~Q(reason="")) | (~Q(kind="write_off") & Q(reason="")),
                name="only_a_write_off_has_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(kind="receipt") | Q(purchase_order=None, delivery_note=""),
                name="only_a_receipt_comes_from_a_purchase_order",
            ),
            models.UniqueConstraint(
                fields=["purchase_order", "delivery_note"],
                condition=~Q(delivery_note="") & Q(purchase_order__isnull=False),
                name="delivery_note_received_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"


class StockMovement(models.Model):
    """The ledger: one line for each change of a level, never altered. The database refuses UPDATE and DELETE.

    What caused it is named by (`document_type`, `document_id`, `line_id`), not by a key, so that documents
    of every floor above can stand there.
    """

    class Reason(models.TextChoices):
        SALE = "sale", _("sale")
        CANCELLATION = "cancellation", _("cancellation")
        RECEIPT = "receipt", _("receipt")
        WRITE_OFF = "write_off", _("write-off")
        COUNT = "count", _("count")
        TRANSFER = "transfer", _("transfer")
        PREPARATION = "preparation", _("preparation")
        MARKETPLACE_SALE = "marketplace_sale", _("marketplace sale")
        MARKETPLACE_ROLLBACK = "marketplace_rollback", _("marketplace rollback")
        CORRECTION = "correction", _("correction")

    location = models.ForeignKey(
        "inventory.Location",
        on_delete=models.PROTECT,
        db_index=False,
        related_name="stock_movements",
        verbose_name=_("location"),
    )
    ingredient = models.ForeignKey(
        "inventory.Ingredient",
        on_delete=models.PROTECT,
        db_index=False,
        related_name="stock_movements",
        verbose_name=_("ingredient"),
    )
    delta = models.DecimalField(_("change"), max_digits=14, decimal_places=3)
    reason = models.CharField(_("reason"), max_length=20, choices=Reason)
    unit_cost = models.DecimalField(_("unit cost"), max_digits=14, decimal_places=6)
    # Money, signed like `delta`; its sum is the level's value to the last digit, which delta × unit cost is not.
    value = models.DecimalField(_("value"), max_digits=20, decimal_places=6)
    lot = models.ForeignKey(
        "inventory.StockLot",
        on_delete=models.PROTECT,
        null=True,
        db_index=False,
        related_name="movements",
        verbose_name=_("lot"),
    )
    document_type = models.CharField(_("document"), max_length=30)
    document_id = models.CharField(_("document number"), max_length=36)
    line_id = models.CharField(_("line"), max_length=36, blank=True)
    comment = models.CharField(_("comment"), max_length=500, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        db_index=False,
        null=True,
        related_name="+",
        verbose_name=_("by"),
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    class Meta:
        verbose_name = _("stock movement")
        verbose_name_plural = _("stock movements")
        ordering = ["-id"]
        # Keys have no index of their own: each one more slows every sale. The two last ones hold no sales.
        # See docs/adr/0030-indexes-of-large-tables.md.
        indexes = [
            models.Index(fields=["ingredient", "location", "-id"], name="movement_by_ingredient"),
            models.Index(fields=["ingredient", "-id"], name="movement_everywhere"),
            models.Index(fields=["location", "-id"], name="movement_by_place"),
            models.Index(fields=["document_type", "document_id"], name="movement_by_document"),
            models.Index(fields=["created_at"], name="movement_by_time"),
            models.Index(fields=["lot"], name="movement_by_lot", condition=Q(lot__isnull=False)),
            models.Index(fields=["reason", "-id"], name="movement_by_rare_reason", condition=~Q(reason="sale")),
            GinIndex(
                OpClass(Upper("comment"), "gin_trgm_ops"),
                name="movement_by_part_of_comment",
                condition=~Q(comment=""),
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(delta=0), name="movement_moves"),
            models.CheckConstraint(condition=Q(unit_cost__gte=0), name="movement_cost_not_negative"),
            models.CheckConstraint(
                condition=Q(delta__gt=0, value__gte=0) | Q(delta__lt=0, value__lte=0),
                name="movement_value_goes_where_the_stock_goes",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="ledger_is_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.delta:+} {self.ingredient}"
