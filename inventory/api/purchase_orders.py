"""purchase-orders/"""

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from foundation.api.filters import IdFilter, refuse_unknown
from foundation.api.idempotency import IdempotentMixin
from foundation.api.ids import id_parameter
from foundation.api.serializers import NothingSerializer, validated
from foundation.errors import NotPermitted
from inventory import costs
from inventory.api.costs import ShowsCosts
from inventory.api.purchasing_serializers import (
    DeliveryBodySerializer,
    DraftedSerializer,
    PurchaseOrderBodySerializer,
    PurchaseOrderEditBodySerializer,
    PurchaseOrderSerializer,
    SuggestionBodySerializer,
    SuggestionsSerializer,
    WholePurchaseOrderSerializer,
)
from inventory.models import Location, PurchaseOrder, PurchaseOrderLine, StockDocument
from inventory.purchasing_selectors import suggest_purchase_orders, with_totals
from inventory.selectors import location_for
from inventory.services.purchasing import (
    cancel_purchase_order,
    close_purchase_order,
    draft_purchase_order,
    edit_purchase_order,
    order_purchase_order,
)
from inventory.services.receiving import receive_purchase_order
from inventory.services.reordering import draft_suggested

ADD, CHANGE = "inventory.add_purchaseorder", "inventory.change_purchaseorder"
VIEW, RECEIVE = "inventory.view_purchaseorder", "inventory.receive_purchaseorder"


class PurchaseOrderFilter(filters.FilterSet):
    """By what has become of it, from whom, where to."""

    status = filters.MultipleChoiceFilter(choices=PurchaseOrder.Status.choices)
    supplier = IdFilter(field_name="supplier_id")
    location = IdFilter(field_name="location_id")


@extend_schema(tags=["purchase-orders"])
class PurchaseOrderViewSet(ShowsCosts, IdempotentMixin, ListModelMixin, GenericViewSet):
    """What the shop orders from its suppliers, the newest first: draft → ordered → partly received → received, or
    cancelled."""

    serializer_class = PurchaseOrderSerializer
    filterset_class = PurchaseOrderFilter
    lookup_value_converter = "int"
    action_permissions = {
        "list": VIEW,
        "retrieve": VIEW,
        "create": ADD,
        "partial_update": CHANGE,
        "order": "inventory.order_purchaseorder",
        "receive": RECEIVE,
        "close": RECEIVE,
        "cancel": "inventory.cancel_purchaseorder",
        "suggestions": ADD,
        "draft_suggestions": ADD,
    }

    def get_queryset(self) -> QuerySet[PurchaseOrder]:
        return with_totals(PurchaseOrder.objects.select_related("supplier"))

    @extend_schema(responses=WholePurchaseOrderSerializer)
    def retrieve(self, request: Request, pk: int) -> Response:
        """A purchase order with its lines and its receipts."""
        return self.answer(self.get_object())

    @extend_schema(request=PurchaseOrderBodySerializer, responses={201: WholePurchaseOrderSerializer})
    def create(self, request: Request) -> Response:
        """Drafts an order; nobody is asked for anything yet."""
        values = validated(PurchaseOrderBodySerializer, request)
        values["location"] = location_for(user=request.user, location_id=values.get("location"))
        return self.answer(draft_purchase_order(**values, created_by_id=request.user.pk), status.HTTP_201_CREATED)

    @extend_schema(request=PurchaseOrderEditBodySerializer, responses=WholePurchaseOrderSerializer)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Changes a draft."""
        values = validated(PurchaseOrderEditBodySerializer, request, changes_only=True)
        lines = values.pop("lines", None)
        return self.answer(edit_purchase_order(order_id=pk, lines=lines, details=values))

    @extend_schema(request=NothingSerializer, responses=WholePurchaseOrderSerializer)
    @action(detail=True, methods=["post"])
    def order(self, request: Request, pk: int) -> Response:
        """draft → ordered"""
        validated(NothingSerializer, request)
        return self.answer(order_purchase_order(order_id=pk))

    @extend_schema(request=DeliveryBodySerializer, responses=WholePurchaseOrderSerializer)
    @action(detail=True, methods=["post"])
    def receive(self, request: Request, pk: int) -> Response:
        """Puts what came on the shelves, more or less than was ordered. A price that is given is kept as the pack's."""
        values = validated(DeliveryBodySerializer, request)
        priced = [place for place, line in enumerate(values["lines"]) if line.price is not None]
        if priced and not request.user.has_perm(costs.PERMISSION):
            raise NotPermitted(_("You may not set prices. Leave them out: what came costs what was ordered."))
        receive_purchase_order(order_id=pk, **values, created_by_id=request.user.pk)
        return self.answer(self.get_queryset().get(pk=pk))

    @extend_schema(request=NothingSerializer, responses=WholePurchaseOrderSerializer)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, pk: int) -> Response:
        """partly received → received: nothing more will come."""
        validated(NothingSerializer, request)
        return self.answer(close_purchase_order(order_id=pk))

    @extend_schema(request=NothingSerializer, responses=WholePurchaseOrderSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: int) -> Response:
        """A draft, or an order of which nothing has come → cancelled"""
        validated(NothingSerializer, request)
        return self.answer(cancel_purchase_order(order_id=pk))

    @extend_schema(
        parameters=[OpenApiParameter("location", int, description="Without it the user's default one.")],
        responses=SuggestionsSerializer,
        filters=False,
    )
    @action(detail=False, methods=["get"], pagination_class=None, filterset_class=None)
    def suggestions(self, request: Request) -> Response:
        """What the location is low on, in whole packs, by supplier. What is on its way counts, and so do drafts."""
        refuse_unknown(request, {"location", "format"})
        location = location_for(user=request.user, location_id=id_parameter(request, "location"))
        return Response(SuggestionsSerializer(suggest_purchase_orders(location=location)).data)

    @extend_schema(request=SuggestionBodySerializer, responses={201: DraftedSerializer})
    @suggestions.mapping.post
    def draft_suggestions(self, request: Request) -> Response:
        """Drafts the suggestions, or what of them the body names: one order for each supplier. Doing it again drafts
        nothing twice."""
        values = validated(SuggestionBodySerializer, request)
        location: Location = location_for(user=request.user, location_id=values.get("location"))
        orders = draft_suggested(location=location, lines=values.get("lines"), created_by_id=request.user.pk)
        shown = whole_orders(self.get_queryset().filter(pk__in=[order.pk for order in orders])).order_by("pk")
        context = self.get_serializer_context()
        results = WholePurchaseOrderSerializer(shown, many=True, context=context).data
        return Response({"results": results}, status=status.HTTP_201_CREATED)

    def answer(self, order: PurchaseOrder, code: int = status.HTTP_200_OK) -> Response:
        whole = whole_orders(self.get_queryset()).get(pk=order.pk)
        context = self.get_serializer_context()
        return Response(WholePurchaseOrderSerializer(whole, context=context).data, status=code)


def whole_orders(orders: QuerySet[PurchaseOrder]) -> QuerySet[PurchaseOrder]:
    """With all that a whole order shows, in two more queries."""
    return orders.prefetch_related(
        Prefetch("lines", PurchaseOrderLine.objects.select_related("ingredient")),
        Prefetch("receipts", StockDocument.objects.order_by("id")),
    )
