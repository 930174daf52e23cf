"""health/: how the shop is, for programs that watch it."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from foundation.api.filters import refuse_unknown
from monitoring.health_selectors import State, look_at_health


class CheckAnswerSerializer(serializers.Serializer):
    """One check: `detail` is what it says, `advice` what to do unless it is in order."""

    name = serializers.CharField(source="check.name")
    title = serializers.CharField()
    state = serializers.ChoiceField(State.choices)
    milliseconds = serializers.FloatField(source="result.milliseconds")
    detail = serializers.CharField(source="result.detail", allow_null=True)
    advice = serializers.CharField()


class SignOfLifeSerializer(serializers.Serializer):
    """When a program gave its last sign of life; `is_silent`: three were missed since."""

    name = serializers.CharField()
    at = serializers.DateTimeField()
    is_silent = serializers.BooleanField()


class ShopHealthSerializer(serializers.Serializer):
    """The worst of all, all answers, the worst first, and the programs that run."""

    state = serializers.ChoiceField(State.choices)
    checks = CheckAnswerSerializer(many=True, source="answers")
    signs_of_life = SignOfLifeSerializer(many=True, source="signs")


@extend_schema(tags=["monitoring"])
class HealthView(APIView):
    """Asks every check that does not take long. `/health/ready` says to a load balancer whether this server works."""

    action_permissions = {"get": "monitoring.view_health"}

    @extend_schema(operation_id="health_retrieve", responses=ShopHealthSerializer)
    def get(self, request: Request, *args: Any) -> Response:
        refuse_unknown(request, {"format"})
        return Response(ShopHealthSerializer(look_at_health()).data)
