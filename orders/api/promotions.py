"""promotions/ and promo-codes/"""

from collections.abc import Mapping
from typing import Any

from django.db.models import Model
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from foundation.api.fields import AmountField, IdListField, MomentField, WholeNumberField
from foundation.api.records import DeletableRecordViewSet, permissions_of
from foundation.api.serializers import StrictModelSerializer, validated
from orders.models import PromoCode, Promotion
from orders.services.offers import MOST_NAMED
from orders.services.promo_codes import LONGEST_CODE, delete_promo_code, save_promo_code
from orders.services.promotions import delete_promotion, save_promotion

MOST_WEEKDAYS = 7


class NamedField(IdListField):
    """The ids of what an offer is for, which the service looks up; shown in the order of the ids."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "max_length": MOST_NAMED, **kwargs})

    def to_representation(self, data: Any) -> list[int]:
        return sorted(one.pk for one in data.all())


class ValueField(AmountField):
    """A percentage or money."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_digits": 12, "decimal_places": 2, **kwargs})


class PromotionSerializer(StrictModelSerializer):
    """What is taken off by itself: a percentage or an amount of every portion, or of every `every`-th one.

    It holds on `weekdays` (1 is Monday; none: all), from `starts_time` to `ends_time` by the location's clock, past
    midnight if that is earlier. `covers_menu` and `is_everywhere` say that nothing was named; when what an offer
    names is deleted, it is for nothing, and not for everything.
    """

    value = ValueField()
    weekdays = serializers.ListField(child=WholeNumberField(), max_length=MOST_WEEKDAYS, required=False)
    products = NamedField()
    categories = NamedField()
    locations = NamedField()

    class Meta:
        model = Promotion
        fields = (
            "id",
            "name",
            "kind",
            "value",
            "every",
            "weekdays",
            "starts_time",
            "ends_time",
            "starts_on",
            "ends_on",
            "products",
            "categories",
            "locations",
            "covers_menu",
            "is_everywhere",
            "is_active",
        )
        read_only_fields = ("covers_menu", "is_everywhere")


class PromoCodeSerializer(StrictModelSerializer):
    """A word that takes a percentage or an amount off an order, after promotions and before points.

    `minimum_total` is what the lines that it is for must come to. `used_count` is how many orders carry it now.
    """

    code = serializers.CharField(max_length=LONGEST_CODE)
    value = ValueField()
    minimum_total = ValueField(required=False)
    starts_at = MomentField(required=False, allow_null=True)
    ends_at = MomentField(required=False, allow_null=True)
    usage_limit = WholeNumberField(required=False, allow_null=True)
    per_customer_limit = WholeNumberField(required=False, allow_null=True)
    products = NamedField()
    categories = NamedField()

    class Meta:
        model = PromoCode
        fields = (
            "id",
            "code",
            "kind",
            "value",
            "starts_at",
            "ends_at",
            "usage_limit",
            "per_customer_limit",
            "used_count",
            "minimum_total",
            "products",
            "categories",
            "covers_menu",
            "is_active",
        )
        read_only_fields = ("used_count", "covers_menu")


class OfferViewSet(DeletableRecordViewSet):
    """What promotions and codes have in common: one service writes them, names and all."""

    def save(self, fields: Mapping[str, Any], record_id: int | None) -> Model:
        """The service behind POST and PATCH."""
        raise NotImplementedError

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        saved = self.save(validated(self.get_serializer_class(), request), None)
        return self.answer(saved.pk, status.HTTP_201_CREATED)

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Changes the fields that the body names; a list of ids replaces the one that is there."""
        self.save(validated(self.get_serializer_class(), request, changes_only=True), kwargs["pk"])
        return self.answer(kwargs["pk"], status.HTTP_200_OK)

    def answer(self, record_id: int, code: int) -> Response:
        return Response(self.get_serializer(self.get_queryset().get(pk=record_id)).data, status=code)


class PromotionFilter(filters.FilterSet):
    class Meta:
        model = Promotion
        fields = ("is_active",)


@extend_schema(tags=["promotions"])
class PromotionViewSet(OfferViewSet):
    """Automatic promotions: of those that hold, each line of an order gets the one that is best for the customer."""

    queryset = Promotion.objects.prefetch_related("products", "categories", "locations")
    serializer_class = PromotionSerializer
    filterset_class = PromotionFilter
    search_fields = ("name",)
    ordering = "name"
    action_permissions = permissions_of("orders.promotion")

    def save(self, fields: Mapping[str, Any], record_id: int | None) -> Promotion:
        return save_promotion(fields=fields, promotion_id=record_id)

    def remove(self, record_id: int) -> None:
        delete_promotion(promotion_id=record_id)


class PromoCodeFilter(filters.FilterSet):
    class Meta:
        model = PromoCode
        fields = ("is_active",)


@extend_schema(tags=["promo-codes"])
class PromoCodeViewSet(OfferViewSet):
    """Promo codes, the newest first. One that an order has carried is not deleted but switched off."""

    queryset = PromoCode.objects.prefetch_related("products", "categories")
    serializer_class = PromoCodeSerializer
    filterset_class = PromoCodeFilter
    search_fields = ("code",)
    action_permissions = permissions_of("orders.promocode")

    def save(self, fields: Mapping[str, Any], record_id: int | None) -> PromoCode:
        return save_promo_code(fields=fields, promo_code_id=record_id)

    def remove(self, record_id: int) -> None:
        delete_promo_code(promo_code_id=record_id)
