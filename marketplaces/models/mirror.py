"""The copy of a marketplace's orders, which the shop keeps also when the marketplace has forgotten them."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from foundation.uuids import uuid7
from marketplaces.choices import OrderState, Scheme
from marketplaces.models.account import SellerAccount


class MarketplaceOrder(models.Model):
    """An order as the marketplace tells it. It does not become an Order of the shop: reports unite both.

    `payload` is the newest answer, whole; `revisions` hold all that differed. `status` and `fulfilment_status` are the
    marketplace's own words, `state` what they come to. Allegro keeps the two apart: a buyer may cancel what is being
    sent. Where several orders were paid together, the old one vanishes and `merged_into` names the new one.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(
        SellerAccount, on_delete=models.PROTECT, db_index=False, related_name="orders", verbose_name=_("account")
    )
    external_id = models.CharField(_("order on the marketplace"), max_length=100)
    number = models.CharField(_("number"), max_length=100, blank=True)
    status = models.CharField(_("status on the marketplace"), max_length=60)
    fulfilment_status = models.CharField(_("fulfilment status"), max_length=60, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=OrderState)
    scheme = models.CharField(_("scheme"), max_length=7, choices=Scheme, default=Scheme.FBS)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    total = models.DecimalField(_("total"), max_digits=12, decimal_places=2, null=True, blank=True)
    # The marketplace's own mark of a version, needed by some writes (Allegro's checkoutForm.revision).
    revision = models.CharField(_("revision"), max_length=100, blank=True)
    payload = models.JSONField(_("as the marketplace tells it"))
    payload_digest = models.CharField(max_length=64, editable=False)
    placed_at = models.DateTimeField(_("placed"), null=True, blank=True)
    changed_at = models.DateTimeField(_("changed on the marketplace"), null=True, blank=True)
    first_seen_at = models.DateTimeField(_("first seen"), default=timezone.now)
    synced_at = models.DateTimeField(_("last change seen"), default=timezone.now)
    vanished_at = models.DateTimeField(_("no longer on the marketplace since"), null=True, blank=True)
    merged_into = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="merged",
        verbose_name=_("paid together in"),
    )
    # The e-mail addresses and telephone numbers (E.164) of `payload`, by which a person's orders are found.
    buyer_contacts = ArrayField(models.CharField(max_length=254), default=list, blank=True, editable=False)
    erased_at = models.DateTimeField(_("buyer's data erased"), null=True, blank=True)

    class Meta:
        verbose_name = _("marketplace order")
        verbose_name_plural = _("marketplace orders")
        ordering = ["-id"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["account", "external_id"], name="marketplace_order_once"),
            models.CheckConstraint(condition=Q(state__in=OrderState.values), name="marketplace_order_state"),
        ]
        # Newest first within what a list is narrowed to.
        indexes = [
            models.Index(fields=["account", "-id"], name="mp_order_by_account"),
            models.Index(fields=["account", "state", "-id"], name="mp_order_by_state"),
            models.Index(fields=["state", "-id"], name="mp_order_by_any_state"),
            models.Index(fields=["account", "placed_at"], name="mp_order_by_time"),
            models.Index(fields=["status", "-id"], name="mp_order_by_any_status"),
            models.Index(fields=["placed_at"], name="mp_order_by_any_time"),
            # Looked for by their beginning, which an index by the language's order does not serve.
            models.Index(fields=["number"], name="mp_order_by_number", opclasses=["varchar_pattern_ops"]),
            models.Index(fields=["external_id"], name="mp_order_by_their_id", opclasses=["varchar_pattern_ops"]),
            GinIndex(fields=["buyer_contacts"], name="mp_order_by_contact"),
        ]

    def __str__(self) -> str:
        return self.number or self.external_id


class MarketplaceOrderLine(models.Model):
    """A line of a mirrored order: so many pieces of a SKU."""

    order = models.ForeignKey(MarketplaceOrder, on_delete=models.CASCADE, related_name="lines", verbose_name=_("order"))
    external_line_id = models.CharField(_("line on the marketplace"), max_length=100)
    sku = models.CharField(_("SKU"), max_length=100)
    name = models.CharField(_("name"), max_length=300, blank=True)
    barcode = models.CharField(_("barcode"), max_length=60, blank=True)
    quantity = models.PositiveIntegerField(_("quantity"))
    price = models.DecimalField(_("price"), max_digits=12, decimal_places=2, null=True, blank=True)

    class Meta:
        verbose_name = _("line of a marketplace order")
        verbose_name_plural = _("lines of a marketplace order")
        ordering = ["id"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["order", "external_line_id"], name="marketplace_line_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="marketplace_line_quantity_positive"),
        ]
        indexes = [
            # Orders that were paid together keep the ids of their lines: see services/mirror.py.
            models.Index(fields=["external_line_id"], name="marketplace_line_by_id"),
            models.Index(fields=["sku"], name="marketplace_line_by_sku"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.sku}"


class MarketplaceOrderRevision(models.Model):
    """One version of a mirrored order, as it was told."""

    class Source(models.TextChoices):
        JOURNAL = "journal", _("event journal")
        SWEEP = "sweep", _("sweep by time")
        LIST = "list", _("list of orders")
        READ = "read", _("read again")

    order = models.ForeignKey(
        MarketplaceOrder, on_delete=models.CASCADE, related_name="revisions", verbose_name=_("order")
    )
    number = models.PositiveIntegerField(_("revision"))
    status = models.CharField(_("status on the marketplace"), max_length=60)
    fulfilment_status = models.CharField(_("fulfilment status"), max_length=60, blank=True)
    payload = models.JSONField(_("as the marketplace told it"))
    source = models.CharField(_("found by"), max_length=7, choices=Source)
    seen_at = models.DateTimeField(_("seen"), default=timezone.now)

    class Meta:
        verbose_name = _("revision of a marketplace order")
        verbose_name_plural = _("revisions of a marketplace order")
        ordering = ["number"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["order", "number"], name="marketplace_revision_once")]

    def __str__(self) -> str:
        return f"{self.order}: {self.number}"


class ErasedBuyer(models.Model):
    """An order whose buyer's data was erased, and nothing of whom: what a restore or a new sync brings back of it is
    erased again. No keys to other tables, which a restore may have emptied."""

    account_id = models.UUIDField()
    external_id = models.CharField(max_length=100)
    reason = models.CharField(max_length=300)
    erased_at = models.DateTimeField(default=timezone.now)
    erased_by_id = models.BigIntegerField(null=True)

    class Meta:
        verbose_name = _("erased buyer")
        verbose_name_plural = _("erased buyers")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["account_id", "external_id"], name="erased_buyer_once")]

    def __str__(self) -> str:
        return self.external_id
