"""The words that all rooms of this app share."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Marketplace(models.TextChoices):
    ALLEGRO = "allegro", "Allegro"
    OZON = "ozon", "Ozon"
    WILDBERRIES = "wildberries", "Wildberries"


class Scheme(models.TextChoices):
    """From where a sale is sent: the shop's own stock, or a warehouse of the marketplace."""

    FBS = "FBS", _("FBS: from the shop, by the marketplace's couriers")
    REALFBS = "realFBS", _("realFBS: from the shop, by the shop's couriers")
    FBO = "FBO", _("FBO: from the marketplace's warehouse")
    FBP = "FBP", _("FBP: from a partner's warehouse")

    @property
    def is_ours(self) -> bool:
        """Whether such a sale takes from the shop's stock."""
        return self in (Scheme.FBS, Scheme.REALFBS)


class OrderState(models.TextChoices):
    """What a marketplace's own words for the status of an order come to."""

    WAITING = "waiting", _("waiting")
    READY = "ready", _("ready for processing")
    PROCESSING = "processing", _("being processed")
    SENT = "sent", _("sent")
    DELIVERED = "delivered", _("delivered")
    RETURNED = "returned", _("returned")
    CANCELLED = "cancelled", _("cancelled")
    # A word that the marketplace has not had before. Nothing is done with such an order until somebody looks at it.
    UNKNOWN = "unknown", _("unknown")
