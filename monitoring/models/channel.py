"""Where messages go: a chat, mailboxes, a telephone, a program."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from foundation.encryption import EncryptedTextField
from monitoring.severity import Severity


class Channel(models.Model):
    """An address that messages are sent to, and how far it may be disturbed.

    `address` is, by kind: Telegram the id of the chat; e-mail the recipients, separated by commas; webhook the URL;
    SMS and other an address of apprise's. `secret` is Telegram's bot token (empty: the one of TELEGRAM_BOT_TOKEN) or
    the key that a webhook's messages are signed with. Neither is shown to anybody again.

    What a person wishes is `is_enabled`; what the other side says is `disabled_reason`: it takes nothing any more, as
    when a bot was removed from its group. Messages wait then until somebody has seen to it.
    """

    class Kind(models.TextChoices):
        TELEGRAM = "telegram", _("Telegram")
        EMAIL = "email", _("e-mail")
        SMS = "sms", _("SMS")
        WEBHOOK = "webhook", _("webhook")
        OTHER = "other", _("other")

    # Not read where they are not needed: they open only with the right key.
    SEALED = ("address", "secret")

    name = models.CharField(_("name"), max_length=100, unique=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    address = EncryptedTextField(_("address"))
    secret = EncryptedTextField(_("secret"), blank=True, default="")
    language = models.CharField(_("language"), max_length=7, choices=settings.LANGUAGES, default="en")
    quiet_from = models.TimeField(
        _("quiet from"), null=True, blank=True, help_text=_("By the clock of the shop; it may be over midnight.")
    )
    quiet_until = models.TimeField(_("quiet until"), null=True, blank=True)
    quiet_lets_through = models.CharField(
        _("quiet hours let through"),
        max_length=10,
        choices=Severity,
        default=Severity.CRITICAL,
        blank=True,
        help_text=_("What is at least so severe is sent in quiet hours too; empty: nothing is."),
    )
    hourly_limit = models.PositiveIntegerField(
        _("messages per hour, at most"),
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(1000)],
        help_text=_("What is over it waits, and comes together in one message."),
    )
    gets_daily_report = models.BooleanField(_("gets the daily report"), default=False)
    for_customers = models.BooleanField(
        _("for messages to customers"),
        default=False,
        editable=False,
        help_text=_("Its address has a place for the customer's number: no alerts go there."),
    )
    is_enabled = models.BooleanField(_("enabled"), default=True)
    disabled_reason = models.TextField(_("refused by the other side"), blank=True, editable=False)
    # The other side has asked for a pause: nothing is sent before.
    blocked_until = models.DateTimeField(_("pauses until"), null=True, blank=True, editable=False)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True, editable=False)
    last_error = models.TextField(_("last error"), blank=True, editable=False)
    last_sent_at = models.DateTimeField(_("last message"), null=True, blank=True, editable=False)
    # One program at a time sends to a channel, until then, unless it dies.
    claimed_by = models.CharField(max_length=100, blank=True, editable=False)
    claimed_until = models.DateTimeField(null=True, blank=True, editable=False)
    # Counts the changes by people, so that whoever keeps a copy sees when it is old.
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("channel")
        verbose_name_plural = _("channels")
        ordering = ["name"]
        permissions = [("test_channel", _("Can send test messages to channels"))]
        constraints = [
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="channel_quiet_hours_have_both_ends",
                violation_error_message=_("Quiet hours have a beginning and an end."),
            ),
            models.CheckConstraint(condition=Q(hourly_limit__gte=1), name="channel_hourly_limit"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_open(self) -> bool:
        """Whether messages are sent to it, or only wait."""
        return self.is_enabled and not self.disabled_reason
