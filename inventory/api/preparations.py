"""preparations/ and preparation-recipes/: what the shop makes itself, and how."""

from typing import Any

from django.db.models import F, QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from foundation.api.fields import AmountField, IdField, MomentField
from foundation.api.filters import IdFilter
from foundation.api.idempotency import IdempotentMixin
from foundation.api.records import DeletableRecordViewSet, permissions_of
from foundation.api.serializers import NothingSerializer, StrictSerializer, list_of, validated
from inventory.api.costs import ShowsCosts
from inventory.api.stock_serializers import StockMovementSerializer
from inventory.models import Preparation, PreparationRecipe, PreparationRecipeLine
from inventory.selectors import ledger_of_document, location_for
from inventory.services.preparation_recipes import (
    MOST_LINES,
    PreparationEntry,
    add_preparation_recipe,
    change_preparation_recipe,
    delete_preparation_recipe,
)
from inventory.services.preparations import DOCUMENT_TYPE, cancel_preparation, prepare


class PreparationSerializer(serializers.ModelSerializer):
    """One time that something was made. `waste` is what the recipe promised and the batch did not yield."""

    ingredient_name = serializers.CharField(source="ingredient.name", read_only=True)
    unit = serializers.CharField(source="ingredient.unit", read_only=True)
    waste = serializers.DecimalField(max_digits=14, decimal_places=3, read_only=True)

    class Meta:
        model = Preparation
        fields: tuple[str, ...] = (
            "id",
            "location",
            "ingredient",
            "ingredient_name",
            "unit",
            "batches",
            "expected_quantity",
            "quantity",
            "waste",
            "expires_at",
            "comment",
            "created_by",
            "created_at",
            "cancelled_by",
            "cancelled_at",
        )


class WholePreparationSerializer(PreparationSerializer):
    """A preparation with its lines in the ledger: what went in, and what came out."""

    movements = StockMovementSerializer(many=True)

    class Meta(PreparationSerializer.Meta):
        fields = (*PreparationSerializer.Meta.fields, "movements")


class PreparationBodySerializer(StrictSerializer):
    """What was made. Without `location` the user's default one; without `quantity`, in the base unit, what the recipe
    promises; without `expires_at` the shelf life counts."""

    location = IdField(required=False, allow_null=True)
    ingredient = IdField()
    batches = serializers.DecimalField(max_digits=8, decimal_places=3)
    quantity = AmountField(max_digits=14, decimal_places=3, required=False, allow_null=True)
    expires_at = MomentField(required=False, allow_null=True)
    comment = serializers.CharField(max_length=500, required=False, allow_blank=True)


class PreparationFilter(filters.FilterSet):
    """`cancelled=false` leaves what was really made."""

    location = IdFilter(field_name="location_id")
    ingredient = IdFilter(field_name="ingredient_id")
    created_after = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_before = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")
    cancelled = filters.BooleanFilter(field_name="cancelled_at", lookup_expr="isnull", exclude=True)


@extend_schema(tags=["preparations"])
class PreparationViewSet(ShowsCosts, IdempotentMixin, ListModelMixin, RetrieveModelMixin, GenericViewSet):
    """What was made, the newest first."""

    queryset = Preparation.objects.select_related("ingredient")
    serializer_class = PreparationSerializer
    filterset_class = PreparationFilter
    lookup_value_converter = "int"
    action_permissions = {
        "list": "inventory.view_preparation",
        "retrieve": "inventory.view_preparation",
        "create": "inventory.add_preparation",
        "cancel": "inventory.change_preparation",
    }

    @extend_schema(responses=WholePreparationSerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """A preparation with its lines in the ledger."""
        return self.answer(self.get_object())

    @extend_schema(request=PreparationBodySerializer, responses={201: WholePreparationSerializer})
    def create(self, request: Request) -> Response:
        """Makes so many batches: what they take leaves the stock, the yield comes in with exactly that value."""
        values = validated(PreparationBodySerializer, request)
        location = location_for(user=request.user, location_id=values.pop("location", None))
        made = prepare(
            location=location, ingredient_id=values.pop("ingredient"), created_by_id=request.user.pk, **values
        )
        return self.answer(made, status.HTTP_201_CREATED)

    @extend_schema(request=NothingSerializer, responses=WholePreparationSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: int) -> Response:
        """Takes it back, as long as all of the yield is still there."""
        validated(NothingSerializer, request)
        return self.answer(cancel_preparation(preparation_id=pk, cancelled_by_id=request.user.pk))

    def answer(self, preparation: Preparation, code: int = status.HTTP_200_OK) -> Response:
        context = self.get_serializer_context()
        movements = ledger_of_document(document_type=DOCUMENT_TYPE, document_id=preparation.pk)
        shown = dict(PreparationSerializer(preparation, context=context).data)
        lines = StockMovementSerializer(movements, many=True, context=context).data
        return Response({**shown, "movements": lines}, status=code)


class PreparationLineSerializer(serializers.ModelSerializer):
    """So much of an ingredient, in its base unit, goes into one batch."""

    class Meta:
        model = PreparationRecipeLine
        fields = ("ingredient", "quantity")


class PreparationRecipeSerializer(serializers.ModelSerializer):
    """What one batch is made from and how much it yields, in the base unit of the ingredient that it makes."""

    ingredient_name = serializers.CharField(read_only=True)
    unit = serializers.CharField(source="ingredient.unit", read_only=True)
    lines = PreparationLineSerializer(many=True, read_only=True)

    class Meta:
        model = PreparationRecipe
        fields = ("id", "ingredient", "ingredient_name", "unit", "yield_quantity", "instructions", "lines")


class PreparationLineBodySerializer(StrictSerializer):
    """So much of an ingredient, in its base unit."""

    ingredient = IdField()
    quantity = serializers.DecimalField(max_digits=14, decimal_places=3)

    def to_internal_value(self, data: Any) -> PreparationEntry:
        values = super().to_internal_value(data)
        return PreparationEntry(values["ingredient"], values["quantity"])


class PreparationRecipeChangesSerializer(StrictSerializer):
    """`lines` replace all lines of the recipe."""

    yield_quantity = serializers.DecimalField(max_digits=14, decimal_places=3)
    instructions = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    lines = list_of(PreparationLineBodySerializer(), most=MOST_LINES)


class PreparationRecipeBodySerializer(PreparationRecipeChangesSerializer):
    """A new recipe: what it makes, and from what."""

    ingredient = IdField()


@extend_schema(tags=["preparations"])
class PreparationRecipeViewSet(DeletableRecordViewSet):
    """How the shop makes ingredients from others. Nothing is made from itself, be it through other recipes."""

    serializer_class = PreparationRecipeSerializer
    search_fields = ("ingredient__name",)
    ordering = "ingredient_name"
    action_permissions = permissions_of("inventory.preparationrecipe")

    def get_queryset(self) -> QuerySet[PreparationRecipe]:
        recipes = PreparationRecipe.objects.select_related("ingredient").prefetch_related("lines")
        return recipes.annotate(ingredient_name=F("ingredient__name"))

    @extend_schema(request=PreparationRecipeBodySerializer)
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        values = validated(PreparationRecipeBodySerializer, request)
        recipe = add_preparation_recipe(ingredient_id=values.pop("ingredient"), **values)
        return self.answer(recipe, status.HTTP_201_CREATED)

    @extend_schema(request=PreparationRecipeChangesSerializer)
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        values = validated(PreparationRecipeChangesSerializer, request, changes_only=True)
        return self.answer(change_preparation_recipe(recipe_id=kwargs["pk"], **values), status.HTTP_200_OK)

    def remove(self, record_id: int) -> None:
        delete_preparation_recipe(recipe_id=record_id)

    def answer(self, recipe: PreparationRecipe, code: int) -> Response:
        return Response(self.get_serializer(self.get_queryset().get(pk=recipe.pk)).data, status=code)
