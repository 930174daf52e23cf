"""marketplaces/stock/: what lies where according to the marketplaces."""

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin
from rest_framework.viewsets import GenericViewSet

from foundation.api.filters import IdFilter
from marketplaces.api.binding import EXTERNAL_USER_ID, OfVisibleAccounts, PagesOfAccounts
from marketplaces.choices import Scheme
from marketplaces.models import MarketplaceStock


class MarketplaceStockSerializer(serializers.ModelSerializer):
    """Pieces of a SKU in a warehouse. `product` is null while nobody has matched the SKU."""

    account = serializers.UUIDField(source="account_id")
    product = serializers.IntegerField(source="product_id", allow_null=True)

    class Meta:
        model = MarketplaceStock
        fields = (
            *("id", "account", "product", "sku", "name", "barcode", "source", "warehouse_id", "warehouse"),
            *("stock_type", "present", "reserved", "in_way_to_client", "in_way_from_client"),
            *("snapshot_date", "last_sync_at"),
        )
        read_only_fields = fields


class MarketplaceStockFilter(filters.FilterSet):
    """`unmatched=true` leaves the SKUs that no listing matches to a product."""

    account = filters.UUIDFilter(field_name="account_id")
    sku = filters.CharFilter(field_name="sku")
    source = filters.CharFilter(field_name="source")
    stock_type = filters.ChoiceFilter(choices=Scheme.choices)
    product = IdFilter(field_name="product_id")
    unmatched = filters.BooleanFilter(field_name="product", lookup_expr="isnull")


@extend_schema_view(list=extend_schema(parameters=[EXTERNAL_USER_ID]))
@extend_schema(tags=["marketplaces"])
class MarketplaceStockViewSet(OfVisibleAccounts, ListModelMixin, GenericViewSet):
    """The newest figures of every import, the last found row first."""

    serializer_class = MarketplaceStockSerializer
    pagination_class = PagesOfAccounts
    filterset_class = MarketplaceStockFilter
    action_permissions = {"list": "marketplaces.view_marketplacestock"}

    def get_queryset(self) -> QuerySet[MarketplaceStock]:
        return self.of_visible_accounts(MarketplaceStock.objects.all())
