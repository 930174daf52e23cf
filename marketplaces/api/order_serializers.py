"""What the API says about mirrored orders."""

from rest_framework import serializers

from foundation.api.serializers import StrictSerializer
from marketplaces.models import (
    MarketplaceOrder,
    MarketplaceOrderLine,
    MarketplaceOrderRevision,
    StockOperation,
)


class LineSerializer(serializers.ModelSerializer):
    class Meta:
        model = MarketplaceOrderLine
        fields = ("external_line_id", "sku", "name", "barcode", "quantity", "price")
        read_only_fields = fields


class RevisionSerializer(serializers.ModelSerializer):
    """One version of an order, whole, as the marketplace told it."""

    class Meta:
        model = MarketplaceOrderRevision
        fields = ("number", "status", "fulfilment_status", "source", "seen_at", "payload")
        read_only_fields = fields


class OperationOfOrderSerializer(serializers.ModelSerializer):
    """operations/{id}/ tells more."""

    class Meta:
        model = StockOperation
        fields = ("id", "kind", "status")
        read_only_fields = fields


FIELDS: tuple[str, ...] = (
    *("id", "account", "external_id", "number", "status", "fulfilment_status", "state", "scheme"),
    *("currency", "total", "placed_at", "changed_at", "first_seen_at", "synced_at"),
    *("vanished_at", "merged_into", "erased_at", "lines"),
)


class MirroredOrderSerializer(serializers.ModelSerializer):
    """`status` and `fulfilment_status` are the marketplace's own words, `state` what they come to."""

    account = serializers.UUIDField(source="account_id")
    merged_into = serializers.UUIDField(source="merged_into_id", allow_null=True)
    lines = LineSerializer(many=True)

    class Meta:
        model = MarketplaceOrder
        fields = FIELDS
        read_only_fields = fields


class WholeOrderSerializer(MirroredOrderSerializer):
    """With the raw order and all that it was before."""

    revisions = RevisionSerializer(many=True)
    operations = OperationOfOrderSerializer(many=True)

    class Meta:
        model = MarketplaceOrder
        fields = (*FIELDS, "revision", "payload", "revisions", "operations")
        read_only_fields = fields


class EraseBuyerSerializer(StrictSerializer):
    """Why the buyer's data is erased, without naming them."""

    reason = serializers.CharField(max_length=300)
