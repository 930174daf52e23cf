"""The WAL in the admin: what was received, what is wrong with it, and what that means."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from backups.admin.shown import status_badge, took
from backups.models import WalCheck
from backups.moments import moment
from backups.services import requests
from foundation.admin.forms import ThemedForm
from foundation.admin.model_admin import ShopModelAdmin, WrittenOutAdmin
from foundation.admin.once import Done
from foundation.admin.pages import FormPage, OwnPages


class NewCheckPage(FormPage):
    """Asks the agent for a look at the WAL."""

    path, name, title = "new/", "new", _("Check the WAL")
    permission = "backups.make_backup"
    form_class = ThemedForm
    template_name = "backups/new_check.html"
    submit_label, submit_icon = _("Check the WAL"), "fact_check"

    def act(self, form: ThemedForm, lines: list[Any]) -> Done:
        job = requests.request_wal_check(by=self.request.user.get_username())
        return Done(gettext("The check begins in a moment."), reverse("admin:backups_walcheck_change", args=[job.id]))


@admin.register(WalCheck)
class WalCheckAdmin(OwnPages, WrittenOutAdmin, ShopModelAdmin):
    """The checks, the newest first."""

    pages = (NewCheckPage,)
    list_display = ("when", "status_shown", "segments", "wrong", "from_shown", "to_shown")
    list_display_links = ("when",)
    ordering = ("-id",)
    sortable_by = ()
    list_per_page = 50
    actions = None
    fieldsets = ()
    list_before_template = "backups/wal_check_list.html"
    change_form_outer_before_template = "backups/wal_check.html"

    @display(description=_("checked"))
    def when(self, check: WalCheck) -> SafeString | str:
        return moment(check.requested_at)

    @display(description=_("status"))
    def status_shown(self, check: WalCheck) -> SafeString:
        return status_badge(check)

    @display(description=_("findings"))
    def wrong(self, check: WalCheck) -> int:
        return len(check.findings)

    @display(description=_("recoverable from"))
    def from_shown(self, check: WalCheck) -> SafeString | str:
        return moment(check.recoverable_from)

    @display(description=_("recoverable to"))
    def to_shown(self, check: WalCheck) -> SafeString | str:
        return moment(check.recoverable_to)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        check: WalCheck | None = kwargs.get("obj")
        if check is not None:
            context |= {"check": check, "status": status_badge(check), "took": took(check.started_at, check.ended_at)}
        return super().render_change_form(request, context, **kwargs)
