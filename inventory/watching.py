"""What the store room wants watched."""

from django.utils.translation import gettext_lazy as _

from inventory.services.ledger import LOW_STOCK
from monitoring.registry import Event, register_event


def register() -> None:
    """Tells monitoring about the store room's events. Called once, when the apps are ready."""
    register_event(Event(name=LOW_STOCK, severity="warning", title=_("Low stock")))
