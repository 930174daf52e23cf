"""What a place's day came to, as it was told."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from foundation.moments import day_of_year
from monitoring.models.delivery import Delivery


class DailyReport(models.Model):
    """The report of a place's day; there is one of each, so that none is sent twice.

    `place` is the key that the app gave which keeps the places, `time_zone` that of its clocks. `data` are the figures
    of the sections, {"sections": [{"name": "sales", "figures": {…}}, …]}: see `monitoring.report.registry`. `until` is
    the moment up to which the day is told.
    """

    place = models.CharField(max_length=50)
    place_name = models.CharField(_("place"), max_length=200)
    time_zone = models.CharField(_("time zone"), max_length=64)
    day = models.DateField(_("day"))
    until = models.DateTimeField(_("figures until"))
    data = models.JSONField(_("figures"), default=dict)
    deliveries = models.ManyToManyField(Delivery, related_name="reports", blank=True, verbose_name=_("messages"))
    created_at = models.DateTimeField(_("made"), default=timezone.now)

    class Meta:
        verbose_name = _("daily report")
        verbose_name_plural = _("daily reports")
        ordering = ["-day", "place_name"]
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["place", "day"], name="one_report_of_a_day")]
        indexes = [models.Index(fields=["-day", "place_name"], name="report_by_day")]

    def __str__(self) -> str:
        return f"{self.place_name}, {day_of_year(self.day)}"
