"""orders/batch/… and orders/batches/: many orders at once."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.mixins import RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet, ViewSet

from foundation.api.idempotency import IdempotentMixin
from foundation.api.serializers import validated
from orders.api.bodies import BatchBodySerializer, BatchCancelBodySerializer
from orders.api.orders import actor_of
from orders.api.serializers import BatchResultsSerializer, BatchRunSerializer
from orders.models import BatchRun
from orders.powers import COMPLETE_UNPAID, REFUND
from orders.services.batch import PART, BatchResult, cancel_orders, complete_orders, start_batch
from orders.tasks import hand_over

ANSWERS = {200: BatchResultsSerializer, 202: BatchRunSerializer}


@extend_schema(tags=["orders"])
class BatchViewSet(IdempotentMixin, ViewSet):
    """Completing and cancelling many orders: each one is done, or the answer says why not."""

    action_permissions = {"complete": "orders.advance_order", "cancel": "orders.cancel_order"}

    @extend_schema(request=BatchBodySerializer, responses=ANSWERS)
    @action(detail=False, methods=["post"])
    def complete(self, request: Request) -> Response:
        """Up to 1,000 orders at once; more in the background, and the answer says where to look how far it is."""
        ids = validated(BatchBodySerializer, request)["ids"]
        may = {"allow_unpaid": request.user.has_perm(COMPLETE_UNPAID)}
        if len(ids) > PART:
            return self.in_background(BatchRun.Verb.COMPLETE, ids, **may)
        return self.answer(complete_orders(order_ids=ids, actor=actor_of(request), **may))

    @extend_schema(request=BatchCancelBodySerializer, responses=ANSWERS)
    @action(detail=False, methods=["post"])
    def cancel(self, request: Request) -> Response:
        """Up to 1,000 orders at once; more in the background, and the answer says where to look how far it is."""
        values = validated(BatchCancelBodySerializer, request)
        ids = values.pop("ids")
        values["may_refund"] = request.user.has_perm(REFUND)
        if len(ids) > PART:
            return self.in_background(BatchRun.Verb.CANCEL, ids, **values)
        return self.answer(cancel_orders(order_ids=ids, actor=actor_of(request), **values))

    def answer(self, results: list[BatchResult]) -> Response:
        return Response({"results": [result.as_json() for result in results]})

    def in_background(self, verb: str, ids: list[int], **more: Any) -> Response:
        run = start_batch(verb=verb, order_ids=ids, actor=actor_of(self.request), **more)
        hand_over(run.pk)
        return Response(BatchRunSerializer(run).data, status=status.HTTP_202_ACCEPTED)


@extend_schema(tags=["orders"])
class BatchRunViewSet(RetrieveModelMixin, GenericViewSet):
    """How far a batch in the background is."""

    queryset = BatchRun.objects.all()
    serializer_class = BatchRunSerializer
    filterset_class = None
    lookup_value_converter = "uuid"
    action_permissions = {"retrieve": "orders.view_batchrun"}
