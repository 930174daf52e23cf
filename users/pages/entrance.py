"""Signing in and out, signing up, and opening the link that confirms an e-mail."""

from typing import Any

from allauth.account import views as allauth_views
from django.conf import settings
from django.forms import Form
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables

from users.pages.answers import RefusingFormView
from users.pages.forms import SignInForm, SignUpForm
from users.pages.site import language_of, site_of
from users.pages.steps import second_step, wait_for_confirmation
from users.request import client_address
from users.services import sign_in, sign_up
from users.tasks import hand_over_mails


class SignInPage(RefusingFormView, allauth_views.LoginView):
    """The first step: e-mail and password. allauth's stages then ask for what else the account needs."""

    form_class = SignInForm

    def get_form_kwargs(self) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_form_kwargs()
        del kwargs["request"]
        return kwargs

    def get_form_class(self) -> type[Form]:
        return self.form_class

    @method_decorator(sensitive_variables())
    def act(self, form: Form) -> HttpResponse:
        user = sign_in.check_password(
            email=form.cleaned_data["login"],
            password=form.cleaned_data["password"],
            address=client_address(self.request),
        )
        return second_step(self.request, user, then=self.get_success_url())


class SignUpPage(RefusingFormView, allauth_views.SignupView):
    """Makes a customer's account. The answer is the same whether or not there was one: see the service."""

    form_class = SignUpForm

    def get_form_class(self) -> type[Form]:
        return self.form_class

    @method_decorator(sensitive_variables())
    def act(self, form: Form) -> HttpResponse:
        email = form.cleaned_data["email"]
        user = sign_up.sign_up(
            email=email,
            password=form.cleaned_data["password1"],
            name=form.cleaned_data["name"],
            site=site_of(self.request),
            language=language_of(self.request),
            address=client_address(self.request),
        )
        hand_over_mails()
        return wait_for_confirmation(self.request, user, email=email, then=self.get_success_url())


class SignOutPage(allauth_views.LogoutView):
    """Asks before it signs out. Somebody who stands between password and code only begins anew."""

    def get(self, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.request.user.is_authenticated:
            return super().get(*args, **kwargs)
        self.logout()
        return HttpResponseRedirect(reverse("account_login"))


class CheckYourMailPage(allauth_views.EmailVerificationSentView):
    """Says that a mail is under way, and in the demo where it has been put."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "mail_folder": settings.EMAIL_FILE_PATH}


@method_decorator(never_cache, name="dispatch")
class ConfirmEmailPage(allauth_views.ConfirmEmailView):
    """Behind the link of a mail: one button confirms, so that programs which open links confirm nothing."""

    def get(self, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().get(*args, **kwargs)
        if self.object is None:
            response.status_code = 404
        return response

    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().post(*args, **kwargs)
        except Http404:
            self.object = None
            return self.render_to_response(self.get_context_data(), status=404)

    def respond(self, success: bool) -> HttpResponse:
        if success:
            return super().respond(success)
        self.object = None
        return self.render_to_response(self.get_context_data(), status=409)
