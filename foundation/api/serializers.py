"""Reading a request's body: what a client writes is either taken or refused, never ignored."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.validators import UniqueValidator

from foundation.api.fields import MOST_FAULTS, ClockField, RecordField, WholeNumberField, WordField

LONGEST_NAME_SHOWN = 50
# What stands in the place of DRF's own fields for a model's columns.
STRICT_FIELDS: dict[Any, Any] = {serializers.IntegerField: WholeNumberField, serializers.TimeField: ClockField}


class RefusesUnknownFields:
    """Mixed into a serializer: a field of the body that it doesn't know, or only answers with, is refused.

    "quantiy" must not leave a quantity as it was, and nobody shall believe that they have set a stock level.
    """

    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid": _("Send a JSON object, not {datatype}."),
        "unknown_field": _("There is no such field here. Known are: {names}."),
        "read_only_field": _("This field can't be set."),
    }

    def to_internal_value(self, data: Any) -> Any:
        faults = self.unknown_fields(data) if isinstance(data, Mapping) else {}
        try:
            values = super().to_internal_value(data)  # type: ignore[misc]
        except serializers.ValidationError as error:
            if isinstance(error.detail, dict):
                raise serializers.ValidationError({**error.detail, **faults}) from None
            raise
        if faults:
            raise serializers.ValidationError(faults)
        return values

    def unknown_fields(self, data: Mapping[str, Any]) -> dict[str, list[str]]:
        """A sentence for each field of the body that can't be written."""
        fields: Mapping[str, serializers.Field] = self.fields  # type: ignore[attr-defined]
        writable = [name for name, field in fields.items() if not field.read_only]
        messages: Mapping[str, Any] = self.error_messages  # type: ignore[attr-defined]
        unknown = [name for name in data if name not in writable][:MOST_FAULTS]
        return {
            name[:LONGEST_NAME_SHOWN]: [
                messages["read_only_field"]
                if name in fields
                else messages["unknown_field"].format(names=", ".join(writable) or "—")
            ]
            for name in unknown
        }


class StrictSerializer(RefusesUnknownFields, serializers.Serializer):
    """The body of a request that is no record."""


class NothingSerializer(StrictSerializer):
    """A body without fields: the address says it all."""


class StrictModelSerializer(RefusesUnknownFields, serializers.ModelSerializer):
    """A record's fields, for reading and writing.

    It checks each field by itself. What needs the database (whether a name is taken) or several fields is
    checked by the service that writes the record.
    """

    serializer_field_mapping = {
        model_field: STRICT_FIELDS.get(field, field)
        for model_field, field in serializers.ModelSerializer.serializer_field_mapping.items()
    }
    serializer_related_field = RecordField
    serializer_choice_field = WordField

    def build_standard_field(self, field_name: str, model_field: models.Field) -> Any:
        field_class, kwargs = super().build_standard_field(field_name, model_field)
        if "validators" in kwargs:
            kwargs["validators"] = [one for one in kwargs["validators"] if not isinstance(one, UniqueValidator)]
        return field_class, kwargs

    def get_validators(self) -> list[Any]:
        return []


def list_of(child: serializers.BaseSerializer[Any], *, most: int, **kwargs: Any) -> serializers.ListSerializer[Any]:
    """A list of up to `most` nested bodies."""
    return serializers.ListSerializer(child=child, max_length=most, **kwargs)


def validated(
    serializer_class: type[serializers.BaseSerializer[Any]], request: Request, *, changes_only: bool = False
) -> dict[str, Any]:
    """The body of the request, checked and turned into values. Raises DRF's ValidationError.

    With `changes_only`, for PATCH, no field has to be there. DRF's own `partial` would also let the fields of a
    nested list go missing.
    """
    serializer = serializer_class(data=request.data)
    if changes_only and isinstance(serializer, serializers.Serializer):
        for field in serializer.fields.values():
            field.required = False
    serializer.is_valid(raise_exception=True)
    values: dict[str, Any] = serializer.validated_data
    return values
