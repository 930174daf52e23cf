"""An order, what is in it, and what happened to it."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from orders.models.fields import SequenceField
from orders.models.finding import OrderQuerySet
from orders.models.records import CancelledItemRecord, OrderEventRecord, OrderItemRecord, OrderRecord


class Order(OrderRecord):
    """What somebody bought at a location. Its status changes only through the transitions below.

    A transition changes only its own row's fields; `orders.services` lock, call it, and do the rest.
    """

    Status = OrderRecord.Status
    ACTIVE = OrderRecord.ACTIVE

    number = SequenceField(_("number"), sequence="orders_order_number_seq", unique=True)
    status = FSMField(_("status"), max_length=9, choices=Status, default=Status.PENDING, protected=True)

    objects = OrderQuerySet.as_manager()

    class Meta(OrderRecord.Meta):
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        # Each list is read newest first within what it is narrowed to; see docs/adr/0030-indexes-of-large-tables.md.
        indexes = [
            models.Index(fields=["status", "-id"], name="order_by_status"),
            models.Index(fields=["location", "-id"], name="order_by_place"),
            models.Index(fields=["customer", "-id"], name="order_by_customer"),
            models.Index(fields=["employee", "-id"], name="order_by_employee"),
            models.Index(fields=["channel", "-id"], name="order_by_channel", condition=~Q(channel="counter")),
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
                condition=Q(paid__gte=0, withheld__gte=0, paid__lte=F("total") + F("withheld")),
                name="order_paid_within_total",
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
            ("complete_unpaid", _("Can complete orders that are not fully paid")),
            ("place_own_order", _("Can place orders for themselves")),
        ]

    @transition(
        field=status,
        source=Status.PENDING,
        target=Status.PREPARING,
        permission="orders.advance_order",
    )
    def prepare(self) -> None:
        """Somebody begins to make it."""

    @transition(
        field=status,
        source=Status.PREPARING,
        target=Status.READY,
        permission="orders.advance_order",
    )
    def ready(self) -> None:
        """It stands on the counter."""

    @transition(
        field=status,
        source=list(ACTIVE),
        target=Status.COMPLETED,
        permission="orders.advance_order",
    )
    def complete(self) -> None:
        """The customer has it."""
        self.closed_at = timezone.now()

    @transition(
        field=status,
        source=list(ACTIVE),
        target=Status.CANCELLED,
        permission="orders.cancel_order",
    )
    def cancel(self) -> None:
        """It is not going to happen. Nothing of it is owed."""
        self.closed_at = timezone.now()
        self.subtotal = self.discount = self.total = 0


class OrderItem(OrderItemRecord):
    """A line of an order as it was sold."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="items", verbose_name=_("order"))

    class Meta(OrderItemRecord.Meta):
        verbose_name = _("order item")
        verbose_name_plural = _("order items")
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gt=0), name="item_quantity_positive"),
            models.CheckConstraint(
                condition=Q(cancelled_quantity__lte=F("quantity")), name="item_cancelled_within_quantity"
            ),
            models.CheckConstraint(
                condition=Q(unit_price__gte=0, total=F("unit_price") * (F("quantity") - F("cancelled_quantity"))),
                name="item_total_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(
                    discount__gte=0,
                    discount__lte=F("total"),
                    points_discount__gte=0,
                    points_discount__lte=F("discount"),
                ),
                name="item_discount_within_total",
            ),
        ]


class CancelledItem(CancelledItemRecord):
    """What was taken back of a line."""

    item = models.ForeignKey(OrderItem, on_delete=models.CASCADE, related_name="cancellations", verbose_name=_("item"))

    class Meta(CancelledItemRecord.Meta):
        verbose_name = _("cancelled item")
        verbose_name_plural = _("cancelled items")
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gt=0), name="cancelled_quantity_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.item.name}"


class OrderEvent(OrderEventRecord):
    """What happened to an order."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="events", verbose_name=_("order"))

    class Meta(OrderEventRecord.Meta):
        verbose_name = _("order event")
        verbose_name_plural = _("order events")

    def __str__(self) -> str:
        return f"{self.order}: {self.get_kind_display()}"
