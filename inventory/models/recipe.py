"""What things are made of."""

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

LONGEST_SHELF_LIFE_HOURS = 10 * 366 * 24


class Ingredient(models.Model):
    """What the store room holds, counted in its base unit. Its unit never changes once it has moved."""

    class Unit(models.TextChoices):
        GRAM = "g", _("g")
        MILLILITRE = "ml", _("ml")
        PIECE = "pc", _("pc")

    name = models.CharField(_("name"), max_length=100, unique=True)
    unit = models.CharField(_("unit"), max_length=2, choices=Unit)
    tracks_expiry = models.BooleanField(
        _("has an expiry date"),
        default=False,
        help_text=_(
            "Its stock is kept in lots with a date; what expires first is used first, expired lots are not sold."
        ),
    )
    shelf_life_hours = models.PositiveIntegerField(
        _("keeps for (hours)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_SHELF_LIFE_HOURS)],
        help_text=_("From its receipt or from being made, where no other date is given."),
    )

    class Meta:
        verbose_name = _("ingredient")
        verbose_name_plural = _("ingredients")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(shelf_life_hours=None)
                | Q(shelf_life_hours__gte=1, shelf_life_hours__lte=LONGEST_SHELF_LIFE_HOURS),
                name="shelf_life_sensible",
                violation_error_message=_("An ingredient keeps for at least an hour and at most ten years."),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class RecipeLine(models.Model):
    """So much of an ingredient goes into one portion of a product. A size changes the lines that scale."""

    product = models.ForeignKey(
        "inventory.Product", on_delete=models.CASCADE, related_name="recipe_lines", verbose_name=_("product")
    )
    ingredient = models.ForeignKey(
        Ingredient, on_delete=models.PROTECT, related_name="recipe_lines", verbose_name=_("ingredient")
    )
    quantity = models.DecimalField(
        _("quantity"), max_digits=14, decimal_places=3, validators=[MinValueValidator(Decimal("0.001"))]
    )
    scales = models.BooleanField(_("scales"), default=False, help_text=_("A larger cup takes more of it."))

    class Meta:
        verbose_name = _("recipe line")
        verbose_name_plural = _("recipe lines")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["product", "ingredient"], name="ingredient_once_in_recipe"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="recipe_quantity_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} {self.ingredient.get_unit_display()} {self.ingredient.name}"
