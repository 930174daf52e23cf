"""Points: the programme, its tiers, and the ledger."""

from decimal import Decimal

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orders.models.every import of_any_order


class LoyaltyProgram(models.Model):
    """How the shop thanks those who come back. There is one row of it, or none while nobody has set it up.

    `point_value` is what a point pays for, in the shop's currency. Points expire `points_days` after they were
    earned (0: never). `adjustment_limit` is the most that a barista gives or takes at once.
    """

    ID = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ID, editable=False)
    is_active = models.BooleanField(_("points are earned and redeemed"), default=False)
    point_value = models.DecimalField(_("what a point pays for"), max_digits=8, decimal_places=2, default=Decimal(1))
    points_days = models.PositiveIntegerField(_("days until points expire"), default=365)
    adjustment_limit = models.PositiveIntegerField(_("the most a barista adjusts at once"), default=50)

    class Meta:
        verbose_name = _("loyalty programme")
        verbose_name_plural = _("loyalty programme")
        default_permissions = ("view", "change")
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="loyalty_program_is_one"),
            models.CheckConstraint(condition=Q(point_value__gt=0), name="loyalty_point_is_worth_something"),
        ]

    def __str__(self) -> str:
        return str(_("Loyalty programme"))


class LoyaltyTier(models.Model):
    """What a customer earns who has spent at least `spending_from` in the last twelve months: so many points for
    every hundred of the shop's currency."""

    name = models.CharField(_("name"), max_length=50, unique=True)
    spending_from = models.DecimalField(_("spending from"), max_digits=12, decimal_places=2, unique=True)
    points_per_hundred = models.DecimalField(_("points per hundred"), max_digits=6, decimal_places=2)

    class Meta:
        verbose_name = _("tier")
        verbose_name_plural = _("tiers")
        ordering = ["spending_from"]
        constraints = [
            models.CheckConstraint(
                condition=Q(spending_from__gte=0, points_per_hundred__gte=0), name="loyalty_tier_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class LoyaltyEntry(models.Model):
    """A line of a customer's points ledger. Nobody changes or deletes one: the database refuses it.

    What is earned or given has `expires_at`, and so has what takes earned points back; what is redeemed, expired or
    taken has none, nor has what gives redeemed points back. `reverses` says of a reversal which of the two it undoes.
    """

    class Kind(models.TextChoices):
        EARNED = "earned", _("earned")
        REDEEMED = "redeemed", _("redeemed")
        EXPIRED = "expired", pgettext_lazy("points", "expired")
        ADJUSTED = "adjusted", _("adjusted")
        REVERSED = "reversed", _("reversed")

    customer = models.ForeignKey(
        "orders.Customer", on_delete=models.PROTECT, related_name="loyalty_entries", verbose_name=_("customer")
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    points = models.IntegerField(_("points"))
    order = of_any_order(null=True, blank=True)
    reverses = models.CharField(
        _("reverses"), max_length=8, choices=[(Kind.EARNED, _("earned")), (Kind.REDEEMED, _("redeemed"))], blank=True
    )
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        db_index=False,
        null=True,
        related_name="+",
        verbose_name=_("by"),
    )
    created_at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        verbose_name = _("loyalty entry")
        verbose_name_plural = _("loyalty entries")
        ordering = ["-id"]
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(condition=~Q(points=0), name="loyalty_entry_moves_points"),
            models.CheckConstraint(
                condition=Q(kind="earned", points__gt=0)
                | Q(kind__in=["redeemed", "expired"], points__lt=0)
                | Q(kind__in=["adjusted", "reversed"]),
                name="loyalty_entry_sign",
            ),
            models.CheckConstraint(
                condition=Q(kind="reversed", reverses__in=["earned", "redeemed"])
                | (~Q(kind="reversed") & Q(reverses="")),
                name="loyalty_entry_reverses",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="loyalty_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.customer}: {self.points:+d}"

    @property
    def is_credit(self) -> bool:
        """Whether it gives points, or takes back what gave them: not spending, nor what undoes spending."""
        given = self.kind == self.Kind.ADJUSTED and self.points > 0 and self.order_id is None
        return given or self.Kind.EARNED in (self.kind, self.reverses) or self.expires_at is not None
