"""Where old orders go: the same columns and ids, out of the way of those that somebody works with.

Rows are moved by `orders.services.archive` and by nothing else; who may see orders may see these. Customers,
employees, products and locations that an archived order names can't be deleted any more than those of another.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models.finding import OrderQuerySet
from orders.models.records import CancelledItemRecord, OrderEventRecord, OrderItemRecord, OrderRecord


class ArchivedOrder(OrderRecord):
    """An order that was completed or cancelled long ago."""

    is_archived = True

    id = models.BigIntegerField(primary_key=True)

    objects = OrderQuerySet.as_manager()

    class Meta(OrderRecord.Meta):
        verbose_name = _("archived order")
        verbose_name_plural = _("archived orders")
        default_permissions = ()
        indexes = [
            models.Index(fields=["location", "placed_at"], name="archived_by_place_and_time"),
            models.Index(fields=["customer", "-id"], name="archived_by_customer"),
            models.Index(fields=["employee", "-id"], name="archived_by_employee"),
            models.Index(fields=["placed_at"], name="archived_by_time"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=["completed", "cancelled"], closed_at__isnull=False),
                name="only_closed_orders_are_archived",
            ),
            models.UniqueConstraint(
                fields=["import_key"],
                condition=models.Q(import_key__isnull=False),
                name="archived_import_key_unique",
            ),
        ]


class ArchivedItem(OrderItemRecord):
    """A line of an archived order."""

    id = models.BigIntegerField(primary_key=True)
    order = models.ForeignKey(ArchivedOrder, on_delete=models.PROTECT, related_name="items", verbose_name=_("order"))

    class Meta(OrderItemRecord.Meta):
        verbose_name = _("archived order item")
        verbose_name_plural = _("archived order items")
        default_permissions = ()


class ArchivedCancelledItem(CancelledItemRecord):
    """What was taken back of a line of an archived order."""

    id = models.BigIntegerField(primary_key=True)
    item = models.ForeignKey(
        ArchivedItem, on_delete=models.PROTECT, related_name="cancellations", verbose_name=_("item")
    )

    class Meta(CancelledItemRecord.Meta):
        verbose_name = _("archived cancelled item")
        verbose_name_plural = _("archived cancelled items")
        default_permissions = ()


class ArchivedEvent(OrderEventRecord):
    """What happened to an archived order."""

    id = models.BigIntegerField(primary_key=True)
    order = models.ForeignKey(ArchivedOrder, on_delete=models.PROTECT, related_name="events", verbose_name=_("order"))

    class Meta(OrderEventRecord.Meta):
        verbose_name = _("archived order event")
        verbose_name_plural = _("archived order events")
        default_permissions = ()
