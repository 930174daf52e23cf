"""From whom the shop buys, in which packs, and what it has ordered."""

import datetime
from decimal import Decimal

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition


class Supplier(models.Model):
    """Somebody who delivers. One who no longer does is switched off, not deleted: orders and receipts name them."""

    name = models.CharField(_("name"), max_length=150, unique=True)
    contact = models.CharField(_("contact person"), max_length=150, blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    address = models.CharField(_("address"), max_length=300, blank=True)
    comment = models.TextField(_("comment"), max_length=2000, blank=True)
    is_active = models.BooleanField(_("delivers"), default=True)

    class Meta:
        verbose_name = _("supplier")
        verbose_name_plural = _("suppliers")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class SupplierPack(models.Model):
    """How a supplier sells an ingredient: “case of 12 × 1 l” holds 12,000 ml and costs so much."""

    supplier = models.ForeignKey(Supplier, on_delete=models.CASCADE, related_name="packs", verbose_name=_("supplier"))
    ingredient = models.ForeignKey(
        "inventory.Ingredient", on_delete=models.PROTECT, related_name="packs", verbose_name=_("ingredient")
    )
    name = models.CharField(_("pack"), max_length=100, help_text=_("For example: case of 12 × 1 l."))
    quantity = models.DecimalField(
        _("content"),
        max_digits=14,
        decimal_places=3,
        validators=[MinValueValidator(Decimal("0.001"))],
        help_text=_("In the ingredient's base unit."),
    )
    price = models.DecimalField(
        _("price"), max_digits=12, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    article = models.CharField(_("article number"), max_length=60, blank=True)
    is_preferred = models.BooleanField(
        _("preferred"), default=False, help_text=_("Suggestions order the ingredient in this pack.")
    )

    class Meta:
        verbose_name = _("pack")
        verbose_name_plural = _("packs")
        ordering = ["ingredient__name", "name"]
        constraints = [
            models.UniqueConstraint(fields=["supplier", "ingredient", "name"], name="pack_once_at_supplier"),
            models.UniqueConstraint(
                fields=["ingredient"],
                condition=Q(is_preferred=True),
                name="one_preferred_pack",
                violation_error_message=_("Another pack of this ingredient is preferred already."),
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0),
                name="pack_holds_something",
                violation_error_message=_("A pack must hold more than 0."),
            ),
            models.CheckConstraint(
                condition=Q(price=None) | Q(price__gte=0),
                name="pack_price_not_negative",
                violation_error_message=_("The price can't be below 0."),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class PurchaseOrder(models.Model):
    """What the shop has asked a supplier to deliver to a location.

    A transition changes only its own row's fields; `inventory.services.purchasing` locks, calls it, and does the rest.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        ORDERED = "ordered", _("ordered")
        PARTLY_RECEIVED = "partly_received", _("partly received")
        RECEIVED = "received", _("received")
        CANCELLED = "cancelled", _("cancelled")

    # What may still be delivered.
    EXPECTED = (Status.ORDERED, Status.PARTLY_RECEIVED)

    supplier = models.ForeignKey(
        Supplier, on_delete=models.PROTECT, related_name="purchase_orders", verbose_name=_("supplier")
    )
    location = models.ForeignKey(
        "inventory.Location", on_delete=models.PROTECT, related_name="purchase_orders", verbose_name=_("location")
    )
    status = FSMField(_("status"), max_length=15, choices=Status, default=Status.DRAFT, protected=True)
    expected_on = models.DateField(_("expected on"), null=True, blank=True)
    comment = models.CharField(_("comment"), max_length=500, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    ordered_at = models.DateTimeField(_("ordered"), null=True, blank=True)
    closed_at = models.DateTimeField(_("received or cancelled"), null=True, blank=True)

    class Meta:
        verbose_name = _("purchase order")
        verbose_name_plural = _("purchase orders")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["status", "-id"], name="purchase_order_by_status"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["draft", "ordered", "partly_received", "received", "cancelled"]),
                name="purchase_order_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["received", "cancelled"], closed_at__isnull=False)
                | (~Q(status__in=["received", "cancelled"]) & Q(closed_at=None)),
                name="purchase_order_closed_when_over",
            ),
        ]
        permissions = [
            ("order_purchaseorder", _("Can send purchase orders to suppliers")),
            ("receive_purchaseorder", _("Can receive what was ordered")),
            ("cancel_purchaseorder", _("Can cancel purchase orders")),
        ]

    def __str__(self) -> str:
        return f"PO-{self.pk}"

    @transition(field=status, source=Status.DRAFT, target=Status.ORDERED, permission="inventory.order_purchaseorder")
    def order(self, *, at: datetime.datetime | None = None) -> None:
        """The supplier has been asked."""
        self.ordered_at = at or timezone.now()

    @transition(
        field=status,
        source=list(EXPECTED),
        target=Status.PARTLY_RECEIVED,
        permission="inventory.receive_purchaseorder",
    )
    def receive_part(self) -> None:
        """Something came; more is expected."""

    @transition(
        field=status, source=list(EXPECTED), target=Status.RECEIVED, permission="inventory.receive_purchaseorder"
    )
    def receive(self) -> None:
        """All that will come has come."""
        self.closed_at = timezone.now()

    @transition(
        field=status,
        source=[Status.DRAFT, Status.ORDERED],
        target=Status.CANCELLED,
        permission="inventory.cancel_purchaseorder",
    )
    def cancel(self) -> None:
        """It is not going to come. What has come in part is closed by receiving, not cancelled."""
        self.closed_at = timezone.now()


class PurchaseOrderLine(models.Model):
    """So many packs of an ingredient. The pack stands here as it was when it was ordered.

    `pack_quantity` is the content of one pack and `received_quantity` what has come so far, both in the base unit;
    `price` is money for one pack.
    """

    order = models.ForeignKey(
        PurchaseOrder, on_delete=models.CASCADE, related_name="lines", verbose_name=_("purchase order")
    )
    ingredient = models.ForeignKey(
        "inventory.Ingredient",
        on_delete=models.PROTECT,
        related_name="purchase_order_lines",
        verbose_name=_("ingredient"),
    )
    pack = models.ForeignKey(
        SupplierPack, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("pack")
    )
    position = models.PositiveIntegerField(_("position"), default=0)
    pack_name = models.CharField(_("pack"), max_length=100)
    pack_quantity = models.DecimalField(_("content"), max_digits=14, decimal_places=3)
    packs = models.DecimalField(_("packs"), max_digits=14, decimal_places=3)
    price = models.DecimalField(_("price of a pack"), max_digits=12, decimal_places=2, null=True, blank=True)
    received_quantity = models.DecimalField(_("received"), max_digits=14, decimal_places=3, default=0)

    class Meta:
        verbose_name = _("purchase order line")
        verbose_name_plural = _("purchase order lines")
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(pack_quantity__gt=0), name="ordered_pack_holds_something"),
            models.CheckConstraint(condition=Q(packs__gt=0), name="ordered_packs_positive"),
            models.CheckConstraint(condition=Q(price=None) | Q(price__gte=0), name="ordered_price_not_negative"),
            models.CheckConstraint(condition=Q(received_quantity__gte=0), name="received_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.packs} × {self.pack_name}"

    @property
    def quantity(self) -> Decimal:
        """What is ordered, in the ingredient's base unit."""
        return self.packs * self.pack_quantity

    @property
    def outstanding(self) -> Decimal:
        """What has not come yet, in the base unit; 0 when more came than was ordered."""
        return max(self.quantity - self.received_quantity, Decimal(0))
