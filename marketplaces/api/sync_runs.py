"""marketplaces/sync-runs/"""

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.viewsets import GenericViewSet

from marketplaces.api.binding import EXTERNAL_USER_ID, OfVisibleAccounts, PagesOfAccounts
from marketplaces.models import SyncRun


class SyncRunSerializer(serializers.ModelSerializer):
    """One run. `error` counts what went wrong, `message` and `error_kind` say why it failed, `problems` what of it was
    left out (the first hundred); `duration` in seconds; `counts` are the items by source."""

    account = serializers.UUIDField(source="account_id")
    duration = serializers.SerializerMethodField()
    problems = serializers.ListField(child=serializers.DictField(child=serializers.CharField()))
    counts = serializers.DictField(child=serializers.IntegerField())

    class Meta:
        model = SyncRun
        fields = (
            *("id", "account", "what", "source", "status", "processed", "updated", "skipped", "error"),
            *("started_at", "completed_at", "duration", "since", "counts", "problems", "error_kind", "message"),
            "retry_of",
        )
        read_only_fields = fields

    @extend_schema_field({"type": "number", "nullable": True})
    def get_duration(self, run: SyncRun) -> float | None:
        return None if run.duration is None else round(run.duration.total_seconds(), 3)


class SyncRunFilter(filters.FilterSet):
    account = filters.UUIDFilter(field_name="account_id")
    what = filters.ChoiceFilter(choices=SyncRun.What.choices)
    status = filters.MultipleChoiceFilter(choices=SyncRun.Status.choices, distinct=False)
    started_after = filters.IsoDateTimeFilter(field_name="started_at", lookup_expr="gte")
    started_before = filters.IsoDateTimeFilter(field_name="started_at", lookup_expr="lt")


@extend_schema_view(list=extend_schema(parameters=[EXTERNAL_USER_ID]))
@extend_schema(tags=["marketplaces"])
class SyncRunViewSet(OfVisibleAccounts, ListModelMixin, RetrieveModelMixin, GenericViewSet):
    """Runs of the last 90 days, the newest first."""

    serializer_class = SyncRunSerializer
    pagination_class = PagesOfAccounts
    filterset_class = SyncRunFilter
    lookup_value_converter = "uuid"
    action_permissions = {"list": "marketplaces.view_syncrun", "retrieve": "marketplaces.view_syncrun"}

    def get_queryset(self) -> QuerySet[SyncRun]:
        return self.of_visible_accounts(SyncRun.objects.all())
