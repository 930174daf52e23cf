"""What the API says of orders."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from foundation.shop import current_shop
from orders.discounts import StepKind
from orders.models import BatchRun, Order, OrderEvent, OrderItem
from orders.quote_selectors import Quote
from orders.services.shares import as_kept


class SoldOptionSerializer(serializers.Serializer):
    """An option as it was sold: what it cost in this line."""

    id = serializers.IntegerField()
    group = serializers.CharField()
    name = serializers.CharField()
    price_delta = serializers.CharField()


@extend_schema_field(SoldOptionSerializer(many=True))
class SoldOptionsField(serializers.JSONField):
    """The options of a line, as the order keeps them."""


class OrderItemSerializer(serializers.ModelSerializer):
    """A line as it was sold. `total` is what the quantity that is not cancelled costs."""

    options = SoldOptionsField(read_only=True)

    class Meta:
        model = OrderItem
        fields = (
            "id",
            "product",
            "name",
            "unit_price",
            "quantity",
            "cancelled_quantity",
            "options",
            "total",
            "discount",
        )


class InCurrency(serializers.Serializer):
    """Says in which currency the amounts are."""

    currency = serializers.SerializerMethodField()

    def get_currency(self, shown: Any) -> str:
        return current_shop().currency


class StepSerializer(serializers.Serializer):
    """One thing that is taken off: an automatic promotion, a promo code, points."""

    kind = serializers.ChoiceField(choices=[kind.value for kind in StepKind])
    name = serializers.CharField()
    amount = serializers.DecimalField(max_digits=12, decimal_places=2)
    points = serializers.IntegerField(required=False)
    lines = serializers.DictField(
        child=serializers.CharField(), help_text="The share of each line, by its place: the first is 1."
    )


@extend_schema_field(StepSerializer(many=True))
class StepsField(serializers.JSONField):
    """What is taken off, as the order keeps it."""


class OrderSerializer(InCurrency, serializers.ModelSerializer):
    """An order with its lines."""

    items = OrderItemSerializer(many=True, read_only=True)
    discounts = StepsField(read_only=True)
    promo_code: serializers.SlugRelatedField[Any] = serializers.SlugRelatedField(slug_field="code", read_only=True)
    due = serializers.DecimalField(max_digits=12, decimal_places=2, read_only=True)
    is_archived = serializers.BooleanField(read_only=True)

    class Meta:
        model = Order
        fields = (
            "id",
            "number",
            "status",
            "location",
            "channel",
            "customer",
            "employee",
            "subtotal",
            "discount",
            "total",
            "discounts",
            "promo_code",
            "points_redeemed",
            "paid",
            "withheld",
            "due",
            "currency",
            "comment",
            "placed_at",
            "closed_at",
            "is_archived",
            "created_by",
            "items",
        )


@extend_schema_field({"type": "object", "additionalProperties": {}})
class DetailsField(serializers.JSONField):
    """What else is known of an event."""


class OrderEventSerializer(serializers.ModelSerializer):
    """What happened: from which status to which, who, when, why, through which door."""

    details = DetailsField(read_only=True)

    class Meta:
        model = OrderEvent
        fields = ("id", "kind", "from_status", "to_status", "reason", "details", "door", "created_by", "created_at")


class QuotedItemSerializer(serializers.Serializer):
    """A line as it would be sold."""

    product = serializers.IntegerField(source="product.id")
    name = serializers.CharField(source="product.name")
    unit_price = serializers.DecimalField(max_digits=12, decimal_places=2)
    quantity = serializers.IntegerField(source="line.quantity")
    options = SoldOptionSerializer(source="options_as_sold", many=True)
    total = serializers.DecimalField(max_digits=12, decimal_places=2)


class ShortageSerializer(serializers.Serializer):
    """So much of an ingredient would be needed, and only so much is there."""

    ingredient = serializers.IntegerField(source="ingredient_id")
    name = serializers.CharField()
    needed = serializers.DecimalField(max_digits=None, decimal_places=3)
    available = serializers.DecimalField(max_digits=14, decimal_places=3)
    unit = serializers.CharField()
    expired = serializers.DecimalField(max_digits=14, decimal_places=3)


class UnavailableSerializer(serializers.Serializer):
    """What can't be sold now."""

    kind = serializers.ChoiceField(choices=["product", "option"])
    id = serializers.IntegerField()
    name = serializers.CharField()


class QuoteSerializer(InCurrency):
    """What an order would cost, and what stands in its way. Nothing has been placed."""

    location = serializers.SerializerMethodField()
    subtotal = serializers.DecimalField(source="price.subtotal", max_digits=12, decimal_places=2)
    discount = serializers.DecimalField(source="price.discount", max_digits=12, decimal_places=2)
    total = serializers.DecimalField(source="price.total", max_digits=12, decimal_places=2)
    discounts = serializers.SerializerMethodField()
    items = QuotedItemSerializer(source="price.lines", many=True)
    is_available = serializers.BooleanField()
    shortages = ShortageSerializer(many=True)
    corrections = ShortageSerializer(many=True, help_text="What `sell_anyway` would correct in the stock.")
    unavailable = serializers.SerializerMethodField()

    def get_location(self, quote: Quote) -> int:
        location: int = self.context["location"].pk
        return location

    @extend_schema_field(StepSerializer(many=True))
    def get_discounts(self, quote: Quote) -> list[dict[str, Any]]:
        return as_kept(quote.price.off, range(1, len(quote.price.lines) + 1))

    @extend_schema_field(UnavailableSerializer(many=True))
    def get_unavailable(self, quote: Quote) -> list[dict[str, Any]]:
        return [
            {"kind": kind, "id": pk, "name": name}
            for kind, pairs in (("product", quote.unavailable_products), ("option", quote.unavailable_options))
            for pk, name in pairs
        ]


class BatchErrorSerializer(serializers.Serializer):
    """Why nothing was done with an order."""

    type = serializers.CharField()
    detail = serializers.CharField()


class BatchResultSerializer(serializers.Serializer):
    """What became of one order."""

    id = serializers.IntegerField()
    ok = serializers.BooleanField()
    error = BatchErrorSerializer(required=False)


class BatchResultsSerializer(serializers.Serializer):
    """What became of each order."""

    results = BatchResultSerializer(many=True)


@extend_schema_field(BatchResultSerializer(many=True))
class FailuresField(serializers.JSONField):
    """What could not be done, as the batch keeps it."""


class BatchRunSerializer(serializers.ModelSerializer):
    """A large batch: how far it is, and what could not be done."""

    batch = serializers.UUIDField(source="id", read_only=True)
    total = serializers.IntegerField(read_only=True)
    succeeded = serializers.IntegerField(read_only=True)
    failures = FailuresField(read_only=True)

    class Meta:
        model = BatchRun
        fields = (
            "batch",
            "verb",
            "reason",
            "restock",
            "total",
            "done",
            "succeeded",
            "failures",
            "created_by",
            "created_at",
            "finished_at",
        )
