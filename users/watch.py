"""What monitoring learns about people: locked sign-ins, and how many accounts there are."""

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from monitoring.registry import Event, Metric, register_event, register_metric
from monitoring.severity import Severity
from users import selectors

SIGN_IN_LOCKED = "users.sign_in_locked"
MAIL_REFUSED = "users.mail_refused"


def register() -> None:
    """Called once, when the apps are ready."""
    register_event(
        Event(
            SIGN_IN_LOCKED,
            Severity.WARNING,
            _("Too many attempts to sign in"),
            tell=locked_sentence,
            quiet_after=datetime.timedelta(hours=1),
        )
    )
    register_event(Event(MAIL_REFUSED, Severity.WARNING, _("Mails can't be sent"), tell=refused_sentence))
    register_metric(
        Metric(
            name="samovar_active_users",
            help="Accounts that can sign in, by role.",
            labels=("role",),
            collect=active_users_by_role,
        )
    )


def locked_sentence(details: Mapping[str, Any]) -> str:
    """What such an alert says, in the reader's language; KeyError if the details do not tell."""
    values = {**details, "address": details["address"] or gettext("an unknown address")}
    if "email" in details:
        sentence = gettext("Too many attempts to sign in as %(email)s, the last of them from %(address)s.")
    else:
        sentence = gettext("Too many attempts to sign in from %(address)s.")
    return sentence % values


def refused_sentence(details: Mapping[str, Any]) -> str:
    """What such an alert says, in the reader's language; KeyError if the details do not tell."""
    sentence = gettext("The mail server does not take our mails (%(error)s). They wait and are tried again.")
    return sentence % {"error": details["error"]}


def active_users_by_role() -> Iterable[tuple[dict[str, str], float]]:
    return [({"role": role}, float(count)) for role, count in selectors.active_users_by_role().items()]
