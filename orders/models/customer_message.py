"""A short message to a customer that waits to be sent, or was."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orders.models.every import of_any_order


class CustomerMessage(models.Model):
    """What a customer is told about an order, once. Written with what causes it, sent afterwards.

    It holds no contacts: they are the customer's when it is sent, and so is their consent.
    """

    class Kind(models.TextChoices):
        ORDER_READY = "order_ready", _("the order is ready")

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENT = "sent", _("sent")
        DROPPED = "dropped", pgettext_lazy("of a message", "not needed any more")
        FAILED = "failed", _("failed")

    class Means(models.TextChoices):
        EMAIL = "email", _("e-mail")
        SMS = "sms", _("SMS")

    order = of_any_order()
    kind = models.CharField(_("what"), max_length=11, choices=Kind)
    status = models.CharField(_("status"), max_length=7, choices=Status, default=Status.WAITING)
    means = models.CharField(_("by"), max_length=5, choices=Means, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), default=timezone.now)
    last_error = models.CharField(_("last error"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("when"), default=timezone.now)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)

    class Meta:
        verbose_name = _("message to a customer")
        verbose_name_plural = _("messages to customers")
        ordering = ["-id"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["order", "kind"], name="customer_told_once"),
            models.CheckConstraint(
                condition=Q(status="sent", sent_at__isnull=False) | (~Q(status="sent") & Q(sent_at=None)),
                name="customer_message_sent_has_a_moment",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"], name="customer_message_next_attempt", condition=Q(status="waiting")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.order}"
