"""Plain records over REST: list, show, add, change, and for some delete."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Model
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.mixins import CreateModelMixin, ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from foundation.api.idempotency import IdempotentMixin
from foundation.api.serializers import validated
from foundation.services.records import add_record, change_record, delete_record


def permissions_of(model: str) -> dict[str, str]:
    """Django's own permissions of a model ("inventory.category") for the actions of a viewset."""
    app, name = model.split(".")
    return {
        "list": f"{app}.view_{name}",
        "retrieve": f"{app}.view_{name}",
        "create": f"{app}.add_{name}",
        "partial_update": f"{app}.change_{name}",
        "destroy": f"{app}.delete_{name}",
    }


class RecordViewSet(IdempotentMixin, ListModelMixin, RetrieveModelMixin, CreateModelMixin, GenericViewSet):
    """A model whose records have no rules beyond the model's own, and are never deleted."""

    lookup_value_converter = "int"

    @property
    def model(self) -> type[Model]:
        return self.get_queryset().model

    def perform_create(self, serializer: BaseSerializer[Any]) -> None:
        serializer.instance = add_record(record=self.model(**serializer.validated_data))

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Changes the fields that the body names."""
        changes = validated(self.get_serializer_class(), request, changes_only=True)
        return Response(self.get_serializer(self.change(kwargs["pk"], changes)).data)

    def change(self, record_id: int, changes: Mapping[str, Any]) -> Model:
        """The service behind PATCH."""
        return change_record(model=self.model, record_id=record_id, changes=changes)


class DeletableRecordViewSet(RecordViewSet):
    """A model whose records can be deleted as long as nothing needs them."""

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Deletes what nothing needs."""
        self.remove(kwargs["pk"])
        return Response(status=status.HTTP_204_NO_CONTENT)

    def remove(self, record_id: int) -> None:
        """The service behind DELETE."""
        delete_record(model=self.model, record_id=record_id)
