"""Backups and their work as lists and pages show them."""

import datetime

from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from backups.models import Backup, RestoreRun, WalCheck
from backups.moments import NOTHING, said
from foundation.moments import span
from inventory.admin.shown import badge

STATUS_KINDS = {
    "waiting": "off",
    "running": "info",
    "done": "good",
    "damaged": "bad",
    "failed": "bad",
    "stopped": "warn",
}


def status_badge(one: Backup | RestoreRun | WalCheck) -> SafeString:
    """The status, and how far it is while it runs."""
    shown = badge(STATUS_KINDS[one.status], one.get_status_display())
    if one.status != "running" or not one.stage:
        return shown
    share = "" if one.share is None else f" {round(one.share * 100)} %"
    return format_html('{} <span class="sv-muted">{}{}</span>', shown, _(one.stage), share)


def proof_badge(backup: Backup) -> SafeString | str:
    """Whether it was ever restored; one that was not is not proved, however whole its files are."""
    if not backup.is_complete:
        return NOTHING
    if backup.proved_at is None:
        return badge("warn", _("unproved"), _("It was never restored. A drill proves it."))
    return badge("good", said(backup.proved_at))


def verified_badge(backup: Backup) -> SafeString | str:
    if not backup.is_complete:
        return NOTHING
    if backup.damage:
        return badge("bad", _("damaged"), backup.damage[0])
    return badge("off", _("not yet")) if backup.verified_at is None else badge("good", said(backup.verified_at))


def size_of(backup: Backup) -> str:
    return filesizeformat(backup.size) if backup.is_complete else NOTHING


def took(started_at: datetime.datetime | None, ended_at: datetime.datetime | None) -> str:
    if started_at is None or ended_at is None:
        return NOTHING
    length = ended_at - started_at
    if length < datetime.timedelta(minutes=2):
        return _("%(seconds)s s") % {"seconds": f"{length.total_seconds():.1f}"}
    return span(length)
