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
    KeepBodySerializer,
    ReasonBodySerializer,
    RecoveryBodySerializer,
    RestoreSerializer,
    TakeOverBodySerializer,
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
        "keep": MAKE,
        "ask_to_delete": "backups.delete_old_backup",
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

    @extend_schema(request=KeepBodySerializer, responses=BackupSerializer)
    @action(detail=True, methods=["post"])
    def keep(self, request: Request, pk: UUID) -> Response:
        """Has it kept for good, or no longer."""
        requests.keep_backup(
            backup_id=str(pk), **validated(KeepBodySerializer, request), by=request.user.get_username()
        )
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=ReasonBodySerializer, responses={202: JobSerializer})
    @action(detail=True, methods=["post"], url_path="delete")
    def ask_to_delete(self, request: Request, pk: UUID) -> Response:
        """Has it deleted here; copies in other places stay until they are old. Refused for one that is kept for good,
        that others build upon, or that is the last one proved."""
        body = validated(ReasonBodySerializer, request)
        return asked(requests.request_deletion(backup_id=str(pk), **body, by=request.user.get_username()))


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
        "take_over": RESTORE,
        "swap_back": RESTORE,
        "discard": RESTORE,
    }

    @extend_schema(request=RecoveryBodySerializer, responses={202: JobSerializer})
    def create(self, request: Request) -> Response:
        """Recovers beside the running shop, and compares both: the answer's id leads to what came of it."""
        body = validated(RecoveryBodySerializer, request)
        backup_id = str(body.pop("backup", ""))
        return asked(requests.request_recovery(**body, backup_id=backup_id, by=request.user.get_username()))

    @extend_schema(request=TakeOverBodySerializer, responses={202: JobSerializer})
    @action(detail=True, methods=["post"], url_path="take-over")
    def take_over(self, request: Request, pk: UUID) -> Response:
        """Puts what this recovery brought in the place of the shop's database, which is kept and can be swapped back;
        or only chosen tables, while the shop works. What was written since is gone then: see its comparison first."""
        body = validated(TakeOverBodySerializer, request)
        return asked(requests.request_take_over(run_id=str(pk), **body, by=request.user.get_username()))

    @extend_schema(request=ReasonBodySerializer, responses={202: JobSerializer})
    @action(detail=True, methods=["post"], url_path="swap-back")
    def swap_back(self, request: Request, pk: UUID) -> Response:
        """Puts the database from before this take-over in its place again."""
        body = validated(ReasonBodySerializer, request)
        return asked(requests.request_way_back(run_id=str(pk), **body, by=request.user.get_username()))

    @extend_schema(request=NothingSerializer, responses={202: JobSerializer})
    @action(detail=True, methods=["post"])
    def discard(self, request: Request, pk: UUID) -> Response:
        """Throws away what this recovery brought. The shop is not touched."""
        validated(NothingSerializer, request)
        return asked(requests.request_discard(run_id=str(pk), by=request.user.get_username()))


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
