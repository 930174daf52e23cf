"""shelves/: where in a location things stand."""

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from foundation.api.filters import IdFilter
from foundation.api.idempotency import IdempotentMixin
from foundation.api.records import permissions_of
from foundation.api.serializers import validated
from inventory.api.count_serializers import (
    ShelfBodySerializer,
    ShelfChangesSerializer,
    ShelfOrderSerializer,
    ShelfSerializer,
)
from inventory.models import Shelf
from inventory.selectors import location_for
from inventory.services.shelves import add_shelf, change_shelf, delete_shelf, order_shelves


class ShelfFilter(filters.FilterSet):
    location = IdFilter(field_name="location_id")


@extend_schema(tags=["stock counts"])
class ShelfViewSet(IdempotentMixin, ListModelMixin, RetrieveModelMixin, GenericViewSet):
    """The shelves of all locations, in the order of counting."""

    queryset = Shelf.objects.prefetch_related("stock_levels")
    serializer_class = ShelfSerializer
    filterset_class = ShelfFilter
    search_fields = ("name",)
    ordering = ("location_id", "position")
    lookup_value_converter = "int"
    action_permissions = {**permissions_of("inventory.shelf"), "order": "inventory.change_shelf"}

    @extend_schema(request=ShelfBodySerializer, responses={201: ShelfSerializer})
    def create(self, request: Request) -> Response:
        """Puts up a shelf, after the others of its location."""
        values = validated(ShelfBodySerializer, request)
        shelf = add_shelf(
            location=location_for(user=request.user, location_id=values.get("location")),
            name=values["name"],
            ingredient_ids=values.get("ingredients", ()),
        )
        return self.answer(shelf, status.HTTP_201_CREATED)

    @extend_schema(request=ShelfChangesSerializer)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Renames a shelf, or says what stands on it."""
        values = validated(ShelfChangesSerializer, request, changes_only=True)
        return self.answer(change_shelf(shelf_id=pk, name=values.get("name"), ingredient_ids=values.get("ingredients")))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Takes a shelf down; what stood on it stands nowhere then."""
        delete_shelf(shelf_id=kwargs["pk"])
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=ShelfOrderSerializer, responses=ShelfSerializer(many=True), filters=False)
    @action(detail=False, methods=["post"], filter_backends=[], pagination_class=None)
    def order(self, request: Request) -> Response:
        """Puts the shelves of a location in the order of counting, and answers with them."""
        values = validated(ShelfOrderSerializer, request)
        location = location_for(user=request.user, location_id=values.get("location"))
        order_shelves(location=location, shelf_ids=values["shelves"])
        shelves: QuerySet[Shelf] = self.get_queryset().filter(location=location)
        return Response(self.get_serializer(shelves, many=True).data)

    def answer(self, shelf: Shelf, code: int = status.HTTP_200_OK) -> Response:
        shown = self.get_queryset().get(pk=shelf.pk)
        return Response(self.get_serializer(shown).data, status=code)
