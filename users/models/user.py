"""The person who signs in."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from users.choices import Role


class UserManager(BaseUserManager["User"]):
    """Makes users; e-mail addresses are kept in lower case, so that case never makes a second account."""

    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        return User.normalize_username(email or "")

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=self.normalize_email(username))

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Saves a user with a hashed password and no role; people get theirs from `users.services.accounts`."""
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, **{"is_staff": True, "is_superuser": True, **fields})


class User(AbstractBaseUser, PermissionsMixin):
    """Somebody who signs in with an e-mail address. Deactivated, never deleted: documents name them."""

    email = models.EmailField(
        _("e-mail"), max_length=254, unique=True, error_messages={"unique": _("This e-mail is taken already.")}
    )
    name = models.CharField(pgettext_lazy("of a person", "name"), max_length=150, blank=True)
    is_active = models.BooleanField(_("active"), default=True, help_text=_("Switch off instead of deleting."))
    is_staff = models.BooleanField(_("may enter the admin"), default=False)
    language = models.CharField(_("language"), max_length=7, choices=settings.LANGUAGES, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        ordering = ["email"]
        # Nobody is deleted: documents name them.
        default_permissions = ("view", "add", "change")
        constraints = [
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="user_email_is_lower_case"),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    @classmethod
    def normalize_username(cls, username: str) -> str:
        """An e-mail address as it is stored and looked for."""
        return super().normalize_username(username).strip().lower()

    def get_full_name(self) -> str:
        """The name alone: Django shows it beside the e-mail."""
        return self.name

    def get_short_name(self) -> str:
        return self.name or self.email

    @property
    def role(self) -> str:
        """The name of the role, or "" for a user without one. Lists prefetch `groups` for it."""
        return next((group.name for group in self.groups.all() if group.name in Role.values), "")

    @property
    def role_label(self) -> str:
        """The role in the reader's language."""
        return str(Role(self.role).label) if self.role else ""
