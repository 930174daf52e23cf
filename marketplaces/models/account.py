"""Who sells on a marketplace, and with which keys."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from foundation.encryption import EncryptedJSONField, EncryptedTextField
from foundation.uuids import uuid7
from marketplaces.choices import Marketplace


class SellerAccount(models.Model):
    """An account of a seller on a marketplace; what is sold there leaves the stock of `location`.

    `external_user_id` is the name or UUID under which the calling system knows the seller: data of different ones are
    strictly apart. `credentials` are what the marketplace gave out: Allegro {client_id, client_secret}, Ozon
    {client_id, api_key}, Wildberries {token}; `tokens` is Allegro's pair {access_token, refresh_token}, stored as one
    so that it can never be half. Neither is shown to anybody again.

    `is_demo` sends every call to the local stand-in; no form and no API sets it.
    """

    class Mode(models.TextChoices):
        READ_ONLY = "read_only", _("read only")
        LIVE = "live", _("live")

    class Connection(models.TextChoices):
        NONE = "none", _("not connected")
        CONNECTED = "connected", _("connected")
        LOST = "lost", _("connection lost")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    marketplace = models.CharField(_("marketplace"), max_length=11, choices=Marketplace)
    external_user_id = models.CharField(
        _("external user id"),
        max_length=100,
        help_text=_("The name or UUID under which the calling system knows this seller."),
    )
    name = models.CharField(_("name"), max_length=100)
    location = models.ForeignKey(
        "inventory.Location",
        on_delete=models.PROTECT,
        related_name="seller_accounts",
        verbose_name=_("location"),
        help_text=_("What is sold on the marketplace leaves the stock here."),
    )
    mode = models.CharField(
        _("mode"),
        max_length=9,
        choices=Mode,
        default=Mode.READ_ONLY,
        help_text=_("Read only: nothing is written to the marketplace."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    is_demo = models.BooleanField(_("demo"), default=False, editable=False)
    credentials = EncryptedJSONField(_("credentials"), null=True, blank=True, editable=False)
    # When the key was given to us, and when the marketplace says that it ends, where it does.
    credentials_changed_at = models.DateTimeField(_("key stored"), null=True, blank=True, editable=False)
    key_expires_at = models.DateTimeField(_("key expires"), null=True, blank=True, editable=False)
    connection = models.CharField(
        _("connection"), max_length=9, choices=Connection, default=Connection.NONE, editable=False
    )
    seller_name = models.CharField(_("name on the marketplace"), max_length=200, blank=True, editable=False)
    tokens = EncryptedJSONField(null=True, blank=True, editable=False)
    access_expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    refresh_expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Whoever refreshes the pair does so alone until then; a refresh that began and did not end is repeated at once,
    # while the old token is still taken: see docs/adr/0050-tokens-that-rotate.md.
    refresh_started_at = models.DateTimeField(null=True, blank=True, editable=False)
    refresh_leased_until = models.DateTimeField(null=True, blank=True, editable=False)
    push_warehouse_id = models.CharField(
        _("warehouse for quantities"),
        max_length=40,
        blank=True,
        help_text=_("Ozon and Wildberries: the seller's warehouse whose quantities are kept up to date."),
    )
    orders_every = models.PositiveIntegerField(
        _("orders every, seconds"), default=60, validators=[MinValueValidator(10), MaxValueValidator(86_400)]
    )
    stock_every = models.PositiveIntegerField(
        _("stock every, minutes"), default=360, validators=[MinValueValidator(5), MaxValueValidator(10_080)]
    )
    max_changes_per_run = models.PositiveIntegerField(
        _("changes per run, at most"),
        default=500,
        validators=[MinValueValidator(1), MaxValueValidator(10_000)],
        help_text=_("So many quantities are sent to the marketplace at once; the rest waits for the next run."),
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("seller account")
        verbose_name_plural = _("seller accounts")
        ordering = ["marketplace", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["marketplace", "external_user_id", "name"],
                name="seller_account_once",
                violation_error_message=_("This seller has an account of this name on the marketplace already."),
            ),
            models.CheckConstraint(condition=Q(marketplace__in=Marketplace.values), name="seller_account_marketplace"),
            models.CheckConstraint(condition=Q(mode__in=["read_only", "live"]), name="seller_account_mode"),
            models.CheckConstraint(condition=~Q(external_user_id=""), name="seller_account_has_a_user"),
        ]
        indexes = [models.Index(fields=["external_user_id"], name="seller_account_by_user")]
        permissions = [
            ("connect_selleraccount", _("Can connect seller accounts and change their keys")),
            ("sync_selleraccount", _("Can test and synchronise seller accounts")),
            ("stop_pushes", _("Can stop and start writing to all marketplaces")),
        ]

    def __str__(self) -> str:
        return f"{self.get_marketplace_display()}: {self.name}"

    @property
    def is_live(self) -> bool:
        return self.is_active and self.mode == self.Mode.LIVE


class DeviceConnection(models.Model):
    """Allegro's device code flow while somebody goes through it: the code on the page, and what is polled with."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting for the seller")
        CONNECTED = "connected", _("connected")
        DENIED = "denied", _("refused by the seller")
        EXPIRED = "expired", _("expired")
        INVALID = "invalid", _("not known to Allegro any more")

    account = models.OneToOneField(SellerAccount, on_delete=models.CASCADE, related_name="device_connection")
    device_code = EncryptedTextField(editable=False)
    user_code = models.CharField(_("code"), max_length=50)
    verification_uri = models.CharField(_("address"), max_length=500)
    verification_uri_complete = models.CharField(_("address with the code"), max_length=500)
    # Seconds between two polls; Allegro may ask for more.
    interval = models.PositiveIntegerField()
    status = models.CharField(_("status"), max_length=9, choices=Status, default=Status.WAITING)
    started_by_id = models.BigIntegerField(null=True)
    started_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(_("expires"))
    next_poll_at = models.DateTimeField()

    class Meta:
        verbose_name = _("connection in progress")
        verbose_name_plural = _("connections in progress")

    def __str__(self) -> str:
        return self.user_code


class CredentialEvent(models.Model):
    """What became of an account's keys, without them: stored, refreshed, refused. Each use stands in the log only."""

    class Kind(models.TextChoices):
        STORED = "stored", _("key stored")
        CONNECTED = "connected", _("connected")
        REFRESHED = "refreshed", _("tokens refreshed")
        REFUSED = "refused", _("refused by the marketplace")
        REMOVED = "removed", _("key removed")
        ROTATED = "rotated", _("encrypted anew")
        WARNED = "warned", _("old key")

    account = models.ForeignKey(SellerAccount, on_delete=models.CASCADE, related_name="credential_events")
    kind = models.CharField(_("what"), max_length=9, choices=Kind)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    created_by_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        verbose_name = _("key event")
        verbose_name_plural = _("key events")
        ordering = ["-id"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.get_kind_display()


class MarketplaceSwitch(models.Model):
    """The one switch that stops all writing to all marketplaces. There is one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    pushes_stopped_at = models.DateTimeField(_("stopped"), null=True)
    stopped_by_id = models.BigIntegerField(null=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("marketplace switch")
        verbose_name_plural = _("marketplace switch")
        default_permissions = ("view",)
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_marketplace_switch")]

    def __str__(self) -> str:
        return str(self._meta.verbose_name)
