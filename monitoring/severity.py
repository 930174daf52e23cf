"""How bad an event is."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Severity(models.TextChoices):
    """In the order of their weight: the last one is the worst."""

    INFO = "info", _("info")
    WARNING = "warning", _("warning")
    ERROR = "error", _("error")
    CRITICAL = "critical", _("critical")

    @property
    def weight(self) -> int:
        """0 for the lightest; compare these, not the words."""
        return list(Severity).index(self)
