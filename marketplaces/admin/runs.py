"""The runs of synchronisation in the admin."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from foundation.admin.model_admin import ShopModelAdmin, WrittenOutAdmin
from inventory.admin.shown import when_shown
from marketplaces.admin.shown import run_badge, took
from marketplaces.models import SyncRun
from users.models import User


@admin.register(SyncRun)
class SyncRunAdmin(WrittenOutAdmin, ShopModelAdmin):
    """The runs of the last 90 days, the newest first."""

    list_display = (
        *("began", "account", "what", "status_shown", "processed", "updated", "skipped", "error", "took_shown"),
    )
    list_display_links = ("began",)
    list_filter = (
        ("account", RelatedDropdownFilter),
        ("what", ChoicesDropdownFilter),
        ("status", ChoicesDropdownFilter),
    )
    list_select_related = ("account", "account__location")
    ordering = ("-id",)
    sortable_by = ()
    list_per_page = 50
    actions = None
    fieldsets = ()
    change_form_outer_before_template = "marketplaces/run.html"

    class Media:
        css: ClassVar = {"all": ["samovar/marketplaces.css"]}

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("account__credentials", "account__tokens", "problems")

    @display(description=_("started"))
    def began(self, run: SyncRun) -> SafeString:
        return when_shown(run.started_at, run.account.location)

    @display(description=_("status"))
    def status_shown(self, run: SyncRun) -> SafeString:
        return run_badge(run)

    @display(description=_("took"))
    def took_shown(self, run: SyncRun) -> str:
        return took(run)

    # --- one run --------------------------------------------------------------------------------------

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        run: SyncRun | None = kwargs.get("obj")
        if run is not None:
            context |= {
                "run": run,
                "zone": run.account.location.time_zone,
                "status": run_badge(run),
                "took": took(run),
                "counts": sorted(run.counts.items()),
                "by": User.objects.filter(pk=run.requested_by_id).first() if run.requested_by_id else None,
            }
        return super().render_change_form(request, context, **kwargs)
