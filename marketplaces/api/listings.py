"""marketplaces/listings/: what stands on the marketplaces, and what of the shop it sells."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from foundation.api.filters import IdFilter, refuse_nul, refuse_unknown
from foundation.api.idempotency import IdempotentMixin
from foundation.api.serializers import validated
from foundation.errors import InvalidInput
from marketplaces.api.binding import EXTERNAL_USER_ID, OfVisibleAccounts
from marketplaces.api.listing_serializers import (
    ListingBodySerializer,
    ListingChangesSerializer,
    ListingSerializer,
    UnmatchedSerializer,
)
from marketplaces.errors import UnknownListing
from marketplaces.matching import suggestions, unmatched_skus
from marketplaces.models import Listing
from marketplaces.services.listings import Match, add_listing, change_listing, delete_listing
from marketplaces.services.offered import attach_offers

MOST_UNMATCHED = 200


class ListingFilter(filters.FilterSet):
    """`refused=true` leaves those whose last quantity the marketplace did not take."""

    account = filters.UUIDFilter(field_name="account_id")
    product = IdFilter(field_name="product_id")
    sku = filters.CharFilter(field_name="sku")
    refused = filters.BooleanFilter(field_name="push_error", method="by_refusal")

    class Meta:
        model = Listing
        fields = ("is_active",)

    def by_refusal(self, listings: QuerySet[Listing], name: str, value: bool) -> QuerySet[Listing]:
        return listings.exclude(push_error="") if value else listings.filter(push_error="")


@extend_schema_view(list=extend_schema(parameters=[EXTERNAL_USER_ID]))
@extend_schema(tags=["marketplaces"])
class ListingViewSet(OfVisibleAccounts, IdempotentMixin, ListModelMixin, RetrieveModelMixin, GenericViewSet):
    """Listings, the newest first. What they may offer (`desired`) is computed from the stock; what the marketplace
    shows (`offered`) was read from it. A token that is bound to a seller knows only theirs."""

    serializer_class = ListingSerializer
    filterset_class = ListingFilter
    search_fields = ("sku", "name", "barcode", "product__name")
    ordering = "-id"
    lookup_value_converter = "int"
    action_permissions = {
        "list": "marketplaces.view_listing",
        "retrieve": "marketplaces.view_listing",
        "create": "marketplaces.add_listing",
        "partial_update": "marketplaces.change_listing",
        "destroy": "marketplaces.delete_listing",
        "unmatched": "marketplaces.view_listing",
    }

    def get_queryset(self) -> QuerySet[Listing]:
        return self.of_visible_accounts(Listing.objects.select_related("product"))

    def paginate_queryset(self, queryset: Any) -> Any:
        return with_offers(super().paginate_queryset(queryset))

    def get_object(self) -> Listing:
        return with_offers([super().get_object()])[0]

    @extend_schema(request=ListingBodySerializer, responses={201: ListingSerializer})
    def create(self, request: Request) -> Response:
        """Matches a SKU with a product. Its quantity is sent with the next run, if the account is live."""
        values = validated(ListingBodySerializer, request)
        account = self.account_of_body(values.pop("account"))
        listing = add_listing(account_id=account.pk, match=Match(product_id=values.pop("product"), **values))
        return self.answer(listing, status.HTTP_201_CREATED)

    @extend_schema(request=ListingChangesSerializer)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Changes what the listing sells and how much of it. Another SKU is another listing."""
        changes = validated(ListingChangesSerializer, request, changes_only=True)
        if "product" in changes:
            changes["product_id"] = changes.pop("product")
        return self.answer(change_listing(listing_id=self.visible(pk), changes=changes), status.HTTP_200_OK)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: int) -> Response:
        """Takes the match back. What the marketplace shows is left as it is."""
        delete_listing(listing_id=self.visible(pk))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        parameters=[
            OpenApiParameter("account", UUID, required=True, description="Whose SKUs."),
            OpenApiParameter("after", str, description="Goes on after this SKU: `next_after` of the answer before."),
        ],
        responses=UnmatchedSerializer,
        filters=False,
    )
    @action(detail=False, pagination_class=None, filter_backends=[])
    def unmatched(self, request: Request) -> Response:
        """SKUs of the account's stock and orders that no listing matches, with what they might be."""
        refuse_unknown(request, {"account", "after", "external_user_id", "format"})
        refuse_nul(request)
        account = self.account_of_body(account_parameter(request))
        after = request.query_params.get("after", "")
        rows = unmatched_skus(account_id=account.pk, after=after, most=MOST_UNMATCHED + 1)
        shown, more = rows[:MOST_UNMATCHED], rows[MOST_UNMATCHED:]
        found = suggestions(shown)
        results = [{**asdict(row), "suggestion": asdict(found[row.sku]) if row.sku in found else None} for row in shown]
        answer = {"results": results, "next_after": shown[-1].sku if more else None}
        return Response(UnmatchedSerializer(answer).data)

    def visible(self, listing_id: int) -> int:
        """The id, if it is one of a listing that the caller sees. Raises UnknownListing (404)."""
        if not self.get_queryset().filter(pk=listing_id).exists():
            raise UnknownListing(listing_id)
        return listing_id

    def answer(self, listing: Listing, code: int) -> Response:
        written = with_offers([self.get_queryset().get(pk=listing.pk)])[0]
        return Response(self.get_serializer(written).data, status=code)


def with_offers(listings: Any) -> Any:
    """The same listings, each with its `offer`."""
    attach_offers(listings or (), at=timezone.now())
    return listings


def account_parameter(request: Request) -> UUID:
    """The account that the query names. Raises InvalidInput at it."""
    try:
        return UUID(request.query_params.get("account", ""))
    except ValueError as error:
        raise InvalidInput.at("account", _("Name the account by its id.")) from error
