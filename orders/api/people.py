"""employees/, positions/"""

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers

from foundation.api.filters import IdFilter
from foundation.api.records import DeletableRecordViewSet, RecordViewSet, permissions_of
from foundation.api.serializers import StrictModelSerializer
from orders.models import Employee, Position


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


@extend_schema(tags=["employees"])
class EmployeeViewSet(RecordViewSet):
    """Who works here. Nobody is deleted: whoever leaves gets the day in `left_on`."""

    serializer_class = EmployeeSerializer
    filterset_class = EmployeeFilter
    search_fields = ("name",)
    ordering = ("name", "id")
    action_permissions = permissions_of("orders.employee")

    def get_queryset(self) -> QuerySet[Employee]:
        return Employee.objects.select_related("position")
