"""What the API says about backups, restores and checks, and what it is told."""

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from backups.models import Backup, RestoreRun, WalCheck
from backups.services.requests import LONGEST_REASON
from foundation.api.serializers import StrictSerializer

OF_EVERY_RUN = (*("id", "status", "stage", "share", "by", "reason", "requested_at", "started_at", "ended_at", "error"),)


class BackupSerializer(serializers.ModelSerializer):
    """A backup. `size` in bytes, `restored_in` in seconds; `share` (0 to 1) and `stage` while it is made. One without
    `proved_at` was never restored."""

    base = serializers.UUIDField(source="base_id", allow_null=True)
    damage = serializers.ListField(child=serializers.CharField())
    places = serializers.DictField(child=serializers.CharField())

    class Meta:
        model = Backup
        fields = (
            *("id", "kind", "status", "size", "period", "by", "reason", "requested_at", "started_at", "completed_at"),
            *("consistent_at", "server_version", "base", "verified_at", "damage", "proved_at", "restored_in"),
            *("places", "is_kept", "stage", "share", "error"),
        )
        read_only_fields = fields


class BackupBodySerializer(StrictSerializer):
    """A backup that is asked for."""

    kind = serializers.ChoiceField(choices=Backup.Kinds.choices)
    reason = serializers.CharField(max_length=LONGEST_REASON, required=False, default="", allow_blank=True)


class KeepBodySerializer(StrictSerializer):
    """Whether a backup is kept for good, or until it is old."""

    is_kept = serializers.BooleanField()


class ReasonBodySerializer(StrictSerializer):
    """Why somebody does it."""

    reason = serializers.CharField(max_length=LONGEST_REASON)


class RestoreSerializer(serializers.ModelSerializer):
    """A recovery, a take-over, a drill. `result` is what came of it: of a recovery the comparison with the running
    shop, of a take-over the name of the database that is kept, or the tables with their rows."""

    result = serializers.DictField()

    class Meta:
        model = RestoreRun
        fields = (*OF_EVERY_RUN, "kind", "target", "result")
        read_only_fields = fields


class RecoveryBodySerializer(StrictSerializer):
    """A recovery beside the running shop, to exactly one of `time`, `before_transaction`, `order` and `backup`; nothing
    is changed in the shop by that."""

    time = serializers.DateTimeField(required=False, help_text=_("With its time zone."))
    before_transaction = serializers.IntegerField(
        required=False, min_value=3, help_text=_("The number of a transaction: what it did is not there.")
    )
    order = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=2**63 - 1,
        help_text=_("The number of an order: as it was just before it was deleted, or changed for the last time."),
    )
    backup = serializers.UUIDField(required=False, help_text=_("What a backup shows."))
    reason = serializers.CharField(max_length=LONGEST_REASON)


class TakeOverBodySerializer(ReasonBodySerializer):
    """What was recovered is put in the place of the shop's database; with `tables`, only these."""

    tables = serializers.ListField(
        child=serializers.CharField(max_length=200), required=False, allow_empty=False, max_length=500
    )


class FindingSerializer(serializers.Serializer):
    """What is wrong with a segment, and what that means for a recovery."""

    segment = serializers.CharField()
    kind = serializers.CharField()
    sentence = serializers.CharField()


class WalCheckSerializer(serializers.ModelSerializer):
    """A look at the WAL that was received."""

    findings = FindingSerializer(many=True)

    class Meta:
        model = WalCheck
        fields = (*OF_EVERY_RUN, "segments", "findings", "recoverable_from", "recoverable_to")
        read_only_fields = fields


class JobSerializer(serializers.Serializer):
    """Work that was asked for; what becomes of it stands under its id."""

    id = serializers.UUIDField()
    kind = serializers.CharField()
    status = serializers.CharField()
