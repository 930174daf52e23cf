"""What people are paid, and since when."""

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orders.models.employee import Employee


class DateRange(Func):
    """The days from the one to the other, both included; NULL for no end."""

    function = "daterange"
    output_field = DateRangeField()


class Salary(models.Model):
    """What an employee is paid from one day to another; without a last day it goes on. Periods never overlap.

    Who may not see salaries must not reach one through a record that they may see: the key leads one way only.
    """

    class Per(models.TextChoices):
        MONTH = "month", pgettext_lazy("a salary", "per month")
        HOUR = "hour", pgettext_lazy("a salary", "per hour")

    employee = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+", verbose_name=_("employee"))
    amount = models.DecimalField(_("amount"), max_digits=12, decimal_places=2)
    per = models.CharField(pgettext_lazy("a salary", "per"), max_length=5, choices=Per, default=Per.MONTH)
    valid_from = models.DateField(_("first day"))
    valid_to = models.DateField(_("last day"), null=True, blank=True)
    note = models.CharField(_("note"), max_length=500, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("by"),
    )
    created_at = models.DateTimeField(_("written down"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("salary")
        verbose_name_plural = _("salaries")
        ordering = ["-valid_from", "-id"]
        default_permissions = ("view", "add", "change")
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0),
                name="salary_positive",
                violation_error_message=_("A salary is more than 0."),
            ),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")),
                name="salary_ends_after_it_begins",
                violation_error_message=_("The last day lies before the first one: check both dates."),
            ),
            models.CheckConstraint(condition=Q(per__in=["month", "hour"]), name="salary_per_known"),
            ExclusionConstraint(
                name="one_salary_at_a_time",
                expressions=[
                    ("employee", RangeOperators.EQUAL),
                    (DateRange("valid_from", "valid_to", Value("[]")), RangeOperators.OVERLAPS),
                ],
                violation_error_message=_("Another salary of this person is valid on some of these days."),
            ),
        ]

    def __str__(self) -> str:
        """Without the amount: logs and histories write it down."""
        return f"{self.employee}, {self.valid_from:%Y-%m-%d}"
