"""Every order, archived or not: views over both tables, for what is only read.

The database reads from each table what the question asks for, by its indexes; `is_archived=False` leaves the archive
out altogether. The views are made by `orders.archive_views`.
"""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models.finding import OrderQuerySet
from orders.models.records import CancelledItemRecord, OrderEventRecord, OrderItemRecord, OrderRecord


def seen(to: Any, **more: Any) -> models.ForeignKey:
    """A key of a view: nothing is protected by it, or deleted with it; the tables below see to that."""
    return models.ForeignKey(to, **{"on_delete": models.DO_NOTHING, "related_name": "+", **more})


def of_any_order(**more: Any) -> models.ForeignKey:
    """The key of what belongs to an order for ever, wherever the order is kept: payments, points, refunds.

    The database can't check a key into a view. Services lock the order before they write such a row, and orders are
    moved into the archive and back with the same ids, never deleted.
    """
    return seen("orders.EveryOrder", **{"db_constraint": False, "verbose_name": _("order"), **more})


class EveryOrder(OrderRecord):
    """An order, wherever it is kept."""

    id = models.BigIntegerField(primary_key=True)
    location = seen("inventory.Location", verbose_name=_("location"))
    customer = seen("orders.Customer", null=True, verbose_name=_("customer"))
    employee = seen("orders.Employee", null=True, verbose_name=_("employee"))
    created_by = seen(settings.AUTH_USER_MODEL, null=True, verbose_name=_("placed by"))
    promo_code = seen("orders.PromoCode", null=True, verbose_name=_("promo code"))
    is_archived = models.BooleanField(_("archived"))

    objects = OrderQuerySet.as_manager()

    class Meta(OrderRecord.Meta):
        managed = False
        verbose_name = _("order")
        verbose_name_plural = _("all orders")
        default_permissions = ()


class EveryItem(OrderItemRecord):
    """A line of an order, wherever it is kept."""

    id = models.BigIntegerField(primary_key=True)
    order = seen(EveryOrder, related_name="items", verbose_name=_("order"))
    product = seen("inventory.Product", verbose_name=_("product"))
    is_archived = models.BooleanField(_("archived"))

    class Meta(OrderItemRecord.Meta):
        managed = False
        verbose_name = _("order item")
        verbose_name_plural = _("all order items")
        default_permissions = ()


class EveryCancelledItem(CancelledItemRecord):
    """What was taken back of a line, wherever it is kept."""

    id = models.BigIntegerField(primary_key=True)
    item = seen(EveryItem, related_name="cancellations", verbose_name=_("item"))
    created_by = seen(settings.AUTH_USER_MODEL, null=True, verbose_name=_("by"))
    is_archived = models.BooleanField(_("archived"))

    class Meta(CancelledItemRecord.Meta):
        managed = False
        verbose_name = _("cancelled item")
        verbose_name_plural = _("all cancelled items")
        default_permissions = ()


class EveryEvent(OrderEventRecord):
    """What happened to an order, wherever it is kept."""

    id = models.BigIntegerField(primary_key=True)
    order = seen(EveryOrder, related_name="events", verbose_name=_("order"))
    created_by = seen(settings.AUTH_USER_MODEL, null=True, verbose_name=_("by"))
    is_archived = models.BooleanField(_("archived"))

    class Meta(OrderEventRecord.Meta):
        managed = False
        verbose_name = _("order event")
        verbose_name_plural = _("all order events")
        default_permissions = ()
