"""Messages to channels, and what they say."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from foundation.uuids import uuid7
from monitoring.models.alert import Alert
from monitoring.models.channel import Channel
from monitoring.severity import Severity


class Delivery(models.Model):
    """A message to a channel: one that waits, one that has arrived, or one that was given up.

    Until its first attempt it has no words (`rendered_at` is empty) and takes up what happens; a channel has one
    such message at most. Then its words stand: a second attempt says the same, under the same `key`, by which the
    receiver can tell that it is the same.

    `sending_since` is set before the network is asked and emptied when the answer is noted: where it is left, a
    program died between the two, and nobody knows whether the message has arrived.
    """

    class Kind(models.TextChoices):
        ALERT = "alert", _("alert")
        REPEAT = "repeat", _("reminder")
        RESOLUTION = "resolution", _("back to normal")
        REPORT = "report", _("report")
        TEST = "test", _("test")

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENT = "sent", _("sent")
        GIVEN_UP = "given_up", _("given up")

    key = models.UUIDField(default=uuid7, unique=True, editable=False)
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="deliveries", verbose_name=_("channel"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    severity = models.CharField(_("severity"), max_length=10, choices=Severity, default=Severity.INFO)
    title = models.TextField(_("title"), blank=True)
    text = models.TextField(_("text"), blank=True)
    # What programs read of it.
    data = models.JSONField(default=dict, blank=True, editable=False)
    picture = models.BinaryField(_("picture"), null=True, blank=True)
    number = models.PositiveIntegerField(_("alerts"), default=0)
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.WAITING)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), default=timezone.now)
    give_up_at = models.DateTimeField(_("given up after"))
    last_error = models.TextField(_("last error"), blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    rendered_at = models.DateTimeField(null=True, blank=True, editable=False)
    sending_since = models.DateTimeField(null=True, blank=True, editable=False)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ["-id"]
        default_permissions = ("view",)
        permissions = [("retry_delivery", _("Can send messages again"))]
        constraints = [
            models.UniqueConstraint(
                fields=["channel"],
                name="delivery_one_gathers",
                condition=Q(status="waiting", rendered_at__isnull=True),
            ),
        ]
        indexes = [
            models.Index(fields=["channel", "id"], name="delivery_waiting", condition=Q(status="waiting")),
            models.Index(fields=["channel", "sent_at"], name="delivery_sent", condition=Q(status="sent")),
            models.Index(fields=["created_at"], name="delivery_by_age"),
        ]

    def __str__(self) -> str:
        return self.title or f"{self.get_kind_display()} #{self.pk}"


class DeliveryAlert(models.Model):
    """What a message says of an alert: that it is there, that it still is (for the how manyth time), or is no more.

    `tells_resolution`: the alert was over before the message was written, and so it says both.
    """

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="parts")
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="+")
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="deliveries", verbose_name=_("alert"))
    kind = models.CharField(_("kind"), max_length=10, choices=Delivery.Kind)
    number = models.PositiveIntegerField(_("number"), default=0)
    tells_resolution = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("part of a message")
        verbose_name_plural = _("parts of messages")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["channel", "alert", "kind", "number"], name="alert_told_once"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.alert_id}"
