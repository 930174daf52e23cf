"""Plain records over REST: list, show, add, change, delete."""

from typing import Any

from django.db.models import Model
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import ModelViewSet

from foundation.api.idempotency import IdempotentMixin
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


class RecordViewSet(IdempotentMixin, ModelViewSet):
    """A model whose records have no rules beyond the model's own. PATCH changes the fields that it names."""

    http_method_names = ["get", "post", "patch", "delete", "head", "options"]
    lookup_value_converter = "int"

    @property
    def model(self) -> type[Model]:
        return self.get_queryset().model

    def perform_create(self, serializer: BaseSerializer[Any]) -> None:
        serializer.instance = add_record(record=self.model(**serializer.validated_data))

    def perform_update(self, serializer: BaseSerializer[Any]) -> None:
        serializer.instance = change_record(
            model=self.model, record_id=serializer.instance.pk, changes=serializer.validated_data
        )

    def perform_destroy(self, instance: Model) -> None:
        delete_record(model=type(instance), record_id=instance.pk)
