"""Who works here."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Position(models.Model):
    """What somebody is employed as: barista, manager, cook."""

    name = models.CharField(_("name"), max_length=100, unique=True)

    class Meta:
        verbose_name = pgettext_lazy("job", "position")
        verbose_name_plural = _("positions")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Employee(models.Model):
    """A person who works or worked at a location. Stays after they left: orders name them."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="employee",
        verbose_name=_("account"),
    )
    name = models.CharField(pgettext_lazy("of a person", "name"), max_length=150)
    position = models.ForeignKey(
        Position, on_delete=models.PROTECT, related_name="employees", verbose_name=pgettext_lazy("job", "position")
    )
    location = models.ForeignKey(
        "inventory.Location", on_delete=models.PROTECT, related_name="employees", verbose_name=_("location")
    )
    hired_on = models.DateField(_("hired on"))
    left_on = models.DateField(_("left on"), null=True, blank=True)

    class Meta:
        verbose_name = _("employee")
        verbose_name_plural = _("employees")
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(left_on=None) | Q(left_on__gte=F("hired_on")),
                name="employee_left_after_hired",
                violation_error_message=_("Nobody leaves before they are hired: check both dates."),
            ),
        ]
        permissions = [("view_employee_sales", _("Can see what each employee sells"))]

    def __str__(self) -> str:
        return self.name
