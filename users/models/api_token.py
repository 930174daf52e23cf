"""The token that a program signs in with."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from knox.settings import CONSTANTS


class ApiToken(models.Model):
    """A token of the API: its SHA-512 digest, never the token itself, and when it expires.

    Takes the place of knox's own model, which has no name for people, and whose key is the digest: that would
    stand in addresses and logs.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens", verbose_name=_("user")
    )
    name = models.CharField(_("name"), max_length=100, help_text=_("What uses it: a till, a website, a script."))
    digest = models.CharField(max_length=CONSTANTS.DIGEST_LENGTH, unique=True, editable=False)
    # The first 15 of its 64 characters, by which its owner recognises it; the others are 196 bits.
    beginning = models.CharField(max_length=CONSTANTS.TOKEN_KEY_LENGTH, editable=False)
    # Whoever calls with a bound token sees the data of this seller, and nothing else of the shop.
    external_user_id = models.CharField(
        _("bound to the external user id"),
        max_length=100,
        blank=True,
        default="",
        help_text=_("Then it opens this seller's marketplace data and nothing else."),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"))

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ["-id"]
        default_permissions = ("view", "add", "delete")

    def __str__(self) -> str:
        return self.name
