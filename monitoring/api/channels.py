"""channels/, alert-rules/ and deliveries/: where messages go, by which rules, and what became of them.

Programs look, try and send again. Where messages go is decided by people, in the admin.
"""

from typing import Any

from django.db.models import Count, Prefetch, Q, QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from foundation.api.filters import IdFilter
from foundation.api.idempotency import IdempotentMixin
from foundation.api.serializers import NothingSerializer, validated
from monitoring.api.serializers import (
    AlertRuleSerializer,
    ChannelSerializer,
    ChannelTestSerializer,
    DeliverySerializer,
)
from monitoring.models import AlertRule, Channel, Delivery
from monitoring.services.channels import send_test
from monitoring.services.deliveries import retry_delivery
from monitoring.severity import Severity


@extend_schema(tags=["monitoring"])
class ChannelViewSet(ListModelMixin, RetrieveModelMixin, GenericViewSet):
    """Channels, the newest first."""

    serializer_class = ChannelSerializer
    filterset_fields: Any = ("kind", "is_enabled")
    lookup_value_converter = "int"
    action_permissions = {
        "list": "monitoring.view_channel",
        "retrieve": "monitoring.view_channel",
        "send_test": "monitoring.test_channel",
    }

    def get_queryset(self) -> QuerySet[Channel]:
        waits = Q(deliveries__status=Delivery.Status.WAITING)
        return Channel.objects.defer(*Channel.SEALED).annotate(waiting=Count("deliveries", filter=waits))

    @extend_schema(request=ChannelTestSerializer, responses={200: DeliverySerializer})
    @action(detail=True, methods=["post"], url_path="test")
    def send_test(self, request: Request, pk: int) -> Response:
        """Sends a test message at once. The answer is that message: its `status` is `sent`, or `given_up` with what was
        wrong in `last_error`. A channel for messages to customers sends it to the number `phone`. Not under an
        idempotency key: no transaction may be open while it asks the network."""
        data = validated(ChannelTestSerializer, request)
        delivery = send_test(channel_id=pk, **data, at=timezone.now())
        return Response(DeliverySerializer(delivery).data)


@extend_schema(tags=["monitoring"])
class AlertRuleViewSet(ListModelMixin, RetrieveModelMixin, GenericViewSet):
    """Alert rules, the newest first."""

    queryset = AlertRule.objects.prefetch_related(Prefetch("channels", Channel.objects.defer(*Channel.SEALED)))
    serializer_class = AlertRuleSerializer
    filterset_fields: Any = ("is_enabled",)
    lookup_value_converter = "int"
    action_permissions = {"list": "monitoring.view_alertrule", "retrieve": "monitoring.view_alertrule"}


class DeliveryFilter(filters.FilterSet):
    channel = IdFilter()
    alert = IdFilter(field_name="parts__alert", distinct=True)
    kind = filters.MultipleChoiceFilter(choices=Delivery.Kind.choices, distinct=False)
    status = filters.MultipleChoiceFilter(choices=Delivery.Status.choices, distinct=False)
    severity = filters.MultipleChoiceFilter(choices=Severity.choices, distinct=False)
    created_after = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")

    class Meta:
        model = Delivery
        fields: Any = ()


@extend_schema(tags=["monitoring"])
class DeliveryViewSet(IdempotentMixin, ListModelMixin, RetrieveModelMixin, GenericViewSet):
    """Messages, the newest first."""

    queryset = Delivery.objects.defer("picture", "data").prefetch_related("parts")
    serializer_class = DeliverySerializer
    filterset_class = DeliveryFilter
    lookup_value_converter = "int"
    action_permissions = {
        "list": "monitoring.view_delivery",
        "retrieve": "monitoring.view_delivery",
        "retry": "monitoring.retry_delivery",
    }

    @extend_schema(request=NothingSerializer, responses={200: DeliverySerializer})
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: int) -> Response:
        """Has a message that waits or was given up sent now. 409 `wrong_status` for one that was sent, and while its
        channel takes nothing."""
        validated(NothingSerializer, request)
        delivery = retry_delivery(delivery_id=pk, at=timezone.now())
        return Response(self.get_serializer(delivery).data)
