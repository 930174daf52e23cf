"""payments/ and refunds/"""

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from foundation.api.filters import IdFilter
from foundation.api.idempotency import IdempotentMixin
from foundation.api.serializers import validated
from orders.api.money_serializers import (
    PaymentBodySerializer,
    PaymentSerializer,
    RefundBodySerializer,
    RefundSerializer,
)
from orders.api.orders import actor_of
from orders.models import Payment, Refund
from orders.services.payments import take_payment
from orders.services.refunds import refund_order


class PaymentFilter(filters.FilterSet):
    """By order, by how it was paid, by the shift and by when."""

    order = IdFilter(field_name="order_id")
    method = filters.MultipleChoiceFilter(choices=Payment.Method.choices)
    shift = IdFilter(field_name="shift_id")
    created_after = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_before = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")


@extend_schema(tags=["payments"])
class PaymentViewSet(IdempotentMixin, ListModelMixin, RetrieveModelMixin, GenericViewSet):
    """What was paid for orders, the newest first. A payment is never changed: what is wrong is paid back."""

    queryset = Payment.objects.all()
    serializer_class = PaymentSerializer
    filterset_class = PaymentFilter
    lookup_value_converter = "int"
    action_permissions = {
        "list": "orders.view_payment",
        "retrieve": "orders.view_payment",
        "create": "orders.add_payment",
    }

    @extend_schema(request=PaymentBodySerializer, responses={201: PaymentSerializer})
    def create(self, request: Request) -> Response:
        """Takes money for an order that is not cancelled: at most what is due."""
        values = validated(PaymentBodySerializer, request)
        payment = take_payment(
            order_id=values.pop("order"), shift_id=values.pop("shift", None), actor=actor_of(request), **values
        )
        return Response(self.get_serializer(payment).data, status=status.HTTP_201_CREATED)


class RefundFilter(filters.FilterSet):
    """By order and by when."""

    order = IdFilter(field_name="order_id")
    created_after = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_before = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")


@extend_schema(tags=["payments"])
class RefundViewSet(IdempotentMixin, ListModelMixin, RetrieveModelMixin, GenericViewSet):
    """What was paid back, the newest first; cancelling a paid order pays back too."""

    serializer_class = RefundSerializer
    filterset_class = RefundFilter
    lookup_value_converter = "int"
    action_permissions = {
        "list": "orders.view_refund",
        "retrieve": "orders.view_refund",
        "create": "orders.add_refund",
    }

    def get_queryset(self) -> QuerySet[Refund]:
        return Refund.objects.prefetch_related("items", "parts__payment")

    @extend_schema(request=RefundBodySerializer, responses={201: RefundSerializer})
    def create(self, request: Request) -> Response:
        """Pays money back the way it came, for lines, for everything that is left, or out of goodwill."""
        values = validated(RefundBodySerializer, request)
        refund = refund_order(
            order_id=values.pop("order"), shift_id=values.pop("shift", None), actor=actor_of(request), **values
        )
        return Response(self.get_serializer(refund).data, status=status.HTTP_201_CREATED)
