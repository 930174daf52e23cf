"""stock-counts/: what is counted on the shelves, reviewed and posted."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from foundation.api.filters import IdFilter
from foundation.api.idempotency import IdempotentMixin
from foundation.api.serializers import NothingSerializer, validated
from inventory.api.costs import ShowsCosts
from inventory.api.count_serializers import (
    CountLinesBodySerializer,
    CountLineSerializer,
    CountSummarySerializer,
    ReopenBodySerializer,
    StartCountBodySerializer,
    StockCountSerializer,
    SubmitBodySerializer,
    WholeCountSerializer,
    shows_money,
)
from inventory.count_selectors import POST_PERMISSION, review, summary_of, with_progress
from inventory.models import StockCount
from inventory.selectors import location_for
from inventory.services.counts import cancel_count, count_lines, post_count, reopen_count, start_count, submit_count


class CountFilter(filters.FilterSet):
    location = IdFilter(field_name="location_id")
    shelf = IdFilter(field_name="shelf_id")
    status = filters.MultipleChoiceFilter(choices=StockCount.Status.choices)


@extend_schema(tags=["stock counts"])
class StockCountViewSet(ShowsCosts, IdempotentMixin, ListModelMixin, GenericViewSet):
    """Counts, the newest first. counting → review → posted; an open one can be cancelled. Who counts does not see what
    the ledger expects; who may post a count does."""

    serializer_class = StockCountSerializer
    filterset_class = CountFilter
    lookup_value_converter = "int"
    action_permissions = {
        "list": "inventory.view_stockcount",
        "retrieve": "inventory.view_stockcount",
        "create": "inventory.add_stockcount",
        "partial_update": "inventory.change_stockcount",
        "submit": "inventory.change_stockcount",
        "reopen": "inventory.change_stockcount",
        "cancel": "inventory.change_stockcount",
        "post_it": POST_PERMISSION,
    }

    def get_queryset(self) -> QuerySet[StockCount]:
        return with_progress(StockCount.objects.all())

    def get_serializer_context(self) -> dict[str, Any]:
        context = super().get_serializer_context()
        return {**context, "shows_expected": self.request is None or self.request.user.has_perm(POST_PERMISSION)}

    @extend_schema(responses=WholeCountSerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """A count with its lines."""
        return self.answer(self.get_object())

    @extend_schema(request=StartCountBodySerializer, responses={201: WholeCountSerializer})
    def create(self, request: Request) -> Response:
        """Begins a count; its list is fixed then. An ingredient stands in one open count of a location only."""
        values = validated(StartCountBodySerializer, request)
        count = start_count(
            location=location_for(user=request.user, location_id=values.get("location")),
            shelf_id=values.get("shelf"),
            ingredient_ids=values.get("ingredients"),
            comment=values.get("comment", ""),
            created_by_id=request.user.pk,
        )
        return self.answer(count, status.HTTP_201_CREATED)

    @extend_schema(request=CountLinesBodySerializer, responses=WholeCountSerializer)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Notes what was counted, beside what the levels say at this moment."""
        lines = validated(CountLinesBodySerializer, request)["lines"]
        counted = {line["ingredient"]: line["counted"] for line in lines}
        return self.answer(count_lines(count_id=pk, counted=counted, counted_by_id=request.user.pk))

    @extend_schema(request=SubmitBodySerializer, responses=WholeCountSerializer)
    @action(detail=True, methods=["post"])
    def submit(self, request: Request, pk: int) -> Response:
        """counting → review. What nobody counted must be named in `leave_out`."""
        values = validated(SubmitBodySerializer, request)
        return self.answer(submit_count(count_id=pk, leave_out=values.get("leave_out", ())))

    @extend_schema(request=ReopenBodySerializer, responses=WholeCountSerializer)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: int) -> Response:
        """review → counting, with the ingredients that are to be counted again."""
        values = validated(ReopenBodySerializer, request)
        return self.answer(reopen_count(count_id=pk, ingredient_ids=values.get("ingredients", ())))

    @extend_schema(request=NothingSerializer, responses=WholeCountSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: int) -> Response:
        """Throws an open count away; the stock stays what it was."""
        validated(NothingSerializer, request)
        return self.answer(cancel_count(count_id=pk))

    @extend_schema(request=NothingSerializer, responses=WholeCountSerializer)
    @action(detail=True, methods=["post"], url_path="post", url_name="post")
    def post_it(self, request: Request, pk: int) -> Response:
        """review → posted: the differences go to the ledger, once however many press."""
        validated(NothingSerializer, request)
        return self.answer(post_count(count_id=pk, posted_by_id=request.user.pk))

    def answer(self, count: StockCount, code: int = status.HTTP_200_OK) -> Response:
        return Response(count_answer(count, self.get_serializer_context()), status=code)


def count_answer(count: Any, context: Mapping[str, Any]) -> dict[str, Any]:
    """A count as the API shows it whole."""
    lines = review(count)
    summary = summary_of(lines)
    count.line_number, count.counted_number = summary.lines, summary.counted
    shown: dict[str, Any] = dict(StockCountSerializer(count, context=context).data)
    if shows_money(context):
        shown["summary"] = CountSummarySerializer(summary).data
    return {**shown, "lines": CountLineSerializer(lines, many=True, context=context).data}
