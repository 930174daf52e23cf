"""employees/, positions/"""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from foundation.api.filters import IdFilter, refuse_unknown
from foundation.api.records import DeletableRecordViewSet, RecordViewSet, permissions_of
from foundation.api.serializers import StrictModelSerializer
from foundation.errors import InvalidInput
from inventory.models import Location
from orders.employee_selectors import sales_of_employee
from orders.models import Employee, Position
from orders.services.employees import change_employee, hire_employee


class PositionSerializer(StrictModelSerializer):
    """What somebody is employed as."""

    class Meta:
        model = Position
        fields = ("id", "name")


@extend_schema(tags=["employees"])
class PositionViewSet(DeletableRecordViewSet):
    """What people are employed as."""

    queryset = Position.objects.all()
    serializer_class = PositionSerializer
    search_fields = ("name",)
    ordering = "name"
    action_permissions = permissions_of("orders.position")


class EmployeeSerializer(StrictModelSerializer):
    """A person who works or worked at a location."""

    position_name = serializers.CharField(source="position.name", read_only=True)

    class Meta:
        model = Employee
        fields = ("id", "name", "position", "position_name", "location", "hired_on", "left_on")


class EmployeeFilter(filters.FilterSet):
    """`working=true` leaves those who have not left."""

    location = IdFilter(field_name="location_id")
    position = IdFilter(field_name="position_id")
    working = filters.BooleanFilter(field_name="left_on", lookup_expr="isnull")


class EmployeeSalesSerializer(serializers.Serializer):
    """What somebody sold on some days: completed orders by the day on which they were placed. `revenue` is what is left
    of them after discounts and refunds; `refunds` is the money that went back."""

    employee = serializers.IntegerField(source="employee_id", read_only=True)
    first_day = serializers.DateField(read_only=True)
    last_day = serializers.DateField(read_only=True)
    orders = serializers.IntegerField(read_only=True)
    items = serializers.IntegerField(read_only=True)
    revenue = serializers.DecimalField(max_digits=20, decimal_places=2, read_only=True)
    average = serializers.DecimalField(max_digits=20, decimal_places=2, read_only=True)
    refunds = serializers.DecimalField(max_digits=20, decimal_places=2, read_only=True)


@extend_schema(tags=["employees"])
class EmployeeViewSet(RecordViewSet):
    """Who works here. Nobody is deleted: whoever leaves gets the day in `left_on`. What a closed payroll was computed
    from does not change."""

    serializer_class = EmployeeSerializer
    filterset_class = EmployeeFilter
    search_fields = ("name",)
    ordering = ("name", "id")
    action_permissions = {**permissions_of("orders.employee"), "sales": "orders.view_employee_sales"}
    # What an action reads from the address itself; `sales` does.
    query_parameters: Sequence[str] = ()

    def get_queryset(self) -> QuerySet[Employee]:
        return Employee.objects.select_related("position")

    def perform_create(self, serializer: Any) -> None:
        serializer.instance = hire_employee(**serializer.validated_data)

    def change(self, record_id: int, changes: Mapping[str, Any]) -> Employee:
        return change_employee(employee_id=record_id, changes=changes)

    @extend_schema(
        parameters=[
            OpenApiParameter("from", datetime.date, description="The first day; without it the month's first."),
            OpenApiParameter("to", datetime.date, description="The last day; without it today."),
        ],
        responses=EmployeeSalesSerializer,
        filters=False,
    )
    @action(
        detail=True,
        methods=["get"],
        pagination_class=None,
        filterset_class=None,
        search_fields=(),
        query_parameters=("from", "to"),
    )
    def sales(self, request: Request, pk: int) -> Response:
        """What somebody sold at all locations, on days of the location of each order."""
        refuse_unknown(request, {"from", "to", "format"})
        employee = self.get_object()
        last = day_parameter(request, "to") or employee.location.today()
        first = day_parameter(request, "from") or last.replace(day=1)
        try:
            found = sales_of_employee(employee_id=employee.pk, locations=Location.objects.all(), first=first, last=last)
        except InvalidInput as refusal:
            names = {"first_day": "from", "last_day": "to"}
            errors = {names[field]: sentences for field, sentences in refusal.errors.items()}
            raise InvalidInput(refusal.detail, errors=errors) from refusal
        answer = {name: getattr(found, name) for name in ("orders", "items", "revenue", "average", "refunds")}
        shown = EmployeeSalesSerializer({"employee_id": employee.pk, "first_day": first, "last_day": last, **answer})
        return Response(shown.data)


def day_parameter(request: Request, name: str) -> datetime.date | None:
    """The day that the query parameter `name` gives, None without one. Raises InvalidInput at it."""
    text = request.query_params.get(name)
    if not text:
        return None
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise InvalidInput.at(name, _("Give a day like 2026-11-21.")) from None
