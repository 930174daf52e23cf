"""stock-lots/ and write-offs/: what keeps until when, and what was thrown away."""

import datetime
from typing import Any

from django.db.models import F, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from foundation.api.fields import AmountField, IdField, MomentField, WordField
from foundation.api.filters import IdFilter
from foundation.api.idempotency import IdempotentMixin
from foundation.api.serializers import StrictSerializer, validated
from foundation.decimals import round_money
from foundation.errors import InvalidInput
from inventory.api.costs import ShowsCosts
from inventory.api.documents import document_answer
from inventory.api.stock_serializers import HidesCosts, WholeDocumentSerializer
from inventory.costs import PERMISSION as SEES_COSTS
from inventory.lot_selectors import with_worth
from inventory.models import StockDocument, StockLot
from inventory.selectors import location_for
from inventory.services.expiry import CODE_LENGTH, change_lot, write_off_lot
from inventory.write_off_selectors import write_offs_by_reason

# Where lots without a date stand in the list: before all others, as they are used first.
UNDATED = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
USUAL_DAYS = 30
LONGEST_DAYS = 366
YEARS = range(2000, 2100)


class StockLotSerializer(HidesCosts, serializers.ModelSerializer):
    """The part of a level that expires at one moment, in the ingredient's base unit. `expires_at` is the first moment
    at which it may not be sold any more, null if nobody knows."""

    cost_fields = ("worth",)
    ingredient_name = serializers.CharField(source="ingredient.name", read_only=True)
    unit = serializers.CharField(source="ingredient.unit", read_only=True)
    has_expired = serializers.SerializerMethodField()
    worth = serializers.SerializerMethodField(help_text="At the average cost. Only for who may see costs.")

    class Meta:
        model = StockLot
        fields = (
            "id",
            "location",
            "ingredient",
            "ingredient_name",
            "unit",
            "quantity",
            "expires_at",
            "has_expired",
            "code",
            "worth",
        )

    def get_has_expired(self, lot: StockLot) -> bool:
        return lot.is_expired(timezone.now())

    def get_worth(self, lot: Any) -> str:
        return str(round_money(lot.quantity * (lot.average_cost or 0)))


class LotChangesSerializer(StrictSerializer):
    """What was written down wrong when it came in."""

    expires_at = MomentField(required=False, allow_null=True)
    code = serializers.CharField(max_length=CODE_LENGTH, required=False, allow_blank=True)


class LotWriteOffBodySerializer(StrictSerializer):
    """Without `quantity`, in the base unit, all of it; without `reason` it has spoiled."""

    quantity = AmountField(max_digits=14, decimal_places=3, required=False, allow_null=True)
    reason = WordField(choices=StockDocument.WriteOffReason.choices, required=False)
    comment = serializers.CharField(max_length=500, required=False, allow_blank=True)


class LotFilter(filters.FilterSet):
    location = IdFilter(field_name="location_id")
    ingredient = IdFilter(field_name="ingredient_id")
    expires_before = filters.IsoDateTimeFilter(field_name="expires_at", lookup_expr="lt")


@extend_schema(tags=["stock"])
class StockLotViewSet(ShowsCosts, IdempotentMixin, ListModelMixin, RetrieveModelMixin, GenericViewSet):
    """The lots with something in them, in the order in which they are used: undated ones, then what expires first."""

    serializer_class = StockLotSerializer
    filterset_class = LotFilter
    search_fields = ("ingredient__name", "code")
    ordering = ("used_first", "id")
    lookup_value_converter = "int"
    action_permissions = {
        "list": "inventory.view_stocklot",
        "retrieve": "inventory.view_stocklot",
        "partial_update": "inventory.change_stocklot",
        "write_off": "inventory.write_off_stock",
    }

    def get_queryset(self) -> QuerySet[StockLot]:
        lots = with_worth(StockLot.objects.select_related("ingredient"))
        lots = lots.annotate(used_first=Coalesce(F("expires_at"), Value(UNDATED)))
        return lots.filter(quantity__gt=0) if self.action == "list" else lots

    @extend_schema(request=LotChangesSerializer)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Puts a wrong date or code right. If there is a lot with these already, the two become one: the answer."""
        lot = change_lot(lot_id=pk, changes=validated(LotChangesSerializer, request, changes_only=True))
        return Response(self.get_serializer(self.get_queryset().get(pk=lot.pk)).data)

    @extend_schema(request=LotWriteOffBodySerializer, responses={201: WholeDocumentSerializer})
    @action(detail=True, methods=["post"], url_path="write-off")
    def write_off(self, request: Request, pk: int) -> Response:
        """Throws a lot away, or a part of it."""
        values = validated(LotWriteOffBodySerializer, request)
        document = write_off_lot(lot_id=pk, created_by_id=request.user.pk, **values)
        answer = document_answer(document, self.get_serializer_context())
        return Response(answer, status=status.HTTP_201_CREATED)


class PeriodSerializer(StrictSerializer):
    """A location's days, from the first to the last; without them the last 30."""

    location = IdField(required=False)
    first_day = serializers.DateField(required=False)
    last_day = serializers.DateField(required=False)


class WrittenOffSerializer(serializers.Serializer):
    """What was thrown away of an ingredient for one reason, in its base unit; `value` is the money that left with it,
    only for who may see costs."""

    reason = serializers.CharField(read_only=True)
    ingredient = serializers.IntegerField(source="ingredient_id", read_only=True)
    ingredient_name = serializers.CharField(source="name", read_only=True)
    unit = serializers.CharField(read_only=True)
    quantity = serializers.DecimalField(max_digits=14, decimal_places=3, read_only=True)
    value = serializers.DecimalField(max_digits=20, decimal_places=2, read_only=True)


class WriteOffsSerializer(serializers.Serializer):
    """The write-offs of a period by reason (`order`: wasted with a cancelled order) and ingredient."""

    location = serializers.IntegerField(read_only=True)
    first_day = serializers.DateField(read_only=True)
    last_day = serializers.DateField(read_only=True)
    lines = WrittenOffSerializer(many=True, read_only=True)
    value = serializers.DecimalField(max_digits=20, decimal_places=2, read_only=True)


@extend_schema(tags=["stock"])
class WriteOffsView(APIView):
    """What was thrown away, and why."""

    action_permissions = {"get": "inventory.view_stockdocument"}

    @extend_schema(parameters=[PeriodSerializer], responses=WriteOffsSerializer)
    def get(self, request: Request) -> Response:
        """The write-offs of a location's days, by reason and ingredient, the dearest first within a reason."""
        asked = asked_period(request)
        location = location_for(user=request.user, location_id=asked.get("location"))
        last = asked.get("last_day", location.today())
        for name in ("first_day", "last_day"):
            if name in asked and asked[name].year not in YEARS:
                raise InvalidInput.at(name, _("Give a day of this century."))
        first = asked.get("first_day", last - datetime.timedelta(days=USUAL_DAYS - 1))
        if not datetime.timedelta(0) <= last - first < datetime.timedelta(days=LONGEST_DAYS):
            raise InvalidInput.at("last_day", _("Ask for a year at most, and for the first day before the last."))
        lines = write_offs_by_reason(
            location=location, start=location.day_bounds(first)[0], end=location.day_bounds(last)[1]
        )
        answer = {
            "location": location.pk,
            "first_day": first,
            "last_day": last,
            "lines": lines,
            "value": sum(line.value for line in lines),
        }
        shown: dict[str, Any] = dict(WriteOffsSerializer(answer).data)
        if not request.user.has_perm(SEES_COSTS):
            del shown["value"]
            for line in shown["lines"]:
                del line["value"]
        return Response(shown)


def asked_period(request: Request) -> dict[str, Any]:
    """The parameters of the address. Raises DRF's ValidationError at each that is unknown or makes no sense."""
    values = {name: text for name, text in request.query_params.items() if name != "format"}
    location: Any = values.get("location")
    if location is not None and location.isascii() and location.isdigit():
        location = int(location[:20])
    serializer = PeriodSerializer(data={**values, **({} if location is None else {"location": location})})
    serializer.is_valid(raise_exception=True)
    period: dict[str, Any] = serializer.validated_data
    return period
