"""Backups in the admin: the list with what can be recovered, a new one, and what is done about one."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from backups.admin.hours_page import MAKE, HoursPage
from backups.admin.recover_page import RESTORE
from backups.admin.shown import proof_badge, size_of, status_badge, took, verified_badge
from backups.admin.why import WhyForm
from backups.models import Backup
from backups.moments import moment
from backups.selectors import overview
from backups.services import requests
from foundation.admin.forms import ThemedForm
from foundation.admin.model_admin import ShopModelAdmin, WrittenOutAdmin
from foundation.admin.once import Done
from foundation.admin.pages import FormPage, OwnPages
from foundation.admin.verbs import Verb, VerbButtons


class NewBackupForm(ThemedForm):
    """Which kind, and what for."""

    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=[
            ("physical", _("physical: the whole server; with the WAL any moment after it can be recovered")),
            ("logical", _("logical: the tables, also for another version of PostgreSQL, also one by one")),
        ],
        widget=forms.RadioSelect,
        initial="physical",
    )
    reason = forms.CharField(label=_("Reason"), required=False, max_length=requests.LONGEST_REASON)


class NewBackupPage(FormPage):
    """Asks the agent for a backup."""

    path, name, title = "new/", "new", _("Back up now")
    permission = MAKE
    form_class = NewBackupForm
    submit_label, submit_icon = _("Back up now"), "backup"

    def act(self, form: NewBackupForm, lines: list[Any]) -> Done:
        by = self.request.user.get_username()
        requests.request_backup(kind=form.cleaned_data["kind"], reason=form.cleaned_data["reason"], by=by)
        return Done(gettext("The backup begins in a moment."), reverse("admin:backups_backup_changelist"))


def verify(request: HttpRequest, backup: Backup, data: dict[str, Any]) -> None:
    requests.request_verification(backup_id=str(backup.pk), by=request.user.get_username())


def drill(request: HttpRequest, backup: Backup, data: dict[str, Any]) -> None:
    requests.request_drill(backup_id=str(backup.pk), by=request.user.get_username())


def restore(request: HttpRequest, backup: Backup, data: dict[str, Any]) -> None:
    requests.request_recovery(backup_id=str(backup.pk), by=request.user.get_username(), reason=data["reason"])


def keep(request: HttpRequest, backup: Backup, data: dict[str, Any]) -> None:
    requests.keep_backup(backup_id=str(backup.pk), is_kept=True, by=request.user.get_username())


def let_go(request: HttpRequest, backup: Backup, data: dict[str, Any]) -> None:
    requests.keep_backup(backup_id=str(backup.pk), is_kept=False, by=request.user.get_username())


def delete(request: HttpRequest, backup: Backup, data: dict[str, Any]) -> None:
    requests.request_deletion(backup_id=str(backup.pk), by=request.user.get_username(), reason=data["reason"])


def stop(request: HttpRequest, backup: Backup, data: dict[str, Any]) -> None:
    requests.stop_job(job_id=str(backup.pk))


@admin.register(Backup)
class BackupAdmin(VerbButtons, OwnPages, WrittenOutAdmin, ShopModelAdmin):
    """What the folder of backups holds. Everything long is done by the agent; the page shows how far it is."""

    pages = (NewBackupPage, HoursPage)
    verbs = (
        Verb(
            name="restore",
            label=_("Restore it beside the shop"),
            permission=RESTORE,
            run=restore,
            done=_("It is restored beside the running shop, which goes on. The list of restores says what differs."),
            form=WhyForm,
            is_shown=lambda backup: backup.is_complete,
            icon="history",
        ),
        Verb(
            name="drill",
            label=_("Prove it by a drill"),
            permission=MAKE,
            run=drill,
            done=_("It is restored beside the running shop, looked at, and thrown away. That takes a while."),
            is_shown=lambda backup: backup.is_complete,
            icon="science",
        ),
        Verb(
            name="verify",
            label=_("Verify its files"),
            permission=MAKE,
            run=verify,
            done=_("Its files are looked at in a moment."),
            is_shown=lambda backup: backup.is_complete,
            icon="verified",
        ),
        Verb(
            name="keep",
            label=_("Keep it for good"),
            permission=MAKE,
            run=keep,
            done=_("It is never deleted by itself."),
            warning=_("Of a physical one all WAL since is kept too, which grows day by day."),
            is_shown=lambda backup: backup.is_complete and not backup.is_kept,
            icon="push_pin",
        ),
        Verb(
            name="let_go",
            label=_("Keep it no longer"),
            permission=MAKE,
            run=let_go,
            done=_("It is deleted by itself when it is old."),
            is_shown=lambda backup: backup.is_complete and backup.is_kept,
        ),
        Verb(
            name="delete",
            label=_("Delete it"),
            permission="backups.delete_old_backup",
            run=delete,
            done=_("It is deleted in a moment."),
            form=WhyForm,
            warning=_("It can't be brought back. Copies in other places stay until they are old."),
            is_shown=lambda backup: backup.is_complete,
            variant="danger",
            icon="delete",
        ),
        Verb(
            name="stop",
            label=_("Stop it"),
            permission=MAKE,
            run=stop,
            done=_("It is asked to stop."),
            is_shown=lambda backup: backup.status in (Backup.Status.WAITING, Backup.Status.RUNNING),
            variant="danger",
        ),
    )
    list_display = ("when", "kind", "status_shown", "size_shown", "took_shown", "verified", "proved")
    list_display_links = ("when",)
    list_filter = (("kind", ChoicesDropdownFilter), ("status", ChoicesDropdownFilter))
    ordering = ("-id",)
    sortable_by = ()
    list_per_page = 50
    actions = None
    fieldsets = ()
    list_before_template = "backups/backup_list.html"
    change_form_outer_before_template = "backups/backup.html"

    @display(description=_("made"))
    def when(self, backup: Backup) -> SafeString | str:
        return moment(backup.requested_at)

    @display(description=_("status"))
    def status_shown(self, backup: Backup) -> SafeString:
        return status_badge(backup)

    @display(description=_("size"))
    def size_shown(self, backup: Backup) -> str:
        return size_of(backup)

    @display(description=_("took"))
    def took_shown(self, backup: Backup) -> str:
        return took(backup.started_at, backup.completed_at)

    @display(description=_("verified"))
    def verified(self, backup: Backup) -> SafeString | str:
        return verified_badge(backup)

    @display(description=_("proved"))
    def proved(self, backup: Backup) -> SafeString | str:
        return proof_badge(backup)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {**(extra_context or {}), "overview": overview()})

    # --- one backup -----------------------------------------------------------------------------------

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        backup: Backup | None = kwargs.get("obj")
        if backup is not None:
            context |= {
                "backup": backup,
                "status": status_badge(backup),
                "verified": verified_badge(backup),
                "proved": proof_badge(backup),
                "size": size_of(backup),
                "took": took(backup.started_at, backup.completed_at),
                "base": Backup.objects.filter(pk=backup.base_id).first() if backup.base_id else None,
            }
        return super().render_change_form(request, context, **kwargs)
