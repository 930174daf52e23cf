"""How products are shown and written."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from foundation.api.fields import IdField, IdListField
from foundation.api.serializers import StrictModelSerializer, StrictSerializer, list_of
from foundation.decimals import round_money
from inventory.models import Option, Product, RecipeLine
from inventory.services.catalogue import MOST_RECIPE_LINES, RecipeEntry


class ChoiceSerializer(serializers.ModelSerializer):
    """An option as somebody can choose it now: `is_available` says whether it is switched on and in stock."""

    is_available = serializers.BooleanField(source="is_in_stock", read_only=True)

    class Meta:
        model = Option
        fields = ("id", "name", "price_delta", "is_default", "is_available")


class ProductGroupSerializer(serializers.Serializer):
    """A question that the product asks, with its answers."""

    id = serializers.IntegerField(source="group.id", read_only=True)
    name = serializers.CharField(source="group.name", read_only=True)
    min_choices = serializers.IntegerField(source="group.min_choices", read_only=True)
    max_choices = serializers.IntegerField(source="group.max_choices", read_only=True)
    free_choices = serializers.IntegerField(source="group.free_choices", read_only=True)
    options = ChoiceSerializer(source="group.options", many=True, read_only=True)


class RecipeLineSerializer(serializers.ModelSerializer):
    """So much of an ingredient goes into one portion."""

    class Meta:
        model = RecipeLine
        fields = ("ingredient", "quantity", "scales")


# What only those see who may see costs.
COST_FIELDS = ("cost", "margin", "unknown_costs")
# What only those see who may see recipes: the staff.
STAFF_FIELDS = ("sku", "barcode", "recipe")
MONEY = serializers.DecimalField(max_digits=12, decimal_places=2, allow_null=True)


class ProductSerializer(serializers.ModelSerializer):
    """Something that is sold.

    `is_available` is computed for the location: listed, and everything of its recipe is in stock. It is null in
    the answer to a write if there are several locations and the user has no default one; so are the costs.
    """

    is_available = serializers.BooleanField(read_only=True, allow_null=True)
    option_groups = ProductGroupSerializer(source="group_links", many=True, read_only=True)
    recipe = RecipeLineSerializer(
        source="recipe_lines", many=True, read_only=True, help_text="Only for who may see recipes."
    )
    cost = serializers.SerializerMethodField(
        help_text="Of one portion, by the recipe as it is written and the location's average costs; null without a "
        "recipe. At least so much if there are `unknown_costs`. Only for who may see costs."
    )
    margin = serializers.SerializerMethodField(help_text="What is left of `price`. Only for who may see costs.")
    unknown_costs = serializers.ListField(
        child=serializers.IntegerField(),
        read_only=True,
        help_text="The ingredients whose cost is not known. Only for who may see costs.",
    )

    class Meta:
        model = Product
        fields = (
            "id",
            "name",
            "category",
            "description",
            "price",
            "image",
            "is_listed",
            "is_available",
            "position",
            "option_groups",
            *STAFF_FIELDS,
            *COST_FIELDS,
        )

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = super().get_fields()
        if not self.context.get("shows_recipes", True):
            for name in STAFF_FIELDS:
                del fields[name]
        if not self.context.get("shows_costs", True):
            for name in COST_FIELDS:
                del fields[name]
        return fields

    @extend_schema_field(MONEY)
    def get_cost(self, product: Any) -> str | None:
        return None if product.cost is None else str(round_money(product.cost))

    @extend_schema_field(MONEY)
    def get_margin(self, product: Any) -> str | None:
        """The price less the cost as it is shown, so that the three agree."""
        return None if product.cost is None else str(product.price - round_money(product.cost))


class RecipeLineBodySerializer(StrictSerializer):
    """So much of an ingredient, in its base unit; a larger cup takes more of what `scales`."""

    ingredient = IdField()
    quantity = serializers.DecimalField(max_digits=14, decimal_places=3)
    scales = serializers.BooleanField(default=False)

    def to_internal_value(self, data: Any) -> RecipeEntry:
        values = super().to_internal_value(data)
        return RecipeEntry(ingredient_id=values["ingredient"], quantity=values["quantity"], scales=values["scales"])


class ProductBodySerializer(StrictModelSerializer):
    """A product as it is written: the recipe and the option groups as a whole, the groups in their order."""

    recipe = list_of(RecipeLineBodySerializer(), most=MOST_RECIPE_LINES, required=False)
    option_group_ids = IdListField(required=False)

    class Meta:
        model = Product
        fields = (
            "name",
            "category",
            "description",
            "price",
            "is_listed",
            "position",
            "sku",
            "barcode",
            "recipe",
            "option_group_ids",
        )


class PictureSerializer(StrictSerializer):
    """A JPEG, PNG or WebP file of up to 5 MB, as multipart/form-data."""

    image = serializers.FileField()
