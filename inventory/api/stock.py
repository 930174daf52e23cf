"""stock/: how much there is, and what people do to it."""

from typing import Any

from django.db.models import F, Q, QuerySet
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
from inventory.api.costs import ShowsCosts
from inventory.api.documents import document_answer
from inventory.api.stock_serializers import (
    MinimumSerializer,
    ReceiptBodySerializer,
    StockLevelSerializer,
    TransferBodySerializer,
    WholeDocumentSerializer,
    WriteOffBodySerializer,
)
from inventory.models import StockLevel
from inventory.selectors import location_for
from inventory.services.stock import receive_stock, set_minimum, transfer_stock, write_off_stock


class StockFilter(filters.FilterSet):
    """`low=true` leaves what is below its minimum."""

    location = IdFilter(field_name="location_id")
    ingredient = IdFilter(field_name="ingredient_id")
    low = filters.BooleanFilter(method="by_lowness")

    def by_lowness(self, levels: QuerySet[StockLevel], name: str, value: bool) -> QuerySet[StockLevel]:
        below = Q(quantity__lt=F("minimum"))
        return levels.filter(below if value else ~below)


@extend_schema(tags=["stock"])
class StockViewSet(ShowsCosts, IdempotentMixin, ListModelMixin, RetrieveModelMixin, GenericViewSet):
    """The levels of all locations, by location and name. A quantity is never set: it is what the ledger sums to."""

    serializer_class = StockLevelSerializer
    filterset_class = StockFilter
    search_fields = ("ingredient__name",)
    ordering = ("location_id", "ingredient_name")
    lookup_value_converter = "int"
    action_permissions = {
        "list": "inventory.view_stocklevel",
        "retrieve": "inventory.view_stocklevel",
        "partial_update": "inventory.change_stocklevel",
        "receive": "inventory.receive_stock",
        "write_off": "inventory.write_off_stock",
        "transfer": "inventory.transfer_stock",
    }

    def get_queryset(self) -> QuerySet[StockLevel]:
        return StockLevel.objects.select_related("ingredient").annotate(ingredient_name=F("ingredient__name"))

    @extend_schema(request=MinimumSerializer)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Sets the minimum; nothing else of a level is set by hand."""
        level = set_minimum(level_id=pk, **validated(MinimumSerializer, request))
        return Response(self.get_serializer(self.get_queryset().get(pk=level.pk)).data)

    @extend_schema(request=ReceiptBodySerializer, responses={201: WholeDocumentSerializer})
    @action(detail=False, methods=["post"])
    def receive(self, request: Request) -> Response:
        """Puts ingredients on the shelves. A cost that is given moves the average cost."""
        values = self.with_location(validated(ReceiptBodySerializer, request))
        return self.answer(receive_stock(**values, created_by_id=request.user.pk))

    @extend_schema(request=WriteOffBodySerializer, responses={201: WholeDocumentSerializer})
    @action(detail=False, methods=["post"], url_path="write-off")
    def write_off(self, request: Request) -> Response:
        """Takes what is spoiled, broken, tasted or made by mistake off the shelves."""
        values = self.with_location(validated(WriteOffBodySerializer, request))
        return self.answer(write_off_stock(**values, created_by_id=request.user.pk))

    @extend_schema(request=TransferBodySerializer, responses={201: WholeDocumentSerializer})
    @action(detail=False, methods=["post"])
    def transfer(self, request: Request) -> Response:
        """Carries ingredients from one location to another, with the cost they have at the source."""
        values = validated(TransferBodySerializer, request)
        return self.answer(transfer_stock(**values, created_by_id=request.user.pk))

    def with_location(self, values: dict[str, Any]) -> dict[str, Any]:
        """The body with the location that it means."""
        location = location_for(user=self.request.user, location_id=values.get("location"))
        return {**values, "location": location}

    def answer(self, document: Any) -> Response:
        return Response(document_answer(document, self.get_serializer_context()), status=status.HTTP_201_CREATED)
