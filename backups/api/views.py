"""backups/, restores/ and wal-checks/. Long work is done by the agent: these ask for it, and say how far it is."""

from typing import Any
from uuid import UUID

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from backups.api.serializers import (
    BackupBodySerializer,
    BackupSerializer,
    JobSerializer,
    RecoveryBodySerializer,
    RestoreSerializer,
    WalCheckSerializer,
)
from backups.engine.jobs import Job
from backups.models import Backup, RestoreRun, WalCheck
from backups.services import requests
from foundation.api.serializers import NothingSerializer, validated

MAKE, RESTORE = "backups.make_backup", "backups.restore"


def asked(job: Job) -> Response:
    """202: it will be done."""
    return Response(JobSerializer(job).data, status=status.HTTP_202_ACCEPTED)


class BackupFilter(filters.FilterSet):
    kind = filters.ChoiceFilter(choices=Backup.Kinds.choices)
    status = filters.MultipleChoiceFilter(choices=Backup.Status.choices, distinct=False)
    proved = filters.BooleanFilter(field_name="proved_at", lookup_expr="isnull", exclude=True)


@extend_schema(tags=["backups"])
class BackupViewSet(ListModelMixin, RetrieveModelMixin, GenericViewSet):
    """What the folder of backups holds, the newest first."""

    queryset = Backup.objects.order_by("-id")
    serializer_class = BackupSerializer
    filterset_class = BackupFilter
    lookup_value_converter = "uuid"
    action_permissions = {
        "list": "backups.view_backup",
        "retrieve": "backups.view_backup",
        "create": MAKE,
        "verify": MAKE,
        "drill": MAKE,
    }

    @extend_schema(request=BackupBodySerializer, responses={202: JobSerializer})
    def create(self, request: Request) -> Response:
        """Asks for a backup; it stands in the list under the id that is answered."""
        return asked(
            requests.request_backup(**validated(BackupBodySerializer, request), by=request.user.get_username())
        )

    @extend_schema(request=NothingSerializer, responses={202: JobSerializer})
    @action(detail=True, methods=["post"])
    def verify(self, request: Request, pk: UUID) -> Response:
        """Has every byte of it read again."""
        validated(NothingSerializer, request)
        return asked(requests.request_verification(backup_id=str(pk), by=request.user.get_username()))

    @extend_schema(request=NothingSerializer, responses={202: JobSerializer})
    @action(detail=True, methods=["post"])
    def drill(self, request: Request, pk: UUID) -> Response:
        """Has it proved: restored beside the running shop, looked at, and thrown away."""
        validated(NothingSerializer, request)
        return asked(requests.request_drill(backup_id=str(pk), by=request.user.get_username()))


@extend_schema(tags=["backups"])
class RestoreViewSet(ListModelMixin, RetrieveModelMixin, GenericViewSet):
    """Recoveries, take-overs and drills, the newest first."""

    queryset = RestoreRun.objects.order_by("-id")
    serializer_class = RestoreSerializer
    filterset_fields: Any = ("kind", "status")
    lookup_value_converter = "uuid"
    action_permissions = {
        "list": "backups.view_restorerun",
        "retrieve": "backups.view_restorerun",
        "create": RESTORE,
    }

    @extend_schema(request=RecoveryBodySerializer, responses={202: JobSerializer})
    def create(self, request: Request) -> Response:
        """Recovers beside the running shop to a moment. Taking it over is for a person, in the admin."""
        return asked(
            requests.request_recovery(**validated(RecoveryBodySerializer, request), by=request.user.get_username())
        )


@extend_schema(tags=["backups"])
class WalCheckViewSet(ListModelMixin, RetrieveModelMixin, GenericViewSet):
    """Looks at the WAL, the newest first."""

    queryset = WalCheck.objects.order_by("-id")
    serializer_class = WalCheckSerializer
    filterset_fields: Any = ("status",)
    lookup_value_converter = "uuid"
    action_permissions = {"list": "backups.view_walcheck", "retrieve": "backups.view_walcheck", "create": MAKE}

    @extend_schema(request=NothingSerializer, responses={202: JobSerializer})
    def create(self, request: Request) -> Response:
        """Asks for a look at the WAL."""
        validated(NothingSerializer, request)
        return asked(requests.request_wal_check(by=request.user.get_username()))
