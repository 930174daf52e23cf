"""Something that happened and that people should hear of."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from monitoring.registry import events
from monitoring.severity import Severity


class Alert(models.Model):
    """An event about a subject. While it is open there is one of each (event, subject), which counts.

    Alerts are written in the transaction of what caused them, and so are their own outbox: one with no
    `dispatched_at` has not been put into the channels' messages yet, and one that is resolved and has no
    `resolution_dispatched_at` has not been said to be over.
    """

    event = models.CharField(_("event"), max_length=100)
    severity = models.CharField(_("severity"), max_length=10, choices=Severity.choices)
    subject = models.CharField(_("subject"), max_length=200, blank=True)
    message = models.TextField(_("message"))
    details = models.JSONField(_("details"), default=dict, blank=True)
    count = models.PositiveIntegerField(_("times"), default=1)
    created_at = models.DateTimeField(_("since"), default=timezone.now)
    last_seen_at = models.DateTimeField(_("last seen"), default=timezone.now)
    acknowledged_at = models.DateTimeField(_("acknowledged"), null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("acknowledged by"),
    )
    resolved_at = models.DateTimeField(_("resolved"), null=True, blank=True)
    dispatched_at = models.DateTimeField(_("sent"), null=True, blank=True)
    resolution_dispatched_at = models.DateTimeField(_("resolution sent"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        ordering = ["-id"]
        permissions = [("acknowledge_alert", "Can acknowledge alerts")]
        constraints = [
            models.UniqueConstraint(
                fields=["event", "subject"],
                name="alert_open_once",
                condition=models.Q(resolved_at__isnull=True),
            ),
        ]
        indexes = [
            models.Index(fields=["created_at"], name="alert_by_age"),
            models.Index(fields=["id"], name="alert_outbox", condition=models.Q(dispatched_at__isnull=True)),
            models.Index(
                fields=["id"],
                name="alert_resolution_outbox",
                condition=models.Q(resolved_at__isnull=False, resolution_dispatched_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.text

    @property
    def figures(self) -> dict[str, Any]:
        """The details, without the trace of an error, which is for who may read the log."""
        return {name: value for name, value in self.details.items() if name != "trace"}

    @property
    def text(self) -> str:
        """The message in the reader's language if its event can tell it from the details, else as it was written."""
        event = events.entries.get(self.event)
        if event is None or event.tell is None:
            return self.message
        try:
            return event.tell(self.details)
        except KeyError:
            return self.message
