"""customers/"""

from typing import Any, cast

from django.db.models import Q, QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from foundation.api.fields import IdField
from foundation.api.idempotency import IdempotentMixin
from foundation.api.records import permissions_of
from foundation.api.serializers import StrictModelSerializer, StrictSerializer, validated
from foundation.shop import current_shop
from orders.api.loyalty import LoyaltyEntrySerializer
from orders.api.orders import actor_of
from orders.customer_data import customer_data
from orders.customer_duplicates import with_duplicates
from orders.loyalty_selectors import tiers_of
from orders.models import Customer, LoyaltyEntry, LoyaltyTier
from orders.models.finding import CustomerQuerySet, digits_of_phone
from orders.phones import e164
from orders.services.customer_records import add_customer, change_customer
from orders.services.erasing import erase_customer
from orders.services.merging import merge_customers
from users.models import User

PLACE_OWN = "orders.place_own_order"


class CustomerSerializer(StrictModelSerializer):
    """A person who buys, with the contacts that they gave. A phone may be written in any way and is answered in E.164.

    `tier` is what they have reached by the spending of the last twelve months. A duplicate that was merged names who
    goes on in `merged_into`; of somebody who was erased nothing is left but the record.
    """

    tier = serializers.SerializerMethodField()

    class Meta:
        model = Customer
        fields = (
            "id",
            "name",
            "phone",
            "email",
            "birthday",
            "consent",
            "notes",
            "points",
            "tier",
            "merged_into",
            "erased_at",
            "created_at",
        )
        read_only_fields = ("points", "merged_into", "erased_at", "created_at")
        # Longer than a number: however it is written, it is kept in E.164.
        extra_kwargs = {"phone": {"max_length": 60}}

    def get_tier(self, customer: Customer) -> str | None:
        tiers: dict[int, LoyaltyTier | None] = self.context["tiers"]
        tier = tiers[customer.pk]
        return tier.name if tier else None


class OwnCustomerSerializer(CustomerSerializer):
    """What a customer reads of themselves."""

    class Meta(CustomerSerializer.Meta):
        fields = ("id", "name", "phone", "email", "birthday", "consent", "points", "tier", "created_at")  # type: ignore[assignment]


class MergeBodySerializer(StrictSerializer):
    """Which customer is a duplicate of this one."""

    duplicate = IdField()


class EraseBodySerializer(StrictSerializer):
    """Why the person's data is erased, without naming them."""

    reason = serializers.CharField(max_length=300)


class CustomerFilter(filters.FilterSet):
    """`phone` finds the number however it is written; `duplicates=true` those whose phone or e-mail somebody else has,
    too."""

    phone = filters.CharFilter(method="by_phone")
    email = filters.CharFilter(field_name="email", lookup_expr="iexact")
    consent = filters.BooleanFilter()
    duplicates = filters.BooleanFilter(method="by_duplicates")
    search = filters.CharFilter(method="by_text")

    def by_phone(self, customers: QuerySet[Customer], name: str, value: str) -> QuerySet[Customer]:
        return customers.filter(phone=e164(value, current_shop().phone_region) or value)

    def by_text(self, customers: CustomerQuerySet, name: str, value: str) -> QuerySet[Customer]:
        if digits_of_phone(value):
            return customers.search(value)
        return customers.filter(Q(name__icontains=value) | Q(email__icontains=value))

    def by_duplicates(self, customers: QuerySet[Customer], name: str, value: bool) -> QuerySet[Customer]:
        return with_duplicates(customers, has_any=value)


@extend_schema(tags=["customers"])
class CustomerViewSet(IdempotentMixin, ListModelMixin, RetrieveModelMixin, GenericViewSet):
    """Who buys, the newest first. Nobody is deleted: orders name them. Lists leave out duplicates that were merged and
    people who were erased."""

    serializer_class = CustomerSerializer
    filterset_class = CustomerFilter
    lookup_value_converter = "int"
    action_permissions = {
        **permissions_of("orders.customer"),
        "me": PLACE_OWN,
        "my_loyalty": PLACE_OWN,
        "merge": "orders.merge_customer",
        "export": "orders.export_customer",
        "erase": "orders.erase_customer",
    }

    def get_queryset(self) -> QuerySet[Customer]:
        return Customer.objects.current() if self.action == "list" else Customer.objects.all()

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        """With the tiers of all who are shown, in two queries."""
        serializer: Any = super().get_serializer(*args, **kwargs)
        if args:
            shown = args[0] if kwargs.get("many") else [args[0]]
            serializer.context["tiers"] = tiers_of([customer.pk for customer in shown], timezone.now())
        return serializer

    @extend_schema(request=CustomerSerializer, responses={201: CustomerSerializer})
    def create(self, request: Request) -> Response:
        """Writes a customer down."""
        return self.answer(add_customer(values=validated(CustomerSerializer, request)), 201)

    def partial_update(self, request: Request, pk: int) -> Response:
        """Changes the fields that the body names."""
        changes = validated(CustomerSerializer, request, changes_only=True)
        return self.answer(change_customer(customer_id=pk, changes=changes))

    @extend_schema(request=MergeBodySerializer)
    @action(detail=True, methods=["post"])
    def merge(self, request: Request, pk: int) -> Response:
        """Makes the duplicate a pointer to this customer, who gets its orders, points, and the contacts they lack."""
        values = validated(MergeBodySerializer, request)
        return self.answer(merge_customers(survivor_id=pk, duplicate_id=values["duplicate"], actor=actor_of(request)))

    @extend_schema(request=EraseBodySerializer)
    @action(detail=True, methods=["post"])
    def erase(self, request: Request, pk: int) -> Response:
        """Takes everything personal off this customer and their account. It can't be undone."""
        values = validated(EraseBodySerializer, request)
        return self.answer(erase_customer(customer_id=pk, actor=actor_of(request), **values))

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["get"])
    def export(self, request: Request, pk: int) -> Response:
        """Everything that the shop knows of this person."""
        return Response(customer_data(self.get_object()))

    @extend_schema(responses=OwnCustomerSerializer)
    @action(detail=False, methods=["get"], serializer_class=OwnCustomerSerializer)
    def me(self, request: Request) -> Response:
        """What the shop has of oneself, points and tier included."""
        return self.answer(self.own_record(request))

    @extend_schema(responses=LoyaltyEntrySerializer(many=True), filters=False)
    @action(
        detail=False,
        methods=["get"],
        url_path="me/loyalty",
        url_name="my-loyalty",
        filterset_class=None,
        queryset=LoyaltyEntry.objects.none(),
    )
    def my_loyalty(self, request: Request) -> Response:
        """One's own points, the newest entry first."""
        entries = self.filter_queryset(LoyaltyEntry.objects.filter(customer__user_id=cast("User", request.user).pk))
        page = self.paginate_queryset(entries)
        return self.get_paginated_response(LoyaltyEntrySerializer(page, many=True).data)

    def own_record(self, request: Request) -> Customer:
        """The record of who asks; what their first order would write down while there is none."""
        user = cast("User", request.user)
        known = Customer.objects.filter(user_id=user.pk).first()
        return known or Customer(name=str(user), email=user.email, created_at=user.created_at)

    def answer(self, customer: Customer, code: int = 200) -> Response:
        return Response(self.get_serializer(customer).data, status=code)
