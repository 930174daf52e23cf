"""suppliers/"""

from typing import Any

from django.db.models import Prefetch, QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from foundation.api.filters import IdFilter
from foundation.api.records import DeletableRecordViewSet, permissions_of
from foundation.api.serializers import validated
from inventory.api.supplier_serializers import SupplierBodySerializer, SupplierSerializer
from inventory.models import Supplier, SupplierPack
from inventory.services.suppliers import add_supplier, change_supplier


class SupplierFilter(filters.FilterSet):
    """`ingredient` leaves those who sell it."""

    is_active = filters.BooleanFilter()
    ingredient = IdFilter(method="by_ingredient")

    def by_ingredient(self, suppliers: QuerySet[Supplier], name: str, value: Any) -> QuerySet[Supplier]:
        return suppliers.filter(pk__in=SupplierPack.objects.filter(ingredient_id=int(value)).values("supplier_id"))


@extend_schema(tags=["suppliers"])
class SupplierViewSet(DeletableRecordViewSet):
    """From whom the shop buys, and in which packs. One pack of an ingredient is preferred: choosing another one, of
    whatever supplier, moves the mark. One who no longer delivers is switched off (`is_active` false)."""

    serializer_class = SupplierSerializer
    filterset_class = SupplierFilter
    search_fields = ("name", "contact", "phone", "email")
    ordering = "name"
    action_permissions = permissions_of("inventory.supplier")

    def get_queryset(self) -> QuerySet[Supplier]:
        packs = SupplierPack.objects.select_related("ingredient").order_by("ingredient__name", "name")
        return Supplier.objects.prefetch_related(Prefetch("packs", packs))

    @extend_schema(request=SupplierBodySerializer, responses={201: SupplierSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        values = validated(SupplierBodySerializer, request)
        supplier = add_supplier(packs=values.pop("packs", ()), fields=values)
        return self.answer(supplier, status.HTTP_201_CREATED)

    @extend_schema(request=SupplierBodySerializer)
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        values = validated(SupplierBodySerializer, request, changes_only=True)
        supplier = change_supplier(supplier_id=kwargs["pk"], packs=values.pop("packs", None), fields=values)
        return self.answer(supplier, status.HTTP_200_OK)

    def answer(self, supplier: Supplier, code: int) -> Response:
        return Response(self.get_serializer(self.get_queryset().get(pk=supplier.pk)).data, status=code)
