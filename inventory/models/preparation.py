"""Ingredients that the shop makes itself: cooked pearls, brewed tea."""

from decimal import Decimal

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class PreparationRecipe(models.Model):
    """What one batch of an ingredient is made from, and how much it yields, in the ingredient's base unit."""

    ingredient = models.OneToOneField(
        "inventory.Ingredient",
        on_delete=models.CASCADE,
        related_name="preparation_recipe",
        verbose_name=_("makes"),
    )
    yield_quantity = models.DecimalField(
        _("yield of a batch"), max_digits=14, decimal_places=3, validators=[MinValueValidator(Decimal("0.001"))]
    )
    instructions = models.TextField(_("how it is made"), max_length=2000, blank=True)

    class Meta:
        verbose_name = _("preparation recipe")
        verbose_name_plural = _("preparation recipes")
        ordering = ["ingredient__name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(yield_quantity__gt=0),
                name="preparation_yields_something",
                violation_error_message=_("A batch must yield more than 0."),
            ),
        ]

    def __str__(self) -> str:
        return self.ingredient.name


class PreparationRecipeLine(models.Model):
    """So much of an ingredient goes into one batch, in its base unit."""

    recipe = models.ForeignKey(
        PreparationRecipe, on_delete=models.CASCADE, related_name="lines", verbose_name=_("preparation recipe")
    )
    ingredient = models.ForeignKey(
        "inventory.Ingredient",
        on_delete=models.PROTECT,
        related_name="preparation_lines",
        verbose_name=_("ingredient"),
    )
    quantity = models.DecimalField(
        _("quantity"), max_digits=14, decimal_places=3, validators=[MinValueValidator(Decimal("0.001"))]
    )

    class Meta:
        verbose_name = _("preparation recipe line")
        verbose_name_plural = _("preparation recipe lines")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["recipe", "ingredient"], name="ingredient_once_in_preparation"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="preparation_quantity_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} {self.ingredient.get_unit_display()} {self.ingredient.name}"


class Preparation(models.Model):
    """One time that something was made: ingredients out, `quantity` in. Its lines are its movements.

    `expected_quantity` is what the recipe promises for so many batches; what is missing of it was lost in making.
    """

    location = models.ForeignKey(
        "inventory.Location", on_delete=models.PROTECT, related_name="preparations", verbose_name=_("location")
    )
    ingredient = models.ForeignKey(
        "inventory.Ingredient", on_delete=models.PROTECT, related_name="preparations", verbose_name=_("makes")
    )
    batches = models.DecimalField(pgettext_lazy("of a preparation", "batches"), max_digits=8, decimal_places=3)
    expected_quantity = models.DecimalField(_("expected yield"), max_digits=14, decimal_places=3)
    quantity = models.DecimalField(_("yield"), max_digits=14, decimal_places=3)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    comment = models.CharField(_("comment"), max_length=500, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("made"), default=timezone.now)
    cancelled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("cancelled by")
    )
    cancelled_at = models.DateTimeField(_("cancelled"), null=True, blank=True)

    class Meta:
        verbose_name = _("preparation")
        verbose_name_plural = _("preparations")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(batches__gt=0), name="preparation_batches_positive"),
            models.CheckConstraint(
                condition=Q(expected_quantity__gt=0, quantity__gt=0), name="preparation_made_something"
            ),
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"

    @property
    def waste(self) -> Decimal:
        """What the recipe promised and the batch did not yield, in the base unit; never below 0."""
        return max(self.expected_quantity - self.quantity, Decimal(0))
