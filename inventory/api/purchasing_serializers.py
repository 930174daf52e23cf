"""How purchase orders and suggestions are shown and written."""

from decimal import ROUND_HALF_UP
from typing import Any

from rest_framework import serializers

from foundation.api.fields import AmountField, IdField, RecordField, WholeNumberField
from foundation.api.serializers import StrictSerializer, list_of
from inventory.api.stock_serializers import HidesCosts
from inventory.models import Location, PurchaseOrder, PurchaseOrderLine, StockDocument, Supplier
from inventory.services.lines import MOST_LINES
from inventory.services.purchasing import OrderedLine
from inventory.services.receiving import ReceivedLine

QUANTITY: dict[str, Any] = {"max_digits": 20, "decimal_places": 3, "rounding": ROUND_HALF_UP}
MONEY: dict[str, Any] = {"max_digits": 20, "decimal_places": 2, "rounding": ROUND_HALF_UP}


class PurchaseOrderLineSerializer(HidesCosts, serializers.ModelSerializer):
    """So many packs, as the pack was when it was ordered. `quantity`, `received_quantity` and `outstanding` are in the
    ingredient's base unit, `price` is money for one pack."""

    cost_fields = ("price",)
    ingredient_name = serializers.CharField(source="ingredient.name", read_only=True)
    unit = serializers.CharField(source="ingredient.unit", read_only=True)
    tracks_expiry = serializers.BooleanField(source="ingredient.tracks_expiry", read_only=True)
    quantity = serializers.DecimalField(**QUANTITY, read_only=True)
    outstanding = serializers.DecimalField(**QUANTITY, read_only=True)

    class Meta:
        model = PurchaseOrderLine
        fields = (
            "id",
            "ingredient",
            "ingredient_name",
            "unit",
            "tracks_expiry",
            "pack",
            "pack_name",
            "pack_quantity",
            "packs",
            "price",
            "quantity",
            "received_quantity",
            "outstanding",
        )


class ReceiptOfOrderSerializer(serializers.ModelSerializer):
    """A delivery that has come; `stock-documents/{id}/` shows it whole."""

    class Meta:
        model = StockDocument
        fields = ("id", "delivery_note", "comment", "created_by", "created_at")


class PurchaseOrderSerializer(HidesCosts, serializers.ModelSerializer):
    """What the shop has asked a supplier for. `total` is packs × price of the lines with a known price."""

    cost_fields = ("total",)
    number = serializers.CharField(source="__str__", read_only=True)
    supplier_name = serializers.CharField(source="supplier.name", read_only=True)
    lines_number = serializers.IntegerField(read_only=True)
    total = serializers.DecimalField(**MONEY, read_only=True, allow_null=True)

    class Meta:
        model = PurchaseOrder
        fields: tuple[str, ...] = (
            "id",
            "number",
            "supplier",
            "supplier_name",
            "location",
            "status",
            "expected_on",
            "comment",
            "lines_number",
            "total",
            "created_by",
            "created_at",
            "ordered_at",
            "closed_at",
        )


class WholePurchaseOrderSerializer(PurchaseOrderSerializer):
    """A purchase order with its lines and what has come of it."""

    lines = PurchaseOrderLineSerializer(many=True)
    receipts = ReceiptOfOrderSerializer(many=True)

    class Meta(PurchaseOrderSerializer.Meta):
        fields = (*PurchaseOrderSerializer.Meta.fields, "lines", "receipts")


class OrderedLineBodySerializer(StrictSerializer):
    """So many packs from the supplier's list, at the price of the list unless another one is given."""

    pack = IdField()
    packs = serializers.DecimalField(max_digits=14, decimal_places=3)
    price = AmountField(max_digits=12, decimal_places=2, required=False, allow_null=True)

    def to_internal_value(self, data: Any) -> OrderedLine:
        values = super().to_internal_value(data)
        return OrderedLine(pack_id=values["pack"], packs=values["packs"], price=values.get("price"))


class PurchaseOrderBodySerializer(StrictSerializer):
    """What shall be ordered. Without `location` the user's default one."""

    supplier = RecordField(queryset=Supplier.objects.all())
    location = IdField(required=False, allow_null=True)
    lines = list_of(OrderedLineBodySerializer(), most=MOST_LINES)
    expected_on = serializers.DateField(required=False, allow_null=True)
    comment = serializers.CharField(max_length=500, required=False, allow_blank=True)


class PurchaseOrderEditBodySerializer(StrictSerializer):
    """What of a draft shall be otherwise; `lines` as a whole."""

    location = RecordField(queryset=Location.objects.all(), required=False)
    lines = list_of(OrderedLineBodySerializer(), most=MOST_LINES, required=False)
    expected_on = serializers.DateField(required=False, allow_null=True)
    comment = serializers.CharField(max_length=500, required=False, allow_blank=True)


class ReceivedPurchaseLineBodySerializer(StrictSerializer):
    """What came of a `line` of the order, or in a `pack` of the supplier that was not ordered: so many `packs`, or so
    much (`quantity` in `unit`, or in the base unit). `price` is money for one pack, the ordered one unless given, and
    only for who may see costs. `expires_on` is the last good day of an ingredient that has an expiry date."""

    line = IdField(required=False, allow_null=True)
    pack = IdField(required=False, allow_null=True)
    packs = AmountField(max_digits=14, decimal_places=3, required=False, allow_null=True)
    quantity = AmountField(max_digits=20, decimal_places=9, required=False, allow_null=True)
    unit = serializers.CharField(max_length=20, required=False, allow_blank=True)
    price = AmountField(max_digits=12, decimal_places=2, required=False, allow_null=True)
    expires_on = serializers.DateField(required=False, allow_null=True)
    lot_code = serializers.CharField(max_length=60, required=False, allow_blank=True)

    def to_internal_value(self, data: Any) -> ReceivedLine:
        values = super().to_internal_value(data)
        return ReceivedLine(line_id=values.pop("line", None), pack_id=values.pop("pack", None), **values)


class DeliveryBodySerializer(StrictSerializer):
    """A delivery. `is_final`: nothing more will come. `expected_receipts`: how many receipts the order had when you
    looked; if it has others by now, nothing is received."""

    lines = list_of(ReceivedPurchaseLineBodySerializer(), most=MOST_LINES)
    delivery_note = serializers.CharField(max_length=60, required=False, allow_blank=True)
    comment = serializers.CharField(max_length=500, required=False, allow_blank=True)
    is_final = serializers.BooleanField(required=False)
    expected_receipts = WholeNumberField(required=False, allow_null=True, min_value=0)


class SuggestionBodySerializer(StrictSerializer):
    """What of the suggestions shall be drafted: all, or these `lines`. Without `location` the user's default one."""

    location = IdField(required=False, allow_null=True)
    lines = list_of(OrderedLineBodySerializer(), most=MOST_LINES, required=False)


class NeedSerializer(serializers.Serializer):
    """An ingredient that is low, in its base unit; `used` is that of the last four weeks, `needed` what is missing."""

    ingredient = serializers.IntegerField(source="need.ingredient.pk")
    ingredient_name = serializers.CharField(source="need.ingredient.name")
    unit = serializers.CharField(source="need.ingredient.unit")
    there = serializers.DecimalField(source="need.there", **QUANTITY)
    minimum = serializers.DecimalField(source="need.minimum", **QUANTITY)
    on_order = serializers.DecimalField(source="need.on_order", **QUANTITY)
    used = serializers.DecimalField(source="need.used", **QUANTITY)
    needed = serializers.DecimalField(source="need.quantity", **QUANTITY)


class SuggestedLineSerializer(NeedSerializer):
    """A need, and so many packs that cover it; `price` and `total` are null if the price is unknown."""

    pack = serializers.IntegerField(source="pack.pk")
    pack_name = serializers.CharField(source="pack.name")
    pack_quantity = serializers.DecimalField(source="pack.quantity", **QUANTITY)
    packs = serializers.DecimalField(**QUANTITY)
    price = serializers.DecimalField(source="pack.price", **MONEY, allow_null=True)
    total = serializers.DecimalField(**MONEY, allow_null=True)


class UnsuppliedSerializer(NeedSerializer):
    """A need that nobody sells, and what to do about it."""

    detail = serializers.CharField(source="sentence")


class SuggestedOrderSerializer(serializers.Serializer):
    """What should be ordered from one supplier."""

    supplier = serializers.IntegerField(source="supplier.pk")
    supplier_name = serializers.CharField(source="supplier.name")
    total = serializers.DecimalField(**MONEY)
    lines = SuggestedLineSerializer(many=True)


class SuggestionsSerializer(serializers.Serializer):
    """What a location should order, by supplier, and what it can't order anywhere."""

    orders = SuggestedOrderSerializer(many=True)
    unsupplied = UnsuppliedSerializer(many=True)


class DraftedSerializer(serializers.Serializer):
    """The drafts that were made; none if nothing is missing any more."""

    results = WholePurchaseOrderSerializer(many=True)
