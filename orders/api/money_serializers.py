"""What the API says of payments, refunds and shifts, and what clients say about them."""

from typing import Any

from rest_framework import serializers

from foundation.api.fields import AmountField, IdField, WordField
from foundation.api.serializers import StrictSerializer, list_of
from orders.api.bodies import QuantityField, ReasonField
from orders.api.serializers import InCurrency
from orders.models import CashMovement, Payment, Refund, RefundItem, RefundPart, Shift, ShiftCorrection
from orders.pricing import MOST_LINES


class MoneyField(AmountField):
    """An amount of the shop's currency."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_digits": 12, "decimal_places": 2, **kwargs})


class PaymentSerializer(InCurrency, serializers.ModelSerializer):
    """What was paid for an order by one method. `refunded` and `tip_refunded` are what has gone back of it."""

    class Meta:
        model = Payment
        fields = (
            "id",
            "order",
            "method",
            "amount",
            "tip",
            "tendered",
            "change",
            "shift",
            "refunded",
            "tip_refunded",
            "reference",
            "currency",
            "created_by",
            "created_at",
        )


class PaymentBodySerializer(StrictSerializer):
    """A payment. Of `tendered` cash, what is neither `amount` nor `tip` is the change; left out, it was exact.

    Cash needs an open shift: `shift`, else the only one that is open at the order's location.
    """

    order = IdField()
    method = WordField(choices=Payment.Method.choices)
    amount = MoneyField()
    tendered = MoneyField(required=False, allow_null=True)
    tip = MoneyField(required=False)
    shift = IdField(required=False, allow_null=True)
    reference = serializers.CharField(max_length=100, required=False, allow_blank=True)


class RefundItemSerializer(serializers.ModelSerializer):
    """So many of a line; `amount` is what was paid for them."""

    class Meta:
        model = RefundItem
        fields = ("item", "quantity", "amount")


class RefundPartSerializer(serializers.ModelSerializer):
    """What went back of one payment, the way it came."""

    method = serializers.CharField(source="payment.method", read_only=True)

    class Meta:
        model = RefundPart
        fields = ("payment", "method", "amount", "tip", "shift")


class RefundSerializer(InCurrency, serializers.ModelSerializer):
    """Money back for an order. `withheld` was kept, because the points that the order had earned are spent."""

    items = RefundItemSerializer(many=True, read_only=True)
    parts = RefundPartSerializer(many=True, read_only=True)
    restock = serializers.BooleanField(
        source="is_restocked", read_only=True, allow_null=True, help_text="null: no line was taken back."
    )

    class Meta:
        model = Refund
        fields = (
            "id",
            "order",
            "amount",
            "withheld",
            "reason",
            "restock",
            "items",
            "parts",
            "currency",
            "created_by",
            "created_at",
        )


class RefundLineBodySerializer(StrictSerializer):
    """So many of a line are taken back."""

    item = IdField()
    quantity = QuantityField()


class RefundBodySerializer(StrictSerializer):
    """What goes back and why: `items`, or an `amount` out of goodwill; with neither, everything that is left.

    The ingredients of what is taken back return to the shelf, or are written off where `restock` is false.
    """

    order = IdField()
    items = list_of(RefundLineBodySerializer(), most=MOST_LINES, required=False, allow_null=True, allow_empty=False)
    amount = MoneyField(required=False, allow_null=True)
    reason = ReasonField(required=True, allow_blank=False)
    restock = serializers.BooleanField(required=False)
    shift = IdField(required=False, allow_null=True)

    def validate_items(self, lines: list[dict[str, int]] | None) -> dict[int, int] | None:
        """{item: quantity}; what is named twice is added up."""
        if lines is None:
            return None
        quantities: dict[int, int] = {}
        for line in lines:
            quantities[line["item"]] = quantities.get(line["item"], 0) + line["quantity"]
        return quantities


class CorrectionSerializer(serializers.ModelSerializer):
    """The second document of a closed shift."""

    class Meta:
        model = ShiftCorrection
        fields = ("counted", "difference", "reason", "created_by", "created_at")


class ShiftSerializer(InCurrency, serializers.ModelSerializer):
    """A shift at a till. `expected` is what should be in it: now, or when it was closed. `counted` stays what was
    counted then; of the `corrections` the last one holds."""

    is_open = serializers.BooleanField(read_only=True)
    expected = serializers.SerializerMethodField()
    corrections = CorrectionSerializer(many=True, read_only=True)

    class Meta:
        model = Shift
        fields = (
            "id",
            "location",
            "till",
            "is_open",
            "opening_float",
            "opened_by",
            "opened_at",
            "expected",
            "counted",
            "difference",
            "comment",
            "closed_by",
            "closed_at",
            "corrections",
            "currency",
        )

    def get_expected(self, shift: Any) -> str:
        return str(shift.cash if shift.expected is None else shift.expected)


class ShiftBodySerializer(StrictSerializer):
    """A till to be opened. Without `location` the user's default one."""

    location = IdField(required=False, allow_null=True)
    till = serializers.CharField(max_length=40, required=False)
    opening_float = MoneyField()


class CloseBodySerializer(StrictSerializer):
    """What was counted."""

    counted = MoneyField()
    comment = serializers.CharField(max_length=300, required=False, allow_blank=True)


class CashBodySerializer(StrictSerializer):
    """Cash put into the till, or, below 0, taken out of it."""

    amount = MoneyField()
    reason = ReasonField(required=True, allow_blank=False)


class CorrectBodySerializer(StrictSerializer):
    """What a closed shift's cash really came to."""

    counted = MoneyField()
    reason = ReasonField(required=True, allow_blank=False)


class MethodTotalsSerializer(serializers.Serializer):
    """What came in and went back by one method."""

    method = serializers.CharField()
    payments = serializers.IntegerField()
    amount = serializers.DecimalField(max_digits=16, decimal_places=2)
    tips = serializers.DecimalField(max_digits=16, decimal_places=2)
    refunds = serializers.IntegerField()
    refunded = serializers.DecimalField(max_digits=16, decimal_places=2)
    tips_refunded = serializers.DecimalField(max_digits=16, decimal_places=2)


class CashMovementSerializer(serializers.ModelSerializer):
    """Cash that was put in or taken out."""

    class Meta:
        model = CashMovement
        fields = ("id", "amount", "reason", "created_by", "created_at")


class ShiftReportSerializer(InCurrency):
    """What passed through a till in a shift. `counted` and `difference` are those of the newest correction."""

    shift = serializers.IntegerField(source="shift.pk")
    location = serializers.IntegerField(source="shift.location_id")
    till = serializers.CharField(source="shift.till")
    opened_at = serializers.DateTimeField(source="shift.opened_at")
    closed_at = serializers.DateTimeField(source="shift.closed_at", allow_null=True)
    methods = MethodTotalsSerializer(many=True)
    orders = serializers.IntegerField()
    average = serializers.DecimalField(max_digits=16, decimal_places=2)
    paid = serializers.DecimalField(max_digits=16, decimal_places=2)
    refunded = serializers.DecimalField(max_digits=16, decimal_places=2)
    tips = serializers.DecimalField(max_digits=16, decimal_places=2)
    opening_float = serializers.DecimalField(source="shift.opening_float", max_digits=12, decimal_places=2)
    cash_in = serializers.DecimalField(max_digits=16, decimal_places=2)
    cash_out = serializers.DecimalField(max_digits=16, decimal_places=2)
    expected = serializers.DecimalField(max_digits=16, decimal_places=2)
    counted = serializers.DecimalField(max_digits=12, decimal_places=2, allow_null=True)
    difference = serializers.DecimalField(max_digits=16, decimal_places=2, allow_null=True)
    movements = CashMovementSerializer(many=True)
    corrections = CorrectionSerializer(many=True)
