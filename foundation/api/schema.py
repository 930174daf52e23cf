"""What the OpenAPI description says of the mechanisms that all views share."""

from collections.abc import Iterator
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema_serializer
from rest_framework import serializers
from rest_framework.permissions import AllowAny

from foundation.api.idempotency import HEADER, WRITES, IdempotentMixin
from foundation.services.idempotency import MAX_KEY_LENGTH


@extend_schema_serializer(component_name="Error")
class ErrorSerializer(serializers.Serializer):
    """What every refusal answers: `type` for programs, `detail` for people, and what else is known."""

    type = serializers.CharField()
    detail = serializers.CharField()
    errors = serializers.DictField(  # type: ignore[assignment]  # the name is the contract's
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="With `invalid`: sentences by field, such as `items[0].quantity`.",
    )


class MissingIngredientSerializer(serializers.Serializer):
    """So much of an ingredient is needed, and only so much is there."""

    ingredient = serializers.IntegerField()
    name = serializers.CharField()
    needed = serializers.CharField()
    available = serializers.CharField()
    unit = serializers.CharField()


@extend_schema_serializer(component_name="Conflict")
class ConflictSerializer(serializers.Serializer):
    """Why what is asked can't be done now."""

    type = serializers.CharField()
    detail = serializers.CharField()
    shortages = MissingIngredientSerializer(
        many=True, required=False, help_text="With `insufficient_stock` and `unavailable`."
    )


class ShopSchema(AutoSchema):
    """drf-spectacular's description, with what all views share: the header of idempotent writes, the search of
    lists, and the errors."""

    def get_override_parameters(self) -> list[Any]:
        parameters = list(super().get_override_parameters())
        if isinstance(self.view, IdempotentMixin) and self.method in WRITES:
            parameters.append(
                OpenApiParameter(
                    name=HEADER,
                    location=OpenApiParameter.HEADER,
                    type={"type": "string", "minLength": 1, "maxLength": MAX_KEY_LENGTH},
                    description="Any text of your own. A repeat with the same key and body gets the first answer.",
                )
            )
        if self._is_list_view() and getattr(self.view, "search_fields", None):
            parameters.append(OpenApiParameter(name="search", description="Words to look for."))
        return parameters

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        responses: dict[str, Any] = super()._get_response_bodies(direction)
        if direction == "response":
            for code, serializer, description in self.refusals():
                answer = OpenApiResponse(serializer, description=description)
                responses.setdefault(code, self._get_response_for_code(answer, code, direction=direction))
        return dict(sorted(responses.items()))

    def refusals(self) -> Iterator[tuple[str, type[serializers.Serializer], str]]:
        """The errors that the operation can answer, beyond those that the view names itself."""
        writes = self.method in WRITES
        if writes or self._is_list_view() or hasattr(self.view, "query_parameters"):
            yield "400", ErrorSerializer, "`invalid`: `errors` says what, field by field."
        if AllowAny not in self.view.permission_classes:
            yield "401", ErrorSerializer, "`not_authenticated` or `authentication_failed`: sign in first."
            yield "403", ErrorSerializer, "`permission_denied`: this account may not do this."
        if "{" in self.path:
            yield "404", ErrorSerializer, "`not_found`: there is none, or not for this account."
        if writes and isinstance(self.view, IdempotentMixin):
            yield (
                "409",
                ConflictSerializer,
                (
                    "The shop's state does not allow it, such as `insufficient_stock`, `unavailable`, `wrong_status`, "
                    "`closed_location`, `in_use`; or `in_progress`: the first request with this key is still running."
                ),
            )
            yield "422", ErrorSerializer, "`idempotency_mismatch`: the key was used for another request."
