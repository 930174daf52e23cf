"""marketplaces/orders/"""

from typing import Any
from uuid import UUID

from django.db.models import F, Prefetch, Q, QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from foundation.api.idempotency import IdempotentMixin
from foundation.api.serializers import validated
from marketplaces.api.binding import EXTERNAL_USER_ID, OfVisibleAccounts, PagesOfAccounts
from marketplaces.api.order_serializers import EraseBuyerSerializer, MirroredOrderSerializer, WholeOrderSerializer
from marketplaces.choices import OrderState
from marketplaces.models import MarketplaceOrder, MarketplaceOrderRevision, StockOperation
from marketplaces.services.erasing import erase_buyer
from orders.models import OrderEvent
from orders.services.actor import Actor

# Columns that a list does not show; a raw order has some kilobytes.
WHOLE_ONLY = ("payload", "payload_digest", "revision")


class MirroredOrderFilter(filters.FilterSet):
    """`search`: the beginning of an order's number, or of its id on the marketplace."""

    account = filters.UUIDFilter(field_name="account_id")
    state = filters.MultipleChoiceFilter(choices=OrderState.choices, distinct=False)
    status = filters.CharFilter(field_name="status")
    placed_after = filters.IsoDateTimeFilter(field_name="placed_at", lookup_expr="gte")
    placed_before = filters.IsoDateTimeFilter(field_name="placed_at", lookup_expr="lt")
    search = filters.CharFilter(method="by_beginning")

    def by_beginning(self, orders: QuerySet[MarketplaceOrder], name: str, value: str) -> QuerySet[MarketplaceOrder]:
        return orders.filter(Q(number__startswith=value) | Q(external_id__startswith=value))


@extend_schema_view(
    list=extend_schema(parameters=[EXTERNAL_USER_ID]), retrieve=extend_schema(responses=WholeOrderSerializer)
)
@extend_schema(tags=["marketplaces"])
class MirroredOrderViewSet(OfVisibleAccounts, IdempotentMixin, ListModelMixin, RetrieveModelMixin, GenericViewSet):
    """The marketplaces' orders as the shop keeps them, the last seen first; within a period by the time they were
    placed."""

    pagination_class = PagesOfAccounts
    filterset_class = MirroredOrderFilter
    lookup_value_converter = "uuid"
    action_permissions = {
        "list": "marketplaces.view_marketplaceorder",
        "retrieve": "marketplaces.view_marketplaceorder",
        "erase": "orders.erase_customer",
    }

    def get_serializer_class(self) -> Any:
        return MirroredOrderSerializer if self.action == "list" else WholeOrderSerializer

    def get_queryset(self) -> QuerySet[MarketplaceOrder]:
        orders = MarketplaceOrder.objects.prefetch_related("lines")
        if self.action == "list":
            # An order without the time it was placed is in no period, and no place in an order is asked for it.
            orders = orders.defer(*WHOLE_ONLY).annotate(placed=F("placed_at"))
        else:
            operations = StockOperation.objects.only("id", "kind", "status", "order_id").order_by("pk")
            revisions = MarketplaceOrderRevision.objects.order_by("number")
            orders = orders.prefetch_related(Prefetch("operations", operations), Prefetch("revisions", revisions))
        return self.of_visible_accounts(orders)

    @property
    def ordering(self) -> str:
        asked = self.request.query_params
        return "-placed" if asked.get("placed_after") or asked.get("placed_before") else "-id"

    @extend_schema(request=EraseBuyerSerializer, responses=WholeOrderSerializer)
    @action(detail=True, methods=["post"])
    def erase(self, request: Request, pk: UUID) -> Response:
        """Takes the buyer's data off the order and all its versions, for good. What was bought stays."""
        order = self.get_object()
        values = validated(EraseBuyerSerializer, request)
        erase_buyer(order_id=order.pk, reason=values["reason"], actor=Actor(request.user.pk, OrderEvent.Door.API))
        return Response(self.get_serializer(self.get_queryset().get(pk=order.pk)).data)
