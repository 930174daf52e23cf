"""When the programs of the shop gave their last signs of life."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Heartbeat(models.Model):
    """One row of each program that runs for long: a worker ("worker:celery@host"), beat, the watchdog.

    The clock is the database's, which all machines share.
    """

    name = models.CharField(_("name"), max_length=200, unique=True)
    at = models.DateTimeField(_("last sign of life"))

    class Meta:
        verbose_name = _("sign of life")
        verbose_name_plural = _("signs of life")
        ordering = ["name"]
        default_permissions = ()
        permissions = [
            ("view_health", "Can see the health of the shop"),
            ("view_database", "Can see the page about the database"),
            ("view_logs", "Can read the log"),
        ]

    def __str__(self) -> str:
        return self.name
