"""Forgetting a password, choosing a new one behind a link, changing it, and giving it once more."""

from typing import Any

from allauth.account import views as allauth_views
from allauth.account.internal import flows
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.forms import Form
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables

from users.pages.answers import RefusingFormView
from users.pages.forms import ChangePasswordForm, ForgottenPasswordForm, NewPasswordForm, PasswordForm
from users.pages.site import language_of, site_of
from users.request import client_address, signed_in_user
from users.services import password_reset, sign_in
from users.tasks import hand_over_mails


class ForgottenPasswordPage(RefusingFormView, allauth_views.PasswordResetView):
    """Sends a link. The answer is the same whether or not there is an account."""

    form_class = ForgottenPasswordForm

    def get_form_class(self) -> type[Form]:
        return self.form_class

    def act(self, form: Form) -> HttpResponse:
        password_reset.ask_for_new_password(
            email=form.cleaned_data["email"],
            site=site_of(self.request),
            language=language_of(self.request),
            address=client_address(self.request),
        )
        hand_over_mails()
        return HttpResponseRedirect(reverse("account_reset_password_done"))


class LinkIsSentPage(allauth_views.PasswordResetDoneView):
    """Says that a mail is under way, and in the demo where it has been put."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "mail_folder": settings.EMAIL_FILE_PATH}


@method_decorator(never_cache, name="dispatch")
class ChoosePasswordPage(RefusingFormView, allauth_views.PasswordResetFromKeyView):
    """Behind the link. allauth takes the key out of the address, into the session, before the form is shown."""

    form_class = NewPasswordForm

    def get_form_class(self) -> type[Form]:
        return self.form_class

    def get_form_kwargs(self) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_form_kwargs()
        del kwargs["user"], kwargs["temp_key"]
        return kwargs

    @method_decorator(sensitive_variables())
    def act(self, form: Form) -> HttpResponse:
        password_reset.reset_password(user_id=self.reset_user.pk, key=self.key, password=form.cleaned_data["password1"])
        hand_over_mails()
        return HttpResponseRedirect(self.get_success_url())


class PasswordIsChosenPage(allauth_views.PasswordResetFromKeyDoneView):
    """Says that the new password holds."""


class ChangePasswordPage(RefusingFormView, allauth_views.PasswordChangeView):
    """Somebody who has signed in changes their password; their other sessions and API tokens end."""

    form_class = ChangePasswordForm

    def get_form_class(self) -> type[Form]:
        return self.form_class

    def get_form_kwargs(self) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_form_kwargs()
        del kwargs["user"]
        return kwargs

    def get_success_url(self) -> str:
        return reverse("account_change_password")

    @method_decorator(sensitive_variables())
    def act(self, form: Form) -> HttpResponse:
        user = sign_in.change_password(
            user=signed_in_user(self.request),
            old_password=form.cleaned_data["oldpassword"],
            password=form.cleaned_data["password1"],
            address=client_address(self.request),
        )
        hand_over_mails()
        update_session_auth_hash(self.request, user)
        messages.success(self.request, _("Your password is changed. Your other sessions and API tokens have ended."))
        return HttpResponseRedirect(self.get_success_url())


class GivePasswordPage(RefusingFormView, allauth_views.ReauthenticateView):
    """The password once more, before the e-mail or the second factor changes."""

    form_class = PasswordForm

    def get_form_class(self) -> type[Form]:
        return self.form_class

    def get_form_kwargs(self) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_form_kwargs()
        del kwargs["user"]
        return kwargs

    @method_decorator(sensitive_variables())
    def act(self, form: Form) -> HttpResponse:
        sign_in.confirm_password(
            user=signed_in_user(self.request),
            password=form.cleaned_data["password"],
            address=client_address(self.request),
        )
        flows.reauthentication.reauthenticate_by_password(self.request)
        return flows.reauthentication.resume_request(self.request) or HttpResponseRedirect(self.get_success_url())
