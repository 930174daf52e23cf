"""How listings are shown and written."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from foundation.api.fields import IdField, WholeNumberField
from foundation.api.serializers import StrictSerializer
from marketplaces.models import Listing


class ListingSerializer(serializers.ModelSerializer):
    """An offer on a marketplace: one piece of `sku` is `quantity` portions of `product`."""

    account = serializers.UUIDField(source="account_id")
    product = serializers.IntegerField(source="product_id")
    product_name = serializers.CharField(source="product.name")
    desired = serializers.SerializerMethodField(
        help_text="Pieces that may be offered now: from the stock, less `buffer` and what orders have claimed. Null "
        "for a product without a recipe: nobody knows, and nothing is sent."
    )
    why_not = serializers.SerializerMethodField(
        help_text="What else than the stock decides `desired`: untracked, off_the_menu or closed; empty otherwise."
    )
    offered = serializers.IntegerField(
        allow_null=True,
        help_text="Pieces that the marketplace showed when it was read last; null while that is unknown.",
    )
    refused_because = serializers.CharField(source="push_error")

    class Meta:
        model = Listing
        fields = (
            *("id", "account", "sku", "product", "product_name", "quantity", "buffer", "name", "barcode", "is_active"),
            *("desired", "why_not", "offered", "offered_at", "refused_because"),
        )
        read_only_fields = fields

    @extend_schema_field({"type": "integer", "nullable": True})
    def get_desired(self, listing: Any) -> int | None:
        pieces: int | None = listing.offer.pieces
        return pieces

    def get_why_not(self, listing: Any) -> str:
        return listing.offer.why_not.value if listing.offer.why_not else ""


class ListingChangesSerializer(StrictSerializer):
    """What of a listing may be changed."""

    product = IdField()
    quantity = WholeNumberField(help_text="Portions of the product in one piece.")
    buffer = WholeNumberField(help_text="Pieces that are never offered.")
    name = serializers.CharField(allow_blank=True)
    barcode = serializers.CharField(allow_blank=True)
    is_active = serializers.BooleanField(help_text="False: its quantity on the marketplace is left alone.")


class ListingBodySerializer(StrictSerializer):
    """A SKU of an account, and what of the shop it is."""

    account = serializers.UUIDField()
    sku = serializers.CharField(help_text="Allegro: the offer's id; Ozon: offer_id; Wildberries: chrtId.")
    product = IdField()
    quantity = WholeNumberField(default=1, help_text="Portions of the product in one piece.")
    buffer = WholeNumberField(default=0, help_text="Pieces that are never offered.")
    name = serializers.CharField(allow_blank=True, default="")
    barcode = serializers.CharField(allow_blank=True, default="")
    is_active = serializers.BooleanField(default=True)


class SuggestionSerializer(serializers.Serializer):
    """A product that a SKU might be; `is_sure` if the same SKU or barcode stands at both."""

    product_id = serializers.IntegerField()
    name = serializers.CharField()
    is_sure = serializers.BooleanField()


class UnmatchedRowSerializer(serializers.Serializer):
    """A SKU that no listing matches; `pieces` in stock there, `sold` in the account's newest orders."""

    sku = serializers.CharField()
    name = serializers.CharField()
    barcode = serializers.CharField()
    pieces = serializers.IntegerField()
    sold = serializers.IntegerField()
    seen_at = serializers.DateTimeField()
    suggestion = SuggestionSerializer(allow_null=True)


class UnmatchedSerializer(serializers.Serializer):
    """By SKU, up to 200; `next_after` is null at the end."""

    results = UnmatchedRowSerializer(many=True)
    next_after = serializers.CharField(allow_null=True)


class SwitchSerializer(serializers.Serializer):
    """Whether all writing to all marketplaces is stopped, since when and why."""

    stopped = serializers.SerializerMethodField()
    reason = serializers.CharField()
    stopped_at = serializers.DateTimeField(source="pushes_stopped_at", allow_null=True)
    stopped_by = serializers.IntegerField(source="stopped_by_id", allow_null=True)

    def get_stopped(self, switch: Any) -> bool:
        return switch.pushes_stopped_at is not None


class SwitchBodySerializer(StrictSerializer):
    """`stopped` true needs a `reason`."""

    stopped = serializers.BooleanField()
    reason = serializers.CharField(allow_blank=True, default="")
