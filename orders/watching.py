"""What orders want watched."""

import datetime

from django.utils.translation import gettext_lazy as _

from monitoring.registry import Event, register_event
from monitoring.severity import Severity
from orders import metrics
from orders.services.pins import PIN_LOCKED, pin_locked_sentence
from orders.services.shifts import SHIFT_DIFFERENCE, difference_sentence
from orders.services.unusual import MANY_CANCELLED, WAITING_LONG, cancelled_sentence, waiting_sentence


def register() -> None:
    """Tells monitoring about orders. Called once, when the apps are ready."""
    register_event(
        Event(
            PIN_LOCKED,
            Severity.WARNING,
            _("Too many wrong PINs"),
            tell=pin_locked_sentence,
            quiet_after=datetime.timedelta(hours=1),
        )
    )
    register_event(Event(SHIFT_DIFFERENCE, Severity.WARNING, _("A shift's cash differs"), tell=difference_sentence))
    register_event(Event(WAITING_LONG, Severity.WARNING, _("Orders wait too long"), tell=waiting_sentence))
    register_event(Event(MANY_CANCELLED, Severity.WARNING, _("Many orders are cancelled"), tell=cancelled_sentence))
    metrics.register()
