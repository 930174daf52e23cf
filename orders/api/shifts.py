"""shifts/"""

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from foundation.api.filters import IdFilter
from foundation.api.idempotency import IdempotentMixin
from foundation.api.serializers import validated
from inventory.selectors import location_for
from orders.api.money_serializers import (
    CashBodySerializer,
    CloseBodySerializer,
    CorrectBodySerializer,
    ShiftBodySerializer,
    ShiftReportSerializer,
    ShiftSerializer,
)
from orders.api.orders import actor_of
from orders.models import Shift
from orders.services.shifts import USUAL_TILL, close_shift, correct_shift, move_cash, open_shift
from orders.shift_selectors import shift_report, with_expected_cash


class ShiftFilter(filters.FilterSet):
    """`open=true` leaves those that nobody has closed yet."""

    location = IdFilter(field_name="location_id")
    open = filters.BooleanFilter(field_name="closed_at", lookup_expr="isnull")


@extend_schema(tags=["shifts"])
class ShiftViewSet(IdempotentMixin, ListModelMixin, RetrieveModelMixin, GenericViewSet):
    """Shifts, the newest first: a till with its cash from opening to counting it. An open one can always be closed,
    and a closed one is corrected by a second document."""

    serializer_class = ShiftSerializer
    filterset_class = ShiftFilter
    lookup_value_converter = "int"
    action_permissions = {
        "list": "orders.view_shift",
        "retrieve": "orders.view_shift",
        "create": "orders.add_shift",
        "close": "orders.close_shift",
        "cash": "orders.add_cashmovement",
        "correct": "orders.correct_shift",
        "report": "orders.view_shift",
    }

    def get_queryset(self) -> QuerySet[Shift]:
        return with_expected_cash(Shift.objects.prefetch_related("corrections"))

    @extend_schema(request=ShiftBodySerializer, responses={201: ShiftSerializer})
    def create(self, request: Request) -> Response:
        """Opens a till with the cash that is in it."""
        values = validated(ShiftBodySerializer, request)
        shift = open_shift(
            location=location_for(user=request.user, location_id=values.get("location")),
            till=values.get("till", USUAL_TILL),
            opening_float=values["opening_float"],
            actor=actor_of(request),
        )
        return self.answer(shift.pk, status.HTTP_201_CREATED)

    @extend_schema(request=CloseBodySerializer)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, pk: int) -> Response:
        """Closes it with what was counted, whatever orders are unpaid or being made."""
        values = validated(CloseBodySerializer, request)
        close_shift(shift_id=pk, actor=actor_of(request), **values)
        return self.answer(pk)

    @extend_schema(request=CashBodySerializer)
    @action(detail=True, methods=["post"])
    def cash(self, request: Request, pk: int) -> Response:
        """Puts cash into the till, or takes out at most what it holds."""
        values = validated(CashBodySerializer, request)
        move_cash(shift_id=pk, actor=actor_of(request), **values)
        return self.answer(pk)

    @extend_schema(request=CorrectBodySerializer)
    @action(detail=True, methods=["post"])
    def correct(self, request: Request, pk: int) -> Response:
        """Says what a closed shift's cash really came to, in a second document."""
        values = validated(CorrectBodySerializer, request)
        correct_shift(shift_id=pk, actor=actor_of(request), **values)
        return self.answer(pk)

    @extend_schema(responses=ShiftReportSerializer)
    @action(detail=True, methods=["get"])
    def report(self, request: Request, pk: int) -> Response:
        """What passed through the till, by method, and what should be in it."""
        return Response(ShiftReportSerializer(shift_report(self.get_object())).data)

    def answer(self, shift_id: int, code: int = status.HTTP_200_OK) -> Response:
        return Response(self.get_serializer(self.get_queryset().get(pk=shift_id)).data, status=code)
