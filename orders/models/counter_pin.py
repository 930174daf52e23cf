"""How somebody says at the counter that it is them."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from orders.models.employee import Employee


class CounterPin(models.Model):
    """An employee's PIN, hashed. In a table of its own, so that what reads employees never reads it."""

    employee = models.OneToOneField(
        Employee, on_delete=models.PROTECT, primary_key=True, related_name="+", verbose_name=_("employee")
    )
    hash = models.CharField(max_length=128)
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    set_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("PIN")
        verbose_name_plural = _("PINs")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.employee}"


class WrongPins(models.Model):
    """How often a wrong PIN was given for an employee, or from a network address, since the last right one.

    `waits_until` is when the next one is looked at again.
    """

    class CountedBy(models.TextChoices):
        ADDRESS = "address", _("network address")
        EMPLOYEE = "employee", _("employee")

    pk = models.CompositePrimaryKey("counted_by", "key")
    counted_by = models.CharField(max_length=8, choices=CountedBy)
    key = models.CharField(max_length=64)
    number = models.PositiveIntegerField(default=0)
    waits_until = models.DateTimeField(null=True)
    last_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        ordering = ["counted_by", "key"]

    def __str__(self) -> str:
        return f"{self.counted_by} {self.key}: {self.number}"
