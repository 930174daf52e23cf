"""alerts/: what happened, and who has seen it."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from foundation.api.idempotency import IdempotentMixin
from foundation.api.serializers import NothingSerializer, validated
from monitoring.api.serializers import AlertSerializer
from monitoring.models import Alert
from monitoring.services.alerts import acknowledge
from monitoring.severity import Severity


class AlertFilter(filters.FilterSet):
    event = filters.CharFilter()
    severity = filters.MultipleChoiceFilter(choices=Severity.choices, distinct=False)
    open = filters.BooleanFilter(field_name="resolved_at", lookup_expr="isnull")
    acknowledged = filters.BooleanFilter(field_name="acknowledged_at", lookup_expr="isnull", exclude=True)
    created_after = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")

    class Meta:
        model = Alert
        fields: Any = ()


@extend_schema(tags=["monitoring"])
class AlertViewSet(IdempotentMixin, ListModelMixin, RetrieveModelMixin, GenericViewSet):
    """Alerts, the newest first."""

    queryset: QuerySet[Alert] = Alert.objects.all()
    serializer_class = AlertSerializer
    filterset_class = AlertFilter
    lookup_value_converter = "int"
    action_permissions = {
        "list": "monitoring.view_alert",
        "retrieve": "monitoring.view_alert",
        "acknowledge": "monitoring.acknowledge_alert",
    }

    @extend_schema(request=NothingSerializer, responses={200: AlertSerializer})
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, pk: int) -> Response:
        """Notes that the caller has seen it: nobody is reminded of it any more. Who was first stays."""
        validated(NothingSerializer, request)
        alert = get_object_or_404(Alert, pk=pk)
        acknowledge(alert_ids=[alert.pk], user=request.user)
        alert.refresh_from_db()
        return Response(self.get_serializer(alert).data)
