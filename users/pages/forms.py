"""The forms of the public account pages. They check what was typed; services decide and write."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

# Nobody types more; hashing a novel would only keep the server busy.
LONGEST_PASSWORD = 4096
LONGEST_CODE = 64


def email_field(*, label: Any) -> forms.EmailField:
    return forms.EmailField(
        label=label, max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email"})
    )


def password_field(*, label: Any, autocomplete: str, help_text: Any = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=LONGEST_PASSWORD,
        strip=False,
        help_text=help_text,
        widget=forms.PasswordInput(attrs={"autocomplete": autocomplete}),
    )


GOOD_PASSWORD = _("At least 10 characters, not only digits, and nothing that everybody would guess.")


class SignInForm(forms.Form):
    """E-mail and password."""

    login = email_field(label=_("E-mail"))
    password = password_field(label=_("Password"), autocomplete="current-password")


class SignUpForm(forms.Form):
    """What a new customer tells."""

    name = forms.CharField(
        label=pgettext_lazy("of a person", "Name (optional)"),
        max_length=150,
        required=False,
        help_text=_("We call it when your order is ready."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    email = email_field(label=_("E-mail"))
    password1 = password_field(label=_("Password"), autocomplete="new-password", help_text=GOOD_PASSWORD)


class ForgottenPasswordForm(forms.Form):
    """Whose password is forgotten."""

    email = email_field(label=_("E-mail"))


class NewPasswordForm(forms.Form):
    """A new password, typed twice."""

    password1 = password_field(label=_("New password"), autocomplete="new-password", help_text=GOOD_PASSWORD)
    password2 = password_field(label=_("New password again"), autocomplete="new-password")

    def clean(self) -> dict[str, Any] | None:
        typed = super().clean() or {}
        first, second = typed.get("password1"), typed.get("password2")
        if first and second and first != second:
            self.add_error("password2", _("The two passwords differ. Type the same one twice."))
        return typed


class ChangePasswordForm(NewPasswordForm):
    """The password that holds now, and the new one twice."""

    oldpassword = password_field(label=_("Current password"), autocomplete="current-password")

    field_order = ("oldpassword", "password1", "password2")


class ChangeEmailForm(forms.Form):
    """The e-mail that an account shall have."""

    email = email_field(label=_("New e-mail"))


class PasswordForm(forms.Form):
    """The password once more, before something that matters."""

    password = password_field(label=_("Password"), autocomplete="current-password")


class CodeForm(forms.Form):
    """A code of the app, or a recovery code."""

    code = forms.CharField(
        label=_("Code"),
        max_length=LONGEST_CODE,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True, "class": "code"}
        ),
    )
