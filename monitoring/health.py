"""Answers for load balancers and supervisors."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from monitoring import registry
from monitoring.services.checks import CheckResult, run_checks

OK, DEGRADED, FAILED = "ok", "degraded", "failed"


@never_cache
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """The process answers. Asks nobody: a broken database is no reason to restart it."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """Whether this server can serve: 200, or 503 with what is wrong. What it can serve without is told too, and then
    the status is "degraded". In English, whatever the browser asks for: machines read it."""
    checks = [check for check in registry.checks.all() if check.gates_readiness or check.is_probed]
    with translation.override(None):
        results = run_checks(checks)
    is_ready = all(result.is_ok for check, result in zip(checks, results, strict=True) if check.gates_readiness)
    body = {
        "status": status_of(results) if is_ready else FAILED,
        "checks": {result.name: as_json(result) for result in results},
    }
    return JsonResponse(body, status=200 if is_ready else 503)


def status_of(results: Iterable[CheckResult]) -> str:
    """Of the whole, when nothing that matters most has failed."""
    return OK if all(result.is_ok for result in results) else DEGRADED


def as_json(result: CheckResult) -> dict[str, Any]:
    body: dict[str, Any] = {"ok": result.is_ok, "ms": result.milliseconds}
    if result.is_warning:
        body["warning"] = True
    return body if result.detail is None else {**body, "detail": result.detail}
