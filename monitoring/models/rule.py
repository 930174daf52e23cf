"""Which alerts go where."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from monitoring.models.channel import Channel
from monitoring.severity import Severity


class AlertRule(models.Model):
    """Alerts of these events, at least so severe, go to these channels.

    Where several rules lead to one channel an alert comes there once: at the soonest, repeated by the shortest
    interval, and said to be over if one of them says so.
    """

    name = models.CharField(_("name"), max_length=100, unique=True)
    events = models.JSONField(_("events"), default=list, blank=True, help_text=_("Empty: all of them."))
    severity = models.CharField(_("severity, at least"), max_length=10, choices=Severity, default=Severity.WARNING)
    channels = models.ManyToManyField(Channel, related_name="rules", verbose_name=_("channels"))
    group_seconds = models.PositiveIntegerField(
        _("gather for, seconds"),
        default=30,
        validators=[MaxValueValidator(3600)],
        help_text=_("What happens meanwhile comes in one message. Critical alerts are sent at once."),
    )
    repeat_minutes = models.PositiveIntegerField(
        _("repeat every, minutes"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(10_080)],
        help_text=_("While an alert is open and nobody has acknowledged it. Empty: never."),
    )
    tells_resolution = models.BooleanField(_("says when it is over"), default=True)
    is_enabled = models.BooleanField(_("enabled"), default=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("alert rule")
        verbose_name_plural = _("alert rules")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
