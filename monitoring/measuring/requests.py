"""The middleware of django-prometheus, first and last, with what it leaves open closed."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django_prometheus.middleware import PrometheusAfterMiddleware, PrometheusBeforeMiddleware
from prometheus_client import Counter

RESPONSES = Counter("samovar_http_responses", "Answers as the client gets them.", ["status"])
API_ERRORS = Counter("samovar_api_errors", "Answers of the REST API that refuse.", ["type"])


class FirstMiddleware(PrometheusBeforeMiddleware):
    """Stands before all others: counts also what they answer themselves, such as 503 while the shop rests."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        RESPONSES.labels(str(response.status_code)).inc()
        answered: HttpResponse = super().process_response(request, response)
        return answered


class LastMiddleware(PrometheusAfterMiddleware):
    """Stands behind all others, next to the view."""

    def label_metric(self, metric: Any, request: HttpRequest, response: Any = None, **labels: str) -> Any:
        # Anybody may make up a method, and every new one would be another line of the metrics for ever.
        if "method" in labels:
            labels["method"] = self._method(request)
        return super().label_metric(metric, request, response, **labels)

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        told = getattr(response, "data", None)
        if response.status_code >= 400 and isinstance(told, Mapping) and isinstance(told.get("type"), str):
            API_ERRORS.labels(told["type"]).inc()
        answered: HttpResponse = super().process_response(request, response)
        return answered
