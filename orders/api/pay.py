"""salaries/, payrolls/"""

import datetime
import re
from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from foundation.api.fields import AmountField, IdField, RecordField
from foundation.api.filters import IdFilter, refuse_unknown
from foundation.api.idempotency import IdempotentMixin
from foundation.api.records import RecordViewSet, permissions_of
from foundation.api.serializers import (
    NothingSerializer,
    StrictModelSerializer,
    StrictSerializer,
    list_of,
    validated,
)
from foundation.errors import InvalidInput
from inventory.models import Location
from inventory.services.exchange import FORMATS
from orders.models import Payroll, PayrollLine, Salary
from orders.payroll_file import payroll_file
from orders.payroll_selectors import lines_of, with_totals
from orders.services.payroll import (
    LONGEST_REASON,
    LineEntry,
    close_payroll,
    discard_payroll,
    draft_payroll,
    fill_in_payroll,
    recalculate_payroll,
    reopen_payroll,
)
from orders.services.salaries import change_salary, give_salary

MONTH = re.compile(r"^\d{4}-(0[1-9]|1[0-2])$", re.ASCII)
MOST_LINES = 1000


class SalarySerializer(StrictModelSerializer):
    """What somebody is paid from one day to another; without `valid_to` it goes on."""

    class Meta:
        model = Salary
        fields = ("id", "employee", "amount", "per", "valid_from", "valid_to", "note", "created_by", "created_at")
        read_only_fields = ("created_by", "created_at")


class SalaryChangeSerializer(StrictModelSerializer):
    """What of a salary can be put right."""

    class Meta:
        model = Salary
        fields = ("amount", "per", "valid_from", "valid_to", "note")


class SalaryFilter(filters.FilterSet):
    employee = IdFilter(field_name="employee_id")


@extend_schema(tags=["payroll"])
class SalaryViewSet(RecordViewSet):
    """What people are paid, for who may see it. A new salary without `valid_to` ends the running one the day before;
    two never overlap, and what a closed payroll was computed from does not change."""

    queryset = Salary.objects.all()
    serializer_class = SalarySerializer
    filterset_class = SalaryFilter
    action_permissions = permissions_of("orders.salary")

    def perform_create(self, serializer: Any) -> None:
        values = dict(serializer.validated_data)
        employee = values.pop("employee")
        values.setdefault("per", Salary.Per.MONTH)
        serializer.instance = give_salary(employee_id=employee.pk, created_by_id=self.request.user.pk, **values)

    @extend_schema(request=SalaryChangeSerializer)
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Puts the fields right that the body names."""
        changes = validated(SalaryChangeSerializer, request, changes_only=True)
        return Response(self.get_serializer(change_salary(salary_id=kwargs["pk"], changes=changes)).data)


@extend_schema_field({"type": "string", "pattern": MONTH.pattern, "example": "2026-11"})
class MonthField(serializers.Field):
    """A calendar month: "2026-11"."""

    default_error_messages = {"month": _("Give a month like 2026-11.")}

    def to_internal_value(self, data: Any) -> datetime.date:
        if not isinstance(data, str) or not MONTH.fullmatch(data) or data.startswith("0000"):
            self.fail("month")
        return datetime.date.fromisoformat(f"{data}-01")

    def to_representation(self, value: datetime.date) -> str:
        return f"{value:%Y-%m}"


class PayPartSerializer(serializers.Serializer):
    """A salary's days in the month."""

    first = serializers.DateField(read_only=True)
    last = serializers.DateField(read_only=True)
    days = serializers.IntegerField(read_only=True)
    amount = serializers.CharField(read_only=True)
    per = serializers.CharField(read_only=True)


class PayrollLineSerializer(serializers.ModelSerializer):
    """What one person is paid for the month, and how it is computed."""

    employee_name = serializers.CharField(source="employee.name", read_only=True)
    parts = PayPartSerializer(many=True, read_only=True)

    class Meta:
        model = PayrollLine
        fields = (
            "id",
            "employee",
            "employee_name",
            "days_employed",
            "days_in_month",
            "hours",
            "base",
            "adjustment",
            "adjustment_reason",
            "total",
            "parts",
        )
        read_only_fields = fields


class PayrollSerializer(serializers.ModelSerializer):
    """A month's pay; `location` is null for everybody who is in no other payroll of the month."""

    month = MonthField(read_only=True)
    people = serializers.IntegerField(read_only=True)
    total = serializers.DecimalField(max_digits=20, decimal_places=2, read_only=True)

    class Meta:
        model = Payroll
        fields = (
            "id",
            "month",
            "location",
            "status",
            "people",
            "total",
            "created_by",
            "created_at",
            "calculated_at",
            "closed_by",
            "closed_at",
            "reopened_by",
            "reopened_at",
            "reopen_reason",
        )
        read_only_fields = fields


class WholePayrollSerializer(PayrollSerializer):
    """A payroll with its lines."""

    lines = serializers.SerializerMethodField()

    class Meta(PayrollSerializer.Meta):
        fields = (*PayrollSerializer.Meta.fields, "lines")  # type: ignore[assignment]

    @extend_schema_field(PayrollLineSerializer(many=True))
    def get_lines(self, payroll: Payroll) -> Any:
        return PayrollLineSerializer(lines_of(payroll), many=True).data


class PayrollBodySerializer(StrictSerializer):
    """Which month, and whose."""

    month = MonthField()
    location = RecordField(queryset=Location.objects.all(), required=False, allow_null=True)


class LineEntrySerializer(StrictSerializer):
    """What is written into a line; what is not named stays."""

    id = IdField()
    hours = AmountField(max_digits=6, decimal_places=2, required=False)
    adjustment = AmountField(max_digits=12, decimal_places=2, required=False)
    adjustment_reason = serializers.CharField(max_length=LONGEST_REASON, required=False, allow_blank=True)

    def to_internal_value(self, data: Any) -> LineEntry:
        values = super().to_internal_value(data)
        return LineEntry(line_id=values.pop("id"), **values)


class LineEntriesSerializer(StrictSerializer):
    lines = list_of(LineEntrySerializer(), most=MOST_LINES)


class ReasonSerializer(StrictSerializer):
    reason = serializers.CharField(max_length=LONGEST_REASON)


class PayrollFilter(filters.FilterSet):
    status = filters.MultipleChoiceFilter(choices=Payroll.Status.choices)
    location = IdFilter(field_name="location_id")


@extend_schema(tags=["payroll"])
class PayrollViewSet(IdempotentMixin, ListModelMixin, GenericViewSet):
    """What people are paid by month, the latest written down first: draft → closed, and back with a reason."""

    serializer_class = PayrollSerializer
    filterset_class = PayrollFilter
    lookup_value_converter = "int"
    # What an action reads from the address itself; `export` does.
    query_parameters: Sequence[str] = ()
    action_permissions = {
        "list": "orders.view_payroll",
        "retrieve": "orders.view_payroll",
        "create": "orders.add_payroll",
        "destroy": "orders.change_payroll",
        "lines": "orders.change_payroll",
        "recalculate": "orders.change_payroll",
        "close": "orders.close_payroll",
        "reopen": "orders.reopen_payroll",
        "export": "orders.view_payroll",
    }

    def get_queryset(self) -> QuerySet[Payroll]:
        return with_totals(Payroll.objects.all())

    @extend_schema(responses=WholePayrollSerializer)
    def retrieve(self, request: Request, pk: int) -> Response:
        """A payroll with its lines, by name."""
        return self.answer(self.get_object())

    @extend_schema(request=PayrollBodySerializer, responses={201: WholePayrollSerializer})
    def create(self, request: Request) -> Response:
        """Begins the payroll of a month and calculates it."""
        values = validated(PayrollBodySerializer, request)
        return self.answer(draft_payroll(**values, created_by_id=request.user.pk), status.HTTP_201_CREATED)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: int) -> Response:
        """Discards a draft."""
        discard_payroll(payroll_id=pk)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=LineEntriesSerializer, responses=WholePayrollSerializer)
    @action(detail=True, methods=["patch"])
    def lines(self, request: Request, pk: int) -> Response:
        """Writes hours and adjustments into the lines of a draft, and calculates it anew."""
        entries = validated(LineEntriesSerializer, request)["lines"]
        return self.answer(fill_in_payroll(payroll_id=pk, entries=entries))

    @extend_schema(request=NothingSerializer, responses=WholePayrollSerializer)
    @action(detail=True, methods=["post"])
    def recalculate(self, request: Request, pk: int) -> Response:
        """Calculates a draft from employees and salaries as they are now; hours and adjustments stay."""
        validated(NothingSerializer, request)
        return self.answer(recalculate_payroll(payroll_id=pk))

    @extend_schema(request=NothingSerializer, responses=WholePayrollSerializer)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, pk: int) -> Response:
        """draft → closed: it is paid so. Refused (`changed_meanwhile`) if calculating it anew would change it."""
        validated(NothingSerializer, request)
        return self.answer(close_payroll(payroll_id=pk, closed_by_id=request.user.pk))

    @extend_schema(request=ReasonSerializer, responses=WholePayrollSerializer)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: int) -> Response:
        """closed → draft, with the reason."""
        values = validated(ReasonSerializer, request)
        return self.answer(reopen_payroll(payroll_id=pk, reopened_by_id=request.user.pk, **values))

    @extend_schema(
        parameters=[OpenApiParameter("kind", str, enum=sorted(FORMATS), description="Without it csv.")],
        responses={
            (200, "text/csv"): OpenApiTypes.BINARY,
            (200, FORMATS["xlsx"]): OpenApiTypes.BINARY,
        },
        filters=False,
    )
    @action(detail=True, methods=["get"], pagination_class=None, filterset_class=None, query_parameters=("kind",))
    def export(self, request: Request, pk: int) -> HttpResponse:
        """The lines as a file."""
        refuse_unknown(request, {"kind", "format"})
        kind = request.query_params.get("kind", "csv")
        if kind not in FORMATS:
            raise InvalidInput.at(
                "kind", gettext("Give one of these words: %(words)s.") % {"words": ", ".join(FORMATS)}
            )
        file = payroll_file(self.get_object(), kind=kind)
        headers = {
            "Content-Type": file.content_type,
            "Content-Disposition": f'attachment; filename="{file.name}"',
            "Cache-Control": "no-store",
        }
        return HttpResponse(file.content, headers=headers)

    def answer(self, payroll: Payroll, code: int = status.HTTP_200_OK) -> Response:
        whole = self.get_queryset().get(pk=payroll.pk)
        return Response(WholePayrollSerializer(whole, context=self.get_serializer_context()).data, status=code)
