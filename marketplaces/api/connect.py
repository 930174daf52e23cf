"""marketplaces/accounts/{id}/connect/"""

import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from foundation.api.serializers import NothingSerializer, validated
from marketplaces.account_tasks import hand_over_test
from marketplaces.api.binding import OfVisibleAccounts
from marketplaces.models import DeviceConnection
from marketplaces.services.connecting import begin_connection, check_connection, guidance


class ConnectionSerializer(serializers.ModelSerializer):
    """A code to be typed in at Allegro, and how far that is. `expires_in` and `next_check_in` in seconds from now;
    `detail` says what to do. What is polled with stays here."""

    expires_in = serializers.SerializerMethodField()
    next_check_in = serializers.SerializerMethodField()
    detail = serializers.SerializerMethodField()

    class Meta:
        model = DeviceConnection
        fields = (
            *("user_code", "verification_uri", "verification_uri_complete", "expires_in", "interval"),
            *("status", "next_check_in", "detail"),
        )
        read_only_fields = fields

    def get_expires_in(self, device: DeviceConnection) -> int:
        return self.seconds_until(device.expires_at)

    def get_next_check_in(self, device: DeviceConnection) -> int:
        return self.seconds_until(device.next_poll_at)

    def get_detail(self, device: DeviceConnection) -> str:
        return guidance(device)

    def seconds_until(self, moment: datetime.datetime) -> int:
        left: datetime.timedelta = moment - self.context["now"]
        return max(0, round(left.total_seconds()))


@extend_schema(tags=["marketplaces"])
class AccountConnectView(OfVisibleAccounts, APIView):
    """Connecting an Allegro account. Not under an idempotency key: it asks Allegro, and no transaction may be open
    then."""

    action_permissions = {
        "post": "marketplaces.connect_selleraccount",
        "get": "marketplaces.connect_selleraccount",
    }

    @extend_schema(
        summary="Get a code to connect an Allegro account",
        request=NothingSerializer,
        responses=ConnectionSerializer,
        operation_id="connect",
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Asks Allegro for a code that the seller types in at `verification_uri` (or confirms at
        `verification_uri_complete`). An earlier code ends with it; the account stays connected as it is until then."""
        validated(NothingSerializer, request)
        now = timezone.now()
        device = begin_connection(account_id=self.visible_account(pk).pk, started_by_id=request.user.pk, at=now)
        return self.answer(device, now)

    @extend_schema(
        summary="How connecting an Allegro account stands", responses=ConnectionSerializer, operation_id="connection"
    )
    def get(self, request: Request, pk: UUID) -> Response:
        """Asks Allegro whether the seller has said yes, if it is time to (`next_check_in`), and says how it stands."""
        now = timezone.now()
        device = check_connection(account_id=self.visible_account(pk).pk, at=now, hand_over=hand_over_test)
        return self.answer(device, now)

    def answer(self, device: DeviceConnection, now: datetime.datetime) -> Response:
        context: dict[str, Any] = {"now": now}
        return Response(ConnectionSerializer(device, context=context).data)
