"""Restores in the admin: beside the running shop; looked at; taken over, all or chosen tables, or thrown away."""

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery, TextField
from django.db.models.functions import Cast
from django.http import HttpRequest, HttpResponse
from django.utils.dateparse import parse_datetime
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from backups.admin.recover_page import RESTORE, RecoverPage
from backups.admin.shown import status_badge, took
from backups.admin.tables_page import TablesPage
from backups.admin.why import WhyForm
from backups.models import Backup, RestoreRun
from backups.moments import NOTHING, moment, said, to_the_second
from backups.restore_selectors import came_in_since, left_of
from backups.services import requests
from backups.services.chosen import differs, plain
from foundation.admin.model_admin import ShopModelAdmin, WrittenOutAdmin
from foundation.admin.pages import OwnPages
from foundation.admin.verbs import Verb, VerbButtons


class TakeOverForm(WhyForm):
    """Why; and once more what is lost by it."""

    def about(self) -> str:
        comparison = self.obj.result.get("comparison") or {}
        number = comparison.get("orders_since_number", 0) + came_in_since(comparison).number
        if not number:
            return gettext("No order was placed since.")
        return ngettext(
            "%(number)d order was placed since and will be gone from the shop.",
            "%(number)d orders were placed since and will be gone from the shop.",
            number,
        ) % {"number": number}


def target_of(run: Any) -> SafeString | str:
    """A moment or a backup as people read it; a transaction or an order as it was written down."""
    if run.backup_at is not None:
        kind = Backup.Kinds(run.backup_kind).label
        return gettext("%(kind)s backup of %(at)s") % {"kind": kind, "at": said(run.backup_at)}
    return to_the_second(at) if (at := parse_datetime(run.target)) else run.target or NOTHING


def compared(comparison: dict[str, Any]) -> dict[str, Any]:
    """What the page shows of a comparison, as the work's file has it."""
    return {
        "comparison": comparison,
        "recovered_to": parse_datetime(comparison.get("moment") or ""),
        "orders_since": [
            {**order, "placed_at": parse_datetime(order["placed_at"])} for order in comparison.get("orders_since", [])
        ],
        "came_in": came_in_since(comparison),
        "differing": [
            {**row, "name": plain(row["name"])}
            for row in comparison.get("tables", [])
            # The folder of backups is the truth, and is the same after a restore.
            if differs(row) and not plain(row["name"]).startswith("backups_")
        ],
    }


def backup_of(run: RestoreRun) -> Backup | None:
    """The backup that it began from."""
    return Backup.objects.filter(pk=found).first() if (found := run.result.get("backup_id")) else None


def take_over(request: HttpRequest, run: RestoreRun, data: dict[str, Any]) -> None:
    requests.request_take_over(run_id=str(run.pk), by=request.user.get_username(), reason=data["reason"])


def swap_back(request: HttpRequest, run: RestoreRun, data: dict[str, Any]) -> None:
    requests.request_way_back(run_id=str(run.pk), by=request.user.get_username(), reason=data["reason"])


def discard(request: HttpRequest, run: RestoreRun, data: dict[str, Any]) -> None:
    requests.request_discard(run_id=str(run.pk), by=request.user.get_username())


def stop(request: HttpRequest, run: RestoreRun, data: dict[str, Any]) -> None:
    requests.stop_job(job_id=str(run.pk))


def is_at_hand(run: RestoreRun) -> bool:
    """Whether a shop is there beside, about which somebody may decide."""
    return run.kind == RestoreRun.Kind.RECOVER and left_of(run).is_there


def has_way_back(run: RestoreRun) -> bool:
    return run.kind != RestoreRun.Kind.RECOVER and left_of(run).is_there


@admin.register(RestoreRun)
class RestoreRunAdmin(VerbButtons, OwnPages, WrittenOutAdmin, ShopModelAdmin):
    """What was recovered and restored, the newest first."""

    pages = (RecoverPage, TablesPage)
    verbs = (
        Verb(
            name="take_over",
            label=_("Take everything over"),
            permission=RESTORE,
            run=take_over,
            done=_("The recovered data takes the place of the shop's. The shop is closed for a moment meanwhile."),
            form=TakeOverForm,
            warning=_(
                "What was written after the chosen moment is gone from the shop then; the page lists it. The present "
                "database is kept beside, and can be swapped back."
            ),
            is_shown=is_at_hand,
            variant="danger",
            icon="swap_horiz",
        ),
        Verb(
            name="swap_back",
            label=_("Swap back"),
            permission=RESTORE,
            run=swap_back,
            done=_("The database from before takes its place again."),
            form=WhyForm,
            warning=_("What was written since is gone from the shop then, and is kept beside in turn."),
            is_shown=has_way_back,
            variant="danger",
            icon="undo",
        ),
        Verb(
            name="discard",
            label=_("Throw the recovered data away"),
            permission=RESTORE,
            run=discard,
            done=_("It is thrown away. The shop was not touched."),
            is_shown=is_at_hand,
            icon="delete",
        ),
        Verb(
            name="stop",
            label=_("Stop it"),
            permission=RESTORE,
            run=stop,
            done=_("It is asked to stop."),
            is_shown=lambda run: not run.has_ended,
            variant="danger",
        ),
    )
    list_display = ("when", "kind", "target_shown", "status_shown", "took_shown", "by")
    list_display_links = ("when",)
    list_filter = (("kind", ChoicesDropdownFilter), ("status", ChoicesDropdownFilter))
    ordering = ("-id",)
    sortable_by = ()
    list_per_page = 50
    actions = None
    fieldsets = ()
    list_before_template = "backups/restore_list.html"
    change_form_outer_before_template = "backups/restore.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[RestoreRun]:
        """With the kind and the time of the backup that it is about, if it is about one."""
        backup = Backup.objects.annotate(text=Cast("pk", TextField())).filter(text=OuterRef("target"))
        return (
            super()
            .get_queryset(request)
            .annotate(
                backup_kind=Subquery(backup.values("kind")[:1]), backup_at=Subquery(backup.values("requested_at")[:1])
            )
        )

    @display(description=_("asked for"))
    def when(self, run: RestoreRun) -> SafeString | str:
        return moment(run.requested_at)

    @display(description=_("target"))
    def target_shown(self, run: RestoreRun) -> SafeString | str:
        return target_of(run)

    @display(description=_("status"))
    def status_shown(self, run: RestoreRun) -> SafeString:
        return status_badge(run)

    @display(description=_("took"))
    def took_shown(self, run: RestoreRun) -> str:
        return took(run.started_at, run.ended_at)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        run: RestoreRun | None = kwargs.get("obj")
        if run is not None:
            context |= {
                "run": run,
                "status": status_badge(run),
                "took": took(run.started_at, run.ended_at),
                "target": target_of(run),
                "left": left_of(run),
                "is_at_hand": is_at_hand(run),
                "backup": backup_of(run),
                **compared(run.result.get("comparison") or {}),
            }
        return super().render_change_form(request, context, **kwargs)
