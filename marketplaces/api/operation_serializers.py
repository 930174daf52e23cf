"""What the API says about stock operations, and what it is told."""

from typing import Any

from rest_framework import serializers

from foundation.api.serializers import StrictSerializer
from marketplaces.models import OperationLog, StockOperation, StockOperationLine
from marketplaces.services.operation_results import MOST_OPERATIONS


class OperationLineSerializer(serializers.ModelSerializer):
    """So many pieces of a SKU; `portions` of the product once the stock is deducted; `cancelled_quantity` of the pieces
    were cancelled after that, and have been given back."""

    listing = serializers.IntegerField(source="listing_id", allow_null=True)
    product = serializers.IntegerField(source="product_id", allow_null=True)

    class Meta:
        model = StockOperationLine
        fields = ("external_line_id", "sku", "name", "quantity", "cancelled_quantity", "listing", "product", "portions")
        read_only_fields = fields


FIELDS: tuple[str, ...] = (
    *("id", "account", "account_name", "order", "order_number", "kind", "status"),
    *("line_items_loaded_at", "stock_deducted_at", "microservice_synced_at", "deduction_id"),
    *("attempts", "next_attempt_at", "last_error"),
    *("cancellation_requested_at", "cancelled_by", "cancellation_reason", "is_cancelled_there"),
    *("marketplace_rolled_back_at", "cancellation_refused_at", "part_cancelled_at"),
    *("rollback_operations", "adjusts", "retry_of", "successor", "created_at", "finished_at"),
)


class OperationSerializer(serializers.ModelSerializer):
    """A stock operation. `rollback_operations` are the corrections that put it right, `retry_of` the failed one that
    it tries again, `successor` the one that tries it again."""

    account = serializers.UUIDField(source="account_id")
    order = serializers.UUIDField(source="order_id")
    order_number = serializers.CharField(source="order.__str__")
    cancelled_by = serializers.IntegerField(source="cancelled_by_id", allow_null=True)
    rollback_operations: Any = serializers.PrimaryKeyRelatedField(
        many=True, read_only=True, pk_field=serializers.UUIDField()
    )
    adjusts = serializers.UUIDField(source="adjusts_id", allow_null=True)
    retry_of = serializers.UUIDField(source="retry_of_id", allow_null=True)
    successor = serializers.SerializerMethodField()

    class Meta:
        model = StockOperation
        fields = FIELDS
        read_only_fields = fields

    def get_successor(self, operation: StockOperation) -> str | None:
        successor = getattr(operation, "successor", None)
        return str(successor.pk) if successor else None


class WholeOperationSerializer(OperationSerializer):
    """With its lines."""

    lines = OperationLineSerializer(many=True)

    class Meta:
        model = StockOperation
        fields = (*FIELDS, "lines")
        read_only_fields = fields


class OperationLogSerializer(serializers.ModelSerializer):
    """An entry of the standard log. `order_id` is the order's id on the marketplace."""

    operation = serializers.UUIDField(source="operation_id")
    error_details = serializers.DictField(allow_null=True)
    context: Any = serializers.DictField()

    class Meta:
        model = OperationLog
        fields = (
            *("id", "operation", "order_id", "action", "from_status", "to_status", "reason", "attempt"),
            *("execution_time_ms", "next_attempt_at", "error_details", "context", "created_at"),
        )
        read_only_fields = fields


class CancellationBodySerializer(StrictSerializer):
    """Why."""

    reason = serializers.CharField(max_length=300)


class OperationsBodySerializer(StrictSerializer):
    """Which operations, up to 1,000."""

    ids = serializers.ListField(child=serializers.UUIDField(), allow_empty=False, max_length=MOST_OPERATIONS)


class CancellationsBodySerializer(OperationsBodySerializer, CancellationBodySerializer):
    """Which operations, up to 1,000, and why."""


class OperationErrorSerializer(serializers.Serializer):
    """Why nothing was done."""

    type = serializers.CharField()
    detail = serializers.CharField()


class OperationResultSerializer(serializers.Serializer):
    """What became of one operation; `successor` is the one that tries it again."""

    id = serializers.UUIDField()
    ok = serializers.BooleanField()
    successor = serializers.UUIDField(required=False)
    error = OperationErrorSerializer(required=False)


class OperationResultsSerializer(serializers.Serializer):
    """What became of each operation."""

    results = OperationResultSerializer(many=True)
