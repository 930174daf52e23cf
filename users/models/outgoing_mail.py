"""A mail that waits to be sent."""

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import models
from django.utils import timezone

from users.choices import MailKind


class OutgoingMail(models.Model):
    """The outbox of the accounts' mails: written with what causes the mail, deleted when the mail server has it.

    Links with secrets in them are made when the mail is sent, and so never stand in the database.
    """

    kind = models.CharField(max_length=20, choices=MailKind)
    to = models.EmailField(max_length=254)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+")
    # What is to be confirmed. If it goes, nothing is.
    email_address = models.ForeignKey(EmailAddress, on_delete=models.CASCADE, null=True, related_name="+")
    language = models.CharField(max_length=7, blank=True)
    site = models.CharField(max_length=255)
    created_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["next_attempt_at"], name="outgoing_mail_next_attempt")]

    def __str__(self) -> str:
        return f"{self.kind} to {self.to}"
