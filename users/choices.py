"""The words that people's records use: their roles, and what sign-in attempts are counted by."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """What somebody may do here. Each is a Django group of the same name; a user has exactly one."""

    ADMIN = "admin", _("Admin")
    MANAGER = "manager", _("Manager")
    BARISTA = "barista", _("Barista")
    CUSTOMER = "customer", _("Customer")


class CountedBy(models.TextChoices):
    """What sign-in attempts are counted by."""

    ADDRESS = "address", _("network address")
    EMAIL = "email", _("e-mail")
