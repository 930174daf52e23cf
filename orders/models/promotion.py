"""What makes an order cheaper: automatic promotions and promo codes."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orders.models.every import of_any_order


class Promotion(models.Model):
    """An automatic one: it takes something off each line that it covers, or off every `every`-th portion of them.

    `value` is a percentage or an amount for each portion, by `kind`. It holds from `starts_on` to `ends_on`, on
    `weekdays` (1 is Monday; none: all) and from `starts_time` to `ends_time` (past midnight if that is earlier), all
    by the location's clock. It covers the whole menu and all locations, or what is named; what it names may be deleted
    one day, and it does not spread to everything then.
    """

    class Kind(models.TextChoices):
        PERCENT = "percent", _("percent")
        AMOUNT = "amount", _("amount")

    name = models.CharField(_("name"), max_length=100, unique=True)
    kind = models.CharField(_("kind"), max_length=7, choices=Kind, default=Kind.PERCENT)
    value = models.DecimalField(pgettext_lazy("a discount", "value"), max_digits=12, decimal_places=2)
    every = models.PositiveSmallIntegerField(_("every so many portions"), default=1)
    weekdays = ArrayField(models.PositiveSmallIntegerField(), verbose_name=_("weekdays"), default=list, blank=True)
    starts_time = models.TimeField(pgettext_lazy("a period", "from"), null=True, blank=True)
    ends_time = models.TimeField(pgettext_lazy("a period", "to"), null=True, blank=True)
    starts_on = models.DateField(_("first day"), null=True, blank=True)
    ends_on = models.DateField(_("last day"), null=True, blank=True)
    products = models.ManyToManyField("inventory.Product", verbose_name=_("products"), blank=True, related_name="+")
    categories = models.ManyToManyField(
        "inventory.Category", verbose_name=_("categories"), blank=True, related_name="+"
    )
    locations = models.ManyToManyField("inventory.Location", verbose_name=_("locations"), blank=True, related_name="+")
    covers_menu = models.BooleanField(_("on the whole menu"), default=True, editable=False)
    is_everywhere = models.BooleanField(_("at all locations"), default=True, editable=False)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("promotion")
        verbose_name_plural = _("promotions")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=Q(value__gt=0), name="promotion_value_positive"),
            models.CheckConstraint(
                condition=~Q(kind="percent") | Q(value__lte=100), name="promotion_percent_within_100"
            ),
            models.CheckConstraint(condition=Q(every__gte=1, every__lte=10), name="promotion_every_1_to_10"),
            models.CheckConstraint(
                condition=Q(starts_time=None, ends_time=None)
                | Q(starts_time__isnull=False, ends_time__isnull=False) & ~Q(starts_time=F("ends_time")),
                name="promotion_hours_have_two_ends",
            ),
            models.CheckConstraint(
                condition=Q(starts_on=None) | Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
                name="promotion_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=Q(weekdays__contained_by=[1, 2, 3, 4, 5, 6, 7]), name="promotion_weekdays_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class PromoCode(models.Model):
    """What a customer says or types to get something off: a percentage, or an amount of the whole order.

    `used_count` counts the orders that carry it now: a cancelled one gives its use back. It covers the whole menu or
    what is named, as a promotion does; `minimum_total` is what this must come to after automatic promotions.
    """

    class Kind(models.TextChoices):
        PERCENT = "percent", _("percent")
        AMOUNT = "amount", _("amount")

    code = models.CharField(_("code"), max_length=40, unique=True)
    kind = models.CharField(_("kind"), max_length=7, choices=Kind, default=Kind.PERCENT)
    value = models.DecimalField(pgettext_lazy("a discount", "value"), max_digits=12, decimal_places=2)
    starts_at = models.DateTimeField(pgettext_lazy("a period", "from"), null=True, blank=True)
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)
    usage_limit = models.PositiveIntegerField(_("how often in all"), null=True, blank=True)
    per_customer_limit = models.PositiveIntegerField(_("how often per customer"), null=True, blank=True)
    used_count = models.PositiveIntegerField(_("used"), default=0, editable=False)
    minimum_total = models.DecimalField(_("minimum"), max_digits=12, decimal_places=2, default=0)
    products = models.ManyToManyField("inventory.Product", verbose_name=_("products"), blank=True, related_name="+")
    categories = models.ManyToManyField(
        "inventory.Category", verbose_name=_("categories"), blank=True, related_name="+"
    )
    covers_menu = models.BooleanField(_("on the whole menu"), default=True, editable=False)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("promo code")
        verbose_name_plural = _("promo codes")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(code=Upper("code")) & ~Q(code=""), name="promo_code_in_capitals"),
            models.CheckConstraint(condition=Q(value__gt=0), name="promo_code_value_positive"),
            models.CheckConstraint(
                condition=~Q(kind="percent") | Q(value__lte=100), name="promo_code_percent_within_100"
            ),
            models.CheckConstraint(condition=Q(minimum_total__gte=0), name="promo_code_minimum_not_negative"),
            models.CheckConstraint(
                condition=Q(starts_at=None) | Q(ends_at=None) | Q(ends_at__gt=F("starts_at")),
                name="promo_code_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=Q(usage_limit=None) | Q(used_count__lte=F("usage_limit")), name="promo_code_within_its_limit"
            ),
        ]

    def __str__(self) -> str:
        return self.code


class PromoRedemption(models.Model):
    """An order that carries a promo code. `released_at` is set when the order is cancelled or pays all of it back."""

    promo_code = models.ForeignKey(
        PromoCode, on_delete=models.PROTECT, related_name="redemptions", verbose_name=_("promo code")
    )
    customer = models.ForeignKey(
        "orders.Customer", on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("customer")
    )
    order = of_any_order()
    amount = models.DecimalField(_("taken off"), max_digits=12, decimal_places=2)
    created_at = models.DateTimeField(_("when"), default=timezone.now)
    released_at = models.DateTimeField(_("given back"), null=True)

    class Meta:
        verbose_name = _("use of a promo code")
        verbose_name_plural = _("uses of promo codes")
        ordering = ["-id"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["order"], condition=Q(released_at=None), name="promo_code_once_for_an_order"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.promo_code}: {self.order_id}"
