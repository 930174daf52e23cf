"""Which alerts of the spool the database has."""

from django.db import models
from django.utils import timezone


class SpoolReceipt(models.Model):
    """One for each file that was brought in: one that was left behind by a crash is not brought in again."""

    id = models.UUIDField(primary_key=True, editable=False)
    received_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.id)
