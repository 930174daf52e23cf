"""The words that people's records use: their roles, what attempts are counted by, and the mails that go out."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """What somebody may do here. Each is a Django group of the same name; a user has exactly one."""

    ADMIN = "admin", _("Admin")
    MANAGER = "manager", _("Manager")
    BARISTA = "barista", _("Barista")
    CUSTOMER = "customer", _("Customer")


class CountedBy(models.TextChoices):
    """What attempts are counted by: to sign in, to give a code, to have a mail sent."""

    ADDRESS = "address", _("network address")
    EMAIL = "email", _("e-mail")
    CODE = "code", _("codes of an account")
    MAIL_TO = "mail_to", _("mails to an e-mail")
    MAIL_FROM = "mail_from", _("mails from a network address")


class MailKind(models.TextChoices):
    """What a mail is about. Its text is templates/account/mail/<kind>.txt, the first line of which is the subject."""

    CONFIRM_EMAIL = "confirm_email", _("Confirm an e-mail")
    ACCOUNT_EXISTS = "account_exists", _("There is an account already")
    RESET_PASSWORD = "reset_password", _("Choose a new password")
    UNKNOWN_ACCOUNT = "unknown_account", _("There is no such account")
    INVITATION = "invitation", _("Invitation")
    EMAIL_CHANGED = "email_changed", _("The e-mail has changed")
    PASSWORD_CHANGED = "password_changed", _("The password has changed")
    SECOND_FACTOR_ON = "second_factor_on", _("Sign-in codes switched on")
    SECOND_FACTOR_OFF = "second_factor_off", _("Sign-in codes switched off")
