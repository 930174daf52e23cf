"""Restores in the admin: to a moment, beside the running shop; looked at; taken over or thrown away."""

import zoneinfo
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from backups.admin.shown import status_badge, took
from backups.models import RestoreRun
from backups.moments import NOTHING, moment, to_the_second
from backups.selectors import overview
from backups.services import requests
from foundation.admin.days import MomentInput
from foundation.admin.forms import ThemedForm
from foundation.admin.model_admin import ShopModelAdmin, WrittenOutAdmin
from foundation.admin.once import Done
from foundation.admin.pages import FormPage, OwnPages
from foundation.admin.verbs import ReasonForm, Verb, VerbButtons
from foundation.shop import current_shop

RESTORE = "backups.restore"


class RecoveryForm(ThemedForm):
    """To which moment, by the clocks of the shop."""

    time = forms.DateTimeField(
        label=_("Date and time"),
        widget=MomentInput(has_seconds=True),
        help_text=_("Everything that was committed by then is there, and nothing that came later."),
    )
    reason = forms.CharField(label=_("Reason"), max_length=requests.LONGEST_REASON)


class RecoverPage(FormPage):
    """Recovers beside the running shop; nothing is changed in it by that."""

    path, name, title = "recover/", "recover", _("Recover to a moment")
    permission = RESTORE
    form_class = RecoveryForm
    template_name = "backups/recover.html"
    submit_label, submit_icon = _("Recover beside the shop"), "history"

    def act(self, form: RecoveryForm, lines: list[Any]) -> Done:
        # The form has read it in the server's time zone; it was meant by the shop's clocks.
        time = form.cleaned_data["time"].replace(tzinfo=zoneinfo.ZoneInfo(current_shop().time_zone))
        by = self.request.user.get_username()
        job = requests.request_recovery(time=time, by=by, reason=form.cleaned_data["reason"])
        url = reverse("admin:backups_restorerun_change", args=[job.id])
        return Done(gettext("The recovery begins in a moment. The shop goes on meanwhile."), url)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(overview=overview(), zone=current_shop().time_zone, **kwargs)


def target_of(run: RestoreRun) -> SafeString | str:
    """A moment as people read it; a transaction or a backup as it is."""
    return to_the_second(at) if (at := parse_datetime(run.target)) else run.target or NOTHING


def compared(comparison: dict[str, Any]) -> dict[str, Any]:
    """What the page shows of a comparison, as the work's file has it."""
    return {
        "comparison": comparison,
        "recovered_to": parse_datetime(comparison.get("moment") or ""),
        "orders_since": [
            {**order, "placed_at": parse_datetime(order["placed_at"])} for order in comparison.get("orders_since", [])
        ],
        "differing": [
            {**row, "name": row["name"].removeprefix("public.")}
            for row in comparison.get("tables", [])
            if row.get("recovered") != row.get("running") or row.get("written_since")
        ],
    }


def take_over(request: HttpRequest, run: RestoreRun, data: dict[str, Any]) -> None:
    requests.request_take_over(run_id=str(run.pk), by=request.user.get_username(), reason=data["reason"])


def swap_back(request: HttpRequest, run: RestoreRun, data: dict[str, Any]) -> None:
    requests.request_way_back(run_id=str(run.pk), by=request.user.get_username(), reason=data["reason"])


def discard(request: HttpRequest, run: RestoreRun, data: dict[str, Any]) -> None:
    requests.request_discard(run_id=str(run.pk), by=request.user.get_username())


def stop(request: HttpRequest, run: RestoreRun, data: dict[str, Any]) -> None:
    requests.stop_job(job_id=str(run.pk))


def is_recovered(run: RestoreRun) -> bool:
    return run.kind == RestoreRun.Kind.RECOVER and run.status == RestoreRun.Status.DONE


@admin.register(RestoreRun)
class RestoreRunAdmin(VerbButtons, OwnPages, WrittenOutAdmin, ShopModelAdmin):
    """What was recovered and restored, the newest first."""

    pages = (RecoverPage,)
    verbs = (
        Verb(
            name="take_over",
            label=_("Take everything over"),
            permission=RESTORE,
            run=take_over,
            done=_("The recovered data takes the place of the shop's. The shop is closed for a moment meanwhile."),
            form=ReasonForm,
            warning=_(
                "What was written after the chosen moment is gone from the shop then; it is listed below. The present "
                "database is kept beside, and can be swapped back."
            ),
            is_shown=is_recovered,
            variant="danger",
            icon="swap_horiz",
        ),
        Verb(
            name="swap_back",
            label=_("Swap back"),
            permission=RESTORE,
            run=swap_back,
            done=_("The database from before takes its place again."),
            form=ReasonForm,
            is_shown=lambda run: bool(run.result.get("kept")),
            variant="danger",
            icon="undo",
        ),
        Verb(
            name="discard",
            label=_("Throw the recovered data away"),
            permission=RESTORE,
            run=discard,
            done=_("It is thrown away. The shop was not touched."),
            is_shown=is_recovered,
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
                **compared(run.result.get("comparison") or {}),
            }
        return super().render_change_form(request, context, **kwargs)
