"""What the API says about alerts, channels, rules and messages. Addresses and secrets never leave the shop."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from foundation.api.serializers import StrictSerializer
from monitoring.models import Alert, AlertRule, Channel, Delivery
from monitoring.registry import events


class AlertSerializer(serializers.ModelSerializer):
    """Something that happened, `count` times since `created_at`. It is open until `resolved_at`; `message` is in the
    reader's language, `details` are the figures in it."""

    title = serializers.SerializerMethodField()
    message = serializers.CharField(source="text")
    details = serializers.DictField(source="figures")
    acknowledged_by = serializers.IntegerField(source="acknowledged_by_id", allow_null=True)

    class Meta:
        model = Alert
        fields = (
            *("id", "event", "title", "severity", "subject", "message", "details", "count", "created_at"),
            *("last_seen_at", "acknowledged_at", "acknowledged_by", "resolved_at"),
        )
        read_only_fields = fields

    @extend_schema_field(serializers.CharField())
    def get_title(self, alert: Alert) -> str:
        # Of an app that is gone, the name is all that is left.
        registered = events.entries.get(alert.event)
        return str(registered.title) if registered else alert.event


class ChannelSerializer(serializers.ModelSerializer):
    """A channel, without its address. It takes messages if it `is_open`: enabled, and not refused by the other side
    (`disabled_reason`). `waiting` is the number of messages that wait for it."""

    is_open = serializers.BooleanField()
    waiting = serializers.IntegerField()

    class Meta:
        model = Channel
        fields = (
            *("id", "name", "kind", "language", "is_enabled", "is_open", "disabled_reason", "blocked_until"),
            *("failing_since", "last_error", "last_sent_at", "waiting", "quiet_from", "quiet_until"),
            *("quiet_lets_through", "hourly_limit", "gets_daily_report", "for_customers", "created_at", "updated_at"),
        )
        read_only_fields = fields


class ChannelTestSerializer(StrictSerializer):
    """Whom a test message goes to: only where the channel is for messages to customers."""

    phone = serializers.CharField(max_length=40, required=False, help_text="With the country's code.")


class AlertRuleSerializer(serializers.ModelSerializer):
    """Which alerts go where: those of the `events` (none named: all) that are so severe or more. `channels` are ids."""

    events = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = AlertRule
        fields = (
            *("id", "name", "events", "severity", "channels", "group_seconds", "repeat_minutes", "tells_resolution"),
            *("is_enabled", "created_at", "updated_at"),
        )
        read_only_fields = fields


class DeliverySerializer(serializers.ModelSerializer):
    """A message to a channel. While it gathers what happens it has no words yet. `key` is what the receiver knows it
    by, `alerts` are the ids of the alerts that it tells of."""

    channel = serializers.IntegerField(source="channel_id")
    alerts = serializers.SerializerMethodField()

    class Meta:
        model = Delivery
        fields = (
            *("id", "key", "channel", "kind", "severity", "title", "text", "number", "status", "attempts"),
            *("next_attempt_at", "last_error", "created_at", "sent_at", "alerts"),
        )
        read_only_fields = fields

    @extend_schema_field(serializers.ListField(child=serializers.IntegerField()))
    def get_alerts(self, delivery: Any) -> list[int]:
        return sorted({part.alert_id for part in delivery.parts.all()})
