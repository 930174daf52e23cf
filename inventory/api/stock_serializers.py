"""How stock is shown and moved."""

from typing import Any

from rest_framework import serializers

from foundation.api.fields import AmountField, IdField, RecordField, WordField
from foundation.api.serializers import StrictSerializer, list_of
from inventory.models import Location, StockDocument, StockLevel, StockMovement
from inventory.services.lines import MOST_LINES, StockLine


class HidesCosts:
    """Mixed into a serializer: its cost columns are only for who may see costs."""

    cost_fields: tuple[str, ...] = ("unit_cost", "value")

    def get_fields(self) -> dict[str, serializers.Field]:
        fields: dict[str, serializers.Field] = super().get_fields()  # type: ignore[misc]
        if not self.context.get("shows_costs", True):  # type: ignore[attr-defined]
            for name in self.cost_fields:
                fields.pop(name, None)
        return fields


class StockLevelSerializer(HidesCosts, serializers.ModelSerializer):
    """How much of an ingredient a location holds, in its base unit."""

    cost_fields = ("average_cost", "value")
    ingredient_name = serializers.CharField(read_only=True)
    unit = serializers.CharField(source="ingredient.unit", read_only=True)
    is_low = serializers.BooleanField(read_only=True, help_text="Below its minimum.")

    class Meta:
        model = StockLevel
        fields = (
            "id",
            "location",
            "ingredient",
            "ingredient_name",
            "unit",
            "quantity",
            "minimum",
            "is_low",
            "average_cost",
            "value",
        )


class StockMovementSerializer(HidesCosts, serializers.ModelSerializer):
    """A line of the ledger. `document_type`, `document_id` and `line_id` name what caused it."""

    ingredient_name = serializers.CharField(source="ingredient.name", read_only=True)
    unit = serializers.CharField(source="ingredient.unit", read_only=True)

    class Meta:
        model = StockMovement
        fields = (
            "id",
            "ingredient",
            "ingredient_name",
            "unit",
            "location",
            "delta",
            "reason",
            "unit_cost",
            "value",
            "lot",
            "document_type",
            "document_id",
            "line_id",
            "comment",
            "created_by",
            "created_at",
        )


class StockDocumentSerializer(serializers.ModelSerializer):
    """A receipt, a write-off or a transfer."""

    class Meta:
        model = StockDocument
        fields: tuple[str, ...] = (
            "id",
            "kind",
            "location",
            "destination",
            "reason",
            "purchase_order",
            "delivery_note",
            "comment",
            "created_by",
            "created_at",
        )


class WholeDocumentSerializer(StockDocumentSerializer):
    """A receipt, a write-off or a transfer with its lines in the ledger."""

    movements = StockMovementSerializer(many=True)

    class Meta(StockDocumentSerializer.Meta):
        fields = (*StockDocumentSerializer.Meta.fields, "movements")


class MinimumSerializer(StrictSerializer):
    """Below which quantity an ingredient counts as low. The quantity changes only by receipts, sales and so on."""

    minimum = serializers.DecimalField(max_digits=14, decimal_places=3)


class StockLineBodySerializer(StrictSerializer):
    """So much of an ingredient, in its base unit."""

    ingredient = IdField()
    quantity = serializers.DecimalField(max_digits=14, decimal_places=3)

    def to_internal_value(self, data: Any) -> StockLine:
        values = super().to_internal_value(data)
        return StockLine(
            ingredient_id=values["ingredient"],
            quantity=values["quantity"],
            unit_cost=values.get("unit_cost"),
            value=values.get("paid"),
            expires_on=values.get("expires_on"),
            lot_code=values.get("lot_code", ""),
            lot_id=values.get("lot"),
        )


class LeavingLineBodySerializer(StockLineBodySerializer):
    """So much of an ingredient, in its base unit, from the lot that is named or what expires first."""

    lot = IdField(required=False, allow_null=True)


class ReceivedLineBodySerializer(StockLineBodySerializer):
    """So much of an ingredient, in its base unit; `unit_cost` is money per base unit, `paid` what all of it cost (it is
    exact and counts if both are given). `expires_on` is the last good day of an ingredient that has an expiry date."""

    unit_cost = AmountField(max_digits=14, decimal_places=6, required=False, allow_null=True)
    paid = AmountField(max_digits=12, decimal_places=2, required=False, allow_null=True)
    expires_on = serializers.DateField(required=False, allow_null=True)
    lot_code = serializers.CharField(max_length=60, required=False, allow_blank=True)


class ReceiptBodySerializer(StrictSerializer):
    """What came in. Without `location` the user's default one."""

    location = IdField(required=False, allow_null=True)
    lines = list_of(ReceivedLineBodySerializer(), most=MOST_LINES)
    comment = serializers.CharField(max_length=500, required=False, allow_blank=True)


class WriteOffBodySerializer(StrictSerializer):
    """What is lost, and why. Without `location` the user's default one."""

    location = IdField(required=False, allow_null=True)
    lines = list_of(LeavingLineBodySerializer(), most=MOST_LINES)
    reason = WordField(choices=StockDocument.WriteOffReason.choices)
    comment = serializers.CharField(max_length=500, required=False, allow_blank=True)


class TransferBodySerializer(StrictSerializer):
    """What is carried from one location to another."""

    source = RecordField(queryset=Location.objects.all())  # type: ignore[assignment]  # the name is the contract's
    destination = RecordField(queryset=Location.objects.all())
    lines = list_of(LeavingLineBodySerializer(), most=MOST_LINES)
    comment = serializers.CharField(max_length=500, required=False, allow_blank=True)
