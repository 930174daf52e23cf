"""Answers for load balancers and supervisors."""

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from monitoring import registry
from monitoring.services.checks import CheckResult, run_checks


@never_cache
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """The process answers. Asks nobody: a broken database is no reason to restart it."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """Whether this server can serve: 200, or 503 with what is wrong."""
    results = run_checks([check for check in registry.checks.all() if check.gates_readiness])
    is_ready = all(result.is_ok for result in results)
    body = {"status": "ok" if is_ready else "failed", "checks": {result.name: as_json(result) for result in results}}
    return JsonResponse(body, status=200 if is_ready else 503)


def as_json(result: CheckResult) -> dict[str, Any]:
    body: dict[str, Any] = {"ok": result.is_ok, "ms": result.milliseconds}
    return body if result.detail is None else {**body, "detail": result.detail}
