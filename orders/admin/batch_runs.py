"""Large batches: their list, and the page that shows how far one is."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Func, IntegerField, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from foundation.admin.model_admin import ReadOnlyAdmin, ShopModelAdmin
from orders.models import BatchRun, Order

MOST_FAILURES_SHOWN = 200


def length_of(column: str) -> Func:
    return Func(column, function="jsonb_array_length", output_field=IntegerField())


@admin.register(BatchRun)
class BatchRunAdmin(ReadOnlyAdmin, ShopModelAdmin):
    list_display = ("what", "progress", "failed", "reason", "created_by", "created_at", "finished_at")
    list_display_links = ("what",)
    list_select_related = ("created_by",)
    list_per_page = 50
    sortable_by = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[BatchRun]:
        """Without the ids themselves, of which there may be a hundred thousand."""
        runs = super().get_queryset(request).annotate(number=length_of("order_ids"), failed=length_of("failures"))
        return runs.defer("order_ids", "failures")

    @display(description=gettext_lazy("what"))
    def what(self, run: BatchRun) -> str:
        return run.get_verb_display()

    @display(description=gettext_lazy("done"))
    def progress(self, run: Any) -> str:
        return f"{run.done} / {run.number}"

    @display(description=gettext_lazy("could not be done"))
    def failed(self, run: Any) -> int:
        return int(run.failed)

    def get_urls(self) -> list[URLPattern]:
        progress = self.admin_site.admin_view(self.progress_view)
        return [path("<uuid:run_id>/progress/", progress, name="orders_batchrun_progress"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """How far the batch is; its script asks `progress_view` until it has finished."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET"])
        run: Any = self.get_object(request, unquote(object_id))
        if not self.has_view_permission(request, run):
            raise PermissionDenied
        if run is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        request.current_app = self.admin_site.name
        title = _("Completing orders") if run.verb == BatchRun.Verb.COMPLETE else _("Cancelling orders")
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "model_admin": self,
            "run": run,
            "progress": progress_of(run),
            "progress_url": reverse("admin:orders_batchrun_progress", args=[run.pk]),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "orders_admin/batch_run.html", context)

    def progress_view(self, request: HttpRequest, run_id: UUID) -> JsonResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        run = self.get_queryset(request).filter(pk=run_id).first()
        if run is None:
            raise Http404
        return JsonResponse(progress_of(run))


def progress_of(run: Any) -> dict[str, Any]:
    """How far the batch is, as its page shows it. `failures` has the first 200, with the orders' numbers."""
    failures = run.failures[:MOST_FAILURES_SHOWN] if run.failed else []
    numbers = dict(Order.objects.filter(pk__in=[one["id"] for one in failures]).values_list("pk", "number"))
    return {
        "done": run.done,
        "total": run.number,
        "failed": run.failed,
        "succeeded": run.done - run.failed,
        "is_finished": run.finished_at is not None,
        "failures": [
            {
                "order": f"#{numbers[one['id']]}" if one["id"] in numbers else str(one["id"]),
                "url": reverse("admin:orders_order_change", args=[one["id"]]),
                "detail": one["error"]["detail"],
            }
            for one in failures
        ],
    }
