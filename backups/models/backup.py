"""Backups, as the folder has them."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from backups.engine.manifest import Kind


class Backup(models.Model):
    """A backup: its manifest, and what was found out about it since.

    While it is being made, and if it came to nothing, the row is that of the work under the same id. `size` is in
    bytes, `restored_in` in seconds. One that was never restored is not proved.
    """

    class Kinds(models.TextChoices):
        LOGICAL = Kind.LOGICAL.value, _("logical")
        PHYSICAL = Kind.PHYSICAL.value, _("physical")

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", pgettext_lazy("backup", "done")
        DAMAGED = "damaged", _("damaged")
        FAILED = "failed", _("failed")
        STOPPED = "stopped", _("stopped")

    id = models.UUIDField(primary_key=True, editable=False)
    kind = models.CharField(_("kind"), max_length=8, choices=Kinds)
    status = models.CharField(_("status"), max_length=7, choices=Status, default=Status.WAITING)
    period = models.CharField(_("period"), max_length=10, blank=True)
    by = models.CharField(_("who"), max_length=254, blank=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    requested_at = models.DateTimeField(_("asked for"))
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    completed_at = models.DateTimeField(_("completed"), null=True, blank=True)
    consistent_at = models.DateTimeField(_("shows the data of"), null=True, blank=True)
    size = models.BigIntegerField(_("size"), default=0)
    server_version = models.PositiveIntegerField(_("version of PostgreSQL"), default=0)
    # What an incremental one builds upon.
    base_id = models.UUIDField(_("base"), null=True, blank=True)
    verified_at = models.DateTimeField(_("verified"), null=True, blank=True)
    damage = models.JSONField(_("damage"), default=list, blank=True)
    proved_at = models.DateTimeField(_("proved"), null=True, blank=True)
    restored_in = models.FloatField(_("restored in, s"), null=True, blank=True)
    places = models.JSONField(_("copies"), default=dict, blank=True)
    is_kept = models.BooleanField(_("kept for good"), default=False)
    stage = models.CharField(_("stage"), max_length=100, blank=True)
    share = models.FloatField(_("share"), null=True, blank=True)
    error = models.CharField(_("error"), max_length=2000, blank=True)

    class Meta:
        verbose_name = _("backup")
        verbose_name_plural = _("backups")
        ordering = ["-id"]
        default_permissions = ("view",)
        permissions = [
            ("make_backup", _("Can make and verify backups")),
            ("delete_old_backup", _("Can delete backups")),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["logical", "physical"]), name="backup_kind"),
            models.CheckConstraint(
                condition=Q(status__in=["waiting", "running", "done", "damaged", "failed", "stopped"]),
                name="backup_status",
            ),
            models.CheckConstraint(condition=Q(size__gte=0), name="backup_size_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.requested_at:%Y-%m-%d %H:%M}"

    @property
    def is_complete(self) -> bool:
        return self.status in (self.Status.DONE, self.Status.DAMAGED)
