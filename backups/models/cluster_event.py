"""What has happened to the cluster of databases, as the folder of backups has it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from backups.cluster.events import EventKind


class ClusterEvent(models.Model):
    """Something that happened to the cluster: to which node, and who leads since, on which timeline.

    The watch writes it into a file, because the database may be just what is without a leader; the row follows.
    `details`: who led `before`, how many `seconds` it lasted, `by` whom and for what `reason` it was planned.
    """

    class Kind(models.TextChoices):
        LEADER_LOST = EventKind.LEADER_LOST.value, _("leader lost")
        LEADER_ELECTED = EventKind.LEADER_ELECTED.value, _("new leader")
        SWITCHOVER = EventKind.SWITCHOVER.value, _("planned switchover")
        MEMBER_LOST = EventKind.MEMBER_LOST.value, _("node lost")
        MEMBER_BACK = EventKind.MEMBER_BACK.value, _("node back")
        SYNC_LOST = EventKind.SYNC_LOST.value, _("not synchronous")
        SYNC_BACK = EventKind.SYNC_BACK.value, _("synchronous again")
        PAUSED = EventKind.PAUSED.value, _("paused")
        RESUMED = EventKind.RESUMED.value, _("resumed")
        UNREACHABLE = EventKind.UNREACHABLE.value, _("nobody answers")
        REACHABLE = EventKind.REACHABLE.value, _("somebody answers again")

    id = models.UUIDField(primary_key=True, editable=False)
    at = models.DateTimeField(_("when"))
    kind = models.CharField(_("what happened"), max_length=14, choices=Kind)
    member = models.CharField(_("node"), max_length=100, blank=True)
    leader = models.CharField(_("leader"), max_length=100, blank=True)
    timeline = models.PositiveIntegerField(_("timeline"), null=True, blank=True)
    details = models.JSONField(_("details"), default=dict, blank=True)

    class Meta:
        verbose_name = _("event of the cluster")
        verbose_name_plural = _("events of the cluster")
        ordering = ["-id"]
        default_permissions = ("view",)
        permissions = [("switch_over", _("Can have another node of the cluster take the lead"))]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.member} {self.at:%Y-%m-%d %H:%M}"
