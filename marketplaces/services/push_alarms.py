"""What sending quantities raises alerts about, and what those say. One alert per account and kind, open as long as it
is so."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marketplaces.models import SellerAccount
from monitoring.selectors import open_alerts
from monitoring.services.alerts import notify, resolve

PUSHES_CAPPED = "marketplaces.pushes_capped"
PUSHES_HELD = "marketplaces.pushes_held"
PUSH_REJECTED = "marketplaces.push_rejected"
MOST_SKUS = 5


def capped_sentence(details: Mapping[str, Any]) -> str:
    """What such an alert says, in the reader's language; KeyError if the details do not tell."""
    return _(
        "%(account)s: more quantities have changed than are sent at once (%(most)d): %(waiting)d wait for the next run."
    ) % {name: details[name] for name in ("account", "most", "waiting")}


def held_sentence(details: Mapping[str, Any]) -> str:
    """What such an alert says, in the reader's language; KeyError if the details do not tell."""
    return _(
        "%(account)s: %(emptied)d of %(listings)d listings would be shown with nothing. No quantity is sent until "
        "somebody has looked at it and sends them all the same."
    ) % {name: details[name] for name in ("account", "emptied", "listings")}


def rejected_sentence(details: Mapping[str, Any]) -> str:
    """What such an alert says, in the reader's language; KeyError if the details do not tell."""
    number = details["number"]
    return ngettext(
        "%(account)s does not take the quantity of %(number)d listing: %(skus)s. %(reason)s",
        "%(account)s does not take the quantities of %(number)d listings: %(skus)s. %(reason)s",
        number,
    ) % {name: details[name] for name in ("account", "number", "skus", "reason")}


SENTENCES = {PUSHES_CAPPED: capped_sentence, PUSHES_HELD: held_sentence, PUSH_REJECTED: rejected_sentence}


def say(event: str, account: SellerAccount, **figures: Any) -> None:
    """Opens the alert of this kind about the account, or writes the newest figures into the open one."""
    details = {"account": str(account), "account_id": str(account.pk), **figures}
    subject = str(account.pk)
    # Said every half minute, it would count up for nothing.
    if open_alerts().filter(event=event, subject=subject, details=details).exists():
        return
    notify(event=event, subject=subject, message=SENTENCES[event](details), details=details)


def unsay(event: str, account: SellerAccount) -> None:
    """Closes the alert of this kind about the account, if it is open."""
    resolve(event=event, subjects=[str(account.pk)])


def named(skus: Sequence[str]) -> str:
    """The first few SKUs."""
    return ", ".join(skus[:MOST_SKUS]) + (" …" if len(skus) > MOST_SKUS else "")
