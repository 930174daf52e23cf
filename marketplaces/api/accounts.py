"""marketplaces/accounts/"""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from foundation.api.idempotency import IdempotentMixin
from foundation.api.serializers import NothingSerializer, validated
from foundation.errors import InvalidInput
from inventory.selectors import location_for
from marketplaces.account_tasks import hand_over_sync, hand_over_test
from marketplaces.api.account_serializers import (
    AccountBodySerializer,
    AccountChangesSerializer,
    AccountSerializer,
    BegunRunSerializer,
    SyncBodySerializer,
    TestedSerializer,
)
from marketplaces.api.binding import EXTERNAL_USER_ID, OfVisibleAccounts
from marketplaces.models import SellerAccount
from marketplaces.services import testing
from marketplaces.services.accounts import add_account, change_account, delete_account
from marketplaces.services.syncing import request_sync


class AccountFilter(filters.FilterSet):
    class Meta:
        model = SellerAccount
        fields = ("marketplace", "connection", "mode", "is_active")


@extend_schema_view(list=extend_schema(parameters=[EXTERNAL_USER_ID]))
@extend_schema(tags=["marketplaces"])
class AccountViewSet(OfVisibleAccounts, IdempotentMixin, ListModelMixin, RetrieveModelMixin, GenericViewSet):
    """Seller accounts, the newest first. A token that is bound to a seller knows only theirs."""

    serializer_class = AccountSerializer
    filterset_class = AccountFilter
    lookup_value_converter = "uuid"
    action_permissions = {
        "list": "marketplaces.view_selleraccount",
        "retrieve": "marketplaces.view_selleraccount",
        "create": "marketplaces.add_selleraccount",
        "partial_update": "marketplaces.change_selleraccount",
        "destroy": "marketplaces.delete_selleraccount",
        "sync": "marketplaces.sync_selleraccount",
    }

    def get_queryset(self) -> QuerySet[SellerAccount]:
        return self.visible_accounts().defer("credentials", "tokens").prefetch_related("sync_states")

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "now": timezone.now()}

    @extend_schema(request=AccountBodySerializer, responses={201: AccountSerializer})
    @method_decorator(sensitive_variables())
    def create(self, request: Request) -> Response:
        """Adds an account. It starts read only and not connected: Allegro is connected by a code (`connect/`), the
        others as soon as a test of their keys succeeds, which is made at once in the background."""
        values = validated(AccountBodySerializer, request)
        if self.bound_to and values["external_user_id"] != self.bound_to:
            raise InvalidInput.at("external_user_id", _("This token is bound to another seller."))
        location = values.pop("location", None) or location_for(user=request.user, location_id=None)
        account = add_account(**values, location=location, added_by_id=request.user.pk, at=timezone.now())
        hand_over_test(account.pk)
        return self.answer(account.pk, status.HTTP_201_CREATED)

    @extend_schema(request=AccountChangesSerializer)
    @method_decorator(sensitive_variables())
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Changes settings, or replaces the keys: `credentials` are stored whole."""
        account = self.visible_account(pk)
        changes = validated(AccountChangesSerializer, request, changes_only=True)
        credentials = changes.pop("credentials", None)
        account = change_account(
            account_id=account.pk,
            changes=changes,
            credentials=credentials,
            changed_by_id=request.user.pk,
            at=timezone.now(),
        )
        if credentials is not None:
            hand_over_test(account.pk)
        return self.answer(account.pk)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Deletes an account that has no orders, operations and listings."""
        delete_account(account_id=self.visible_account(pk).pk)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=SyncBodySerializer, responses={202: BegunRunSerializer})
    @action(detail=True, methods=["post"])
    def sync(self, request: Request, pk: UUID) -> Response:
        """Reads orders or stock now, in the background. 409 `in_progress` while that is being done already."""
        account = self.visible_account(pk)
        values = validated(SyncBodySerializer, request)
        run = request_sync(
            account_id=account.pk,
            what=values["what"],
            since=values.get("since"),
            requested_by_id=request.user.pk,
            at=timezone.now(),
        )
        hand_over_sync(run)
        return Response({"run": str(run.pk)}, status=status.HTTP_202_ACCEPTED)

    def answer(self, account_id: UUID, code: int = status.HTTP_200_OK) -> Response:
        account = self.get_queryset().get(pk=account_id)
        return Response(self.get_serializer(account).data, status=code)


@extend_schema(tags=["marketplaces"])
class AccountTestView(OfVisibleAccounts, APIView):
    """Not under an idempotency key: it asks the marketplace, and no transaction may be open then."""

    action_permissions = {"post": "marketplaces.sync_selleraccount"}

    @extend_schema(
        summary="Test an account's keys", request=NothingSerializer, responses=TestedSerializer, operation_id="test"
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Makes one cheap call with the account's keys, and says whether the marketplace takes them."""
        account = self.visible_account(pk)
        validated(NothingSerializer, request)
        result = testing.test_account(account_id=account.pk, tested_by_id=request.user.pk, at=timezone.now())
        if result.ok:
            return Response({"ok": True, "seller_name": result.account.seller_name})
        return Response({"ok": False, "error": result.error})
