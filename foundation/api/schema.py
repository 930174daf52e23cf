"""What the OpenAPI description says of the mechanisms that all views share."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from foundation.api.idempotency import HEADER, WRITES, IdempotentMixin
from foundation.services.idempotency import MAX_KEY_LENGTH


class ShopSchema(AutoSchema):
    """drf-spectacular's description, with the header of idempotent writes and the search of lists."""

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
