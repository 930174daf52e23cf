"""products/{id}/image/"""

from collections.abc import Mapping
from typing import IO, Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import ImageField, Serializer
from rest_framework.views import APIView

from foundation.api.idempotency import IdempotentMixin
from foundation.api.serializers import validated
from foundation.errors import InvalidInput
from inventory.api.product_serializers import PictureSerializer
from inventory.images import LARGEST_FILE
from inventory.models import Product
from inventory.services.pictures import remove_picture, set_picture

# The form around the file.
ENVELOPE = 64 * 1024


class PictureParser(MultiPartParser):
    """A form with one picture. What says itself that it is too large is not read at all."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        request = (parser_context or {})["request"]
        if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST_FILE + ENVELOPE:
            raise InvalidInput.at("image", _("The picture is larger than 5 MB. Make it smaller and try again."))
        return super().parse(stream, media_type, parser_context)


class PictureAnswerSerializer(Serializer):
    """Where the product's picture is now; null without one."""

    image = ImageField(read_only=True, allow_null=True)


@extend_schema(tags=["products"])
class ProductPictureView(IdempotentMixin, APIView):
    """The picture of a product."""

    parser_classes = [PictureParser]
    action_permissions = {
        "put": "inventory.change_product",
        "post": "inventory.change_product",
        "delete": "inventory.change_product",
    }

    @extend_schema(request=PictureSerializer, responses={200: PictureAnswerSerializer})
    def put(self, request: Request, pk: int) -> Response:
        """Gives the product this picture in place of the one it had."""
        return self.answer(set_picture(product_id=pk, file=validated(PictureSerializer, request)["image"]))

    @extend_schema(request=PictureSerializer, responses={200: PictureAnswerSerializer})
    def post(self, request: Request, pk: int) -> Response:
        """The same as PUT."""
        return self.put(request, pk)

    @extend_schema(request=None, responses={200: PictureAnswerSerializer})
    def delete(self, request: Request, pk: int) -> Response:
        """Takes the picture away."""
        return self.answer(remove_picture(product_id=pk))

    def answer(self, product: Product) -> Response:
        return Response(PictureAnswerSerializer(product, context={"request": self.request}).data)
