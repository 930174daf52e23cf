"""The monitor: whether orders come in, stock is known, operations get done, and what looks wrong."""

import csv
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from foundation.admin.pages import AdminPage
from inventory.exchange.formulas import for_csv
from marketplaces.models import SellerAccount, StockOperation, SyncRun
from marketplaces.monitor_selectors import Monitor, SyncHealth, monitor
from marketplaces.services.anomalies import find_anomalies

REPORT_COLUMNS = (
    "account",
    "what",
    "last_success_at",
    "is_stale",
    "runs_24h",
    "success_rate",
    "mean_seconds",
    "items",
    "failures",
    "last_error",
)


class MonitorPage(AdminPage):
    """The page; with `?format=csv` its table of accounts as a file."""

    path, name = "monitor/", "monitor"
    title = gettext_lazy("Marketplace monitor")
    permission = "marketplaces.view_selleraccount"
    template_name = "marketplaces/monitor.html"

    @cached_property
    def accounts(self) -> list[SellerAccount]:
        return list(SellerAccount.objects.select_related("location").order_by("marketplace", "name"))

    @cached_property
    def state(self) -> Monitor:
        return monitor(accounts=self.accounts, now=timezone.now())

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.GET.get("format") == "csv":
            return self.report()
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        operations = self.state.operations
        active = [account for account in self.accounts if account.is_active]
        return super().get_context_data(
            monitor=self.state,
            accounts=self.accounts,
            syncs=[sync_row(sync) for sync in self.state.syncs],
            statuses=[
                {
                    "label": StockOperation.Status(status).label,
                    "number": operations.by_status.get(status, 0),
                    "url": f"{reverse('admin:marketplaces_stockoperation_changelist')}?status__exact={status}",
                }
                for status in StockOperation.Status.values
            ],
            errors=sorted(operations.errors_by_kind.items(), key=lambda pair: -pair[1]),
            anomalies=[anomaly.sentence for anomaly in find_anomalies(accounts=active, now=self.state.at)],
            **kwargs,
        )

    def report(self) -> HttpResponse:
        """The figures of every account as CSV, for a spreadsheet."""
        answer = HttpResponse(content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="marketplaces-{self.state.at:%Y-%m-%d}.csv"'
        answer.write("\ufeff")
        lines = csv.writer(answer)
        lines.writerow(REPORT_COLUMNS)
        for sync in self.state.syncs:
            lines.writerow(
                [
                    for_csv(sync.account.name),
                    sync.what,
                    sync.last_success_at.isoformat() if sync.last_success_at else "",
                    int(sync.is_stale),
                    sync.runs,
                    "" if sync.success_rate is None else f"{sync.success_rate:.3f}",
                    "" if sync.mean_seconds is None else f"{sync.mean_seconds:.1f}",
                    sum(sync.items.values()),
                    sync.failures,
                    for_csv(sync.last_error),
                ]
            )
        return answer


def sync_row(sync: SyncHealth) -> dict[str, Any]:
    """What the table shows of it."""
    return {
        "account": sync.account,
        "what": SyncRun.What(sync.what).label,
        "zone": sync.account.location.time_zone,
        "sync": sync,
        "percent": None if sync.success_rate is None else round(sync.success_rate * 100),
        "took": "" if sync.mean_seconds is None else _("%(seconds)s s") % {"seconds": f"{sync.mean_seconds:.1f}"},
        "items": ", ".join(f"{source}: {number}" for source, number in sorted(sync.items.items())),
        "runs_url": f"{reverse('admin:marketplaces_syncrun_changelist')}?account__id__exact={sync.account.pk}",
    }
