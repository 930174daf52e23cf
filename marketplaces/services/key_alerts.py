"""What people are told of an account's keys: that they are old or end soon, and that the marketplace refuses them."""

import datetime
from collections.abc import Mapping
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from marketplaces.choices import Marketplace
from marketplaces.models import SellerAccount
from monitoring.selectors import open_alerts
from monitoring.services.alerts import notify, resolve

CONNECTION_LOST = "marketplaces.connection_lost"
# A key of 80 days is old, one of 90 overdue; the same if the marketplace says that it ends in 14 or in 3 days.
KEY_OLD = "marketplaces.key_old"
KEY_EXPIRING = "marketplaces.key_expiring"


def tell_connection_lost(account: SellerAccount) -> None:
    """Says that the marketplace does not take the account's keys any more, in the caller's transaction."""
    details = about(account)
    notify(
        event=CONNECTION_LOST,
        subject=str(account.pk),
        message=connection_lost_sentence(details),
        details=details,
    )


def connection_is_back(account: SellerAccount) -> None:
    """Closes the alert, in the caller's transaction."""
    resolve(event=CONNECTION_LOST, subjects=[str(account.pk)])


def tell_key_age(account: SellerAccount, *, event: str, age_days: int) -> bool:
    """Says once that the account's key is old (KEY_OLD) or overdue (KEY_EXPIRING), and whether that was news."""
    subject = str(account.pk)
    if open_alerts().filter(event=event, subject=subject).exists():
        return False
    details = {
        **about(account),
        "days": age_days,
        "expires_at": account.key_expires_at.isoformat() if account.key_expires_at else None,
    }
    resolve(event=KEY_OLD if event == KEY_EXPIRING else KEY_EXPIRING, subjects=[subject])
    notify(event=event, subject=subject, message=key_age_sentence(details), details=details)
    return True


def key_is_new(account: SellerAccount) -> None:
    """Closes what was said of the age of the account's key, in the caller's transaction."""
    for event in (KEY_OLD, KEY_EXPIRING):
        resolve(event=event, subjects=[str(account.pk)])


def about(account: SellerAccount) -> dict[str, Any]:
    return {"account": account.name, "marketplace": account.marketplace}


def connection_lost_sentence(details: Mapping[str, Any]) -> str:
    """What such an alert says, in the reader's language; KeyError if the details do not tell."""
    return _("%(marketplace)s does not take the keys of %(account)s any more. Connect the account again.") % named(
        details
    )


def key_age_sentence(details: Mapping[str, Any]) -> str:
    """What such an alert says, in the reader's language; KeyError if the details do not tell."""
    expires_at = parse_datetime(details["expires_at"]) if details["expires_at"] else None
    if expires_at is None:
        sentence = _(
            "The key of %(account)s (%(marketplace)s) is %(days)s days old. Make a new one there and store it here."
        )
    else:
        sentence = _(
            "The key of %(account)s (%(marketplace)s) is %(days)s days old and ends on %(day)s. "
            "Make a new one there and store it here."
        )
    return sentence % {**named(details), "day": date_format(expires_at.astimezone(datetime.UTC)) if expires_at else ""}


def named(details: Mapping[str, Any]) -> dict[str, Any]:
    return {**details, "marketplace": Marketplace(details.get("marketplace", Marketplace.ALLEGRO)).label}
