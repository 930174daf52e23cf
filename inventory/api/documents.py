"""stock-documents/ and stock-movements/: what was done to the stock, and every line of its ledger."""

from collections.abc import Mapping
from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from foundation.api.filters import IdFilter
from inventory.api.costs import ShowsCosts
from inventory.api.stock_serializers import (
    StockDocumentSerializer,
    StockMovementSerializer,
    WholeDocumentSerializer,
)
from inventory.models import StockDocument, StockMovement
from inventory.selectors import ledger_of_document


class MovementFilter(filters.FilterSet):
    """By what moved, where, why, when, and because of which document."""

    ingredient = IdFilter(field_name="ingredient_id")
    location = IdFilter(field_name="location_id")
    document_type = filters.CharFilter()
    document_id = filters.CharFilter()
    reason = filters.MultipleChoiceFilter(choices=StockMovement.Reason.choices)
    created_after = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_before = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")


@extend_schema(tags=["stock"])
class StockMovementViewSet(ShowsCosts, ListModelMixin, GenericViewSet):
    """The ledger, the newest line first. Nobody changes it: the database refuses that."""

    queryset = StockMovement.objects.select_related("ingredient")
    serializer_class = StockMovementSerializer
    filterset_class = MovementFilter
    action_permissions = {"list": "inventory.view_stockmovement"}


class DocumentFilter(filters.FilterSet):
    location = IdFilter(field_name="location_id")
    kind = filters.MultipleChoiceFilter(choices=StockDocument.Kind.choices)
    created_after = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_before = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")


@extend_schema(tags=["stock"])
class StockDocumentViewSet(ShowsCosts, ListModelMixin, GenericViewSet):
    """Receipts, write-offs and transfers, the newest first."""

    queryset = StockDocument.objects.all()
    serializer_class = StockDocumentSerializer
    filterset_class = DocumentFilter
    lookup_value_converter = "int"
    action_permissions = {"list": "inventory.view_stockdocument", "retrieve": "inventory.view_stockdocument"}

    @extend_schema(responses=WholeDocumentSerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """A document with its lines in the ledger."""
        return Response(document_answer(self.get_object(), self.get_serializer_context()))


def document_answer(document: StockDocument, context: Mapping[str, Any]) -> dict[str, Any]:
    """A document as the API shows it whole."""
    shown: dict[str, Any] = dict(StockDocumentSerializer(document, context=context).data)
    movements = ledger_of_document(document_type=document.kind, document_id=document.pk)
    return {**shown, "movements": StockMovementSerializer(movements, many=True, context=context).data}
