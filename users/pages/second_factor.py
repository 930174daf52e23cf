"""The second factor: giving a code, switching it on and off, recovery codes."""

from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.account.internal.flows.reauthentication import resume_request
from allauth.account.views import BaseReauthenticateView
from allauth.mfa.base import views as base_views
from allauth.mfa.base.internal.flows import post_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes import views as recovery_views
from allauth.mfa.totp import views as totp_views
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY, generate_totp_secret
from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.generic import FormView

from foundation.encryption import CanNotDecrypt, decrypt, encrypt
from users import selectors
from users.pages.answers import RefusingFormView
from users.pages.forms import CodeForm
from users.request import client_address, signed_in_user
from users.services import second_factor
from users.tasks import hand_over_mails


class GiveCodePage(RefusingFormView, base_views.AuthenticateView):
    """The second step of signing in, at the public pages and at the admin's."""

    form_class = CodeForm

    def _build_forms(self) -> Form:
        # allauth would look for a security key in a form without a code; the shop has none.
        self.webauthn_form = None
        self.auth_form = CodeForm(self.request.POST if self.request.method == "POST" else None)
        return self.auth_form

    def act(self, form: Form) -> HttpResponse:
        used = second_factor.check_code(
            user=self.stage.login.user, code=form.cleaned_data["code"], address=client_address(self.request)
        )
        post_authentication(self.request, used)
        return self.stage.exit()


@method_decorator(login_required, name="dispatch")
class GiveCodeAgainPage(RefusingFormView, BaseReauthenticateView):
    """A code once more, before the e-mail or the second factor changes."""

    form_class = CodeForm
    template_name = "mfa/reauthenticate.html"

    def act(self, form: Form) -> HttpResponse:
        used = second_factor.check_code(
            user=signed_in_user(self.request), code=form.cleaned_data["code"], address=client_address(self.request)
        )
        post_authentication(self.request, used, reauthenticated=True)
        return resume_request(self.request) or HttpResponseRedirect(self.get_success_url())


class SecondFactorPage(base_views.IndexView):
    """Whether codes are asked for, and how many recovery codes are left."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        codes = context["authenticators"].get(Authenticator.Type.RECOVERY_CODES)
        return {
            **context,
            "is_on": Authenticator.Type.TOTP in context["authenticators"],
            "codes_left": len(codes.get_unused_codes()) if codes else 0,
        }


@method_decorator(never_cache, name="dispatch")
class TurnOnPage(RefusingFormView, totp_views.ActivateTOTPView):
    """Shows the secret as a picture and as text, and asks for the first code. Until then the session keeps it."""

    form_class = CodeForm

    def get_form_class(self) -> type[Form]:
        return self.form_class

    def get_form(self, form_class: Any = None) -> Form:
        form = CodeForm(self.request.POST if self.request.method == "POST" else None)
        form.secret = self.secret()  # type: ignore[attr-defined]
        return form

    def secret(self) -> str:
        """A new one whenever the page is opened anew, so that two accounts of one browser never share it."""
        kept = self.request.session.get(SECRET_SESSION_KEY)
        if kept and self.request.method == "POST":
            try:
                return decrypt(kept)
            except CanNotDecrypt:
                pass
        secret = generate_totp_secret()
        self.request.session[SECRET_SESSION_KEY] = encrypt(secret)
        return secret

    def act(self, form: Form) -> HttpResponse:
        second_factor.turn_on(
            user_id=signed_in_user(self.request).pk,
            secret=form.secret,  # type: ignore[attr-defined]
            code=form.cleaned_data["code"],
            address=client_address(self.request),
        )
        self.request.session.pop(SECRET_SESSION_KEY, None)
        hand_over_mails()
        return HttpResponseRedirect(reverse("mfa_view_recovery_codes"))


@method_decorator(login_required, name="dispatch")
@method_decorator(reauthentication_required(app="allauth.mfa"), name="dispatch")
class TurnOffPage(RefusingFormView, FormView):
    """Asks whether codes shall be switched off."""

    form_class = Form
    template_name = "mfa/totp/deactivate_form.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not selectors.has_second_factor(signed_in_user(request)):
            return HttpResponseRedirect(reverse("mfa_index"))
        return super().dispatch(request, *args, **kwargs)

    def act(self, form: Form) -> HttpResponse:
        second_factor.turn_off(user_id=signed_in_user(self.request).pk)
        hand_over_mails()
        return HttpResponseRedirect(reverse("mfa_index"))


@method_decorator(never_cache, name="dispatch")
class RecoveryCodesPage(recovery_views.ViewRecoveryCodesView):
    """The codes that are left."""


class RecoveryCodesFile(recovery_views.DownloadRecoveryCodesView):
    """The same as a text file."""


@method_decorator(login_required, name="dispatch")
class RenewRecoveryCodesPage(RefusingFormView, recovery_views.GenerateRecoveryCodesView):
    """Asks whether new codes shall take the place of the old."""

    form_class = Form

    def get_form_class(self) -> type[Form]:
        return self.form_class

    def get_form_kwargs(self) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_form_kwargs()
        del kwargs["user"]
        return kwargs

    def act(self, form: Form) -> HttpResponse:
        second_factor.renew_recovery_codes(user_id=signed_in_user(self.request).pk)
        return HttpResponseRedirect(reverse("mfa_view_recovery_codes"))
