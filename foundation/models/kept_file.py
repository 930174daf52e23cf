"""Files that somebody has handed in and not decided about yet."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class KeptFile(models.Model):
    """A file between its preview and its confirmation, for the person who handed it in and for nobody else.

    In the database: every web process finds it there, on whatever machine, no address leads to it, and it goes in
    the transaction that uses it. `seen` stands for what its owner was shown of it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=_("user")
    )
    purpose = models.CharField(_("purpose"), max_length=100)
    name = models.CharField(_("file name"), max_length=255)
    content = models.BinaryField(_("content"))
    seen = models.CharField(_("what was seen"), max_length=64, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, db_index=True)

    class Meta:
        verbose_name = _("kept file")
        verbose_name_plural = _("kept files")

    def __str__(self) -> str:
        return self.name
