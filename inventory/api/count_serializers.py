"""How stock counts and shelves are shown and written."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from foundation.api.fields import AmountField, IdField, IdListField
from foundation.api.serializers import StrictSerializer, list_of
from inventory.models import Shelf, StockCount
from inventory.services.counts import MOST_LINES

MONEY: dict[str, Any] = {"max_digits": 20, "decimal_places": 2, "rounding": ROUND_HALF_UP}
QUANTITY: dict[str, Any] = {"max_digits": 14, "decimal_places": 3}
# What somebody who counts must not know.
EXPECTED_FIELDS = ("expected", "difference", "percent", "moved_since", "count_again", "value")


def shows_expected(context: Mapping[str, Any]) -> bool:
    """Whether a count is shown to somebody who may know what the ledger expects."""
    return bool(context.get("shows_expected", True))


def shows_money(context: Mapping[str, Any]) -> bool:
    """Whether it is shown to somebody who may also know what that is worth."""
    return shows_expected(context) and bool(context.get("shows_costs", True))


class StockCountSerializer(serializers.ModelSerializer):
    """A count, and how far it is."""

    line_number = serializers.IntegerField(read_only=True, help_text="How many ingredients are on its list.")
    counted_number = serializers.IntegerField(read_only=True, help_text="How many of them are counted.")

    class Meta:
        model = StockCount
        fields: tuple[str, ...] = (
            "id",
            "location",
            "shelf",
            "status",
            "comment",
            "line_number",
            "counted_number",
            "created_by",
            "created_at",
            "posted_by",
            "closed_at",
        )


class CountLineSerializer(serializers.Serializer):
    """An ingredient on the list, in its base unit. `expected` is what the level said when it was counted, `difference`
    what posting writes; what is sold in between changes neither and stands in `moved_since`, by reason.

    All from `expected` on is shown to those only who may post a count; `value`, the difference in money, to those
    only who may see costs."""

    ingredient = serializers.IntegerField(source="line.ingredient_id")
    ingredient_name = serializers.CharField(source="ingredient.name")
    unit = serializers.CharField(source="ingredient.unit")
    counted = serializers.DecimalField(source="line.counted_quantity", allow_null=True, **QUANTITY)
    counted_by = serializers.IntegerField(source="line.counted_by_id", allow_null=True)
    counted_at = serializers.DateTimeField(source="line.counted_at", allow_null=True)
    expected = serializers.DecimalField(
        source="line.expected_quantity", allow_null=True, required=False, max_digits=14, decimal_places=3
    )
    difference = serializers.DecimalField(allow_null=True, required=False, **QUANTITY)
    percent = serializers.DecimalField(
        max_digits=20, decimal_places=1, allow_null=True, required=False, help_text="The difference of `expected`."
    )
    moved_since = serializers.DictField(
        source="moved", child=serializers.DecimalField(max_digits=14, decimal_places=3), required=False
    )
    count_again = serializers.BooleanField(
        source="is_outdated", required=False, help_text="As it stands, the count can't be posted because of this line."
    )
    value = serializers.DecimalField(source="worth", allow_null=True, required=False, **MONEY)

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = super().get_fields()
        hidden = () if shows_expected(self.context) else EXPECTED_FIELDS
        if not shows_money(self.context):
            hidden = (*hidden, "value")
        return {name: field for name, field in fields.items() if name not in hidden}


class CountSummarySerializer(serializers.Serializer):
    """The money of what was found, of what is missing (negative), and of both."""

    gains = serializers.DecimalField(**MONEY)
    losses = serializers.DecimalField(**MONEY)
    net = serializers.DecimalField(**MONEY)


class WholeCountSerializer(StockCountSerializer):
    """A count with its lines, in the order of counting. `summary` is shown to those only who may post a count and see
    costs."""

    summary = CountSummarySerializer(required=False)
    lines = CountLineSerializer(many=True)

    class Meta(StockCountSerializer.Meta):
        fields = (*StockCountSerializer.Meta.fields, "summary", "lines")


class StartCountBodySerializer(StrictSerializer):
    """What to count: a shelf, a list of ingredients, or without either all that the location has a level of. Without
    `location` the user's default one."""

    location = IdField(required=False, allow_null=True)
    shelf = IdField(required=False, allow_null=True)
    ingredients = IdListField(required=False, allow_null=True)
    comment = serializers.CharField(max_length=500, required=False, allow_blank=True)


class CountedBodySerializer(StrictSerializer):
    """So much of an ingredient was counted, in its base unit; null takes back what was noted before."""

    ingredient = IdField()
    counted = AmountField(allow_null=True, **QUANTITY)


class CountLinesBodySerializer(StrictSerializer):
    """What was counted, of the whole list or a part of it."""

    lines = list_of(CountedBodySerializer(), most=MOST_LINES)

    def validate_lines(self, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        seen: set[int] = set()
        faults: dict[Any, Any] = {}
        for place, line in enumerate(lines):
            if line["ingredient"] in seen:
                faults[place] = {"ingredient": [_("This ingredient stands in the list already.")]}
            seen.add(line["ingredient"])
        if faults:
            raise serializers.ValidationError(faults)
        return lines


class SubmitBodySerializer(StrictSerializer):
    """`leave_out` names the ingredients that nobody counted and that stay what they are."""

    leave_out = IdListField(required=False)


class ReopenBodySerializer(StrictSerializer):
    """`ingredients` are to be counted again; what was counted of all others stays."""

    ingredients = IdListField(required=False)


class ShelfSerializer(serializers.ModelSerializer):
    """A shelf with what stands on it; `position` is its place in the order of counting."""

    ingredients = serializers.SerializerMethodField()

    class Meta:
        model = Shelf
        fields = ("id", "location", "name", "position", "ingredients")

    def get_ingredients(self, shelf: Shelf) -> list[int]:
        return sorted(level.ingredient_id for level in shelf.stock_levels.all())


class ShelfBodySerializer(StrictSerializer):
    """A new shelf. Without `location` the user's default one."""

    location = IdField(required=False, allow_null=True)
    name = serializers.CharField(max_length=100)
    ingredients = IdListField(required=False)


class ShelfChangesSerializer(StrictSerializer):
    """`ingredients` are all that stands on the shelf then: what is not named is taken off, what stood elsewhere moves
    here."""

    name = serializers.CharField(max_length=100)
    ingredients = IdListField()


class ShelfOrderSerializer(StrictSerializer):
    """Every shelf of the location once, in the order of counting."""

    location = IdField(required=False, allow_null=True)
    shelves = IdListField()
