"""The forms of people's pages. They check what was typed; services decide and write."""

from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib.auth.forms import SetPasswordMixin
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_variables
from unfold.forms import AdminOwnPasswordChangeForm, AuthenticationForm
from unfold.widgets import (
    UnfoldAdminPasswordToggleWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
)

from users.choices import Role
from users.errors import CodeNeeded, EmailNotConfirmed, SignInRefused, TooManySignIns
from users.models import ApiToken, User
from users.request import client_address
from users.services import accounts
from users.services.sign_in import sign_in

ROLE_HELP = _(
    "A barista sells and works with stock; a manager also runs the catalogue, orders and people's records; an admin "
    "also manages accounts. A customer cannot enter the admin."
)


class SignInForm(AuthenticationForm):
    """The admin's sign-in: by e-mail, through the same service and the same limit as the API's.

    `retry_after` says how many seconds to wait if the limit is reached; `needs_code` is whose password was right, and
    who still has to give a code. A program may send it at once, as `code`; people are asked in a second step.
    """

    error_messages = {
        "invalid_login": _(
            "The e-mail or the password is wrong, or this account may not enter here. Check both and try again."
        ),
    }

    retry_after: int | None = None
    needs_code: User | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("E-mail")
        self.fields["username"].widget.attrs |= {"inputmode": "email", "autocomplete": "username"}
        self.fields["password"].widget = UnfoldAdminPasswordToggleWidget(attrs={"autocomplete": "current-password"})

    @sensitive_variables()
    def clean(self) -> dict[str, Any]:
        email, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if email and password:
            try:
                self.user_cache = sign_in(
                    email=email,
                    password=password,
                    code=self.data.get("code", ""),
                    address=client_address(self.request),
                )
            except SignInRefused:
                raise self.get_invalid_login_error() from None
            except EmailNotConfirmed as refusal:
                raise ValidationError(refusal.detail, code=refusal.code) from None
            except CodeNeeded as refusal:
                self.confirm_login_allowed(refusal.user)
                self.needs_code = refusal.user
                raise ValidationError(refusal.detail, code=refusal.code) from None
            except TooManySignIns as refusal:
                self.retry_after = refusal.retry_after
                raise ValidationError(refusal.detail, code=refusal.code) from None
            self.confirm_login_allowed(self.user_cache)
        return self.cleaned_data


class AccountForm(forms.ModelForm):
    """The page of an account that exists."""

    role = forms.ChoiceField(
        label=_("Role"), choices=Role.choices, widget=UnfoldAdminSelectWidget(), help_text=ROLE_HELP
    )

    class Meta:
        model = User
        fields = ("email", "name", "language", "is_active")
        help_texts = {
            "is_active": _("A switched-off account can't sign in; its sessions end and its API tokens are deleted."),
            "language": _("Used from the next sign-in on; without one, the browser's."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A page that may only be read has no fields.
        if "role" in self.fields:
            self.fields["role"].initial = self.instance.role
        _name_the_blank_language(self)


class NewAccountForm(SetPasswordMixin, forms.ModelForm):
    """The page that makes an account."""

    role = forms.ChoiceField(
        label=_("Role"),
        choices=Role.choices,
        initial=Role.BARISTA,
        widget=UnfoldAdminSelectWidget(),
        help_text=ROLE_HELP,
    )
    password1, password2 = SetPasswordMixin.create_password_fields()

    class Meta:
        model = User
        fields = ("email", "name", "language")
        help_texts = {"language": AccountForm.Meta.help_texts["language"]}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _style_passwords(self)
        _name_the_blank_language(self)
        for name in ("password1", "password2"):
            self.fields[name].required = False
        self.fields["password1"].help_text = _(
            "Leave both empty, and the person gets a mail with a link to choose one. Else at least 10 characters, not "
            "only digits, and nothing that everybody would guess."
        )

    def clean(self) -> dict[str, Any] | None:
        typed = self.cleaned_data
        if typed.get("password1", "") != typed.get("password2", ""):
            self.add_error(
                "password2", ValidationError(self.error_messages["password_mismatch"], code="password_mismatch")
            )
        return super().clean()

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        # Now that the instance has the name and e-mail, which a password must not resemble.
        self.validate_password_for_user(self.instance)


class OthersPasswordForm(SetPasswordMixin, forms.Form):
    """An admin sets somebody's password."""

    password1, password2 = SetPasswordMixin.create_password_fields()

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        self.user = user
        super().__init__(*args, **kwargs)
        _style_passwords(self)

    def clean(self) -> dict[str, Any] | None:
        self.validate_passwords()
        self.validate_password_for_user(self.user)
        return super().clean()


class OwnPasswordForm(AdminOwnPasswordChangeForm):
    """Somebody changes their own password."""

    user: User

    def save(self, commit: bool = True) -> User:
        self.user = accounts.set_password(user_id=self.user.pk, password=self.cleaned_data["new_password1"])
        return self.user


def token_lifetimes() -> list[tuple[int, str]]:
    return [(days, ngettext("%(days)d day", "%(days)d days", days) % {"days": days}) for days in (1, 7, 30, 90, 366)]


class NewTokenForm(forms.ModelForm):
    """The page that makes an API token."""

    days = forms.TypedChoiceField(
        label=_("Valid for"),
        coerce=int,
        initial=30,
        choices=token_lifetimes,
        widget=UnfoldAdminSelectWidget(),
    )

    class Meta:
        model = ApiToken
        fields = ("name", "external_user_id")


def _name_the_blank_language(form: forms.BaseForm) -> None:
    if "language" in form.fields:
        field = cast(forms.ChoiceField, form.fields["language"])
        field.choices = [("", _("As in the browser")), *settings.LANGUAGES]


def _style_passwords(form: forms.BaseForm) -> None:
    for name, widget in (("password1", UnfoldAdminPasswordToggleWidget), ("password2", UnfoldAdminPasswordWidget)):
        form.fields[name].widget = widget(attrs={"autocomplete": "new-password"})
