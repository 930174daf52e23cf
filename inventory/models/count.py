"""Counting what really stands on the shelves."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition


class StockCount(models.Model):
    """A list of ingredients at a location that somebody counts; reviewed, then posted to the ledger once.

    A transition changes only its own row's fields; `inventory.services.counts` locks, calls it, and does the rest.
    """

    class Status(models.TextChoices):
        COUNTING = "counting", _("being counted")
        REVIEW = "review", _("to be reviewed")
        POSTED = "posted", _("posted")
        CANCELLED = "cancelled", _("cancelled")

    OPEN = (Status.COUNTING, Status.REVIEW)

    location = models.ForeignKey(
        "inventory.Location", on_delete=models.PROTECT, related_name="stock_counts", verbose_name=_("location")
    )
    shelf = models.ForeignKey(
        "inventory.Shelf",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="stock_counts",
        verbose_name=_("shelf"),
    )
    status = FSMField(_("status"), max_length=9, choices=Status, default=Status.COUNTING, protected=True)
    comment = models.CharField(_("comment"), max_length=500, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    posted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("posted by")
    )
    closed_at = models.DateTimeField(_("posted or cancelled"), null=True, blank=True)

    class Meta:
        verbose_name = _("stock count")
        verbose_name_plural = _("stock counts")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["counting", "review", "posted", "cancelled"]), name="count_status_known"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["posted", "cancelled"], closed_at__isnull=False)
                | (~Q(status__in=["posted", "cancelled"]) & Q(closed_at=None)),
                name="count_closed_when_over",
            ),
        ]
        permissions = [
            ("post_stockcount", _("Can review and post stock counts")),
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"

    @transition(field=status, source=Status.COUNTING, target=Status.REVIEW, permission="inventory.change_stockcount")
    def submit(self) -> None:
        """Everything is counted; somebody looks at the differences."""

    @transition(field=status, source=Status.REVIEW, target=Status.COUNTING, permission="inventory.change_stockcount")
    def reopen(self) -> None:
        """Something has to be counted again."""

    @transition(field=status, source=Status.REVIEW, target=Status.POSTED, permission="inventory.post_stockcount")
    def post(self) -> None:
        """The differences stand in the ledger."""
        self.closed_at = timezone.now()

    @transition(field=status, source=list(OPEN), target=Status.CANCELLED, permission="inventory.change_stockcount")
    def cancel(self) -> None:
        """It is thrown away; the stock stays what it was."""
        self.closed_at = timezone.now()


class StockCountLine(models.Model):
    """What was counted of one ingredient, in its base unit, and what the level said at that moment.

    The difference of the two is what posting writes, whatever was sold since: a drink that left after the count
    changes both alike. `last_movement_id` is the newest ledger line of the level that the count took into account,
    0 for none: by it we know what moved later.
    """

    count = models.ForeignKey(StockCount, on_delete=models.CASCADE, related_name="lines", verbose_name=_("count"))
    ingredient = models.ForeignKey(
        "inventory.Ingredient", on_delete=models.PROTECT, related_name="count_lines", verbose_name=_("ingredient")
    )
    position = models.PositiveIntegerField(_("position"), default=0)
    counted_quantity = models.DecimalField(_("counted"), max_digits=14, decimal_places=3, null=True, blank=True)
    expected_quantity = models.DecimalField(_("expected"), max_digits=14, decimal_places=3, null=True, blank=True)
    last_movement_id = models.BigIntegerField(null=True, blank=True)
    counted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("counted by")
    )
    counted_at = models.DateTimeField(_("counted at"), null=True, blank=True)

    class Meta:
        verbose_name = _("count line")
        verbose_name_plural = _("count lines")
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["count", "ingredient"], name="ingredient_once_in_count"),
            models.CheckConstraint(
                condition=Q(counted_quantity=None) | Q(counted_quantity__gte=0), name="counted_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(counted_quantity=None, expected_quantity=None, last_movement_id=None, counted_at=None)
                | Q(
                    counted_quantity__isnull=False,
                    expected_quantity__isnull=False,
                    last_movement_id__isnull=False,
                    counted_at__isnull=False,
                ),
                name="count_line_counted_whole_or_not",
            ),
        ]

    def __str__(self) -> str:
        return self.ingredient.name
