"""A small API to try the mechanisms on: lists and writes of alerts."""

from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import models, transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import include, path
from django_filters import rest_framework as filters
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from foundation.api.idempotency import IdempotentMixin
from foundation.api.parsers import StrictJSONParser
from foundation.errors import Conflict, InvalidInput, Missing, NotPermitted, Refusal
from monitoring.models import Alert
from monitoring.severity import Severity


class AlertSerializer(serializers.ModelSerializer):
    class Meta:
        model = Alert
        fields = ("id", "event", "severity", "subject", "message", "details")


class AlertFilter(filters.FilterSet):
    created = filters.DateTimeFromToRangeFilter(field_name="created_at")
    resolved = filters.BooleanFilter(field_name="resolved_at", lookup_expr="isnull", exclude=True)
    times = filters.NumberFilter(field_name="count")
    alert = filters.ModelChoiceFilter(field_name="id", queryset=Alert.objects.all())

    class Meta:
        model = Alert
        fields = ("severity", "event")


class AlertViewSet(IdempotentMixin, viewsets.ModelViewSet):
    queryset = Alert.objects.all()
    serializer_class = AlertSerializer
    filterset_class = AlertFilter
    search_fields = ("message",)
    query_parameters = ("location",)
    action_permissions = {
        "list": "monitoring.view_alert",
        "retrieve": None,
        "create": None,
        "partial_update": None,
        "destroy": None,
        "acknowledge": "monitoring.acknowledge_alert",
    }

    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, pk: Any = None) -> Response:
        return Response({"id": self.get_object().pk})

    @action(detail=True, methods=["post"])
    def forgotten(self, request: Request, pk: Any = None) -> Response:
        """Not named in `action_permissions`."""
        return Response({})


class ByEventViewSet(AlertViewSet):
    ordering = ("event", "-count")


class LineSerializer(serializers.Serializer):
    quantity = serializers.DecimalField(max_digits=14, decimal_places=3, min_value=1)
    options = serializers.ListField(child=serializers.IntegerField(), default=list)


class OrderSerializer(serializers.Serializer):
    comment = serializers.CharField(max_length=20, required=False)
    items = LineSerializer(many=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs["items"]) > 3:
            raise serializers.ValidationError("At most three lines.")
        return attrs


class WriteView(IdempotentMixin, APIView):
    """Writes an alert about `subject`, and then does what `then` says."""

    action_permissions = {"post": None, "put": None}
    parser_classes = [StrictJSONParser, MultiPartParser]

    def post(self, request: Request) -> HttpResponse | StreamingHttpResponse:
        alert = write_alert(str(request.data.get("subject", "")))
        match request.data.get("then"):
            case "refuse":
                raise Conflict("No.")
            case "answer 400":
                return Response({"type": "invalid"}, status=400)
            case "fail":
                raise RuntimeError("a mistake of ours")
            case "nothing":
                return Response(status=204)
            case "text":
                return HttpResponse("done", content_type="text/plain; charset=utf-8", status=202)
            case "stream":
                return StreamingHttpResponse(iter([b"a", b"b"]))
        return Response({"id": alert.pk, "subject": alert.subject, "name": "чай"}, status=201)

    put = post


def write_alert(subject: str) -> Alert:
    return Alert.objects.create(event="test", severity=Severity.INFO, subject=subject, message="written")


class OrderView(APIView):
    action_permissions = {"post": None}

    def post(self, request: Request) -> Response:
        serializer = OrderSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return Response(serializer.data)


class NotNow(BaseThrottle):
    def allow_request(self, request: Request, view: APIView) -> bool:
        return False

    def wait(self) -> float:
        return 41.2


class ThrottledView(APIView):
    action_permissions = {"get": None}
    throttle_classes = [NotNow]

    def get(self, request: Request) -> Response:
        return Response({})


class RaisingView(APIView):
    """Raises what its address says."""

    action_permissions = {"get": None}

    def get(self, request: Request, what: str) -> Response:
        with transaction.atomic():
            write_alert("raising")
            raise ERRORS[what]()


def overflow() -> Exception:
    Alert.objects.filter(pk=write_alert("overflow").pk).update(count=2**40)
    return AssertionError("the database took it")


def nul() -> Exception:
    Alert.objects.filter(models.Q(message__contains="\0")).first()
    return AssertionError("the database took it")


def twice() -> Exception:
    write_alert("raising")
    return AssertionError("the database took it")


ERRORS: dict[str, Any] = {
    "refusal": lambda: Refusal("Refused.", extra={"more": "1.00"}),
    "invalid": lambda: InvalidInput.at("items[0].quantity", "Too few."),
    "missing": lambda: Missing("Not there."),
    "forbidden": lambda: NotPermitted("Not you."),
    "conflict": lambda: Conflict("Not now.", extra={"shortages": []}),
    "django-invalid": lambda: DjangoValidationError({"name": ["Taken."]}),
    "mistake": lambda: RuntimeError("password=hunter2"),
    "overflow": overflow,
    "nul": nul,
    "twice": twice,
}

router = SimpleRouter()
router.register("alerts", AlertViewSet)
router.register("alerts-by-event", ByEventViewSet, basename="by-event")

urlpatterns = [
    path(
        "api/v1/",
        include(
            [
                *router.urls,
                path("write/", WriteView.as_view()),
                path("write-too/", WriteView.as_view()),
                path("orders/", OrderView.as_view()),
                path("throttled/", ThrottledView.as_view()),
                path("raise/<slug:what>/", RaisingView.as_view()),
            ]
        ),
    ),
]

handler404 = "foundation.api.errors.page_not_found"
handler500 = "foundation.api.errors.failed"
handler400 = "foundation.api.errors.bad_request"
handler403 = "foundation.api.errors.permission_denied"
