"""What is sold: categories, products, and the options that change a product's price and recipe."""

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from inventory.images import check_image, product_image_path
from inventory.models.search import TRIGGERS_OF_CATEGORIES, TRIGGERS_OF_PRODUCTS


class Category(models.Model):
    """A shelf of the menu."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    position = models.PositiveIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        ordering = ["position", "name"]
        triggers = TRIGGERS_OF_CATEGORIES

    def __str__(self) -> str:
        return self.name


class OptionGroup(models.Model):
    """A question asked about a product: its size, its sweetness, its toppings.

    A person chooses at least `min_choices` and at most `max_choices` options. Of the chosen ones the
    `free_choices` cheapest cost nothing.
    """

    name = models.CharField(_("name"), max_length=100, unique=True)
    min_choices = models.PositiveSmallIntegerField(_("at least"), default=0)
    max_choices = models.PositiveSmallIntegerField(_("at most"), default=1, validators=[MinValueValidator(1)])
    free_choices = models.PositiveSmallIntegerField(
        _("free"), default=0, help_text=_("So many of the chosen options, the cheapest ones, cost nothing.")
    )
    position = models.PositiveIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("option group")
        verbose_name_plural = _("option groups")
        ordering = ["position", "name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(max_choices__gte=1) & Q(max_choices__gte=F("min_choices")),
                name="option_group_choices_in_order",
                violation_error_message=_("“At most” must be 1 or more, and not below “at least”."),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Option(models.Model):
    """One answer of an option group. Its effects change the recipe."""

    group = models.ForeignKey(OptionGroup, on_delete=models.CASCADE, related_name="options", verbose_name=_("group"))
    name = models.CharField(_("name"), max_length=100)
    price_delta = models.DecimalField(
        _("price change"),
        max_digits=12,
        decimal_places=2,
        default=0,
        help_text=_("Added to the price; may be negative."),
    )
    is_default = models.BooleanField(_("default"), default=False)
    is_available = models.BooleanField(_("available"), default=True)
    position = models.PositiveIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("option")
        verbose_name_plural = _("options")
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["group", "name"], name="option_name_unique_in_group"),
        ]

    def __str__(self) -> str:
        return f"{self.group.name}: {self.name}"


class OptionEffect(models.Model):
    """What an option does to the recipe: replace one ingredient, scale lines, or add an ingredient.

    - replace: `ingredient` becomes `replacement`
    - scale: lines of `ingredient`, or all lines marked `scales` if it is empty, are multiplied by `factor`
    - add: `quantity` of `ingredient` on top
    """

    class Kind(models.TextChoices):
        REPLACE = "replace", _("replace")
        SCALE = "scale", _("scale")
        ADD = "add", _("add")

    option = models.ForeignKey(Option, on_delete=models.CASCADE, related_name="effects", verbose_name=_("option"))
    kind = models.CharField(_("what"), max_length=7, choices=Kind)
    ingredient = models.ForeignKey(
        "inventory.Ingredient",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="option_effects",
        verbose_name=_("ingredient"),
        help_text=_("For “scale”, empty means all lines marked “scales”."),
    )
    replacement = models.ForeignKey(
        "inventory.Ingredient",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("replacement"),
    )
    factor = models.DecimalField(_("factor"), max_digits=8, decimal_places=4, null=True, blank=True)
    quantity = models.DecimalField(_("quantity"), max_digits=14, decimal_places=3, null=True, blank=True)

    class Meta:
        verbose_name = _("effect")
        verbose_name_plural = _("effects")
        ordering = ["id"]
        constraints = [
            # The explicit `isnull=False`: to a CHECK, `NULL >= 0` is as good as true.
            models.CheckConstraint(
                condition=Q(
                    kind="replace",
                    ingredient__isnull=False,
                    replacement__isnull=False,
                    factor__isnull=True,
                    quantity__isnull=True,
                )
                | Q(kind="scale", replacement__isnull=True, factor__isnull=False, factor__gte=0, quantity__isnull=True)
                | Q(
                    kind="add",
                    ingredient__isnull=False,
                    replacement__isnull=True,
                    factor__isnull=True,
                    quantity__isnull=False,
                    quantity__gt=0,
                ),
                name="option_effect_is_whole",
                violation_error_message=_(
                    "“Replace” needs an ingredient and a replacement; “scale” a factor of 0 or more; "
                    "“add” an ingredient and a quantity; and nothing else."
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.ingredient or ''}".strip()


class Product(models.Model):
    """Something that is sold. `is_listed` is the manager's stop list; whether it is available is computed."""

    category = models.ForeignKey(
        Category, on_delete=models.PROTECT, related_name="products", verbose_name=_("category")
    )
    name = models.CharField(_("name"), max_length=150, unique=True)
    description = models.TextField(_("description"), blank=True, max_length=2000)
    price = models.DecimalField(_("price"), max_digits=12, decimal_places=2, validators=[MinValueValidator(0)])
    image = models.ImageField(
        _("picture"),
        upload_to=product_image_path,
        blank=True,
        validators=[check_image],
        help_text=_("JPEG, PNG or WebP, at most 5 MB."),
    )
    is_listed = models.BooleanField(
        _("listed"), default=True, help_text=_("Take it off the menu by switching this off.")
    )
    sku = models.CharField(
        _("SKU"), max_length=60, blank=True, default="", help_text=_("The shop's own number of the product.")
    )
    barcode = models.CharField(_("barcode"), max_length=60, blank=True, default="")
    position = models.PositiveIntegerField(_("position"), default=0)
    option_groups = models.ManyToManyField(
        OptionGroup, through="inventory.ProductOptionGroup", related_name="products", verbose_name=_("option groups")
    )

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering = ["category__position", "position", "name"]
        constraints = [
            models.CheckConstraint(condition=Q(price__gte=0), name="product_price_not_negative"),
            models.UniqueConstraint(
                fields=["sku"],
                condition=~Q(sku=""),
                name="product_sku_once",
                violation_error_code="unique",
                violation_error_message=_("Another product has this SKU."),
            ),
            models.UniqueConstraint(
                fields=["barcode"],
                condition=~Q(barcode=""),
                name="product_barcode_once",
                violation_error_code="unique",
                violation_error_message=_("Another product has this barcode."),
            ),
        ]
        triggers = TRIGGERS_OF_PRODUCTS

    def __str__(self) -> str:
        return self.name


class ProductOptionGroup(models.Model):
    """Which option groups a product asks about, and in which order."""

    product = models.ForeignKey(
        Product, on_delete=models.CASCADE, related_name="group_links", verbose_name=_("product")
    )
    group = models.ForeignKey(
        OptionGroup, on_delete=models.PROTECT, related_name="product_links", verbose_name=_("option group")
    )
    position = models.PositiveIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("option group of a product")
        verbose_name_plural = _("option groups of a product")
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["product", "group"], name="option_group_once_in_product"),
        ]

    def __str__(self) -> str:
        return self.group.name
