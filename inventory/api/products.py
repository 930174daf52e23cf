"""products/"""

from typing import Any

from django.db.models import BooleanField, Exists, F, OuterRef, Prefetch, QuerySet, Value
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from foundation.api.filters import IdFilter
from foundation.api.ids import id_parameter
from foundation.api.records import DeletableRecordViewSet, permissions_of
from foundation.api.serializers import validated
from inventory.api.costs import ShowsCosts
from inventory.api.product_serializers import ProductBodySerializer, ProductSerializer
from inventory.cost_selectors import with_costs
from inventory.errors import UnknownLocation
from inventory.models import Location, Option, Product, ProductOptionGroup
from inventory.search import search_products
from inventory.selectors import location_for, options_in_stock, with_availability
from inventory.services.catalogue import add_product, change_product, delete_product

SEARCH = OpenApiParameter(
    "search",
    str,
    description="Words of its name, its category or its description, in English or Russian; the last one may be a "
    "beginning, and where nothing has them, mistyped ones are forgiven. Or its whole SKU or barcode.",
)
LOCATION = OpenApiParameter(
    "location",
    {"type": "integer", "minimum": 1},
    description="Where it is to be available, and whose costs are shown; without it the user's default location, "
    "or the only open one.",
)


class ProductFilter(filters.FilterSet):
    """`available` goes by the stock of the location."""

    available = filters.BooleanFilter(field_name="is_available")
    category = IdFilter(field_name="category_id")

    class Meta:
        model = Product
        fields = ("is_listed",)


@extend_schema(tags=["products"])
@extend_schema_view(list=extend_schema(parameters=[LOCATION, SEARCH]), retrieve=extend_schema(parameters=[LOCATION]))
class ProductViewSet(ShowsCosts, DeletableRecordViewSet):
    """What is sold, with the questions that each product asks."""

    serializer_class = ProductSerializer
    filterset_class = ProductFilter
    query_parameters = ("location", "search")
    ordering = ("category_position", "position", "name")
    action_permissions = permissions_of("inventory.product")

    def get_queryset(self) -> QuerySet[Product]:
        if getattr(self, "swagger_fake_view", False):
            return Product.objects.none()
        location = location_for(user=self.request.user, location_id=id_parameter(self.request, "location"))
        return self.whole(location)

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return search_products(self.request.query_params.get("search", ""), products=super().filter_queryset(queryset))

    def whole(self, location: Location | None) -> QuerySet[Product]:
        """Products with all that their answer shows, in five queries; without a location nothing is computed."""
        options = Option.objects.all()
        if location is None:
            options = options.annotate(is_in_stock=F("is_available"))
            products: QuerySet[Product] = Product.objects.annotate(
                is_available=Value(None, output_field=BooleanField(null=True))
            )
        else:
            in_stock = options_in_stock(location=location).filter(pk=OuterRef("pk"))
            options = options.annotate(is_in_stock=Exists(in_stock))
            products = with_availability(Product.objects.all(), location=location)
        links = ProductOptionGroup.objects.prefetch_related("group", Prefetch("group__options", options))
        products = products.annotate(category_position=F("category__position"))
        products = products.prefetch_related(Prefetch("group_links", links))
        if self.shows_costs:
            products = with_costs(products, location=location)
        return products.prefetch_related("recipe_lines") if self.shows_recipes else products

    @property
    def shows_recipes(self) -> bool:
        return self.request is None or self.request.user.has_perm("inventory.view_recipeline")

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "shows_recipes": self.shows_recipes}

    @extend_schema(request=ProductBodySerializer)
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        values = validated(ProductBodySerializer, request)
        product = add_product(
            recipe=values.pop("recipe", ()), option_group_ids=values.pop("option_group_ids", ()), fields=values
        )
        return self.answer(product, status.HTTP_201_CREATED)

    @extend_schema(request=ProductBodySerializer)
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        values = validated(ProductBodySerializer, request, changes_only=True)
        product = change_product(
            product_id=kwargs["pk"],
            recipe=values.pop("recipe", None),
            option_group_ids=values.pop("option_group_ids", None),
            fields=values,
        )
        return self.answer(product, status.HTTP_200_OK)

    def remove(self, record_id: int) -> None:
        delete_product(product_id=record_id)

    def answer(self, product: Product, code: int) -> Response:
        """The product as it is now, for who wrote it: that there are several locations is no reason to refuse."""
        try:
            location = location_for(user=self.request.user, location_id=None)
        except UnknownLocation:
            location = None
        written = self.whole(location).get(pk=product.pk)
        return Response(self.get_serializer(written).data, status=code)
