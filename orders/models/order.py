"""An order, what is in it, and what happened to it."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from orders.models.fields import SequenceField


class OrderQuerySet(models.QuerySet["Order"]):
    """The verbs that ask for orders."""

    def active(self) -> "OrderQuerySet":
        """Orders that somebody still has to do something about."""
        return self.filter(status__in=Order.ACTIVE)

    def search(self, text: str) -> "OrderQuerySet":
        """Orders by number, or by the customer's name, phone or e-mail."""
        text = text.strip()
        found = Q(customer__name__icontains=text) | Q(customer__phone__icontains=text) | Q(customer__email__iexact=text)
        digits = text.lstrip("#№ ")
        if digits.isascii() and digits.isdigit() and len(digits) <= 18:
            found |= Q(number=int(digits))
        return self.filter(found)


class Order(models.Model):
    """What somebody bought at a location. Its status changes only through the transitions below.

    A transition changes only its own row's fields; `orders.services` lock, call it, and do the rest.
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

    number = SequenceField(_("number"), sequence="orders_order_number_seq", unique=True)
    location = models.ForeignKey(
        "inventory.Location", on_delete=models.PROTECT, related_name="orders", verbose_name=_("location")
    )
    channel = models.CharField(_("channel"), max_length=7, choices=Channel, default=Channel.COUNTER)
    customer = models.ForeignKey(
        "orders.Customer",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="orders",
        verbose_name=_("customer"),
    )
    employee = models.ForeignKey(
        "orders.Employee",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="orders",
        verbose_name=_("employee"),
    )
    status = FSMField(_("status"), max_length=9, choices=Status, default=Status.PENDING, protected=True)
    subtotal = models.DecimalField(_("subtotal"), max_digits=12, decimal_places=2, default=0)
    discount = models.DecimalField(_("discount"), max_digits=12, decimal_places=2, default=0)
    total = models.DecimalField(_("total"), max_digits=12, decimal_places=2, default=0)
    comment = models.CharField(_("comment"), max_length=1000, blank=True)
    placed_at = models.DateTimeField(_("placed"), default=timezone.now)
    closed_at = models.DateTimeField(_("completed or cancelled"), null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("placed by")
    )
    import_key = models.CharField(_("import key"), max_length=160, null=True, blank=True, editable=False)

    objects = OrderQuerySet.as_manager()

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["status", "-id"], name="order_by_status"),
            models.Index(fields=["location", "placed_at"], name="order_by_place_and_time"),
            models.Index(fields=["placed_at"], name="order_by_time"),
            models.Index(
                fields=["location", "-id"],
                name="order_active",
                condition=Q(status__in=["pending", "preparing", "ready"]),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["pending", "preparing", "ready", "completed", "cancelled"]),
                name="order_status_known",
            ),
            models.CheckConstraint(
                condition=Q(subtotal__gte=0, discount__gte=0, total__gte=0, total=F("subtotal") - F("discount")),
                name="order_totals_add_up",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["completed", "cancelled"], closed_at__isnull=False)
                | (~Q(status__in=["completed", "cancelled"]) & Q(closed_at=None)),
                name="order_closed_when_over",
            ),
            models.UniqueConstraint(
                fields=["import_key"], condition=Q(import_key__isnull=False), name="order_import_key_unique"
            ),
            models.CheckConstraint(
                condition=Q(import_key=None) | Q(channel="import"), name="order_import_key_of_imported"
            ),
        ]
        permissions = [
            ("advance_order", _("Can prepare, make ready and complete orders")),
            ("cancel_order", _("Can cancel orders and parts of them")),
            ("place_own_order", _("Can place orders for themselves")),
        ]

    def __str__(self) -> str:
        return f"#{self.number}"

    @property
    def is_active(self) -> bool:
        return self.status in self.ACTIVE

    @transition(field=status, source=Status.PENDING, target=Status.PREPARING, permission="orders.advance_order")
    def prepare(self) -> None:
        """Somebody begins to make it."""

    @transition(field=status, source=Status.PREPARING, target=Status.READY, permission="orders.advance_order")
    def ready(self) -> None:
        """It stands on the counter."""

    @transition(field=status, source=list(ACTIVE), target=Status.COMPLETED, permission="orders.advance_order")
    def complete(self) -> None:
        """The customer has it."""
        self.closed_at = timezone.now()

    @transition(field=status, source=list(ACTIVE), target=Status.CANCELLED, permission="orders.cancel_order")
    def cancel(self) -> None:
        """It is not going to happen. Nothing of it is owed."""
        self.closed_at = timezone.now()
        self.subtotal = self.discount = self.total = 0


class OrderItem(models.Model):
    """A line of an order as it was sold: what the catalogue says later does not change it.

    `options` holds [{"id", "group", "name", "price_delta"}]; `unit_price` includes them. `total` is what the
    quantity that is not cancelled costs.
    """

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="items", verbose_name=_("order"))
    product = models.ForeignKey(
        "inventory.Product", on_delete=models.PROTECT, related_name="order_items", verbose_name=_("product")
    )
    position = models.PositiveIntegerField(_("position"), default=0)
    name = models.CharField(_("name"), max_length=150)
    unit_price = models.DecimalField(_("unit price"), max_digits=12, decimal_places=2)
    quantity = models.PositiveIntegerField(_("quantity"))
    cancelled_quantity = models.PositiveIntegerField(_("cancelled"), default=0)
    options = models.JSONField(_("options"), default=list)
    total = models.DecimalField(_("total"), max_digits=12, decimal_places=2)

    class Meta:
        verbose_name = _("order item")
        verbose_name_plural = _("order items")
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gt=0), name="item_quantity_positive"),
            models.CheckConstraint(
                condition=Q(cancelled_quantity__lte=F("quantity")), name="item_cancelled_within_quantity"
            ),
            models.CheckConstraint(
                condition=Q(unit_price__gte=0, total=F("unit_price") * (F("quantity") - F("cancelled_quantity"))),
                name="item_total_adds_up",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.name}"

    @property
    def remaining(self) -> int:
        """How many are still wanted."""
        return self.quantity - self.cancelled_quantity


class CancelledItem(models.Model):
    """What was taken back of a line, why, and whether its ingredients went back to the shelf."""

    item = models.ForeignKey(OrderItem, on_delete=models.CASCADE, related_name="cancellations", verbose_name=_("item"))
    quantity = models.PositiveIntegerField(_("quantity"))
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    is_restocked = models.BooleanField(_("returned to stock"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        verbose_name = _("cancelled item")
        verbose_name_plural = _("cancelled items")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gt=0), name="cancelled_quantity_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.item.name}"


class OrderEvent(models.Model):
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

    class Door(models.TextChoices):
        ADMIN = "admin", _("admin")
        API = "api", _("API")
        TASK = "task", _("background task")
        COMMAND = "command", _("command line")

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="events", verbose_name=_("order"))
    kind = models.CharField(_("what"), max_length=11, choices=Kind)
    from_status = models.CharField(_("from"), max_length=9, choices=Order.Status, blank=True)
    to_status = models.CharField(_("to"), max_length=9, choices=Order.Status)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    details = models.JSONField(_("details"), default=dict, blank=True)
    door = models.CharField(_("through"), max_length=7, choices=Door)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        verbose_name = _("order event")
        verbose_name_plural = _("order events")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.order}: {self.get_kind_display()}"
