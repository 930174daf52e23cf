"""Changing the e-mail that an account is signed in to with."""

from typing import Any

from allauth.account import views as allauth_views
from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from foundation.errors import Refusal
from users.pages.answers import RefusingFormView
from users.pages.forms import ChangeEmailForm
from users.pages.site import language_of, site_of
from users.request import client_address, signed_in_user
from users.services import email_addresses
from users.tasks import hand_over_mails


class ChangeEmailPage(RefusingFormView, allauth_views.EmailView):
    """Shows the e-mail, and the one that waits for its link; asks for the password before anything changes."""

    form_class = ChangeEmailForm

    def get_form_class(self) -> type[Form]:
        return self.form_class

    def get_form_kwargs(self) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_form_kwargs()
        del kwargs["user"]
        return kwargs

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = signed_in_user(self.request)
        waiting = EmailAddress.objects.filter(user=user, verified=False).exclude(email=user.email).first()
        return {"form": self.get_form(), "waiting": waiting, "mail_folder": settings.EMAIL_FILE_PATH, **kwargs}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        raise_if_reauthentication_required(request, app="allauth.account")
        if "action_send" in request.POST:
            return self.send_again()
        if "action_remove" in request.POST:
            email_addresses.forget_email_change(user_id=signed_in_user(request).pk)
            return HttpResponseRedirect(self.get_success_url())
        form = self.get_form()
        return self.form_valid(form) if form.is_valid() else self.form_invalid(form)

    def act(self, form: Form) -> HttpResponse:
        email_addresses.ask_to_change_email(
            user_id=signed_in_user(self.request).pk,
            email=form.cleaned_data["email"],
            site=site_of(self.request),
            language=language_of(self.request),
            address=client_address(self.request),
        )
        hand_over_mails()
        return HttpResponseRedirect(self.get_success_url())

    def send_again(self) -> HttpResponse:
        waiting = self.get_context_data()["waiting"]
        try:
            email_addresses.send_confirmation_again(
                address_id=waiting.pk if waiting else 0,
                site=site_of(self.request),
                language=language_of(self.request),
                address=client_address(self.request),
            )
        except Refusal as refusal:
            messages.error(self.request, refusal.detail)
        else:
            hand_over_mails()
            messages.success(self.request, _("The link is sent once more."))
        return HttpResponseRedirect(self.get_success_url())
