"""What lies where according to the marketplaces."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from marketplaces.choices import Scheme
from marketplaces.models.account import SellerAccount


class MarketplaceStock(models.Model):
    """So many pieces of a SKU in a warehouse, as the marketplace said when it was asked last.

    `last_sync_at` is when these figures last changed; that they still hold says the account's newest successful run.
    `product` is the one of the SKU's listing, none as long as nobody has matched it.
    """

    account = models.ForeignKey(
        SellerAccount, on_delete=models.PROTECT, db_index=False, related_name="stock", verbose_name=_("account")
    )
    product = models.ForeignKey(
        "inventory.Product",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("product"),
    )
    sku = models.CharField(_("SKU"), max_length=100)
    name = models.CharField(_("name"), max_length=300, blank=True)
    barcode = models.CharField(_("barcode"), max_length=60, blank=True)
    # Which of the marketplace's endpoints told it.
    source = models.CharField(_("source"), max_length=30)
    warehouse_id = models.CharField(_("warehouse id"), max_length=60, blank=True)
    warehouse = models.CharField(_("warehouse"), max_length=200, blank=True)
    stock_type = models.CharField(_("scheme"), max_length=7, choices=Scheme)
    present = models.IntegerField(_("present"), default=0)
    reserved = models.IntegerField(_("reserved"), default=0)
    in_way_to_client = models.IntegerField(_("on the way to clients"), default=0)
    in_way_from_client = models.IntegerField(_("on the way back"), default=0)
    snapshot_date = models.DateField(_("day"))
    last_sync_at = models.DateTimeField(_("changed"), default=timezone.now)

    class Meta:
        verbose_name = _("marketplace stock")
        verbose_name_plural = _("marketplace stock")
        ordering = ["id"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["account", "sku", "source", "warehouse_id", "stock_type"], name="marketplace_stock_once"
            ),
            models.CheckConstraint(
                condition=Q(present__gte=0, reserved__gte=0, in_way_to_client__gte=0, in_way_from_client__gte=0),
                name="marketplace_stock_not_negative",
            ),
        ]
        indexes = [models.Index(fields=["account", "-id"], name="mp_stock_by_account")]

    def __str__(self) -> str:
        return f"{self.sku}: {self.present}"


class MarketplaceStockSnapshot(models.Model):
    """A row of marketplace stock as it was at the end of a day on which it changed: of any other day, the newest
    one before it holds."""

    # Its unique constraint begins with it: an index of its own would only cost.
    stock = models.ForeignKey(MarketplaceStock, on_delete=models.CASCADE, db_index=False, related_name="snapshots")
    snapshot_date = models.DateField(_("day"))
    present = models.IntegerField(_("present"))
    reserved = models.IntegerField(_("reserved"))
    in_way_to_client = models.IntegerField(_("on the way to clients"))
    in_way_from_client = models.IntegerField(_("on the way back"))

    class Meta:
        verbose_name = _("snapshot of marketplace stock")
        verbose_name_plural = _("snapshots of marketplace stock")
        ordering = ["-snapshot_date"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["stock", "snapshot_date"], name="stock_snapshot_once")]

    def __str__(self) -> str:
        return f"{self.snapshot_date}: {self.present}"
