"""marketplaces/switch/: the one switch that stops all writing to marketplaces."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from foundation.api.serializers import validated
from marketplaces.api.listing_serializers import SwitchBodySerializer, SwitchSerializer
from marketplaces.services.switch import start_pushes, stop_pushes, the_switch


@extend_schema(tags=["marketplaces"], responses=SwitchSerializer)
class SwitchView(APIView):
    """It concerns all sellers: a token that is bound to one does not reach it."""

    action_permissions = {"get": "marketplaces.view_marketplaceswitch", "post": "marketplaces.stop_pushes"}

    @extend_schema(summary="Show the switch", operation_id="marketplaces_switch_show")
    def get(self, request: Request) -> Response:
        """Whether quantities and order statuses are sent to the marketplaces now."""
        return Response(SwitchSerializer(the_switch()).data)

    @extend_schema(
        summary="Stop or start all writing", request=SwitchBodySerializer, operation_id="marketplaces_switch_set"
    )
    def post(self, request: Request) -> Response:
        """Stops or starts all writing to all marketplaces. Reading goes on; what has changed meanwhile is sent
        afterwards. Stopped already: the first reason stays."""
        values = validated(SwitchBodySerializer, request)
        if values["stopped"]:
            switch = stop_pushes(reason=values["reason"], by_id=request.user.pk, at=timezone.now())
        else:
            switch = start_pushes(by_id=request.user.pk)
        return Response(SwitchSerializer(switch).data)
