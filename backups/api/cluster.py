"""cluster/ and cluster/events/: how the cluster stands, and what has happened to it."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from backups.cluster.events import EventKind
from backups.cluster.look import Node
from backups.cluster.sentences import sentence_of
from backups.cluster_selectors import ClusterOverview, cluster_overview
from backups.errors import NoCluster
from backups.models import ClusterEvent


class NodeSerializer(serializers.Serializer):
    """A server of the cluster. `role` and `state` are Patroni's words, `lag` the bytes of WAL that it has not received;
    `can_take_over`: a planned switchover to it is possible now."""

    name = serializers.CharField()
    role = serializers.CharField()
    state = serializers.CharField()
    timeline = serializers.IntegerField(allow_null=True)
    lag = serializers.IntegerField(allow_null=True)
    host = serializers.CharField()
    port = serializers.IntegerField(allow_null=True)
    answers = serializers.BooleanField()
    is_well = serializers.BooleanField()
    can_take_over = serializers.SerializerMethodField()

    def get_can_take_over(self, node: Node) -> bool:
        return node in self.context["candidates"]


class TurnSerializer(serializers.Serializer):
    """A timeline: since when, and under whom."""

    timeline = serializers.IntegerField()
    since = serializers.DateTimeField(allow_null=True)
    leader = serializers.CharField()
    reason = serializers.CharField()


class ClusterSerializer(serializers.Serializer):
    """The cluster now. Without one `has_cluster` is false, and `detail` says how to get one. `leader` is empty while
    nobody leads; `is_synchronous` null where that is not known; `troubles` are sentences; `history` has the newest
    timeline first."""

    has_cluster = serializers.BooleanField()
    detail = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True)
    leader = serializers.CharField()
    timeline = serializers.IntegerField(allow_null=True)
    is_synchronous = serializers.BooleanField(allow_null=True)
    is_paused = serializers.BooleanField()
    is_watched = serializers.BooleanField()
    troubles = serializers.ListField(child=serializers.CharField())
    nodes = NodeSerializer(many=True)
    history = TurnSerializer(many=True)


def as_answered(overview: ClusterOverview | None) -> dict[str, Any]:
    """What the serializer is given."""
    look = overview.look if overview is not None else None
    leading = look.leading if look is not None else None
    return {
        "has_cluster": overview is not None,
        "detail": NoCluster().detail if overview is None else "" if leading else _("Nobody leads the cluster."),
        "at": look.at if look is not None else None,
        "leader": leading.name if leading else "",
        "timeline": leading.timeline if leading else None,
        "is_synchronous": look.is_in_synchronous_mode if look is not None else None,
        "is_paused": look.is_paused if look is not None else False,
        "is_watched": overview.is_watched if overview is not None else False,
        "troubles": overview.troubles if overview is not None else [],
        "nodes": look.nodes if look is not None else [],
        "history": overview.history if overview is not None else [],
    }


@extend_schema(tags=["backups"])
class ClusterView(APIView):
    """How the cluster of databases stands, as Patroni says."""

    action_permissions = {"get": "backups.view_clusterevent"}

    @extend_schema(responses={200: ClusterSerializer})
    def get(self, request: Request) -> Response:
        """Asks every node, which takes up to a few seconds while some do not answer."""
        overview = cluster_overview()
        candidates = overview.look.candidates if overview is not None else []
        return Response(ClusterSerializer(as_answered(overview), context={"candidates": candidates}).data)


class ClusterEventSerializer(serializers.ModelSerializer):
    """Something that happened to the cluster. `leader` leads since, on this `timeline`; `details`: who led `before`,
    how many `seconds` it lasted, `by` whom and for what `reason` a switchover was asked for."""

    details = serializers.DictField()
    sentence = serializers.SerializerMethodField()

    class Meta:
        model = ClusterEvent
        fields = ("id", "at", "kind", "member", "leader", "timeline", "sentence", "details")
        read_only_fields = fields

    @extend_schema_field(serializers.CharField())
    def get_sentence(self, event: ClusterEvent) -> str:
        return sentence_of(EventKind(event.kind), member=event.member, details=event.details)


@extend_schema(tags=["backups"])
class ClusterEventViewSet(ListModelMixin, GenericViewSet):
    """What has happened to the cluster, the newest first."""

    queryset = ClusterEvent.objects.order_by("-id")
    serializer_class = ClusterEventSerializer
    filterset_fields: Any = ("kind", "member")
    action_permissions = {"list": "backups.view_clusterevent"}
