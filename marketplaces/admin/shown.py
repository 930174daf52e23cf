"""Accounts, orders and runs as lists and pages show them."""

import datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from foundation.moments import span
from inventory.admin.shown import badge
from marketplaces.choices import OrderState
from marketplaces.models import SellerAccount, SyncRun
from marketplaces.services.credentials import OLD_AFTER, OVERDUE_AFTER

NOTHING = "—"
CONNECTION_KINDS = {
    SellerAccount.Connection.CONNECTED: "good",
    SellerAccount.Connection.LOST: "bad",
    SellerAccount.Connection.NONE: "off",
}
STATE_KINDS = {
    OrderState.WAITING: "off",
    OrderState.READY: "info",
    OrderState.PROCESSING: "info",
    OrderState.SENT: "good",
    OrderState.DELIVERED: "good",
    OrderState.RETURNED: "warn",
    OrderState.CANCELLED: "bad",
    OrderState.UNKNOWN: "warn",
}
RUN_KINDS = {
    SyncRun.Status.RUNNING: "info",
    SyncRun.Status.SUCCESS: "good",
    SyncRun.Status.PARTIAL: "warn",
    SyncRun.Status.FAILED: "bad",
}


def connection_badge(account: SellerAccount) -> SafeString:
    return badge(CONNECTION_KINDS[SellerAccount.Connection(account.connection)], account.get_connection_display())


def mode_badge(account: SellerAccount) -> SafeString:
    """Whether the account writes, only reads, or does nothing."""
    if not account.is_active:
        return badge("off", _("switched off"))
    return badge("good" if account.mode == SellerAccount.Mode.LIVE else "info", account.get_mode_display())


def key_age_badge(account: SellerAccount) -> SafeString | str:
    """How old the key is; coloured when it should be replaced."""
    if account.credentials_changed_at is None:
        return NOTHING
    age = timezone.now() - account.credentials_changed_at
    text = _("%(days)d d") % {"days": age.days}
    if age >= OVERDUE_AFTER:
        return badge("bad", text)
    return badge("warn", text) if age >= OLD_AFTER else text


def ago(moment: datetime.datetime | None) -> str:
    """5 min ago; a dash for what never was."""
    return NOTHING if moment is None else _("%(span)s ago") % {"span": span(timezone.now() - moment)}


def state_badge(order: Any) -> SafeString:
    return badge(STATE_KINDS[OrderState(order.state)], order.get_state_display())


def run_badge(run: SyncRun) -> SafeString:
    return badge(RUN_KINDS[SyncRun.Status(run.status)], run.get_status_display())


def took(run: SyncRun) -> str:
    """How long a run took; a dash while it goes on."""
    if run.duration is None:
        return NOTHING
    seconds = run.duration.total_seconds()
    return _("%(seconds)s s") % {"seconds": f"{seconds:.1f}"} if seconds < 60 else span(run.duration)


def marketplace_total(order: Any) -> str:
    """A total in the marketplace's own currency, which is never summed with another."""
    return NOTHING if order.total is None else f"{order.total} {order.currency}".strip()


def account_link(account: SellerAccount) -> SafeString:
    address = reverse("admin:marketplaces_selleraccount_change", args=[account.pk])
    return format_html('<a class="sv-link" href="{}">{}</a>', address, account)
