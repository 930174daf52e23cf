"""marketplaces/health/"""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from foundation.api.filters import refuse_unknown
from marketplaces.api.binding import EXTERNAL_USER_ID, OfVisibleAccounts
from marketplaces.models import SyncRun
from marketplaces.monitor_selectors import monitor
from marketplaces.services.anomalies import find_anomalies


class SyncHealthSerializer(serializers.Serializer):
    """One subject of one account, over the last 24 hours; `success_rate` from 0 to 1, durations in seconds."""

    account = serializers.UUIDField(source="account.pk")
    marketplace = serializers.CharField(source="account.marketplace")
    name = serializers.CharField(source="account.name")
    what = serializers.ChoiceField(SyncRun.What.choices)
    last_success_at = serializers.DateTimeField(allow_null=True)
    is_stale = serializers.BooleanField()
    runs = serializers.IntegerField()
    success_rate = serializers.FloatField(allow_null=True)
    mean_seconds = serializers.FloatField(allow_null=True)
    items = serializers.DictField(child=serializers.IntegerField())
    failures = serializers.IntegerField()
    next_due_at = serializers.DateTimeField(allow_null=True)
    last_error = serializers.CharField()


class AnomalySerializer(serializers.Serializer):
    """Something that looks wrong."""

    kind = serializers.CharField()
    account = serializers.UUIDField(source="account.pk")
    detail = serializers.CharField(source="sentence")


class OperationFiguresSerializer(serializers.Serializer):
    """Stock operations created in the last 24 hours; and unfinished ones that are overdue or take long."""

    by_status = serializers.DictField(child=serializers.IntegerField())
    errors_by_kind = serializers.DictField(child=serializers.IntegerField())
    mean_seconds = serializers.FloatField(allow_null=True)
    retried = serializers.IntegerField()
    stuck = serializers.SerializerMethodField()
    long = serializers.SerializerMethodField()

    def get_stuck(self, figures: Any) -> list[str]:
        return [str(operation.pk) for operation in figures.stuck]

    def get_long(self, figures: Any) -> list[str]:
        return [str(operation.pk) for operation in figures.long]


class HealthSerializer(serializers.Serializer):
    """How the synchronisation is doing; `is_well`: nothing needs anybody."""

    at = serializers.DateTimeField()
    is_well = serializers.BooleanField()
    syncs = SyncHealthSerializer(many=True)
    operations = OperationFiguresSerializer()
    waiting_pushes = serializers.IntegerField()
    refused_pushes = serializers.IntegerField()
    anomalies = AnomalySerializer(many=True)


@extend_schema(tags=["marketplaces"])
class HealthView(OfVisibleAccounts, APIView):
    """The monitor for programs."""

    action_permissions = {"get": "marketplaces.view_selleraccount"}

    @extend_schema(responses=HealthSerializer, parameters=[EXTERNAL_USER_ID])
    def get(self, request: Request) -> Response:
        refuse_unknown(request, {"external_user_id", "format"})
        accounts = list(self.visible_accounts().select_related("location"))
        now = timezone.now()
        state = monitor(accounts=accounts, now=now)
        anomalies = find_anomalies(accounts=[account for account in accounts if account.is_active], now=now)
        body = {
            **{
                name: getattr(state, name) for name in ("at", "syncs", "operations", "waiting_pushes", "refused_pushes")
            },
            "is_well": state.is_well and not anomalies,
            "anomalies": anomalies,
        }
        return Response(HealthSerializer(body).data)
