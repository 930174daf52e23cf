"""What was restored, recovered and checked."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from backups.engine.jobs import JobStatus


class Run(models.Model):
    """Work that was asked for, as its file has it."""

    class Status(models.TextChoices):
        WAITING = JobStatus.WAITING.value, _("waiting")
        RUNNING = JobStatus.RUNNING.value, _("running")
        DONE = JobStatus.DONE.value, _("done")
        FAILED = JobStatus.FAILED.value, _("failed")
        STOPPED = JobStatus.STOPPED.value, _("stopped")

    id = models.UUIDField(primary_key=True, editable=False)
    status = models.CharField(_("status"), max_length=7, choices=Status, default=Status.WAITING)
    stage = models.CharField(_("stage"), max_length=100, blank=True)
    share = models.FloatField(_("share"), null=True, blank=True)
    by = models.CharField(_("who"), max_length=254, blank=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    requested_at = models.DateTimeField(_("asked for"))
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    result = models.JSONField(_("result"), default=dict, blank=True)
    error = models.CharField(_("error"), max_length=2000, blank=True)

    class Meta:
        abstract = True
        ordering = ["-id"]
        default_permissions = ("view",)

    @property
    def has_ended(self) -> bool:
        return self.status in (self.Status.DONE, self.Status.FAILED, self.Status.STOPPED)


class RestoreRun(Run):
    """A recovery beside the running server, what was taken over from it, a drill, a way back."""

    class Kind(models.TextChoices):
        DRILL = "drill", _("drill")
        RECOVER = "recover", _("recovery")
        TAKE_OVER = "take_over", _("take-over")
        RESTORE = "restore", _("restore")
        SWAP_BACK = "swap_back", _("way back")
        DISCARD = "discard", _("discarding a recovered server")

    kind = models.CharField(_("kind"), max_length=9, choices=Kind)
    # The moment, transaction or backup, as it was asked for.
    target = models.CharField(_("target"), max_length=200, blank=True)

    class Meta(Run.Meta):
        verbose_name = _("restore")
        verbose_name_plural = _("restores")
        permissions = [("restore", _("Can recover and restore"))]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.requested_at:%Y-%m-%d %H:%M}"


class WalCheck(Run):
    """A look at the WAL that was received: `findings` name each segment that is wrong, and what that means."""

    segments = models.PositiveIntegerField(_("segments"), default=0)
    findings = models.JSONField(_("findings"), default=list, blank=True)
    recoverable_from = models.DateTimeField(_("recoverable from"), null=True, blank=True)
    recoverable_to = models.DateTimeField(_("recoverable to"), null=True, blank=True)

    class Meta(Run.Meta):
        verbose_name = _("check of the WAL")
        verbose_name_plural = _("checks of the WAL")

    def __str__(self) -> str:
        return f"{self.requested_at:%Y-%m-%d %H:%M}"
