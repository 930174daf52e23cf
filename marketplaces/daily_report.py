"""What the marketplaces tell in the daily report: what became of the day's operations, and which ones failed."""

import datetime

from django.db.models import Count, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from foundation.uuids import first_uuid7_at
from marketplaces.models import SellerAccount, StockOperation
from marketplaces.monitor_selectors import STUCK_AFTER
from marketplaces.services.alarms import OPERATION_FAILED
from monitoring.report.registry import Asked, Figure, Figures, ReportSection, Row, Shown, register_section

MOST_FAILED = 5
# An operation gives up long before; the table is large, and its keys tell when a row was made.
LONGEST_LIFE = datetime.timedelta(days=30)


def register() -> None:
    """Called once, when the apps are ready."""
    register_section(
        ReportSection(
            name="marketplaces",
            title=gettext_lazy("Marketplaces"),
            order=40,
            build=build,
            show=show,
            brief=brief,
            permission="marketplaces.view_stockoperation",
            page="admin:marketplaces_stockoperation_changelist",
            events=(OPERATION_FAILED,),
        )
    )


def build(asked: Asked) -> Figures | None:
    """The operations that came to an end on the day, and those that wait too long now; None for a location that sells
    on no marketplace. Four queries."""
    accounts = list(SellerAccount.objects.filter(location=asked.place.own).values_list("pk", flat=True))
    if not accounts:
        return None
    lately = StockOperation.objects.filter(account_id__in=accounts, pk__gte=first_uuid7_at(asked.start - LONGEST_LIFE))
    ended = lately.filter(finished_at__gte=asked.start, finished_at__lt=asked.until)
    # One that was tried again since is its successor's business.
    failed = ended.filter(status=StockOperation.Status.FAILED, successor=None)
    numbers = ended.aggregate(
        completed=Count("pk", filter=Q(status=StockOperation.Status.COMPLETED)),
        cancelled=Count("pk", filter=Q(status=StockOperation.Status.CANCELLED)),
    )
    stuck = StockOperation.objects.filter(
        account_id__in=accounts,
        status__in=StockOperation.UNFINISHED,
        next_attempt_at__lt=asked.at - STUCK_AFTER,
    )
    named = list(failed.select_related("order").order_by("-pk"))
    return {
        **numbers,
        "failed": len(named),
        "stuck": stuck.count(),
        "rows": [
            {"order": str(one.order), "account": one.account_name, "reason": one.last_error}
            for one in named[:MOST_FAILED]
        ],
    }


def show(figures: Figures) -> Shown:
    return Shown(
        figures=[
            Figure(_("Completed"), str(figures["completed"])),
            Figure(_("Cancelled"), str(figures["cancelled"])),
            Figure(_("Failed"), str(figures["failed"])),
            *([Figure(_("Stuck"), str(figures["stuck"]))] if figures["stuck"] else []),
        ],
        rows=[Row(one["order"], one["account"], note=one["reason"], is_bad=True) for one in figures["rows"]],
        more=figures["failed"] - len(figures["rows"]),
    )


def brief(figures: Figures) -> list[str]:
    parts = []
    if failed := figures["failed"]:
        parts.append(
            ngettext("%(number)s operation failed", "%(number)s operations failed", failed) % {"number": failed}
        )
    if stuck := figures["stuck"]:
        parts.append(_("%(number)s stuck") % {"number": stuck})
    return [_("Marketplaces: %(what)s") % {"what": ", ".join(parts)}] if parts else []
