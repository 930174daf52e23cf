"""customers/{id}/loyalty/, loyalty/program/, loyalty/tiers/"""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from foundation.api.fields import WholeNumberField
from foundation.api.idempotency import IdempotentMixin
from foundation.api.records import DeletableRecordViewSet, permissions_of
from foundation.api.serializers import StrictModelSerializer, StrictSerializer, validated
from orders.api.orders import actor_of
from orders.errors import UnknownCustomer
from orders.loyalty_selectors import adjustment_limit_of
from orders.models import Customer, LoyaltyEntry, LoyaltyProgram, LoyaltyTier
from orders.services.loyalty import program
from orders.services.loyalty_program import change_program
from orders.services.points import adjust_points


class LoyaltyEntrySerializer(serializers.ModelSerializer):
    """A line of a customer's points ledger. `points` is above zero for what was given, below for what was taken."""

    order = serializers.IntegerField(source="order_id", read_only=True, allow_null=True)

    class Meta:
        model = LoyaltyEntry
        fields = ("id", "kind", "points", "order", "reverses", "reason", "expires_at", "created_at")


class AdjustmentSerializer(StrictSerializer):
    """How many points are given, or with a minus taken, and why."""

    points = WholeNumberField(min_value=-1_000_000, max_value=1_000_000)
    reason = serializers.CharField(max_length=300)


@extend_schema(tags=["loyalty"])
class LoyaltyEntryViewSet(IdempotentMixin, ListModelMixin, GenericViewSet):
    """A customer's points, the newest entry first."""

    serializer_class = LoyaltyEntrySerializer
    action_permissions = {"list": "orders.view_loyaltyentry", "create": "orders.adjust_points"}

    def get_queryset(self) -> QuerySet[LoyaltyEntry]:
        if getattr(self, "swagger_fake_view", False):
            return LoyaltyEntry.objects.none()
        customer_id = self.kwargs["customer_pk"]
        if not Customer.objects.filter(pk=customer_id).exists():
            raise UnknownCustomer(customer_id)
        return LoyaltyEntry.objects.filter(customer_id=customer_id)

    @extend_schema(request=AdjustmentSerializer, responses={201: LoyaltyEntrySerializer})
    def create(self, request: Request, customer_pk: int) -> Response:
        """Gives or takes points. A barista may do so up to the programme's limit, for a customer and a day."""
        values = validated(AdjustmentSerializer, request)
        entry = adjust_points(
            customer_id=customer_pk, actor=actor_of(request), limit=adjustment_limit_of(request.user), **values
        )
        return Response(LoyaltyEntrySerializer(entry).data, status=status.HTTP_201_CREATED)


class LoyaltyProgramSerializer(StrictModelSerializer):
    """How points are earned, what they pay for, when they expire."""

    class Meta:
        model = LoyaltyProgram
        fields = ("is_active", "point_value", "points_days", "adjustment_limit")


@extend_schema(tags=["loyalty"])
class LoyaltyProgramViewSet(IdempotentMixin, GenericViewSet):
    """The shop's loyalty programme; there is one."""

    serializer_class = LoyaltyProgramSerializer
    queryset = LoyaltyProgram.objects.none()
    action_permissions = {
        "retrieve": "orders.view_loyaltyprogram",
        "partial_update": "orders.change_loyaltyprogram",
    }

    def retrieve(self, request: Request) -> Response:
        """How it is set up."""
        return Response(LoyaltyProgramSerializer(program()).data)

    def partial_update(self, request: Request) -> Response:
        """Changes the fields that the body names."""
        changes = validated(LoyaltyProgramSerializer, request, changes_only=True)
        return Response(LoyaltyProgramSerializer(change_program(changes=changes)).data)


class LoyaltyTierSerializer(StrictModelSerializer):
    """What a customer earns who has spent so much in the last twelve months."""

    class Meta:
        model = LoyaltyTier
        fields = ("id", "name", "spending_from", "points_per_hundred")


@extend_schema(tags=["loyalty"])
class LoyaltyTierViewSet(DeletableRecordViewSet):
    """The tiers, by what they are reached with."""

    queryset = LoyaltyTier.objects.all()
    serializer_class = LoyaltyTierSerializer
    ordering = "spending_from"
    action_permissions = permissions_of("orders.loyaltytier")
