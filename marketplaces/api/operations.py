"""marketplaces/operations/"""

import datetime
from typing import Any
from uuid import UUID

from django.db.models import Prefetch, QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet, ViewSet

from foundation.api.idempotency import IdempotentMixin
from foundation.api.serializers import NothingSerializer, validated
from foundation.uuids import first_uuid7_at
from marketplaces.api.binding import EXTERNAL_USER_ID, OfVisibleAccounts
from marketplaces.api.operation_serializers import (
    CancellationBodySerializer,
    CancellationsBodySerializer,
    OperationLogSerializer,
    OperationResultsSerializer,
    OperationsBodySerializer,
    OperationSerializer,
    WholeOperationSerializer,
)
from marketplaces.errors import UnknownOperation
from marketplaces.models import OperationLog, SellerAccount, StockOperation
from marketplaces.services.cancelling import request_cancellation, request_cancellations_of
from marketplaces.services.operation_results import OperationResult
from marketplaces.services.retrying import retry_operation, retry_operations
from marketplaces.tasks import hand_over_operations, hand_over_operations_by_id

VIEW, CANCEL, RETRY = (f"marketplaces.{verb}_stockoperation" for verb in ("view", "cancel", "retry"))


class OperationFilter(filters.FilterSet):
    """`order` is the id of a mirrored order; `cancelling=true` leaves what is asked to end and has not ended."""

    account = filters.UUIDFilter(field_name="account_id")
    order = filters.UUIDFilter(field_name="order_id")
    status = filters.MultipleChoiceFilter(choices=StockOperation.Status.choices, distinct=False)
    kind = filters.ChoiceFilter(choices=StockOperation.Kind.choices)
    created_after = filters.IsoDateTimeFilter(method="since")
    created_before = filters.IsoDateTimeFilter(method="until")

    # The ids begin with the moment at which they were made: the list's own order and its indexes serve.
    def since(self, rows: QuerySet[StockOperation], name: str, value: datetime.datetime) -> QuerySet[StockOperation]:
        return rows.filter(pk__gte=first_uuid7_at(value))

    def until(self, rows: QuerySet[StockOperation], name: str, value: datetime.datetime) -> QuerySet[StockOperation]:
        return rows.filter(pk__lt=first_uuid7_at(value))


@extend_schema_view(
    list=extend_schema(parameters=[EXTERNAL_USER_ID]), retrieve=extend_schema(responses=WholeOperationSerializer)
)
@extend_schema(tags=["marketplaces"])
class OperationViewSet(OfVisibleAccounts, IdempotentMixin, ListModelMixin, RetrieveModelMixin, GenericViewSet):
    """What the orders of the marketplaces do to the stock, the newest first."""

    filterset_class = OperationFilter
    lookup_value_converter = "uuid"
    action_permissions = {"list": VIEW, "retrieve": VIEW, "cancel": CANCEL, "retry": RETRY}

    def get_serializer_class(self) -> Any:
        return OperationSerializer if self.action == "list" else WholeOperationSerializer

    def get_queryset(self) -> QuerySet[StockOperation]:
        corrections = StockOperation.objects.only("id", "adjusts_id").order_by("pk")
        rows = (
            StockOperation.objects.select_related("order", "successor")
            .only(
                *(field.attname for field in StockOperation._meta.fields),
                "order__number",
                "order__external_id",
                "successor__id",
                "successor__retry_of_id",
            )
            .prefetch_related(Prefetch("rollback_operations", corrections))
        )
        if self.action != "list":
            rows = rows.prefetch_related("lines")
        return self.of_visible_accounts(rows)

    @extend_schema(request=CancellationBodySerializer, responses={202: WholeOperationSerializer})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: UUID) -> Response:
        """Stops the operation, and undoes in the background what it has done: the marketplace first, then the stock."""
        reason = validated(CancellationBodySerializer, request)["reason"]
        operation = request_cancellation(operation_id=self.visible(pk), reason=reason, user_id=request.user.pk)
        hand_over_operations([operation])
        return self.answer(operation.pk, status.HTTP_202_ACCEPTED)

    @extend_schema(request=NothingSerializer, responses={201: WholeOperationSerializer})
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: UUID) -> Response:
        """Tries a failed operation again: answers with its successor, which goes on in the background."""
        validated(NothingSerializer, request)
        successor = retry_operation(operation_id=self.visible(pk), user_id=request.user.pk)
        hand_over_operations([successor])
        return self.answer(successor.pk, status.HTTP_201_CREATED)

    def visible(self, pk: UUID) -> UUID:
        """The id, if the caller sees the operation. Raises UnknownOperation."""
        if not self.of_visible_accounts(StockOperation.objects.filter(pk=pk)).exists():
            raise UnknownOperation(pk)
        return pk

    def answer(self, operation_id: UUID, code: int) -> Response:
        return Response(self.get_serializer(self.get_queryset().get(pk=operation_id)).data, status=code)


@extend_schema(tags=["marketplaces"])
class OperationLogViewSet(OfVisibleAccounts, ListModelMixin, GenericViewSet):
    """The log of an operation, from its beginning."""

    serializer_class = OperationLogSerializer
    filterset_class = None
    ordering = "id"
    action_permissions = {"list": "marketplaces.view_operationlog"}

    def get_queryset(self) -> QuerySet[OperationLog]:
        if getattr(self, "swagger_fake_view", False):
            return OperationLog.objects.none()
        operation_id = self.kwargs["operation_pk"]
        if not self.of_visible_accounts(StockOperation.objects.filter(pk=operation_id)).exists():
            raise UnknownOperation(operation_id)
        return OperationLog.objects.filter(operation_id=operation_id)


@extend_schema(tags=["marketplaces"])
class OperationBatchViewSet(OfVisibleAccounts, IdempotentMixin, ViewSet):
    """Many operations at once: each one is done, or the answer says why not."""

    action_permissions = {"cancel": CANCEL, "retry": RETRY}
    query_parameters = ()

    @extend_schema(request=CancellationsBodySerializer, responses=OperationResultsSerializer)
    @action(detail=False, methods=["post"])
    def cancel(self, request: Request) -> Response:
        """Asks for the end of up to 1,000 operations, which goes on in the background."""
        values = validated(CancellationsBodySerializer, request)
        results = request_cancellations_of(
            operation_ids=values["ids"], reason=values["reason"], user_id=request.user.pk, accounts=self.own_accounts()
        )
        hand_over_operations_by_id([one.operation_id for one in results if one.refusal is None])
        return answer(results)

    @extend_schema(request=OperationsBodySerializer, responses=OperationResultsSerializer)
    @action(detail=False, methods=["post"])
    def retry(self, request: Request) -> Response:
        """Tries up to 1,000 failed operations again; each answer names the successor."""
        ids = validated(OperationsBodySerializer, request)["ids"]
        results = retry_operations(operation_ids=ids, user_id=request.user.pk, accounts=self.own_accounts())
        hand_over_operations_by_id([one.successor_id for one in results if one.successor_id])
        return answer(results)

    def own_accounts(self) -> QuerySet[SellerAccount] | None:
        """The accounts that a bound token knows; None: all."""
        return self.visible_accounts() if self.bound_to else None


def answer(results: list[OperationResult]) -> Response:
    return Response({"results": [result.as_json() for result in results]})
