"""The shop's own settings."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from foundation.currencies import check_currency, decimals_of
from foundation.phone_regions import check_phone_region
from foundation.time_zones import check_time_zone

ONLY_ID = 1


class Shop(models.Model):
    """What holds for the whole shop: one row, or none in a shop that nobody has set up.

    Read it through `foundation.shop.current_shop`, which costs no query; write it through
    `foundation.services.shop`.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY_ID, editable=False)
    name = models.CharField(_("name"), max_length=100, help_text=_("On receipts, on the menu, and above every page."))
    currency = models.CharField(
        _("currency"),
        max_length=3,
        validators=[check_currency],
        help_text=_("All prices are in it. It can't be changed any more once something was sold."),
    )
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        validators=[check_time_zone],
        help_text=_("For example Asia/Bangkok. New locations get it; each may have its own."),
    )
    phone_region = models.CharField(
        _("phone numbers of"),
        max_length=2,
        validators=[check_phone_region],
        help_text=_("The country whose numbers people write without + and code."),
    )
    # When the demo was loaded; empty in a shop of somebody's own.
    demo_since = models.DateTimeField(_("demo since"), null=True, blank=True, editable=False)
    # Steps of the first-run page that somebody chose to leave out, and when that page was done with.
    skipped_steps = models.JSONField(_("skipped steps"), default=list, blank=True, editable=False)
    set_up_at = models.DateTimeField(_("set up"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("shop")
        verbose_name_plural = _("shop")
        default_permissions = ("view", "change")
        constraints = [models.CheckConstraint(condition=models.Q(id=ONLY_ID), name="shop_is_one")]

    def __str__(self) -> str:
        return self.name

    @property
    def currency_decimals(self) -> int:
        return decimals_of(self.currency)

    @property
    def is_demo(self) -> bool:
        return self.demo_since is not None
