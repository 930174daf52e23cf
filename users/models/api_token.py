"""The token that a program signs in with."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from knox.models import AbstractAuthToken
from knox.settings import CONSTANTS


class ApiToken(AbstractAuthToken):
    """A token of the API: its SHA-512 digest, never the token itself, and the day on which it expires.

    `token_key` holds the first 15 of its 64 characters, by which its owner recognises it. The key is a number
    and not, as in knox, the digest, which would stand in addresses and logs.
    """

    id = models.BigAutoField(primary_key=True)
    digest = models.CharField(max_length=CONSTANTS.DIGEST_LENGTH, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=100, help_text=_("What uses it: a till, a website, a script."))

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens", verbose_name=_("user")
    )
    created = models.DateTimeField(_("created"), auto_now_add=True)
    expiry = models.DateTimeField(_("expires"))

    # The plain one: `users.services.tokens` issues tokens, and nothing else does.
    objects: ClassVar[models.Manager["ApiToken"]] = models.Manager()

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ["-id"]
        default_permissions = ("view", "add", "delete")

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        """Without the digest, which `str` of knox's own model would put into logs."""
        return f"<ApiToken {self.pk} of user {self.user_id}>"
