"""A large batch that runs in the background."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class BatchRun(models.Model):
    """Many orders that are completed or cancelled by a task, with the progress that a page shows.

    `order_ids` are in ascending order. `done` of them have been dealt with; what could not be done stands in
    `failures`: [{"id", "error": {"type", "detail"}}].
    """

    class Verb(models.TextChoices):
        COMPLETE = "complete", _("complete")
        CANCEL = "cancel", _("cancel")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    verb = models.CharField(_("what"), max_length=8, choices=Verb)
    order_ids = models.JSONField(_("orders"))
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    restock = models.BooleanField(_("return to stock"), default=True)
    allow_unpaid = models.BooleanField(_("completes what is not paid"), default=False)
    may_refund = models.BooleanField(_("pays back what is paid"), default=False)
    done = models.PositiveIntegerField(_("done"), default=0)
    failures = models.JSONField(_("could not be done"), default=list)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    updated_at = models.DateTimeField(_("last progress"), default=timezone.now, editable=False)
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.get_verb_display()}: {self.done} / {self.total}"

    @property
    def total(self) -> int:
        return len(self.order_ids)

    @property
    def succeeded(self) -> int:
        return self.done - len(self.failures)
