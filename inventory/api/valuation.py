"""stock/valuation/"""

import datetime
import re
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from foundation.api.filters import refuse_unknown
from foundation.api.ids import id_parameter
from foundation.errors import InvalidInput
from inventory.costs import PERMISSION
from inventory.selectors import location_for
from inventory.valuation_selectors import stock_valuation

# In an address a plus that nobody has escaped arrives as a space.
LOST_PLUS = re.compile(r" (?=\d\d:?\d\d$)")


class ValuedIngredientSerializer(serializers.Serializer):
    """So much of an ingredient, in its base unit, and what it is worth. Both are exact."""

    ingredient = serializers.IntegerField(source="ingredient_id")
    ingredient_name = serializers.CharField(source="name")
    unit = serializers.CharField()
    quantity = serializers.DecimalField(max_digits=None, decimal_places=3)
    average_cost = serializers.DecimalField(max_digits=None, decimal_places=6, allow_null=True)
    value = serializers.DecimalField(max_digits=None, decimal_places=6)


class ValuationSerializer(serializers.Serializer):
    """What a location held at a moment; `location` is null for all locations together."""

    location = serializers.IntegerField(source="location.pk", default=None, allow_null=True)
    at = serializers.DateTimeField()
    total = serializers.DecimalField(max_digits=None, decimal_places=6)
    rows = ValuedIngredientSerializer(many=True)


@extend_schema(tags=["stock"])
class ValuationView(APIView):
    """What the stock is worth."""

    action_permissions = {"get": PERMISSION}

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "location",
                {"type": "integer", "minimum": 1},
                description="Where; without it all locations together.",
            ),
            OpenApiParameter(
                "at",
                {"type": "string", "format": "date-time"},
                description="The moment, with its time zone: 2026-11-20T18:00:00+07:00. Without it now.",
            ),
        ],
        responses=ValuationSerializer,
    )
    def get(self, request: Request) -> Response:
        """What lay on the shelves at a moment, by ingredient. A movement counts from its `created_at` on."""
        refuse_unknown(request, {"location", "at", "format"})
        wanted = id_parameter(request, "location")
        location = None if wanted is None else location_for(user=request.user, location_id=wanted)
        valuation = stock_valuation(location=location, at=moment_parameter(request, "at"))
        return Response(ValuationSerializer(valuation).data)


def moment_parameter(request: Request, name: str) -> datetime.datetime | None:
    """The moment (aware) that the query parameter `name` gives, None without one. Raises InvalidInput at it."""
    text: Any = request.query_params.get(name)
    if not text:
        return None
    try:
        moment = parse_datetime(LOST_PLUS.sub("+", text.strip()))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InvalidInput.at(name, _("Give a moment with its time zone, for example 2026-11-20T18:00:00+07:00."))
    return moment
