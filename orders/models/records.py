"""The columns of an order and of what belongs to it, shared by the tables that hold them.

An order lives in `orders.models.order`; once it is old it may move to `orders.models.archive`, with the same columns
and ids. What reads both reads `orders.models.every`.

The keys have no index of their own: each table has those that its questions need.
"""

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class OrderRecord(models.Model):
    """What somebody bought at a location.

    `discounts` explains `discount`, step by step as `orders.pricing` took it: [{"kind", "name", "amount", …}]. `paid`
    is what was paid less what was paid back. `withheld` is what a refund kept because the points that the order
    had earned were spent: a fully paid order has `paid` = `total` + `withheld`, and none has more.
    `import_key` tells an imported sale from all others, so that none comes twice: see `orders.sales_orders`.
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("pending")
        PREPARING = "preparing", _("preparing")
        READY = "ready", _("ready")
        COMPLETED = "completed", _("completed")
        CANCELLED = "cancelled", _("cancelled")

    class Channel(models.TextChoices):
        COUNTER = "counter", _("counter")
        WEB = "web", _("web")
        API = "api", _("API")
        IMPORT = "import", _("import")

    ACTIVE = (Status.PENDING, Status.PREPARING, Status.READY)
    # Only what was read from `orders.models.every` or the archive says otherwise.
    is_archived = False

    number = models.BigIntegerField(_("number"), unique=True)
    location = models.ForeignKey(
        "inventory.Location", on_delete=models.PROTECT, db_index=False, related_name="+", verbose_name=_("location")
    )
    channel = models.CharField(_("channel"), max_length=7, choices=Channel, default=Channel.COUNTER)
    customer = models.ForeignKey(
        "orders.Customer",
        on_delete=models.PROTECT,
        db_index=False,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("customer"),
    )
    employee = models.ForeignKey(
        "orders.Employee",
        on_delete=models.PROTECT,
        db_index=False,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("employee"),
    )
    status = models.CharField(_("status"), max_length=9, choices=Status)
    subtotal = models.DecimalField(_("subtotal"), max_digits=12, decimal_places=2, default=0)
    discount = models.DecimalField(_("discount"), max_digits=12, decimal_places=2, default=0)
    total = models.DecimalField(_("total"), max_digits=12, decimal_places=2, default=0)
    discounts = models.JSONField(_("what is taken off"), default=list, blank=True)
    promo_code = models.ForeignKey(
        "orders.PromoCode",
        on_delete=models.PROTECT,
        db_index=False,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("promo code"),
    )
    points_redeemed = models.PositiveIntegerField(_("points redeemed"), default=0)
    paid = models.DecimalField(_("paid"), max_digits=12, decimal_places=2, default=0)
    withheld = models.DecimalField(_("withheld for spent points"), max_digits=12, decimal_places=2, default=0)
    comment = models.CharField(_("comment"), max_length=1000, blank=True)
    placed_at = models.DateTimeField(_("placed"), default=timezone.now)
    closed_at = models.DateTimeField(_("completed or cancelled"), null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        db_index=False,
        null=True,
        related_name="+",
        verbose_name=_("placed by"),
    )
    import_key = models.CharField(_("import key"), max_length=160, null=True, blank=True, editable=False)

    class Meta:
        abstract = True
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"#{self.number}"

    @property
    def is_active(self) -> bool:
        return self.status in self.ACTIVE

    @property
    def due(self) -> Decimal:
        """What is still to be paid."""
        return max(self.total + self.withheld - self.paid, Decimal("0.00"))


class OrderItemRecord(models.Model):
    """A line of an order as it was sold: what the catalogue says later does not change it.

    `options` holds [{"id", "group", "name", "price_delta"}]; `unit_price` includes them. `total` is what the
    quantity that is not cancelled costs before anything is taken off; `discount` is its share of everything that is,
    and `points_discount` the part of that share which points pay for.
    """

    product = models.ForeignKey(
        "inventory.Product", on_delete=models.PROTECT, related_name="+", verbose_name=_("product")
    )
    position = models.PositiveIntegerField(_("position"), default=0)
    name = models.CharField(_("name"), max_length=150)
    unit_price = models.DecimalField(_("unit price"), max_digits=12, decimal_places=2)
    quantity = models.PositiveIntegerField(_("quantity"))
    cancelled_quantity = models.PositiveIntegerField(_("cancelled"), default=0)
    options = models.JSONField(_("options"), default=list)
    total = models.DecimalField(_("total"), max_digits=12, decimal_places=2)
    discount = models.DecimalField(_("discount"), max_digits=12, decimal_places=2, default=0)
    points_discount = models.DecimalField(_("paid with points"), max_digits=12, decimal_places=2, default=0)

    class Meta:
        abstract = True
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.name}"

    @property
    def remaining(self) -> int:
        """How many are still wanted."""
        return self.quantity - self.cancelled_quantity

    @property
    def net(self) -> Decimal:
        """What the quantity that is still wanted costs in the end."""
        return self.total - self.discount


class CancelledItemRecord(models.Model):
    """What was taken back of a line, why, and whether its ingredients went back to the shelf."""

    quantity = models.PositiveIntegerField(_("quantity"))
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    is_restocked = models.BooleanField(_("returned to stock"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        db_index=False,
        null=True,
        related_name="+",
        verbose_name=_("by"),
    )
    created_at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        abstract = True
        ordering = ["id"]


class OrderEventRecord(models.Model):
    """What happened to an order: from which status to which, who, when, why, and through which door."""

    class Kind(models.TextChoices):
        PLACED = "placed", _("placed")
        IMPORTED = "imported", _("imported")
        EDITED = "edited", _("edited")
        PREPARED = "prepare", _("being prepared")
        READIED = "ready", _("ready")
        COMPLETED = "complete", _("completed")
        CANCELLED = "cancel", _("cancelled")
        ITEM_CANCELLED = "cancel_item", _("part cancelled")
        PAID = "pay", _("paid")
        REFUNDED = "refund", _("refunded")

    class Door(models.TextChoices):
        ADMIN = "admin", _("admin")
        COUNTER = "counter", _("counter")
        WEB = "web", _("web")
        API = "api", _("API")
        TASK = "task", _("background task")
        COMMAND = "command", _("command line")

    kind = models.CharField(_("what"), max_length=11, choices=Kind)
    from_status = models.CharField(_("from"), max_length=9, choices=OrderRecord.Status, blank=True)
    to_status = models.CharField(_("to"), max_length=9, choices=OrderRecord.Status)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    details = models.JSONField(_("details"), default=dict, blank=True)
    door = models.CharField(_("through"), max_length=7, choices=Door)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        db_index=False,
        null=True,
        related_name="+",
        verbose_name=_("by"),
    )
    created_at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        abstract = True
        ordering = ["id"]
