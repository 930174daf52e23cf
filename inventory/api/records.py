"""locations/, categories/, ingredients/"""

from collections.abc import Mapping
from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema

from foundation.api.records import DeletableRecordViewSet, permissions_of
from foundation.api.serializers import StrictModelSerializer
from inventory.models import Category, Ingredient, Location
from inventory.services.ingredients import change_ingredient


class LocationSerializer(StrictModelSerializer):
    """A shop or a warehouse."""

    class Meta:
        model = Location
        fields = ("id", "name", "address", "time_zone", "day_starts_at", "report_at", "tells_ready", "is_active")


class LocationFilter(filters.FilterSet):
    class Meta:
        model = Location
        fields = ("is_active",)


@extend_schema(tags=["locations"])
class LocationViewSet(DeletableRecordViewSet):
    """Where the shop sells and keeps its stock. A closed location (`is_active` false) takes neither."""

    queryset = Location.objects.all()
    serializer_class = LocationSerializer
    filterset_class = LocationFilter
    search_fields = ("name", "address")
    ordering = "id"
    action_permissions = permissions_of("inventory.location")


class CategorySerializer(StrictModelSerializer):
    """A shelf of the menu."""

    class Meta:
        model = Category
        fields = ("id", "name", "position")


@extend_schema(tags=["categories"])
class CategoryViewSet(DeletableRecordViewSet):
    """The shelves of the menu, in its order."""

    queryset = Category.objects.all()
    serializer_class = CategorySerializer
    search_fields = ("name",)
    ordering = ("position", "name")
    action_permissions = permissions_of("inventory.category")


class IngredientSerializer(StrictModelSerializer):
    """What the store room holds, counted in its base unit. With `tracks_expiry` its stock is kept in lots;
    `shelf_life_hours` counts from its receipt or from being made, where no other date is given."""

    class Meta:
        model = Ingredient
        fields = ("id", "name", "unit", "tracks_expiry", "shelf_life_hours")


class IngredientFilter(filters.FilterSet):
    class Meta:
        model = Ingredient
        fields = ("unit", "tracks_expiry")


@extend_schema(tags=["ingredients"])
class IngredientViewSet(DeletableRecordViewSet):
    """What products are made of. The unit is fixed once the ingredient has moved in the stock. When `tracks_expiry` is
    switched on, what is there becomes the lot without a date."""

    queryset = Ingredient.objects.all()
    serializer_class = IngredientSerializer
    filterset_class = IngredientFilter
    search_fields = ("name",)
    ordering = "name"
    action_permissions = permissions_of("inventory.ingredient")

    def change(self, record_id: int, changes: Mapping[str, Any]) -> Ingredient:
        return change_ingredient(ingredient_id=record_id, changes=changes)
