"""What people are paid for a month."""

import datetime

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.dates import MONTHS
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from orders.models.employee import Employee


class Payroll(models.Model):
    """A month's pay of those who work at a location, or everywhere.

    `month` is its first day. A transition changes only its own row's fields; `orders.services.payroll` locks, calls
    it, and does the rest. The database lets nobody touch the lines of a closed one.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        CLOSED = "closed", pgettext_lazy("a payroll", "closed")

    month = models.DateField(_("month"))
    location = models.ForeignKey(
        "inventory.Location",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("location"),
    )
    status = FSMField(_("status"), max_length=6, choices=Status, default=Status.DRAFT, protected=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    calculated_at = models.DateTimeField(_("calculated"), default=timezone.now)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("closed by")
    )
    closed_at = models.DateTimeField(pgettext_lazy("a payroll", "closed"), null=True)
    reopened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("reopened by")
    )
    reopened_at = models.DateTimeField(_("reopened"), null=True)
    reopen_reason = models.CharField(_("why it was reopened"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("payroll")
        verbose_name_plural = _("payrolls")
        ordering = ["-month", "-id"]
        default_permissions = ("view", "add", "change")
        permissions = [
            ("close_payroll", _("Can close payrolls")),
            ("reopen_payroll", _("Can reopen closed payrolls")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["month", "location"], name="one_payroll_a_month_and_location", nulls_distinct=False
            ),
            models.CheckConstraint(condition=Q(month__day=1), name="payroll_month_is_its_first_day"),
            models.CheckConstraint(
                condition=Q(status="draft", closed_at=None) | Q(status="closed", closed_at__isnull=False),
                name="payroll_closed_when_over",
            ),
        ]

    def __str__(self) -> str:
        return month_name(self.month)

    @transition(field=status, source=Status.DRAFT, target=Status.CLOSED, permission="orders.close_payroll")
    def close(self, *, by_id: int | None, at: datetime.datetime | None = None) -> None:
        """It is paid so, and changes no more."""
        self.closed_at = at or timezone.now()
        self.closed_by_id = by_id

    @transition(field=status, source=Status.CLOSED, target=Status.DRAFT, permission="orders.reopen_payroll")
    def reopen(self, *, by_id: int | None, reason: str, at: datetime.datetime | None = None) -> None:
        """Something in it is wrong after all."""
        self.closed_at = self.closed_by_id = None
        self.reopened_at = at or timezone.now()
        self.reopened_by_id = by_id
        self.reopen_reason = reason


# In PL/pgSQL all fields of OLD are NULL for an INSERT, those of NEW for a DELETE.
LINES_OF_A_CLOSED_ONE = """
IF EXISTS (SELECT FROM orders_payroll WHERE status = 'closed' AND id IN (OLD.payroll_id, NEW.payroll_id)) THEN
    RAISE EXCEPTION 'The payroll is closed: its lines change no more.';
END IF;
RETURN COALESCE(NEW, OLD);
"""


class PayrollLine(models.Model):
    """What one person is paid for the month: `base` as it was computed, and what somebody added or took off by hand.

    `parts` explains the base: [{"first", "last", "days", "amount", "per"}], a salary's days in the month each. `month`
    repeats the payroll's, so that the database pays nobody twice for one.
    """

    payroll = models.ForeignKey(Payroll, on_delete=models.CASCADE, related_name="lines", verbose_name=_("payroll"))
    month = models.DateField(_("month"), editable=False)
    employee = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+", verbose_name=_("employee"))
    days_employed = models.PositiveSmallIntegerField(_("days employed"))
    days_in_month = models.PositiveSmallIntegerField(_("days in the month"))
    hours = models.DecimalField(_("hours"), max_digits=6, decimal_places=2, default=0)
    base = models.DecimalField(_("base"), max_digits=12, decimal_places=2, default=0)
    adjustment = models.DecimalField(_("adjustment"), max_digits=12, decimal_places=2, default=0)
    adjustment_reason = models.CharField(_("why it is adjusted"), max_length=300, blank=True)
    total = models.DecimalField(_("total"), max_digits=12, decimal_places=2, default=0)
    parts = models.JSONField(_("how it is computed"), default=list)

    class Meta:
        verbose_name = _("line of a payroll")
        verbose_name_plural = _("lines of payrolls")
        ordering = ["employee__name", "employee_id"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["employee", "month"], name="nobody_is_paid_twice_for_a_month"),
            models.CheckConstraint(condition=Q(total=F("base") + F("adjustment")), name="payroll_line_adds_up"),
            models.CheckConstraint(condition=Q(base__gte=0, total__gte=0, hours__gte=0), name="payroll_not_negative"),
            models.CheckConstraint(
                condition=Q(adjustment=0) | ~Q(adjustment_reason=""), name="payroll_adjusted_for_a_reason"
            ),
            models.CheckConstraint(
                condition=Q(days_employed__lte=F("days_in_month"), days_in_month__lte=31),
                name="payroll_days_in_the_month",
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="closed_payroll_is_frozen",
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                when=pgtrigger.Before,
                func=LINES_OF_A_CLOSED_ONE,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.employee}, {self.month:%Y-%m}"

    @property
    def is_hourly(self) -> bool:
        """Whether some of its days are paid by the hour."""
        return any(part["per"] == "hour" for part in self.parts)


def month_name(month: datetime.date) -> str:
    """November 2026"""
    return gettext("%(month)s %(year)d") % {"month": MONTHS[month.month], "year": month.year}
